// Explore: a PromQL query as a graph and as a table.
import { useState } from 'preact/hooks'
import * as api from '../api.js'
import { Chart, Legend } from '../chart/chart.jsx'
import { distinct, grid, seriesOf, timesOf } from '../chart/matrix.js'
import { DataTable } from '../elements/data_table.jsx'
import { ExpressionBox } from '../elements/expression_box.jsx'
import { Answer, Empty, Notice } from '../elements/states.jsx'
import { parseValue, plural, value as format } from '../format.js'
import { useLoad } from '../load.js'
import { stepFor, useRange } from '../range.js'
import { href, setQuery, useRoute } from '../router.js'

const PIXELS = 1000
const MOST_SERIES = 200
const EXAMPLES = [
  ['Requests by route', 'sum by (method, endpoint) (rate(http_requests_total[5m]))'],
  ['95th percentile', 'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))'],
  ['Who is up', 'up'],
  ['Series by metric', 'topk(10, count by (__name__) ({__name__=~".+"}))'],
]

export function ExplorePage() {
  const { query } = useRoute()
  const expression = query.get('expr') ?? ''
  const view = query.get('view') === 'table' ? 'table' : 'graph'
  return (
    <div class="page">
      <div class="page-head">
        <h1>Explore</h1>
      </div>
      <ExpressionBox expression={expression} run={(expr) => setQuery({ expr })} />
      {expression ? (
        <>
          <div class="tabs" role="group" aria-label="View">
            {['graph', 'table'].map((name) => (
              <button key={name} aria-pressed={view === name} onClick={() => setQuery({ view: name === 'graph' ? null : name })}>
                {name === 'graph' ? 'Graph' : 'Table'}
              </button>
            ))}
          </div>
          {view === 'graph' ? <Graph expression={expression} /> : <Table expression={expression} />}
        </>
      ) : (
        <ul class="examples">
          {EXAMPLES.map(([name, expr]) => (
            <li key={name}>
              <a href={href('/explore', { expr })}>
                <strong>{name}</strong>
                <code>{expr}</code>
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function Warnings({ answer }) {
  return [...(answer.warnings ?? []), ...(answer.infos ?? [])].map((text) => (
    <Notice key={text} kind="warn">
      {text}
    </Notice>
  ))
}

function Graph({ expression }) {
  const range = useRange()
  const [hidden, setHidden] = useState(new Set())
  const at = grid(range, stepFor(range, PIXELS))
  const found = useLoad((signal) => api.range(expression, at, signal), [range], expression)
  return (
    <Answer of={found} lines={8}>
      {(answer) => {
        const series = distinct(seriesOf(answer.data.result.slice(0, MOST_SERIES), '', at))
        return (
          <>
            <Warnings answer={answer} />
            {answer.data.result.length > MOST_SERIES && (
              <Notice kind="warn">
                The first {MOST_SERIES} of {plural(answer.data.result.length, 'series', 'series')} are drawn. Aggregate, or
                see the table.
              </Notice>
            )}
            {series.length === 0 ? (
              <Empty>No data in this time.</Empty>
            ) : (
              <div class="card explore-graph">
                <Chart times={timesOf(at)} series={series} label={`Graph of ${expression}`} hidden={hidden} />
                <Legend series={series} hidden={hidden} setHidden={setHidden} format={(number) => format(number)} />
              </div>
            )}
          </>
        )
      }}
    </Answer>
  )
}

function Table({ expression }) {
  const range = useRange()
  const found = useLoad((signal) => api.instant(expression, range.end, signal), [range], expression)
  return (
    <Answer of={found} lines={8}>
      {(answer) => (
        <>
          <Warnings answer={answer} />
          <Values data={answer.data} />
        </>
      )}
    </Answer>
  )
}

function Values({ data }) {
  const rows = rowsOf(data)
  if (!rows.length) return <Empty>No data at this moment.</Empty>
  const names = [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))]
  const columns = [
    ...names.map((name) => ({ title: name === '__name__' ? 'metric' : name, of: ({ labels }) => labels[name] ?? '' })),
    { title: 'value', number: true, of: ({ value }) => value, show: ({ text }) => <code>{text}</code> },
  ]
  return (
    <div class="card">
      <p class="muted">{plural(rows.length, 'series', 'series')}</p>
      <DataTable columns={columns} rows={rows} label="Values" />
    </div>
  )
}

function rowsOf({ resultType, result }) {
  if (resultType === 'scalar' || resultType === 'string') {
    return [{ labels: {}, value: parseValue(result[1]), text: result[1] }]
  }
  return result.map(({ metric, value, values, histogram }) => {
    const text = value?.[1] ?? values?.at(-1)?.[1] ?? (histogram ? `count ${histogram[1].count}, sum ${histogram[1].sum}` : '')
    return { labels: metric, value: parseValue(text), text }
  })
}
