// A moment on a graph, and the ways from it: to a trace, to the traces and the log lines around it.
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../elements/icons.jsx'
import { value as format } from '../format.js'
import { around } from '../range.js'
import { go, href } from '../router.js'
import { clock, full } from '../time.js'

const MOST = 4

export function Moment({ at, exemplars, unit, close }) {
  const box = useRef(null)
  useEffect(() => {
    if (at.exact) {
      go(`/traces/${at.exact.traceId}`)
      return undefined
    }
    box.current.querySelector('a').focus({ preventScroll: true })
    const leave = (event) => box.current?.contains(event.target) || close()
    const timer = setTimeout(() => addEventListener('pointerdown', leave))
    return () => {
      clearTimeout(timer)
      removeEventListener('pointerdown', leave)
    }
  }, [at])
  const near = exemplars
    .filter(({ time }) => Math.abs(time - at.time) < at.margin * 2)
    .sort((one, other) => other.value - one.value)
    .slice(0, MOST)
  const right = at.left > at.width / 2
  const place = right ? { right: `${at.width - at.left}px` } : { left: `${at.left}px` }
  const range = around(at.time, Math.max(15, at.margin))
  return (
    <div
      class="popover moment"
      role="dialog"
      aria-label={`At ${clock(at.time)}`}
      ref={box}
      style={{ top: `${at.top + 8}px`, ...place }}
      onKeyDown={(event) => event.key === 'Escape' && close()}
    >
      <p class="moment-time">{full(at.time)}</p>
      {near.map((one) => (
        <a class="menu-item" key={one.traceId} href={href(`/traces/${one.traceId}`)}>
          <Icon name="exemplar" size={12} /> Trace of {format(one.value, unit)}
        </a>
      ))}
      <a class="menu-item" href={href('/traces', range)}>
        <Icon name="traces" size={14} /> Traces of this moment
      </a>
      <a class="menu-item" href={href('/logs', range)}>
        <Icon name="logs" size={14} /> Logs of this moment
      </a>
    </div>
  )
}
