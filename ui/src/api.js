// What the page asks the backend: one function an endpoint; every failure is an ApiError.

export class ApiError extends Error {
  /** @param {string} message @param {string} code @param {number} status HTTP; 0 where no answer came */
  constructor(message, code, status) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
  }
}

async function request(path, { query = {}, form, json, method, signal } = {}) {
  const text = parameters(query).toString()
  let response
  try {
    response = await fetch(path + (text && '?' + text), {
      method: method ?? (form || json ? 'POST' : 'GET'),
      body: json ? JSON.stringify(json) : form && parameters(form),
      headers: json ? { 'content-type': 'application/json' } : {},
      signal,
    })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new ApiError('The backend does not answer.', 'unreachable', 0)
  }
  const body = await response.text()
  const content = parsed(body)
  if (!response.ok) throw failure(content, body, response.status)
  return content
}

function parameters(query) {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '' || value === false) continue
    for (const one of [value].flat()) given.append(name, String(one))
  }
  return given
}

function parsed(body) {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

function failure(content, body, status) {
  if (content?.error?.message) return new ApiError(content.error.message, content.error.code, status)
  if (typeof content?.error === 'string') return new ApiError(content.error, content.errorType, status)
  const text = typeof content === 'string' ? content : content?.message ?? body.slice(0, 300)
  return new ApiError(text || `The backend answered ${status}.`, 'failed', status)
}

export const overview = (signal) => request('/api/overview', { signal })
export const dashboards = (signal) => request('/api/dashboards', { signal })
export const dashboard = (uid, signal) => request(`/api/dashboards/${encodeURIComponent(uid)}`, { signal })
export const alerts = (signal) => request('/api/alerts', { signal })
export const notifications = (signal) => request('/api/notifications', { signal })

/** @param {{query?: string, start?: number, end?: number, limit?: number, trace_id?: string}} query */
export const logs = (query, signal) => request('/api/logs', { query, signal }).then((it) => it.records)
export const logHistogram = (query, signal) =>
  request('/api/logs/histogram', { query, signal }).then((it) => it.buckets)
export const logTail = (query) => new EventSource('/api/logs/tail?' + parameters({ query }))

export const traces = (query, signal) => request('/api/traces', { query, signal }).then((it) => it.traces)
export const trace = (id, signal) => request(`/api/traces/${encodeURIComponent(id)}`, { signal })
export const services = (signal) => request('/api/services', { signal })
export const operations = (service, signal) =>
  request(`/api/services/${encodeURIComponent(service)}/operations`, { signal })
/** @returns {Promise<string>} the trace of a trace id or job id; '' where none is known */
export const find = (q, signal) => request('/api/find', { query: { q }, signal }).then((it) => it.trace_id)

const prometheus = (endpoint, form, signal) => request(`/prometheus/api/v1/${endpoint}`, { form, signal })
export const instant = (query, time, signal) => prometheus('query', { query, time }, signal)
export const range = (query, { start, end, step }, signal) =>
  prometheus('query_range', { query, start, end, step }, signal)
export const exemplars = (query, { start, end }, signal) =>
  prometheus('query_exemplars', { query, start, end }, signal).then((it) => it.data)
export const labelValues = (label, query, signal) =>
  request(`/prometheus/api/v1/label/${encodeURIComponent(label)}/values`, { query, signal }).then((it) => it.data)
export const metadata = (signal) => request('/prometheus/api/v1/metadata', { signal }).then((it) => it.data)

export const silences = (signal) => request('/alertmanager/api/v2/silences', { signal })
export const createSilence = (silence) => request('/alertmanager/api/v2/silences', { json: silence })
export const expireSilence = (id) =>
  request(`/alertmanager/api/v2/silence/${encodeURIComponent(id)}`, { method: 'DELETE' })
