// Dark and light: what the system prefers, unless somebody chose.
import { useEffect, useState } from 'preact/hooks'
import { recall, remember } from './memory.js'

export const THEMES = ['system', 'dark', 'light']
const listeners = new Set()
const system = matchMedia('(prefers-color-scheme: dark)')
let chosen = THEMES.includes(recall('theme', '')) ? recall('theme', '') : 'system'

function apply() {
  const root = document.documentElement
  if (chosen === 'system') root.removeAttribute('data-theme')
  else root.setAttribute('data-theme', chosen)
  for (const listener of [...listeners]) listener(themeKey())
}

const isDark = () => (chosen === 'system' ? system.matches : chosen === 'dark')
const themeKey = () => `${chosen}/${isDark() ? 'dark' : 'light'}`

export const theme = () => chosen

export function setTheme(name) {
  chosen = name
  remember('theme', name)
  apply()
}

/** @returns {string} a text that changes when colours do: what is painted on a canvas needs it */
export function useThemeKey() {
  const [key, setKey] = useState(themeKey)
  useEffect(() => {
    listeners.add(setKey)
    return () => listeners.delete(setKey)
  }, [])
  return key
}

/** The present value of a custom property such as '--text', as a canvas understands it. */
export function colorOf(name) {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const color = getComputedStyle(probe).color
  probe.remove()
  return color
}

system.addEventListener('change', apply)
apply()
