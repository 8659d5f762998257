// Keys that work everywhere outside of a text field.
import { go } from './router.js'

export const PLACES = [
  { key: 'o', path: '/', name: 'Overview', icon: 'overview' },
  { key: 'd', path: '/dashboards', name: 'Dashboards', icon: 'dashboards' },
  { key: 'l', path: '/logs', name: 'Logs', icon: 'logs' },
  { key: 't', path: '/traces', name: 'Traces', icon: 'traces' },
  { key: 'a', path: '/alerts', name: 'Alerts', icon: 'alerts' },
  { key: 'e', path: '/explore', name: 'Explore', icon: 'explore' },
]
const WAIT_MS = 2000

/** Listen; `help` opens the list of keys. @returns {() => void} stop listening */
export function listen(help) {
  let leader = 0
  const onKeyDown = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    const afterG = event.timeStamp - leader < WAIT_MS
    leader = 0
    const place = afterG && PLACES.find(({ key }) => key === event.key)
    if (place) go(place.path)
    else if (event.key === 'g') leader = event.timeStamp
    else if (event.key === '/') focusSearch()
    else if (event.key === '?') help()
    else if (event.key === 'j') focusRow(1)
    else if (event.key === 'k') focusRow(-1)
    else return
    event.preventDefault()
  }
  addEventListener('keydown', onKeyDown)
  return () => removeEventListener('keydown', onKeyDown)
}

const isTyping = (element) => element.closest?.('input:not([type=checkbox]), textarea, select, dialog, [contenteditable]')

function focusSearch() {
  const own = document.querySelector('[data-search]')
  const field = own ?? document.getElementById('search')
  field.focus()
  field.select()
}

function focusRow(direction) {
  const rows = [...document.querySelectorAll('[data-row]')]
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const next = rows[at < 0 ? (direction > 0 ? 0 : rows.length - 1) : at + direction]
  next?.focus()
}
