// The spans of a trace as a tree, each with a bar at the time it took.
import { useEffect, useState } from 'preact/hooks'
import { css, serviceColor } from '../colors.js'
import { Icon } from '../elements/icons.jsx'
import { duration } from '../format.js'
import { SpanDetails } from './span_details.jsx'
import { failed, lengthOf, rowsOf } from './tree.js'

const TICKS = [0, 0.25, 0.5, 0.75, 1]

/**
 * @param {object} props
 * @param {object[]} props.spans
 * @param {object[]} props.records  the log lines of the trace
 * @param {string[]} props.services  all that are known: each has its colour by its place
 * @param {string|null} props.selected  the span that is open
 * @param {(id: string|null) => void} props.select
 */
export function Waterfall({ spans, records, services, selected, select }) {
  const [closed, setClosed] = useState(new Set())
  const rows = rowsOf(spans, closed)
  const length = lengthOf(rows)
  const setOpen = (id, open) => {
    const next = new Set(closed)
    if (open) next.delete(id)
    else next.add(id)
    setClosed(next)
  }
  useEffect(() => {
    if (selected) document.getElementById(`span-${selected}`)?.scrollIntoView({ block: 'nearest' })
  }, [selected])
  return (
    <div class="waterfall">
      <div class="waterfall-head" aria-hidden="true">
        <span>Span</span>
        <span class="waterfall-ticks">
          {TICKS.map((share) => (
            <span key={share} style={{ left: `${share * 100}%` }}>
              {share ? duration(length * share) : '0'}
            </span>
          ))}
        </span>
      </div>
      <ol>
        {rows
          .filter(({ hidden }) => !hidden)
          .map((row) => (
            <SpanRow
              key={row.span.span_id}
              row={row}
              length={length}
              color={serviceColor(row.span.service, services)}
              closed={closed.has(row.span.span_id)}
              setOpen={setOpen}
              open={selected === row.span.span_id}
              select={select}
              records={records.filter(({ span_id: id }) => id === row.span.span_id)}
            />
          ))}
      </ol>
    </div>
  )
}

function SpanRow({ row, length, color, closed, setOpen, open, select, records }) {
  const { span, depth, children, offset, seconds } = row
  const onKeyDown = (event) => {
    if (!children || !['ArrowLeft', 'ArrowRight'].includes(event.key)) return
    event.preventDefault()
    setOpen(span.span_id, event.key === 'ArrowRight')
  }
  const bad = failed(span)
  const place = { '--left': `${(offset / length) * 100}%`, '--width': `${(seconds / length) * 100}%` }
  const late = offset / length > 0.6
  return (
    <li id={`span-${span.span_id}`} class={open ? 'span open' : 'span'} style={{ '--color': css(color), '--depth': depth }}>
      <div class="span-row">
        {children > 0 ? (
          <button
            class="twist"
            aria-expanded={!closed}
            aria-label={`${closed ? 'Show' : 'Hide'} the ${children} under ${span.name}`}
            onClick={() => setOpen(span.span_id, closed)}
          >
            <Icon name={closed ? 'right' : 'down'} size={12} />
          </button>
        ) : (
          <span class="twist" />
        )}
        <button
          class="span-line"
          data-row
          aria-expanded={open}
          onClick={() => select(open ? null : span.span_id)}
          onKeyDown={onKeyDown}
        >
          <span class="span-name">
            {bad && <Icon name="warning" size={13} />}
            <span class={bad ? 'bad' : ''}>{span.name}</span>
            <span class="span-about">{aboutOf(row)}</span>
            {closed && <span class="badge quiet">{children}</span>}
          </span>
          <span class="span-time" style={place}>
            <span class={bad ? 'span-bar failed' : 'span-bar'} />
            <span class={late ? 'span-duration before' : 'span-duration'}>{duration(seconds)}</span>
          </span>
        </button>
      </div>
      {open && <SpanDetails row={row} records={records} />}
    </li>
  )
}

const ABOUT = ['gen_ai.request.model', 'llm.model', 'db.system.name', 'http.response.status_code']

/** What is worth saying beside a span's name: the service where it changes, and what was asked. */
function aboutOf({ span: { attributes, service }, enters }) {
  const name = ABOUT.find((one) => attributes[one] !== undefined)
  return [enters ? service : '', name ? String(attributes[name]) : ''].filter(Boolean).join(' · ')
}
