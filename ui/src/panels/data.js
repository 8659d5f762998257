// What a panel asks, and what it was answered.
import * as api from '../api.js'
import { distinct, grid, nameOf, seriesOf, timesOf } from '../chart/matrix.js'
import { parseValue } from '../format.js'
import { useLoad } from '../load.js'
import { stepFor } from '../range.js'
import { interpolate, withTimes } from './variables.js'

const MOST_EXEMPLARS = 200
const EXEMPLAR_SLOTS = 40

const asked = (panel) => (panel.targets ?? []).filter(({ expr, hide }) => expr && !hide)

/**
 * Series over time, of all queries of a panel.
 *
 * @returns {ReturnType<typeof useLoad>} of {times, series, exemplars, warnings}
 */
export function useSeries(panel, variables, range, pixels) {
  const step = stepFor(range, pixels, leastStep(panel))
  const ask = async (signal) => {
    const at = grid(range, step)
    const known = withTimes(variables, range, step)
    const answers = await Promise.all(
      asked(panel).map(async ({ expr, legendFormat, exemplar }) => {
        const query = interpolate(expr, known)
        const [answer, exemplars] = await Promise.all([
          api.range(query, at, signal),
          exemplar ? api.exemplars(query, range, signal).catch(forgiven) : [],
        ])
        return { answer, legendFormat, exemplars }
      }),
    )
    let offset = 0
    const series = answers.flatMap(({ answer, legendFormat }) => {
      const found = seriesOf(answer.data.result, interpolate(legendFormat ?? '', known), at, offset)
      offset += found.length
      return found
    })
    return {
      times: timesOf(at),
      series: distinct(series),
      exemplars: exemplarsOf(answers.flatMap(({ exemplars }) => exemplars)),
      warnings: answers.flatMap(({ answer }) => answer.warnings ?? []),
    }
  }
  return useLoad(ask, [range, step, JSON.stringify(variables)], panel)
}

/** The value of each series now, of all queries of a panel: [{name, labels, value, refId}]. */
export function useInstant(panel, variables, range) {
  const ask = async (signal) => {
    const known = withTimes(variables, range, stepFor(range, 300))
    const answers = await Promise.all(
      asked(panel).map(async ({ expr, legendFormat, refId }) => {
        const { data } = await api.instant(interpolate(expr, known), range.end, signal)
        const vector = data.resultType === 'scalar' ? [{ metric: {}, value: data.result }] : data.result
        return vector
          .filter(({ value }) => value)
          .map(({ metric, value }) => ({
            refId,
            labels: metric,
            name: nameOf(metric, interpolate(legendFormat ?? '', known)),
            value: parseValue(value[1]),
          }))
      }),
    )
    return answers.flat()
  }
  return useLoad(ask, [range, JSON.stringify(variables)], panel)
}

/** Exemplars of all buckets, each trace once, the newest first. */
export function exemplarsOf(series) {
  const byTrace = new Map()
  for (const { exemplars } of series) {
    for (const { labels, value, timestamp } of exemplars) {
      const { trace_id: traceId, ...others } = labels
      if (traceId) byTrace.set(traceId, { traceId, value: parseValue(value), time: Number(timestamp), labels: others })
    }
  }
  return [...byTrace.values()].sort((one, other) => other.time - one.time).slice(0, MOST_EXEMPLARS)
}

/** Those that a graph shows: of each moment the one that took longest, so that single ones stand out. */
export function thinned(exemplars, { start, end }) {
  const shown = new Map()
  for (const one of [...exemplars].sort((left, right) => right.value - left.value)) {
    const slot = Math.floor(((one.time - start) / (end - start)) * EXEMPLAR_SLOTS)
    if (!shown.has(slot)) shown.set(slot, one)
  }
  return [...shown.values()]
}

/** A graph without its exemplars is still a graph. */
const forgiven = (error) => {
  if (error.name === 'AbortError') throw error
  return []
}

function leastStep({ interval }) {
  const given = /^>?(\d+)(s|m|h)$/.exec(interval ?? '')
  return given ? given[1] * { s: 1, m: 60, h: 3600 }[given[2]] : 5
}
