// Small marks: a state, a level, labels, an id that can be copied.
import { useState } from 'preact/hooks'
import { css, levelColor } from '../colors.js'
import { Icon } from './icons.jsx'

const STATE_COLORS = {
  firing: '--bad',
  failed: '--bad',
  error: '--bad',
  pending: '--warn',
  silenced: '--quiet',
  resolved: '--good',
  delivered: '--good',
  ok: '--good',
  active: '--accent',
}

/** A state with a dot in its colour. */
export function State({ name, color = STATE_COLORS[name] ?? '--quiet', children }) {
  return (
    <span class="state" style={{ '--color': css(color) }}>
      {children ?? name}
    </span>
  )
}

export function Level({ name }) {
  return (
    <span class="level" style={{ '--color': css(levelColor(name)) }}>
      {name === 'WARNING' ? 'WARN' : name === 'CRITICAL' ? 'CRIT' : name}
    </span>
  )
}

/** How much an alert matters; in colour while there is one. */
export function Severity({ name, quiet = false }) {
  const color = quiet ? '--quiet-text' : ({ critical: '--bad', warning: '--warn' }[name] ?? '--quiet-text')
  return (
    <span class="severity" style={{ '--color': css(color) }}>
      {name}
    </span>
  )
}

/** Labels as name=value chips. */
export function Labels({ labels, without = [] }) {
  const pairs = Object.entries(labels).filter(([name]) => !without.includes(name))
  return (
    <span class="labels">
      {pairs.map(([name, value]) => (
        <span class="label" key={name}>
          <span class="label-name">{name}=</span>
          {value}
        </span>
      ))}
    </span>
  )
}

/** A dot in a service's colour, and its name. */
export function Service({ name, color }) {
  return (
    <span class="service" style={{ '--color': css(color) }}>
      {name}
    </span>
  )
}

export function Copy({ text, what }) {
  const [done, setDone] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setDone(true)
      setTimeout(() => setDone(false), 1500)
    } catch {
      setDone(false)
    }
  }
  return (
    <button class="icon-button" onClick={copy} aria-label={done ? 'Copied' : `Copy the ${what}`} title={`Copy the ${what}`}>
      <Icon name={done ? 'check' : 'copy'} size={14} />
    </button>
  )
}
