// Log lines as a list; each opens to its fields.
import { useState } from 'preact/hooks'
import { Icon } from '../elements/icons.jsx'
import { Copy, Level } from '../elements/tags.jsx'
import { href } from '../router.js'
import { clockMillis, day, fromNanoseconds } from '../time.js'

/**
 * @param {object} props
 * @param {object[]} props.records  as /api/logs gives them
 * @param {(field: string, value: string, exclude: boolean) => void} [props.narrow]  add to the query
 * @param {boolean} [props.linked]  whether lines link to their trace
 */
export function Records({ records, narrow, linked = true }) {
  const [open, setOpen] = useState(new Set())
  const toggle = (key) => {
    const next = new Set(open)
    if (!next.delete(key)) next.add(key)
    setOpen(next)
  }
  return (
    <ol class="records">
      {keyed(records).map(({ key, record }) => (
        <li key={key} class={open.has(key) ? 'record open' : 'record'}>
          <button class="record-line" data-row aria-expanded={open.has(key)} onClick={() => toggle(key)}>
            <time dateTime={record.timestamp} title={day(fromNanoseconds(record.timestamp_ns))}>
              {clockMillis(fromNanoseconds(record.timestamp_ns))}
            </time>
            <Level name={record.level} />
            <span class="record-service">{record.service}</span>
            <span class="record-message">
              {record.message}
              <Gist attributes={record.attributes} message={record.message} />
            </span>
          </button>
          {open.has(key) && <Fields record={record} narrow={narrow} linked={linked} />}
        </li>
      ))}
    </ol>
  )
}

/** Lines have no id: what they say, counted where two are the same. */
function keyed(records) {
  const seen = new Map()
  return records.map((record) => {
    const content = `${record.timestamp_ns}/${record.span_id}/${record.message}`
    const times = (seen.get(content) ?? 0) + 1
    seen.set(content, times)
    return { key: `${content}/${times}`, record }
  })
}

const GIST_FIELDS = ['job_id', 'outcome', 'code', 'status_code', 'error', 'reason', 'duration_seconds']
const MOST_GIST = 3

function Gist({ attributes, message }) {
  const pairs = GIST_FIELDS.filter(
    (name) => attributes[name] !== undefined && !message.includes(String(attributes[name])),
  ).slice(0, MOST_GIST)
  return pairs.map((name) => (
    <span class="gist" key={name}>
      <span class="gist-name">{name}=</span>
      {String(attributes[name])}
    </span>
  ))
}

function Fields({ record, narrow, linked }) {
  const { attributes, service, logger, level, trace_id: traceId, span_id: spanId } = record
  const own = { level, service, logger, trace_id: traceId, span_id: spanId }
  const pairs = [...Object.entries(own), ...Object.entries(attributes)].filter(([, value]) => value !== '')
  return (
    <div class="record-fields">
      <p class="record-full">{record.message}</p>
      <dl class="fields">
        {pairs.map(([name, value]) => (
          <div key={name} class="field-row">
            <dt>{name}</dt>
            <dd>
              <FieldValue name={name} value={value} />
              {narrow && canNarrow(name, value) && (
                <span class="field-tools">
                  <button class="icon-button" aria-label={`Only ${name} ${value}`} title="Only these" onClick={() => narrow(name, String(value), false)}>
                    +
                  </button>
                  {name !== 'level' && name !== 'trace_id' && (
                    <button class="icon-button" aria-label={`Without ${name} ${value}`} title="Without these" onClick={() => narrow(name, String(value), true)}>
                      −
                    </button>
                  )}
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <div class="record-actions">
        {linked && traceId && (
          <a class="button" href={href(`/traces/${traceId}`, spanId ? { span: spanId } : {})}>
            <Icon name="traces" /> Open its trace
          </a>
        )}
        <Copy text={JSON.stringify(record, null, 2)} what="line as JSON" />
      </div>
    </div>
  )
}

const canNarrow = (_, value) => typeof value !== 'object' || value === null

function FieldValue({ name, value }) {
  if (name === 'job_id') return <a href={href(`/jobs/${value}`)}>{value}</a>
  const text = typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)
  return text.includes('\n') ? <pre>{text}</pre> : <span>{text}</span>
}
