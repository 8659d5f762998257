// Variables of a dashboard: what they may be, what they are, and how they stand in a query.
import * as api from '../api.js'

const ALL = '$__all'

/** The variables that somebody can choose. */
export const choosable = (dashboard) =>
  (dashboard.templating?.list ?? []).filter(
    ({ type, hide }) => ['query', 'custom', 'textbox', 'interval', 'constant'].includes(type) && hide !== 2,
  )

/** The values that a variable offers. @returns {Promise<string[]>} */
export async function optionsOf(variable, variables, range, signal) {
  if (variable.type !== 'query') {
    const text = typeof variable.query === 'string' ? variable.query : ''
    return text.split(',').map((one) => one.trim().split(' : ').at(-1)).filter(Boolean)
  }
  const query = interpolate(variable.query?.query ?? variable.query ?? variable.definition ?? '', variables)
  const found = await labelValues(query, range, signal)
  return filtered(found, variable.regex)
}

async function labelValues(query, { start, end }, signal) {
  const [, selector, label] = /^label_values\((?:(.+),)?\s*([\w.]+)\s*\)$/.exec(query.trim()) ?? []
  if (label) return api.labelValues(label, { 'match[]': selector?.trim(), start, end }, signal)
  const [, inner] = /^query_result\((.+)\)$/.exec(query.trim()) ?? []
  if (!inner) throw new Error(`The variable query ${query} is not label_values(...) or query_result(...).`)
  const { data } = await api.instant(inner, end, signal)
  return data.result.map(({ metric, value }) => `${JSON.stringify(metric)} ${value[1]}`)
}

function filtered(values, regex) {
  const [, pattern, flags] = /^\/(.*)\/(\w*)$/.exec(regex ?? '') ?? [null, regex]
  if (!pattern) return values
  const matcher = new RegExp(pattern, flags)
  const found = values.map((one) => matcher.exec(one)).filter(Boolean)
  return [...new Set(found.map((one) => one[1] ?? one[0]))]
}

/** What a variable is where the address says nothing. */
export function initial(variable, options) {
  const current = variable.current?.value
  if (current && current.length) return [current].flat().map(String)
  if (variable.includeAll) return [ALL]
  return options.length ? [options[0]] : []
}

/** The text that stands for chosen values in a query. */
export function textOf(variable, chosen, options) {
  if (chosen.includes(ALL)) {
    if (variable.allValue) return variable.allValue
    return alternatives(options)
  }
  return variable.multi ? alternatives(chosen) : (chosen[0] ?? '')
}

const alternatives = (values) => (values.length === 1 ? escaped(values[0]) : `(${values.map(escaped).join('|')})`)
const escaped = (value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\\\$&')

/** The variables that Grafana gives every query. */
export function withTimes(variables, { start, end }, step) {
  const span = Math.round(end - start)
  return {
    ...variables,
    __interval: `${step}s`,
    __interval_ms: String(step * 1000),
    __rate_interval: `${Math.max(step + 15, 60)}s`,
    __range: `${span}s`,
    __range_s: String(span),
    __range_ms: String(span * 1000),
    __from: String(Math.round(start * 1000)),
    __to: String(Math.round(end * 1000)),
  }
}

/** $name, ${name}, ${name:format} and [[name]] in a text; what is not known stays. */
export function interpolate(text, variables) {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)(?::\w+)?\]\]/g, (whole, one, two, three) => {
    const name = one ?? two ?? three
    return variables[name] ?? whole
  })
}

