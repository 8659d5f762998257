// Moments as people read them, in the browser's time zone.
import { duration } from './format.js'

const pad = (number, digits = 2) => String(number).padStart(digits, '0')

/** '20:03:37' of Unix seconds. */
export function clock(seconds) {
  const at = new Date(seconds * 1000)
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`
}

/** '20:03:37.412' of Unix seconds. */
export function clockMillis(seconds) {
  const at = new Date(seconds * 1000)
  return `${clock(Math.floor(seconds))}.${pad(at.getMilliseconds(), 3)}`
}

/** '2026-11-23' of Unix seconds. */
export function day(seconds) {
  const at = new Date(seconds * 1000)
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
}

/** The time; with its day where that is not today. */
export function moment(seconds) {
  const today = day(Date.now() / 1000)
  return day(seconds) === today ? clock(seconds) : `${day(seconds)} ${clock(seconds)}`
}

/** '2026-11-23 20:03:37' */
export const full = (seconds) => `${day(seconds)} ${clock(seconds)}`

/** '4 min ago'. */
export function ago(seconds, now = Date.now() / 1000) {
  const passed = now - seconds
  if (passed < 1) return 'just now'
  return `${duration(passed < 60 ? Math.round(passed) : passed)} ago`
}

/** Unix seconds of an RFC 3339 text. */
export const parseTime = (text) => Date.parse(text.replace(/(\.\d{3})\d+/, '$1')) / 1000

/** Unix seconds of nanoseconds in decimal digits. */
export const fromNanoseconds = (text) => Number(BigInt(text) / 1000n) / 1e6

/** The value of a datetime-local input. */
export const inputValue = (seconds) => `${day(seconds)}T${clock(seconds)}`
