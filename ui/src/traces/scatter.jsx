// Traces as dots: when each began, how long it took. What stands out is worth opening.
import { duration, plural } from '../format.js'
import { go } from '../router.js'
import { clock, moment } from '../time.js'

const HEIGHT = 120

export function Scatter({ traces, range }) {
  const longest = Math.max(...traces.map(({ duration_seconds: seconds }) => seconds))
  const shortest = Math.max(1e-6, Math.min(...traces.map(({ duration_seconds: seconds }) => seconds)))
  const top = Math.log10(longest * 1.3)
  const bottom = Math.log10(shortest / 1.3)
  const x = (trace) => ((trace.start - range.start) / (range.end - range.start)) * 100
  const y = (seconds) => ((top - Math.log10(Math.max(seconds, 1e-6))) / (top - bottom || 1)) * 100
  const marks = [-5, -4, -3, -2, -1, 0, 1, 2, 3].filter((power) => power > bottom && power < top).map((power) => 10 ** power)
  return (
    <figure class="scatter">
      <svg height={HEIGHT} role="img" aria-label={`${plural(traces.length, 'trace')} by start and duration; the list below holds the same`}>
        {marks.map((mark) => (
          <g key={mark}>
            <line class="scatter-grid" x1="0" x2="100%" y1={`${y(mark)}%`} y2={`${y(mark)}%`} />
            <text class="scatter-mark" x="0" y={`${y(mark)}%`} dy="-3">
              {duration(mark)}
            </text>
          </g>
        ))}
        {traces.map((trace) => (
          <circle
            key={trace.trace_id}
            class={trace.errors ? 'dot failed' : 'dot'}
            cx={`${x(trace)}%`}
            cy={`${y(trace.duration_seconds)}%`}
            r={3 + Math.min(4, Math.sqrt(trace.spans) / 3)}
            onClick={() => go(`/traces/${trace.trace_id}`)}
          >
            <title>
              {trace.root_name}, {duration(trace.duration_seconds)}, {clock(trace.start)}
            </title>
          </circle>
        ))}
      </svg>
      <figcaption>
        <span>{moment(range.start)}</span>
        <span>{moment(range.end)}</span>
      </figcaption>
    </figure>
  )
}
