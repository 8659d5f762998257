// A panel of values now, a row for each series.
import { DataTable } from '../elements/data_table.jsx'
import { Answer, Empty } from '../elements/states.jsx'
import { useInstant } from './data.js'
import { textFor } from './thresholds.js'

export function TablePanel({ panel, title, variables, range }) {
  const found = useInstant(panel, variables, range)
  const field = panel.fieldConfig?.defaults ?? {}
  return (
    <Answer of={found} lines={4}>
      {(rows) => (rows.length === 0 ? <Empty>No data in this time.</Empty> : <Rows rows={rows} field={field} title={title} />)}
    </Answer>
  )
}

function Rows({ rows, field, title }) {
  const names = [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))].filter((name) => name !== '__name__')
  const several = new Set(rows.map(({ refId }) => refId)).size > 1
  const columns = [
    ...names.map((name) => ({ title: name, of: ({ labels }) => labels[name] ?? '' })),
    ...(several ? [{ title: 'query', of: ({ refId }) => refId }] : []),
    { title: 'value', number: true, of: ({ value }) => value, show: ({ value }) => textFor(value, field) },
  ]
  return <DataTable columns={columns} rows={rows} label={title} />
}
