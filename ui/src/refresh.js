// One heartbeat for the whole page: what is live asks again when it beats.
import { useEffect, useState } from 'preact/hooks'
import { isAsking } from './load.js'
import { recall, remember } from './memory.js'

export const INTERVALS = [0, 5, 10, 30, 60]
const listeners = new Set()
let tick = 0
let seconds = INTERVALS.includes(Number(recall('refresh', '10'))) ? Number(recall('refresh', '10')) : 10
let timer = 0

/** Ask everything again, now. */
export function refresh() {
  tick += 1
  for (const listener of [...listeners]) listener(tick)
}

/** @returns {number} seconds between refreshes; 0 means never */
export const refreshSeconds = () => seconds

/** Choose how often to ask again. */
export function setRefreshSeconds(chosen) {
  seconds = chosen
  remember('refresh', String(chosen))
  schedule()
  refresh()
}

/** @returns {number} a number that changes with every refresh */
export function useTick() {
  const [seen, setSeen] = useState(tick)
  useEffect(() => {
    listeners.add(setSeen)
    return () => listeners.delete(setSeen)
  }, [])
  return seen
}

function schedule() {
  clearInterval(timer)
  if (seconds) timer = setInterval(() => document.hidden || isAsking() || refresh(), seconds * 1000)
}

document.addEventListener('visibilitychange', () => document.hidden || !seconds || refresh())
schedule()
