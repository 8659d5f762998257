// The time that is looked at, kept in the address: from=now-15m&to=now, or Unix seconds.
import { useMemo } from 'preact/hooks'
import { setQuery, useRoute } from './router.js'
import { useTick } from './refresh.js'

export const DEFAULT_FROM = 'now-15m'
export const PRESETS = [
  { from: 'now-5m', name: 'Last 5 minutes', short: '5m' },
  { from: 'now-15m', name: 'Last 15 minutes', short: '15m' },
  { from: 'now-1h', name: 'Last hour', short: '1h' },
  { from: 'now-6h', name: 'Last 6 hours', short: '6h' },
  { from: 'now-24h', name: 'Last 24 hours', short: '24h' },
  { from: 'now-7d', name: 'Last 7 days', short: '7d' },
]
const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }

/**
 * @typedef {object} Range
 * @property {string} from  as in the address
 * @property {string} to
 * @property {number} start Unix seconds
 * @property {number} end   Unix seconds
 * @property {boolean} live whether the end is now
 */

/** Read 'now', 'now-15m' or Unix seconds. @returns {number|null} Unix seconds */
export function parseMoment(text, now) {
  if (text === 'now') return now
  const relative = /^now-(\d+)([smhdw])$/.exec(text)
  if (relative) return now - relative[1] * UNIT_SECONDS[relative[2]]
  const seconds = Number(text)
  return text && Number.isFinite(seconds) ? seconds : null
}

/** @returns {Range} */
export function readRange(query, now) {
  const from = query.get('from') ?? DEFAULT_FROM
  const to = query.get('to') ?? 'now'
  const start = parseMoment(from, now)
  const end = parseMoment(to, now)
  if (start === null || end === null || start >= end) {
    return { from: DEFAULT_FROM, to: 'now', start: parseMoment(DEFAULT_FROM, now), end: now, live: true }
  }
  return { from, to, start, end, live: to === 'now' }
}

/** The range of the present address; a live one moves on with every refresh. @returns {Range} */
export function useRange() {
  const { query } = useRoute()
  const tick = useTick()
  const from = query.get('from')
  const to = query.get('to')
  return useMemo(() => readRange(query, Math.floor(Date.now() / 1000)), [from, to, tick])
}

/** Look at a stretch of time: Unix seconds. */
export function zoom(start, end) {
  setQuery({ from: Math.floor(start), to: Math.ceil(end) })
}

/** A range around a moment, for links. */
export const around = (seconds, margin = 30) => ({
  from: Math.floor(seconds - margin),
  to: Math.ceil(seconds + margin),
})

/** Seconds between the points of a graph so that about one falls on every third pixel. */
export function stepFor({ start, end }, pixels, least = 5) {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]
  const wanted = Math.max(least, ((end - start) / Math.max(pixels, 60)) * 3)
  return steps.find((step) => step >= wanted) ?? 86400
}
