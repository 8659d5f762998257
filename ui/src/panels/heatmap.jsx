// A panel of a histogram over time: the darker, the more fell into a bucket.
import { useEffect, useRef } from 'preact/hooks'
import { Answer, Empty } from '../elements/states.jsx'
import { parseValue, value as format } from '../format.js'
import { colorOf, useThemeKey } from '../theme.js'
import { clock } from '../time.js'
import { useSeries } from './data.js'

const PIXELS = 300

export function Heatmap({ panel, title, variables, range }) {
  const found = useSeries(panel, variables, range, PIXELS)
  const unit = panel.options?.yAxis?.unit ?? panel.fieldConfig?.defaults?.unit
  return (
    <Answer of={found} lines={5}>
      {({ times, series }) => {
        const rows = bucketRows(series)
        return rows.length === 0 ? (
          <Empty>No data in this time.</Empty>
        ) : (
          <Cells times={times} rows={rows} unit={unit} title={title} />
        )
      }}
    </Answer>
  )
}

/** What fell into each bucket alone, the smallest first; buckets of Prometheus hold all below. */
export function bucketRows(series) {
  const bounded = series
    .filter(({ labels }) => 'le' in labels)
    .map(({ labels, values }) => ({ bound: parseValue(labels.le), values }))
    .sort((one, other) => one.bound - other.bound)
  return bounded.map(({ bound, values }, index) => ({
    bound,
    values: values.map((value, at) =>
      value === null ? null : Math.max(0, value - (bounded[index - 1]?.values[at] ?? 0)),
    ),
  }))
}

function Cells({ times, rows, unit, title }) {
  const canvas = useRef(null)
  const themeKey = useThemeKey()
  useEffect(() => {
    const draw = () => paint(canvas.current, times, rows)
    const watcher = new ResizeObserver(draw)
    watcher.observe(canvas.current)
    return () => watcher.disconnect()
  }, [times, rows, themeKey])
  const marks = [rows.at(-1), rows[Math.floor(rows.length / 2)], rows[0]]
  return (
    <div class="heatmap">
      <div class="heatmap-bounds" aria-hidden="true">
        {marks.map(({ bound }) => (
          <span key={bound}>≤ {format(bound, unit)}</span>
        ))}
      </div>
      <canvas ref={canvas} role="img" aria-label={`Heatmap: ${title}`} />
      <div class="heatmap-times" aria-hidden="true">
        <span>{clock(times[0])}</span>
        <span>{clock(times.at(-1))}</span>
      </div>
    </div>
  )
}

function paint(canvas, times, rows) {
  const ratio = devicePixelRatio
  canvas.width = canvas.clientWidth * ratio
  canvas.height = canvas.clientHeight * ratio
  const context = canvas.getContext('2d')
  const [width, height] = [canvas.width / times.length, canvas.height / rows.length]
  const most = Math.max(...rows.flatMap(({ values }) => values.map((value) => value ?? 0)), 1e-12)
  context.fillStyle = colorOf('--series-1')
  rows.forEach(({ values }, row) => {
    values.forEach((value, column) => {
      if (!value) return
      context.globalAlpha = 0.08 + 0.92 * Math.sqrt(value / most)
      context.fillRect(column * width, canvas.height - (row + 1) * height, Math.ceil(width), Math.ceil(height) - 1)
    })
  })
}
