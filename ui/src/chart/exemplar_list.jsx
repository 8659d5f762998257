// The exemplars of a graph as links: what a canvas cannot offer to a keyboard.
import { Icon } from '../elements/icons.jsx'
import { plural, value as format } from '../format.js'
import { href } from '../router.js'
import { moment } from '../time.js'

const MOST = 50

export function ExemplarList({ exemplars, unit }) {
  const slowest = [...exemplars].sort((one, other) => other.value - one.value).slice(0, MOST)
  const close = (event) => {
    if (event.key !== 'Escape') return
    event.currentTarget.open = false
    event.currentTarget.querySelector('summary').focus()
  }
  return (
    <details class="exemplars" onKeyDown={close}>
      <summary>
        <Icon name="exemplar" size={12} /> {plural(exemplars.length, 'exemplar')}
      </summary>
      <div class="popover exemplar-list">
        <p class="muted">Single requests behind these lines, slowest first.</p>
        <ul>
          {slowest.map(({ traceId, value, time }) => (
            <li key={traceId}>
              <a class="menu-item" href={href(`/traces/${traceId}`)}>
                <strong>{format(value, unit)}</strong>
                <span>{moment(time)}</span>
                <code>{traceId.slice(0, 8)}</code>
              </a>
            </li>
          ))}
        </ul>
      </div>
    </details>
  )
}
