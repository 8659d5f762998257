// Which time is looked at, and how often the page asks again.
import { useEffect, useRef, useState } from 'preact/hooks'
import { PRESETS, useRange } from '../range.js'
import { INTERVALS, refresh, refreshSeconds, setRefreshSeconds } from '../refresh.js'
import { setQuery } from '../router.js'
import { clock, day, inputValue, moment } from '../time.js'
import { Icon } from './icons.jsx'

export function RangePicker() {
  const range = useRange()
  const [open, setOpen] = useState(false)
  const [seconds, setSeconds] = useState(refreshSeconds)
  const box = useRef(null)
  useEffect(() => {
    if (!open) return undefined
    const leave = (event) => box.current?.contains(event.target) || setOpen(false)
    addEventListener('pointerdown', leave)
    return () => removeEventListener('pointerdown', leave)
  }, [open])
  const choose = (query) => {
    setQuery(query)
    setOpen(false)
  }
  const onKeyDown = (event) => {
    if (event.key !== 'Escape' || !open) return
    setOpen(false)
    box.current.querySelector('button').focus()
  }
  return (
    <div class="range" ref={box} onKeyDown={onKeyDown}>
      <button class="button range-button" aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        <Icon name="clock" />
        <span class="range-long">{nameOf(range)}</span>
        <span class="range-short">{shortNameOf(range)}</span>
      </button>
      <button class="button refresh-button" onClick={refresh} aria-label="Refresh now" title="Refresh now">
        <Icon name="refresh" />
      </button>
      <select
        class="refresh-select"
        aria-label="Refresh every"
        value={seconds}
        onChange={(event) => {
          setSeconds(Number(event.target.value))
          setRefreshSeconds(Number(event.target.value))
        }}
      >
        {INTERVALS.map((interval) => (
          <option key={interval} value={interval}>
            {interval ? (interval < 60 ? `${interval} s` : `${interval / 60} min`) : 'off'}
          </option>
        ))}
      </select>
      {open && <Choices range={range} choose={choose} />}
    </div>
  )
}

const presetOf = (range) => PRESETS.find((one) => one.from === range.from && range.live)
const shortNameOf = (range) => presetOf(range)?.short ?? clock(range.start).slice(0, 5)

function nameOf(range) {
  const preset = presetOf(range)
  if (preset) return preset.name
  if (range.live) return `Since ${moment(range.start)}`
  const end = day(range.start) === day(range.end) ? clock(range.end) : moment(range.end)
  return `${moment(range.start)} – ${end}`
}

function Choices({ range, choose }) {
  const own = (event) => {
    event.preventDefault()
    const form = new FormData(event.target)
    const from = Date.parse(form.get('from')) / 1000
    const to = Date.parse(form.get('to')) / 1000
    if (from < to) choose({ from, to })
  }
  return (
    <div class="popover range-choices" role="dialog" aria-label="Time range">
      <div class="range-presets">
        {PRESETS.map(({ from, name }) => (
          <button
            key={from}
            class="menu-item"
            aria-pressed={range.live && range.from === from}
            onClick={() => choose({ from, to: null })}
          >
            {name}
          </button>
        ))}
      </div>
      <form class="range-own" onSubmit={own}>
        <label>
          From
          <input type="datetime-local" step="1" name="from" required defaultValue={inputValue(range.start)} />
        </label>
        <label>
          To
          <input type="datetime-local" step="1" name="to" required defaultValue={inputValue(range.end)} />
        </label>
        <button class="button primary">Show this time</button>
      </form>
    </div>
  )
}
