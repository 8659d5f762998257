// A graph over time: uPlot draws it, this module ties it to the page.
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { zoom } from '../range.js'
import { useThemeKey } from '../theme.js'
import { plotOptions } from './options.js'
import { Moment } from './moment.jsx'
import { Tooltip } from './tooltip.jsx'

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} color  a custom property's name, or a CSS colour
 * @property {(number|null)[]} values  one for each of the chart's times
 *
 * @typedef {object} Exemplar
 * @property {number} time  Unix seconds
 * @property {number} value
 * @property {string} traceId
 * @property {Record<string, string>} labels
 *
 * @param {object} props
 * @param {number[]} props.times  Unix seconds, evenly spaced
 * @param {Series[]} props.series
 * @param {string} props.label  what a reader who cannot see the graph is told
 * @param {Set<string>} [props.hidden]  names of series that are switched off
 * @param {Exemplar[]} [props.exemplars]
 * @param {{unit?: string, decimals?: number, min?: number, max?: number, stacked?: boolean,
 *          fill?: number, width?: number, points?: boolean, bars?: boolean}} [props.style]
 * @param {{value: number, color: string}[]} [props.thresholds]
 */
export function Chart({ times, series, label, hidden, exemplars = [], style = {}, thresholds = [] }) {
  const host = useRef(null)
  const plot = useRef(null)
  const shown = useRef(null)
  const [hover, setHover] = useState(null)
  const [pinned, setPinned] = useState(null)
  const themeKey = useThemeKey()
  const visible = series.filter(({ name }) => !hidden?.has(name))
  const drawn = style.stacked ? stack(visible) : visible
  const data = [times, ...drawn.map(({ values }) => values)]
  shown.current = { exemplars, thresholds, times, setHover, setPinned }

  const shape = JSON.stringify([themeKey, style, visible.map(({ name, color }) => [name, color])])
  useEffect(() => {
    const box = host.current
    const options = plotOptions({ series: drawn, style, shown, size: sizeOf(box), zoom })
    plot.current = new uPlot(options, data, box)
    const watcher = new ResizeObserver(() => plot.current?.setSize(sizeOf(box)))
    watcher.observe(box)
    return () => {
      watcher.disconnect()
      plot.current.destroy()
      plot.current = null
    }
  }, [shape])
  useEffect(() => {
    plot.current.setData(data)
  }, [shape, times, series, exemplars, hidden])
  return (
    <div class="chart" role="group" aria-label={label}>
      <div class="chart-host" ref={host} />
      {hover && !pinned && <Tooltip at={hover} times={times} series={visible} style={style} />}
      {pinned && <Moment at={pinned} exemplars={exemplars} unit={style.unit} close={() => setPinned(null)} />}
    </div>
  )
}

/** A list of what is drawn: press to see one alone, press again for all. */
export function Legend({ series, hidden, setHidden, format }) {
  const isolate = (name) => {
    const others = series.map((one) => one.name).filter((one) => one !== name)
    const alone = !hidden.has(name) && others.every((one) => hidden.has(one))
    setHidden(new Set(alone ? [] : others))
  }
  return (
    <ul class="legend">
      {series.map(({ name, color, values }) => (
        <li key={name}>
          <button
            aria-pressed={!hidden.has(name)}
            onClick={() => isolate(name)}
            style={{ '--color': color.startsWith('--') ? `var(${color})` : color }}
          >
            <span class="legend-name">{name}</span>
            <span class="legend-value">{format(lastOf(values))}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

const lastOf = (values) => values.findLast((value) => value !== null) ?? null
const sizeOf = (box) => ({ width: Math.max(box.clientWidth, 40), height: Math.max(box.clientHeight, 40) })

/** Each series on top of the ones before. */
function stack(series) {
  const sums = []
  return series
    .map((one) => {
      const values = one.values.map((value, index) =>
        value === null ? (sums[index] ?? null) : (sums[index] = (sums[index] ?? 0) + value),
      )
      return { ...one, values }
    })
    .reverse()
}
