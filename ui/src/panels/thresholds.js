// Which colour a value has, and which text stands for it, as the field's options say.
import { grafanaColor } from '../colors.js'
import { value as format } from '../format.js'

/** The steps of a field: [{value, color}], the first from minus infinity. */
export function stepsOf({ thresholds, min = 0, max = 100 } = {}) {
  const relative = thresholds?.mode === 'percentage'
  return (thresholds?.steps ?? []).map(({ value, color }) => ({
    value: value === null || value === undefined ? -Infinity : relative ? min + (value / 100) * (max - min) : value,
    color: grafanaColor(color),
  }))
}

/** The lines that a graph shows. */
export const linesOf = (field) =>
  field?.custom?.thresholdsStyle?.mode === 'off' ? [] : stepsOf(field).filter(({ value }) => Number.isFinite(value))

/** The colour of a value; the text's own where no threshold is given. */
export function colorFor(number, field) {
  const mapped = mappingFor(number, field)?.color
  if (mapped) return grafanaColor(mapped)
  return stepsOf(field).findLast(({ value }) => number >= value)?.color ?? '--text'
}

/** The text of a value: what a mapping says, else the number in its unit. */
export function textFor(number, field = {}) {
  return mappingFor(number, field)?.text ?? format(number, field.unit, field.decimals ?? null)
}

function mappingFor(number, field) {
  for (const { type, options } of field?.mappings ?? []) {
    if (type === 'value' && options?.[String(number)]) return options[String(number)]
    if (type === 'range' && number >= (options?.from ?? -Infinity) && number <= (options?.to ?? Infinity)) return options.result
    if (type === 'special' && options?.match === 'null' && number === null) return options.result
  }
  return undefined
}

const finite = (values) => values.filter((value) => value !== null)
const REDUCERS = {
  lastNotNull: (values) => values.findLast((value) => value !== null) ?? null,
  last: (values) => values.at(-1) ?? null,
  firstNotNull: (values) => values.find((value) => value !== null) ?? null,
  min: (values) => (finite(values).length ? Math.min(...finite(values)) : null),
  max: (values) => (finite(values).length ? Math.max(...finite(values)) : null),
  sum: (values) => finite(values).reduce((sum, value) => sum + value, 0),
  mean: (values) => (finite(values).length ? REDUCERS.sum(values) / finite(values).length : null),
  count: (values) => finite(values).length,
}

/** One number for a series, as reduceOptions says. */
export function reduce(values, options) {
  const name = options?.reduceOptions?.calcs?.[0] ?? 'lastNotNull'
  return (REDUCERS[name] ?? REDUCERS.lastNotNull)(values)
}
