// The tree of a trace: from a list of spans to rows that can be drawn.

/**
 * @typedef {object} Row
 * @property {object} span
 * @property {number} depth
 * @property {number} children   how many spans hang on it
 * @property {number} offset     seconds from the start of the trace
 * @property {number} seconds
 * @property {number} selfSeconds  the part of it in which no child was at work
 * @property {boolean} enters    into a service that its parent is not of
 * @property {boolean} hidden    under a closed span
 */

/** Spans in the order of a waterfall; a span whose parent is not here stands at the root. */
export function rowsOf(spans, closed = new Set()) {
  const startNs = spans.reduce((least, { start_ns }) => (BigInt(start_ns) < least ? BigInt(start_ns) : least), BigInt(spans[0].start_ns))
  const timed = spans.map((span) => ({
    span,
    offset: Number(BigInt(span.start_ns) - startNs) / 1e9,
    seconds: span.duration_ns / 1e9,
  }))
  const known = new Set(spans.map(({ span_id: id }) => id))
  const children = new Map()
  for (const one of timed) {
    const parent = known.has(one.span.parent_span_id) ? one.span.parent_span_id : ''
    children.set(parent, [...(children.get(parent) ?? []), one])
  }
  for (const list of children.values()) list.sort((one, other) => one.offset - other.offset)
  const rows = []
  const seen = new Set()
  const visit = (one, depth, hidden, parent = null) => {
    const id = one.span.span_id
    if (seen.has(id)) return
    seen.add(id)
    const under = children.get(id) ?? []
    const enters = one.span.service !== parent?.span.service
    rows.push({ ...one, depth, enters, hidden, children: under.length, selfSeconds: one.seconds - covered(one, under) })
    for (const child of under) visit(child, depth + 1, hidden || closed.has(id), one)
  }
  for (const root of children.get('') ?? []) visit(root, 0, false)
  for (const one of timed) visit(one, 0, false)
  return rows
}

/** Seconds of a span in which at least one of its children was at work. */
function covered(one, children) {
  let until = one.offset
  let sum = 0
  const end = one.offset + one.seconds
  for (const { offset, seconds } of children) {
    const from = Math.max(offset, until)
    const to = Math.min(offset + seconds, end)
    if (to > from) {
      sum += to - from
      until = to
    }
  }
  return sum
}

/** Seconds from the start of the first span to the end of the last. */
export const lengthOf = (rows) => Math.max(1e-9, ...rows.map(({ offset, seconds }) => offset + seconds))

/** The services of a trace in the order in which they come into it. */
export const servicesOf = (rows) => [...new Set(rows.map(({ span }) => span.service))]

/** Whether a span says of itself that it failed. */
export const failed = (span) => span.status === 'error'

/** An attribute that any span has; the first one counts. */
export const attributeOf = (rows, name) => rows.find(({ span }) => span.attributes[name] !== undefined)?.span.attributes[name]
