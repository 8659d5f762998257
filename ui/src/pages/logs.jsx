// Log lines: asked for, counted, followed.
import { useEffect, useState } from 'preact/hooks'
import * as api from '../api.js'
import { Answer, Empty, Failure, Notice } from '../elements/states.jsx'
import { Icon } from '../elements/icons.jsx'
import { plural } from '../format.js'
import { useLoad } from '../load.js'
import { Histogram } from '../logs/histogram.jsx'
import { Records } from '../logs/records.jsx'
import { useTail } from '../logs/tail.js'
import { useRange } from '../range.js'
import { setQuery, useRoute } from '../router.js'

const PAGE = 200
const BUCKETS = 80
const EXAMPLES = ['level:error', 'level:warning', 'job failed', '-logger:watchkeeper.access']

export function LogsPage() {
  const { query: address } = useRoute()
  const query = address.get('query') ?? ''
  const live = address.get('live') === '1'
  const narrow = (name, value, exclude) => {
    const term = `${exclude ? '-' : ''}${name}:${/^[\w.:/-]+$/.test(value) ? value : JSON.stringify(value)}`
    setQuery({ query: `${query} ${term}`.trim() })
  }
  return (
    <div class="page">
      <div class="page-head">
        <h1>Logs</h1>
        <button class="button" aria-pressed={live} onClick={() => setQuery({ live: live ? null : '1' })}>
          <Icon name={live ? 'pause' : 'play'} /> {live ? 'Stop following' : 'Follow'}
        </button>
      </div>
      <QueryBox query={query} />
      {live ? <Live query={query} narrow={narrow} /> : <Found query={query} narrow={narrow} />}
    </div>
  )
}

function QueryBox({ query }) {
  const [text, setText] = useState(query)
  useEffect(() => setText(query), [query])
  const submit = (event) => {
    event.preventDefault()
    setQuery({ query: text.trim() })
  }
  return (
    <div class="query">
      <form class="query-form" role="search" aria-label="Logs" onSubmit={submit}>
        <input
          class="code-input"
          data-search
          type="search"
          aria-label="Query of the logs"
          placeholder={'words, "a phrase", field:value, -exclude, level:error'}
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.target.value)}
        />
        <button class="button primary">Search</button>
      </form>
      <p class="hints">
        {EXAMPLES.map((example) => (
          <button key={example} class="hint" onClick={() => setQuery({ query: example })}>
            {example}
          </button>
        ))}
        {query && (
          <button class="hint" onClick={() => setQuery({ query: null })}>
            clear
          </button>
        )}
      </p>
    </div>
  )
}

function Found({ query, narrow }) {
  const range = useRange()
  const [limit, setLimit] = useState(PAGE)
  useEffect(() => setLimit(PAGE), [query, range.from, range.to])
  const asked = { query, start: range.start, end: range.end }
  const counted = useLoad((signal) => api.logHistogram({ ...asked, buckets: BUCKETS }, signal), [query, range])
  const found = useLoad((signal) => api.logs({ ...asked, limit }, signal), [range, limit, query])
  if (found.error) return <Failure error={found.error} />
  return (
    <>
      {counted.data && <Histogram buckets={counted.data} range={range} />}
      <Answer of={found} lines={10}>
        {(records) =>
          records.length === 0 ? (
            <Empty>No line matches in this time.</Empty>
          ) : (
            <>
              <Records records={records} narrow={narrow} />
              {records.length === limit ? (
                <p class="more">
                  <button class="button" onClick={() => setLimit(limit + PAGE * 2)}>
                    Show older lines
                  </button>
                </p>
              ) : (
                <p class="more muted">{plural(records.length, 'line')}, none older in this time.</p>
              )}
            </>
          )
        }
      </Answer>
    </>
  )
}

function Live({ query, narrow }) {
  const { records, lost, connected } = useTail(query, true)
  return (
    <>
      <p class="live" role="status">
        <span class={connected ? 'live-dot on' : 'live-dot'} />
        {connected ? 'Following: new lines appear on top.' : 'Connecting …'}
      </p>
      {lost > 0 && <Notice kind="warn">{plural(lost, 'line')} came faster than they could be shown.</Notice>}
      <Records records={records} narrow={narrow} />
    </>
  )
}
