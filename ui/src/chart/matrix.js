// From the answers of a range query to the series of a graph.
import { seriesColor } from '../colors.js'
import { parseValue } from '../format.js'

/** The times of a graph: start to end in steps, on multiples of the step so that graphs stand still. */
export function grid({ start, end }, step) {
  const first = Math.ceil(start / step) * step
  const last = Math.floor(end / step) * step
  return { start: first, end: Math.max(first, last), step }
}

export function timesOf({ start, end, step }) {
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => start + index * step)
}

/** One value for each time of the grid; null where there is none. */
export function valuesOf(pairs, { start, end, step }) {
  const values = new Array(Math.floor((end - start) / step) + 1).fill(null)
  for (const [time, text] of pairs ?? []) {
    const number = parseValue(text)
    const index = Math.round((time - start) / step)
    if (index >= 0 && index < values.length && Number.isFinite(number)) values[index] = number
  }
  return values
}

/** 'POST /api/jobs' from '{{method}} {{endpoint}}', or the labels where nothing is said. */
export function nameOf(labels, legend) {
  if (legend && legend !== '__auto') {
    return legend.replace(/\{\{\s*([^}]+?)\s*\}\}/g, (_, name) => labels[name] ?? '').trim() || 'value'
  }
  const { __name__: name = '', ...others } = labels
  const pairs = Object.entries(others).map(([key, text]) => `${key}="${text}"`)
  if (legend === '__auto' && pairs.length === 1 && !name) return Object.values(others)[0]
  return (name + (pairs.length ? `{${pairs.join(', ')}}` : '')) || 'value'
}

/** Series that an answer's matrix holds, named and coloured; `offset` of them stand before. */
export function seriesOf(matrix, legend, at, offset = 0) {
  return matrix.map(({ metric, values }, index) => {
    const name = nameOf(metric, legend)
    return { name, labels: metric, color: seriesColor(name, offset + index), values: valuesOf(values, at) }
  })
}

/** Names told apart where two are the same. */
export function distinct(series) {
  const seen = new Map()
  return series.map((one) => {
    const times = (seen.get(one.name) ?? 0) + 1
    seen.set(one.name, times)
    return times === 1 ? one : { ...one, name: `${one.name} (${times})` }
  })
}
