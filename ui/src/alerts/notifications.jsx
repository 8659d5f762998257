// Who was told what, when, and whether it arrived.
import { Empty } from '../elements/states.jsx'
import { State } from '../elements/tags.jsx'
import { ago, full, moment, parseTime } from '../time.js'

const SAME_SECONDS = 5

/** One entry for what a receiver was told by several ways at once. */
export function gathered(list) {
  const entries = []
  for (const one of list) {
    const same = entries.find(
      (entry) =>
        entry.receiver === one.receiver &&
        entry.summary === one.summary &&
        entry.outcome === one.outcome &&
        Math.abs(parseTime(entry.timestamp) - parseTime(one.timestamp)) <= SAME_SECONDS,
    )
    if (same) same.ways.push(one.integration)
    else entries.push({ ...one, ways: [one.integration] })
  }
  return entries
}

export function Notifications({ list, most = Infinity }) {
  const shown = gathered(list).slice(0, most)
  if (!shown.length) return <Empty>Nobody has been told anything yet.</Empty>
  return (
    <ol class="notifications">
      {shown.map((one) => {
        const at = parseTime(one.timestamp)
        return (
          <li key={`${one.timestamp}/${one.receiver}/${one.ways}/${one.summary}`} class="notification">
            <time dateTime={one.timestamp} title={`${full(at)}, ${ago(at)}`}>
              {moment(at)}
            </time>
            <State name={one.status} />
            <span class="notification-what">{one.summary.replace(/^(firing|resolved): /, '')}</span>
            <span class="notification-whom">
              to <strong>{one.receiver}</strong> by {[...new Set(one.ways)].sort().join(', ')}
            </span>
            {one.outcome === 'failed' ? (
              <span class="notification-outcome bad">not delivered: {one.detail}</span>
            ) : (
              <span class="notification-outcome good">delivered</span>
            )}
          </li>
        )
      })}
    </ol>
  )
}
