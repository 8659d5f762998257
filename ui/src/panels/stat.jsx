// A panel of numbers that matter now, each with the line that led to it.
import { Sparkline } from '../chart/sparkline.jsx'
import { css } from '../colors.js'
import { Answer, Empty } from '../elements/states.jsx'
import { useSeries } from './data.js'
import { colorFor, reduce, textFor } from './thresholds.js'

const PIXELS = 180

export function Stat({ panel, variables, range }) {
  const found = useSeries(panel, variables, range, PIXELS)
  const field = panel.fieldConfig?.defaults ?? {}
  return (
    <Answer of={found} lines={2}>
      {({ series }) =>
        series.length === 0 ? (
          <Empty>No data in this time.</Empty>
        ) : (
          <ul class="stats">
            {series.map(({ name, values }) => {
              const number = reduce(values, panel.options)
              const color = css(colorFor(number, field))
              return (
                <li class="stat" key={name} style={{ '--color': color }}>
                  <span class="stat-value">{textFor(number, field)}</span>
                  {series.length > 1 && <span class="stat-name">{name}</span>}
                  {panel.options?.graphMode !== 'none' && <Sparkline values={values} color={color} />}
                </li>
              )
            })}
          </ul>
        )
      }
    </Answer>
  )
}
