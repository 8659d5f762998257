// A panel of numbers on a scale with its thresholds.
import { css } from '../colors.js'
import { Answer, Empty } from '../elements/states.jsx'
import { value as format } from '../format.js'
import { useSeries } from './data.js'
import { colorFor, reduce, stepsOf, textFor } from './thresholds.js'

const RADIUS = 80
const PIXELS = 180

export function Gauge({ panel, variables, range }) {
  const found = useSeries(panel, variables, range, PIXELS)
  const field = { min: 0, max: 100, ...panel.fieldConfig?.defaults }
  return (
    <Answer of={found} lines={2}>
      {({ series }) =>
        series.length === 0 ? (
          <Empty>No data in this time.</Empty>
        ) : (
          <ul class="gauges">
            {series.map(({ name, values }) => (
              <Dial key={name} name={name} number={reduce(values, panel.options)} field={field} />
            ))}
          </ul>
        )
      }
    </Answer>
  )
}

function Dial({ name, number, field }) {
  const share = (value) => Math.min(1, Math.max(0, (value - field.min) / (field.max - field.min || 1)))
  const steps = stepsOf(field)
  return (
    <li class="gauge">
      <svg viewBox="0 0 200 116" role="img" aria-label={`${name}: ${textFor(number, field)} of ${format(field.max, field.unit)}`}>
        <path class="gauge-track" d={arc(0, 1, RADIUS)} />
        {number !== null && (
          <path class="gauge-value" d={arc(0, share(number), RADIUS)} style={{ '--color': css(colorFor(number, field)) }} />
        )}
        {steps.map(({ value, color }, index) => {
          const until = steps[index + 1]?.value ?? field.max
          return (
            <path
              key={value}
              class="gauge-step"
              d={arc(share(value), share(until), RADIUS + 13)}
              style={{ '--color': css(color) }}
            />
          )
        })}
        <text x="100" y="98" text-anchor="middle" class="gauge-text">
          {textFor(number, field)}
        </text>
      </svg>
      <span class="stat-name">{name}</span>
    </li>
  )
}

/** Part of a half circle, from a share of it to another. */
function arc(from, to, radius) {
  const point = (share) => {
    const angle = Math.PI * (1 - share)
    return `${(100 + radius * Math.cos(angle)).toFixed(2)} ${(104 - radius * Math.sin(angle)).toFixed(2)}`
  }
  return `M${point(from)}A${radius} ${radius} 0 0 1 ${point(to)}`
}
