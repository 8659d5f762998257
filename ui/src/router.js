// Where in the page somebody is: #/path?query, so that every view is a link.
import { useEffect, useState } from 'preact/hooks'

/** Parameters that follow from page to page. */
const KEPT = ['from', 'to']

/**
 * @typedef {object} Route
 * @property {string} path    as '/traces/4bf9'
 * @property {string[]} parts as ['traces', '4bf9'], decoded
 * @property {URLSearchParams} query
 */

/** @returns {Route} */
export function parseHash(hash) {
  const [path, query = ''] = split(hash.replace(/^#/, ''), '?')
  const parts = path.split('/').filter(Boolean).map(decode)
  return { path: '/' + parts.map(encodeURIComponent).join('/'), parts, query: new URLSearchParams(query) }
}

/** @returns {Route} */
export const here = () => parseHash(location.hash)

/** The address of a place in the page; the time range of the present one is kept. */
export function href(path, query = {}) {
  const present = here().query
  const kept = Object.fromEntries(KEPT.filter((name) => present.has(name)).map((name) => [name, present.get(name)]))
  return '#' + path + queryText({ ...kept, ...query })
}

/** Go to a place. */
export function go(path, query = {}, { replace = false } = {}) {
  move(href(path, query), replace)
}

/** Change parameters of the present place; null and '' take one away. */
export function setQuery(changes, { replace = false } = {}) {
  const { path, query } = here()
  move('#' + path + queryText({ ...Object.fromEntries(query), ...changes }), replace)
}

/** @returns {Route} the present route, kept up to date */
export function useRoute() {
  const [route, setRoute] = useState(here)
  useEffect(() => {
    const update = () => setRoute(here())
    addEventListener('hashchange', update)
    return () => removeEventListener('hashchange', update)
  }, [])
  return route
}

function move(hash, replace) {
  if (replace) {
    history.replaceState(null, '', hash)
    dispatchEvent(new HashChangeEvent('hashchange'))
  } else {
    location.hash = hash
  }
}

function queryText(query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '')
  const text = new URLSearchParams(given).toString()
  return text && '?' + text
}

function split(text, mark) {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
