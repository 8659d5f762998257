// Traces: found by who took part, what was done, how long it took, whether it failed.
import { useEffect, useState } from 'preact/hooks'
import * as api from '../api.js'
import { css, serviceColor } from '../colors.js'
import { Icon } from '../elements/icons.jsx'
import { Answer, Empty } from '../elements/states.jsx'
import { duration, plural } from '../format.js'
import { useLoad } from '../load.js'
import { useRange } from '../range.js'
import { href, setQuery, useRoute } from '../router.js'
import { moment } from '../time.js'
import { Scatter } from '../traces/scatter.jsx'

const PAGE = 200

export function TracesPage() {
  const { query } = useRoute()
  const range = useRange()
  const [limit, setLimit] = useState(PAGE)
  const services = useLoad(api.services, [])
  const wanted = {
    service: query.get('service') ?? '',
    operation: query.get('operation') ?? '',
    min_duration_seconds: query.get('min') ?? '',
    errors_only: query.get('errors') ? 'true' : '',
  }
  const found = useLoad(
    (signal) => api.traces({ ...wanted, start: range.start, end: range.end, limit }, signal),
    [range, limit, JSON.stringify(wanted)],
  )
  return (
    <div class="page">
      <div class="page-head">
        <h1>Traces</h1>
      </div>
      <Filters wanted={wanted} services={services.data ?? []} />
      <Answer of={found} lines={10}>
        {(traces) =>
          traces.length === 0 ? (
            <Empty>No trace matches in this time.</Empty>
          ) : (
            <>
              <Scatter traces={traces} range={shownRange(traces, range, limit)} />
              <List traces={traces} services={services.data ?? []} />
              <p class="more">
                {traces.length === limit ? (
                  <button class="button" onClick={() => setLimit(Math.min(500, limit * 2))} disabled={limit >= 500}>
                    Show older traces
                  </button>
                ) : (
                  <span class="muted">{plural(traces.length, 'trace')}, none older in this time.</span>
                )}
              </p>
            </>
          )
        }
      </Answer>
    </div>
  )
}

/** The time that a list reaches back to: not the whole range where there are more. */
function shownRange(traces, range, limit) {
  if (traces.length < limit) return range
  return { start: Math.min(...traces.map(({ start }) => start)), end: range.end }
}

function Filters({ wanted, services }) {
  const operations = useLoad(
    (signal) => (wanted.service ? api.operations(wanted.service, signal) : Promise.resolve([])),
    [],
    wanted.service,
  )
  const [least, setLeast] = useState(wanted.min_duration_seconds)
  useEffect(() => setLeast(wanted.min_duration_seconds), [wanted.min_duration_seconds])
  return (
    <form
      class="bar"
      role="search"
      aria-label="Traces"
      onSubmit={(event) => {
        event.preventDefault()
        setQuery({ min: least })
      }}
    >
      <label class="field">
        <span>Service</span>
        <select
          value={wanted.service}
          onChange={(event) => setQuery({ service: event.target.value, operation: null })}
        >
          <option value="">all</option>
          {withOwn(services, wanted.service).map((service) => (
            <option key={service}>{service}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Operation</span>
        <select
          value={wanted.operation}
          disabled={!wanted.service}
          onChange={(event) => setQuery({ operation: event.target.value })}
        >
          <option value="">all</option>
          {withOwn(operations.data ?? [], wanted.operation).map((operation) => (
            <option key={operation}>{operation}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Longer than (s)</span>
        <input
          type="number"
          min="0"
          step="any"
          placeholder="0"
          value={least}
          onInput={(event) => setLeast(event.target.value)}
          onChange={(event) => setQuery({ min: event.target.value })}
        />
      </label>
      <label class="field check">
        <input
          type="checkbox"
          checked={Boolean(wanted.errors_only)}
          onChange={(event) => setQuery({ errors: event.target.checked ? '1' : null })}
        />
        <span>Errors only</span>
      </label>
    </form>
  )
}

const withOwn = (list, own) => (own && !list.includes(own) ? [own, ...list] : list)

function List({ traces, services }) {
  const longest = Math.max(...traces.map(({ duration_seconds: seconds }) => seconds))
  return (
    <ol class="trace-list">
      {traces.map((trace) => (
        <li key={trace.trace_id}>
          <a class="trace-line" data-row href={href(`/traces/${trace.trace_id}`)}>
            <span class="trace-when">{moment(trace.start)}</span>
            <span class="trace-what">
              <span class="trace-name">{trace.root_name}</span>
              {trace.errors > 0 && (
                <span class="trace-errors bad">
                  <Icon name="warning" size={13} /> {plural(trace.errors, 'error')}
                </span>
              )}
            </span>
            <span class="trace-services">
              {Object.entries(trace.services).map(([service, spans]) => (
                <span key={service} class="service" style={{ '--color': css(serviceColor(service, services)) }}>
                  {service} <span class="muted">{spans}</span>
                </span>
              ))}
            </span>
            <span class="trace-took">
              <span class="trace-bar" style={{ '--share': trace.duration_seconds / longest }} />
              <span>{duration(trace.duration_seconds)}</span>
            </span>
          </a>
        </li>
      ))}
    </ol>
  )
}
