// Numbers as people read them. Units go by the names that Grafana gives them.

const THOUSANDS = scales(1000, ['', ' K', ' M', ' B', ' T'])
const BYTES = scales(1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB'])
const DECIMAL_BYTES = scales(1000, [' B', ' kB', ' MB', ' GB', ' TB', ' PB'])
const SECONDS = [
  [1e-9, ' ns'],
  [1e-6, ' µs'],
  [1e-3, ' ms'],
  [1, ' s'],
  [60, ' min'],
  [3600, ' h'],
  [86400, ' d'],
]

/** Of each unit: its scales from small to large, each [factor, suffix], and what stands before. */
const UNITS = {
  none: { scales: [[1, '']] },
  short: { scales: THOUSANDS },
  percent: { scales: [[1, ' %']] },
  percentunit: { scales: [[0.01, ' %']] },
  s: { scales: SECONDS },
  ms: { scales: SECONDS.map(([factor, name]) => [factor * 1000, name]) },
  bytes: { scales: BYTES },
  decbytes: { scales: DECIMAL_BYTES },
  Bps: { scales: suffixed(DECIMAL_BYTES, '/s') },
  binBps: { scales: suffixed(BYTES, '/s') },
  reqps: { scales: suffixed(THOUSANDS, ' req/s') },
  ops: { scales: suffixed(THOUSANDS, ' ops/s') },
  cps: { scales: suffixed(THOUSANDS, ' /s') },
  currencyUSD: { scales: scales(1000, ['', 'K', 'M']), before: '$' },
}

function scales(base, suffixes) {
  return suffixes.map((suffix, power) => [base ** power, suffix])
}

function suffixed(list, end) {
  return list.map(([factor, suffix]) => [factor, suffix.trimEnd() + end])
}

function scaleFor(unit, magnitude) {
  const known = UNITS[unit] ?? UNITS.short
  const size = Math.abs(magnitude)
  const index = known.scales.findLastIndex(([factor]) => size >= factor * 0.9995)
  const fallback = size === 0 ? known.scales.findIndex(([factor]) => factor === 1) : 0
  const [factor, suffix] = known.scales[index >= 0 ? index : Math.max(0, fallback)]
  const own = UNITS[unit] || !unit ? '' : ` ${unit.replace(/^(suffix|prefix):/, '')}`
  return { factor, suffix: suffix + own, before: known.before ?? '' }
}

/** Three significant digits, and no more zeros than say something. */
function significant(number) {
  const size = Math.abs(number)
  if (size === 0) return '0'
  if (size >= 100) return grouped(Math.round(number))
  if (size < 0.001) return number.toExponential(1)
  return String(Number(number.toPrecision(3)))
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** A value in its unit: (0.0184, 's') is '18.4 ms'. */
export function value(number, unit = 'short', decimals = null) {
  if (number === null || number === undefined || Number.isNaN(number)) return '–'
  if (!Number.isFinite(number)) return number > 0 ? '+∞' : '−∞'
  const { factor, suffix, before } = scaleFor(unit, number)
  const scaled = number / factor
  const digits = decimals === null ? significant(scaled) : scaled.toFixed(decimals)
  return sign(before, digits) + suffix
}

/** The ticks of an axis: all in one scale, with as many digits as part them. */
export function ticks(numbers, unit = 'short') {
  const largest = Math.max(...numbers.map(Math.abs))
  const { factor, suffix, before } = scaleFor(unit, largest)
  const gap = numbers.length > 1 ? Math.abs(numbers[1] - numbers[0]) / factor : 1
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(gap) + 1e-9)))
  const exact = Math.abs(gap * 10 ** decimals - Math.round(gap * 10 ** decimals)) < 1e-6
  return numbers.map((number) => {
    if (number === 0) return before + '0' + (suffix.trim() === '%' ? suffix : '')
    return sign(before, (number / factor).toFixed(exact ? decimals : decimals + 1)) + suffix
  })
}

function sign(before, digits) {
  return digits.startsWith('-') ? '−' + before + digits.slice(1) : before + digits
}

/** A whole number with its thousands parted. */
export const count = (number) => grouped(Math.round(number))

/** '1 alert', '3 alerts'. */
export const plural = (number, noun, many = noun + 's') => `${count(number)} ${number === 1 ? noun : many}`

/** How long something took: (0.0184) is '18.4 ms', (95) is '1 min 35 s'. */
export function duration(seconds) {
  if (seconds < 60) return value(seconds, 's')
  const parts = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]
  let rest = Math.round(seconds)
  const words = []
  for (const [size, name] of parts) {
    const amount = Math.floor(rest / size)
    rest -= amount * size
    if (amount) words.push(`${amount} ${name}`)
  }
  return words.slice(0, 2).join(' ')
}

/** A value of PromQL as text: '0.25', '+Inf', 'NaN'. @returns {number} */
export function parseValue(text) {
  if (text === '+Inf' || text === 'Inf') return Infinity
  return text === '-Inf' ? -Infinity : Number(text)
}
