// How uPlot is told to draw: axes, grid, lines, exemplars, thresholds, and what the pointer does.
import uPlot from 'uplot'
import { ticks } from '../format.js'
import { colorOf } from '../theme.js'
import { clock, day } from '../time.js'

const FONT = '11px Inter, system-ui, sans-serif'
const NEAR_PIXELS = 10

export function plotOptions({ series, style, shown, size, zoom }) {
  const colors = Object.fromEntries(['--quiet-text', '--grid', '--surface', '--exemplar'].map((it) => [it, colorOf(it)]))
  const lines = series.map((one) => line(one, style))
  return {
    ...size,
    padding: [10, 12, 0, 4],
    legend: { show: false },
    cursor: {
      sync: { key: 'time', setSeries: false },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { size: 6, width: 1.5, stroke: (_, index) => lines[index - 1]?.stroke, fill: colors['--surface'] },
    },
    scales: {
      x: { time: true, range: (_, min, max) => [min, max] },
      y: { range: (_, min, max) => extent(min, max, style, shown.current.exemplars) },
    },
    axes: [
      { ...axis(colors), values: (_, splits) => timeTicks(splits), space: 80, size: 28 },
      {
        ...axis(colors),
        values: (_, splits) => ticks(splits, style.unit),
        incrs: increments(style.unit),
        size: (_, values) => Math.max(36, ...(values ?? []).map((text) => text.length * 6.4 + 14)),
        space: 34,
      },
    ],
    series: [{}, ...lines],
    hooks: {
      ready: [(plot) => listen(plot, shown)],
      setCursor: [(plot) => moved(plot, shown)],
      setSelect: [(plot) => selected(plot, zoom)],
      drawAxes: [(plot) => drawThresholds(plot, shown.current.thresholds)],
      draw: [(plot) => drawExemplars(plot, shown.current.exemplars, colors)],
    },
  }
}

function line({ name, color }, style) {
  const stroke = color.startsWith('--') ? colorOf(color) : color
  const fill = style.fill ? translucent(stroke, style.fill / 100) : undefined
  return {
    label: name,
    stroke,
    fill,
    width: style.width ?? 1.5,
    spanGaps: false,
    points: { show: style.points ? true : isolated, size: 4, fill: stroke },
    ...(style.bars && { paths: uPlot.paths.bars({ size: [0.8, 40] }) }),
  }
}

/** A point that has no neighbour is no line: show it as a dot. */
function isolated(plot, index) {
  const values = plot.data[index]
  return values.some((value, at) => value !== null && values[at - 1] == null && values[at + 1] == null)
}

const axis = (colors) => ({
  font: FONT,
  stroke: colors['--quiet-text'],
  grid: { stroke: colors['--grid'], width: 1 },
  ticks: { show: false },
  gap: 6,
})

const DECIMAL = Array.from({ length: 72 }, (_, index) => [1, 2, 5][index % 3] * 10 ** (Math.floor(index / 3) - 9))
const BINARY = Array.from({ length: 56 }, (_, power) => 2 ** power)
const SEXAGESIMAL = [...DECIMAL.filter((one) => one < 10), 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400]

/** The gaps that an axis may have between its ticks: round ones in the unit that is shown. */
function increments(unit) {
  if (unit === 'bytes' || unit === 'binBps') return BINARY
  return unit === 's' ? SEXAGESIMAL : DECIMAL
}

function timeTicks(splits) {
  const seconds = splits.length > 1 && splits[1] - splits[0] < 60
  return splits.map((split, index) => {
    const time = seconds ? clock(split) : clock(split).slice(0, 5)
    const newDay = index > 0 && day(split) !== day(splits[index - 1])
    return newDay || splits[1] - splits[0] >= 86400 ? day(split).slice(5) : time
  })
}

/** From zero unless something lies below; never a flat band; exemplars are inside. */
function extent(least, most, style, exemplars) {
  const values = exemplars.map(({ value }) => value)
  const low = Math.min(least ?? 0, 0, style.min ?? 0)
  const high = Math.max(most ?? 0, ...values)
  if (high === low) return [low, style.max ?? low + (Math.abs(low) || 1)]
  const top = style.max !== undefined ? Math.max(style.max, high) : high + (high - low) * 0.08
  return [style.min ?? (low < 0 ? low - (high - low) * 0.08 : 0), top]
}

function listen(plot, shown) {
  plot.over.addEventListener('mouseleave', () => shown.current.setHover(null))
  plot.over.addEventListener('click', () => {
    const { left, top } = plot.cursor
    if (left < 0) return
    const box = { width: plot.over.clientWidth, offset: plot.over.offsetLeft, top: plot.over.offsetTop }
    shown.current.setPinned({
      time: plot.posToVal(left, 'x'),
      left: left + box.offset,
      top: top + box.top,
      width: plot.width,
      margin: Math.abs(plot.posToVal(left + NEAR_PIXELS, 'x') - plot.posToVal(left, 'x')),
      exact: nearest(plot, shown.current.exemplars, left, top),
    })
  })
}

/** The exemplar under the pointer, or null. */
function nearest(plot, exemplars, left, top) {
  const distances = exemplars.map((exemplar) =>
    Math.hypot(plot.valToPos(exemplar.time, 'x') - left, plot.valToPos(exemplar.value, 'y') - top),
  )
  const least = Math.min(...distances)
  return least <= NEAR_PIXELS ? exemplars[distances.indexOf(least)] : null
}

/** Only the graph under the pointer shows its values; the others share the crosshair. */
function moved(plot, shown) {
  const { left, top, idx, event } = plot.cursor
  const mine = event && plot.over.matches(':hover')
  if (!mine || left < 0 || idx === null || idx === undefined) return shown.current.setHover(null)
  const offset = { left: plot.over.offsetLeft, top: plot.over.offsetTop }
  shown.current.setHover({ index: idx, left: left + offset.left, top: top + offset.top, width: plot.width })
}

function selected(plot, zoom) {
  const { left, width } = plot.select
  if (width < 6) return
  if (plot.over.matches(':hover')) zoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'))
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
}

function drawThresholds(plot, thresholds) {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.lineWidth = uPlot.pxRatio
  ctx.setLineDash([4 * uPlot.pxRatio, 4 * uPlot.pxRatio])
  for (const { value, color } of thresholds) {
    const y = Math.round(plot.valToPos(value, 'y', true))
    if (y < bbox.top || y > bbox.top + bbox.height) continue
    ctx.strokeStyle = color.startsWith('--') ? colorOf(color) : color
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
  }
  ctx.restore()
}

function drawExemplars(plot, exemplars, colors) {
  const { ctx } = plot
  const size = 3.5 * uPlot.pxRatio
  const { min, max } = plot.scales.x
  ctx.save()
  ctx.fillStyle = colors['--exemplar']
  ctx.strokeStyle = colors['--surface']
  ctx.lineWidth = 1.5 * uPlot.pxRatio
  for (const { time, value } of exemplars) {
    if (time < min || time > max) continue
    const x = plot.valToPos(time, 'x', true)
    const y = plot.valToPos(value, 'y', true)
    ctx.beginPath()
    ctx.moveTo(x, y - size)
    ctx.lineTo(x + size, y)
    ctx.lineTo(x, y + size)
    ctx.lineTo(x - size, y)
    ctx.closePath()
    ctx.stroke()
    ctx.fill()
  }
  ctx.restore()
}

function translucent(color, alpha) {
  const parts = /^rgba?\((\d+), (\d+), (\d+)/.exec(color)
  return parts ? `rgba(${parts[1]}, ${parts[2]}, ${parts[3]}, ${alpha})` : color
}
