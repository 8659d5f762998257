// Who was told what, when, and whether it arrived.
import { Empty } from '../elements/states.jsx'
import { State } from '../elements/tags.jsx'
import { ago, full, moment, parseTime } from '../time.js'

export function Notifications({ list, without = '' }) {
  const shown = without ? list.filter(({ receiver }) => receiver !== without) : list
  if (!shown.length) return <Empty>Nobody has been told anything yet.</Empty>
  return (
    <ol class="notifications">
      {shown.map((one) => {
        const at = parseTime(one.timestamp)
        return (
          <li key={`${one.timestamp}/${one.receiver}/${one.integration}/${one.summary}`} class="notification">
            <time dateTime={one.timestamp} title={`${full(at)}, ${ago(at)}`}>
              {moment(at)}
            </time>
            <State name={one.status} />
            <span class="notification-what">{one.summary.replace(/^(firing|resolved): /, '')}</span>
            <span class="notification-whom">
              to <strong>{one.receiver}</strong> by {one.integration}
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
