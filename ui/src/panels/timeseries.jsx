// A panel of lines over time, its legend, and its exemplars as points and as a list.
import { useState } from 'preact/hooks'
import { Chart, Legend } from '../chart/chart.jsx'
import { ExemplarList } from '../chart/exemplar_list.jsx'
import { Answer, Empty, Notice } from '../elements/states.jsx'
import { value as format } from '../format.js'
import { thinned, useSeries } from './data.js'
import { linesOf } from './thresholds.js'

const PIXELS = 600

export function TimeSeries({ panel, title, variables, range }) {
  const found = useSeries(panel, variables, range, PIXELS)
  const [hidden, setHidden] = useState(new Set())
  const field = panel.fieldConfig?.defaults ?? {}
  const custom = field.custom ?? {}
  const style = {
    unit: field.unit,
    decimals: field.decimals ?? null,
    min: field.min,
    max: field.max,
    fill: custom.fillOpacity ?? 0,
    width: Math.min(custom.lineWidth ?? 1.5, 1.75),
    points: custom.showPoints === 'always',
    bars: custom.drawStyle === 'bars',
    stacked: custom.stacking?.mode === 'normal',
  }
  return (
    <Answer of={found} lines={5}>
      {({ times, series, exemplars, warnings }) =>
        series.length === 0 ? (
          <Empty>No data in this time.</Empty>
        ) : (
          <>
            {warnings.length > 0 && <Notice kind="warn">{warnings[0]}</Notice>}
            <Chart
              times={times}
              series={series}
              label={`Graph: ${title}`}
              hidden={hidden}
              exemplars={thinned(exemplars, range)}
              style={style}
              thresholds={linesOf(field)}
            />
            <div class="panel-foot">
              {panel.options?.legend?.showLegend !== false && (
                <Legend
                  series={series}
                  hidden={hidden}
                  setHidden={setHidden}
                  format={(number) => format(number, field.unit, style.decimals)}
                />
              )}
              {exemplars.length > 0 && <ExemplarList exemplars={exemplars} unit={field.unit} />}
            </div>
          </>
        )
      }
    </Answer>
  )
}
