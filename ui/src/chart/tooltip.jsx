// What the series are at the pointer, largest first.
import { css } from '../colors.js'
import { value as format } from '../format.js'
import { full } from '../time.js'

const MOST = 12

export function Tooltip({ at, times, series, style }) {
  const rows = series
    .map(({ name, color, values }) => ({ name, color, value: values[at.index] }))
    .filter(({ value }) => value !== null && value !== undefined)
    .sort((one, other) => other.value - one.value)
  if (!rows.length) return null
  const right = at.left > at.width / 2
  const place = right ? { right: `${at.width - at.left + 14}px` } : { left: `${at.left + 14}px` }
  return (
    <div class="tooltip" aria-hidden="true" style={{ top: `${Math.max(4, at.top - 24)}px`, ...place }}>
      <div class="tooltip-time">{full(times[at.index])}</div>
      {rows.slice(0, MOST).map(({ name, color, value }) => (
        <div class="tooltip-row" key={name} style={{ '--color': css(color) }}>
          <span class="tooltip-name">{name}</span>
          <span class="tooltip-value">{format(value, style.unit, style.decimals)}</span>
        </div>
      ))}
      {rows.length > MOST && <div class="muted">and {rows.length - MOST} more</div>}
    </div>
  )
}
