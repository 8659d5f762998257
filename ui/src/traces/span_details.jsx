// One span: what it was, what happened in it, what it wrote to the log.
import { duration } from '../format.js'
import { Records } from '../logs/records.jsx'
import { href } from '../router.js'
import { clockMillis, fromNanoseconds } from '../time.js'

export function SpanDetails({ row, records }) {
  const { span, offset, seconds, selfSeconds } = row
  return (
    <div class="span-details">
      <dl class="facts">
        <Fact name="Service">
          <span class="service">{span.service}</span>
        </Fact>
        <Fact name="Kind">{span.kind}</Fact>
        <Fact name="Started">
          {clockMillis(fromNanoseconds(span.start_ns))} (+{duration(offset)})
        </Fact>
        <Fact name="Took">{duration(seconds)}</Fact>
        <Fact name="Self time">{duration(Math.max(0, selfSeconds))}</Fact>
        <Fact name="Span id">
          <code>{span.span_id}</code>
        </Fact>
      </dl>
      {span.status === 'error' && <p class="span-status bad">{span.status_message || 'This span failed.'}</p>}
      <Attributes attributes={span.attributes} />
      {span.events.map((event, index) => (
        <Event key={index} event={event} start={span.start_ns} />
      ))}
      {span.links.map((link) => (
        <p key={link.span_id}>
          Linked to <a href={href(`/traces/${link.trace_id}`, { span: link.span_id })}>span {link.span_id}</a>
        </p>
      ))}
      {records.length > 0 && (
        <>
          <h4>Its log lines</h4>
          <Records records={records} linked={false} />
        </>
      )}
    </div>
  )
}

function Fact({ name, children }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Attributes({ attributes }) {
  const pairs = Object.entries(attributes)
  if (!pairs.length) return null
  return (
    <dl class="fields">
      {pairs.map(([name, value]) => (
        <div class="field-row" key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Event({ event, start }) {
  const { 'exception.stacktrace': trace, 'exception.type': type, 'exception.message': message, ...others } = event.attributes
  const after = Number(BigInt(event.timestamp_ns) - BigInt(start)) / 1e9
  return (
    <section class={type ? 'event event-exception' : 'event'}>
      <h4>
        {type ?? event.name} <span class="muted">after {duration(Math.max(0, after))}</span>
      </h4>
      {message && <p>{message}</p>}
      {trace && <pre tabIndex={0}>{trace}</pre>}
      <Attributes attributes={others} />
    </section>
  )
}
