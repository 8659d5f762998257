// A line without axes: which way a number went.

const WIDTH = 200
const HEIGHT = 40

export function Sparkline({ values, color }) {
  const known = values.filter((value) => value !== null)
  if (known.length < 2) return null
  const low = Math.min(0, ...known)
  const high = Math.max(...known)
  const height = high - low || 1
  const x = (index) => (index / (values.length - 1)) * WIDTH
  const y = (value) => HEIGHT - 2 - ((value - low) / height) * (HEIGHT - 6)
  let path = ''
  values.forEach((value, index) => {
    if (value === null) return
    path += `${values[index - 1] == null ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
  })
  const first = values.findIndex((value) => value !== null)
  const last = values.findLastIndex((value) => value !== null)
  const gaps = values.slice(first, last).includes(null)
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      style={{ '--color': color }}
    >
      {!gaps && <path class="sparkline-area" d={`${path}L${x(last)} ${HEIGHT}L${x(first)} ${HEIGHT}Z`} />}
      <path class="sparkline-line" d={path} />
    </svg>
  )
}
