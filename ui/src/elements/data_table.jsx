// A table that can be sorted by each of its columns.
import { useState } from 'preact/hooks'

/**
 * @template Row
 * @param {object} props
 * @param {{title: string, number?: boolean, wide?: boolean, of: (row: Row) => string|number,
 *          show?: (row: Row) => import('preact').ComponentChildren}[]} props.columns
 * @param {Row[]} props.rows
 * @param {string} props.label
 */
export function DataTable({ columns, rows, label }) {
  const [order, setOrder] = useState(null)
  const sorted = order ? [...rows].sort(compare(columns[order.column], order.down)) : rows
  const turn = (column) =>
    setOrder(order?.column === column ? { column, down: !order.down } : { column, down: Boolean(columns[column].number) })
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, number, wide }, index) => (
              <th key={title} class={number ? 'number' : wide ? 'wide' : ''} aria-sort={sortOf(order, index)} scope="col">
                <button onClick={() => turn(index)}>{title}</button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row, index) => (
            <tr key={index}>
              {columns.map(({ title, number, of, show }) => (
                <td key={title} class={number ? 'number' : ''}>
                  {show ? show(row) : of(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const sortOf = (order, column) => (order?.column === column ? (order.down ? 'descending' : 'ascending') : undefined)

function compare({ of }, down) {
  const direction = down ? -1 : 1
  return (one, other) => {
    const [left, right] = [of(one), of(other)]
    const difference = typeof left === 'number' ? left - right : String(left).localeCompare(String(right))
    return difference * direction
  }
}
