// One trace: what happened, in which order, where the time went, and what was logged meanwhile.
import * as api from '../api.js'
import { serviceColor } from '../colors.js'
import { Copy, Service } from '../elements/tags.jsx'
import { Answer, Empty } from '../elements/states.jsx'
import { duration, plural } from '../format.js'
import { useLoad } from '../load.js'
import { Records } from '../logs/records.jsx'
import { href, setQuery, useRoute } from '../router.js'
import { clockMillis, day, fromNanoseconds } from '../time.js'
import { attributeOf, failed, lengthOf, rowsOf, servicesOf } from '../traces/tree.js'
import { Waterfall } from '../traces/waterfall.jsx'

const MARGIN_SECONDS = 60
const MOST_LINES = 1000

export function TracePage({ id }) {
  const found = useLoad((signal) => whole(id, signal), [], id)
  return (
    <div class="page">
      <Answer of={found} lines={12}>
        {({ spans, records, known }) => <Drawn id={id} spans={spans} records={records} known={known} />}
      </Answer>
    </div>
  )
}

/** The span after the one that is open; from the last back to the first. */
function next(spans, open) {
  const at = spans.findIndex(({ span_id: id }) => id === open)
  return spans[(at + 1) % spans.length].span_id
}

/** The spans of a trace and its log lines, oldest first. */
async function whole(id, signal) {
  const [{ spans }, known] = await Promise.all([api.trace(id, signal), api.services(signal)])
  const starts = spans.map(({ start_ns: start }) => fromNanoseconds(start))
  const ends = spans.map(({ start_ns: start, duration_ns: length }) => fromNanoseconds(start) + length / 1e9)
  const records = await api.logs(
    {
      trace_id: id,
      start: Math.min(...starts) - MARGIN_SECONDS,
      end: Math.max(...ends) + MARGIN_SECONDS,
      limit: MOST_LINES,
    },
    signal,
  )
  return { spans, records: records.reverse(), known }
}

function Drawn({ id, spans, records, known }) {
  const { query } = useRoute()
  const rows = rowsOf(spans)
  const root = rows[0].span
  const services = servicesOf(rows)
  const errors = rows.map(({ span }) => span).filter(failed)
  const select = (span) => setQuery({ span }, { replace: true })
  const job = attributeOf(rows, 'job.id')
  const started = fromNanoseconds(root.start_ns)
  return (
    <>
      <p class="crumbs">
        <a href={href('/traces')}>Traces</a> <span aria-hidden="true">/</span>{' '}
        <code>{id}</code> <Copy text={id} what="trace id" />
      </p>
      <div class="page-head trace-head">
        <h1>
          {root.name} <span class="trace-length">{duration(lengthOf(rows))}</span>
        </h1>
        <p class="trace-facts">
          <span>
            {day(started)} {clockMillis(started)}
          </span>
          <span>{plural(spans.length, 'span')}</span>
          {errors.length ? (
            <button class="quiet-button bad" onClick={() => select(next(errors, query.get('span')))}>
              {plural(errors.length, 'error')}
            </button>
          ) : (
            <span>no errors</span>
          )}
          {job !== undefined && (
            <span>
              job <code>{String(job)}</code>
            </span>
          )}
          {services.map((service) => (
            <Service key={service} name={service} color={serviceColor(service, known)} />
          ))}
        </p>
      </div>
      <Waterfall
        spans={spans}
        records={records}
        services={known}
        selected={query.get('span')}
        select={select}
      />
      <section class="trace-logs" aria-label="Log lines of this trace">
        <h2>
          Log lines <span class="muted">{records.length}</span>
        </h2>
        {records.length ? <Records records={records} linked={false} /> : <Empty>No log line carries this trace id.</Empty>}
      </section>
    </>
  )
}
