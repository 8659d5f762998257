// The graphs of the overview, in the words of a Grafana dashboard. They ask for the metrics that
// watchkeeper's conventions declare, so that every service that follows them has them.

const ERRORS =
  '(sum(rate(http_requests_total{status_code=~"5.."}[5m])) or vector(0)) / sum(rate(http_requests_total[5m]))'
const BY_CLASS =
  'sum by (class) (label_replace(rate(http_requests_total[5m]), "class", "${1}xx", "status_code", "(.).*"))'
const quantile = (share) =>
  `histogram_quantile(${share}, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))`
const steps = (warn, bad) => ({
  mode: 'absolute',
  steps: [
    { color: 'text', value: null },
    { color: 'orange', value: warn },
    { color: 'red', value: bad },
  ],
})
const number = (title, expr, defaults) => ({
  id: title,
  type: 'stat',
  title,
  targets: [{ expr, legendFormat: title }],
  fieldConfig: { defaults },
})
const graph = (title, unit, targets) => ({
  id: title,
  type: 'timeseries',
  title,
  targets,
  fieldConfig: { defaults: { unit, custom: { fillOpacity: 8 } } },
})

export const NUMBERS = [
  number('Requests', 'sum(rate(http_requests_total[5m]))', { unit: 'reqps' }),
  number('Errors', ERRORS, { unit: 'percentunit', thresholds: steps(0.01, 0.05) }),
  number('Response time, 95th percentile', quantile(0.95), { unit: 's', thresholds: steps(2, 5) }),
]

export const CHARTS = [
  graph('Requests by answer', 'reqps', [
    { expr: BY_CLASS, legendFormat: '{{class}}' },
  ]),
  graph('Response time', 's', [
    { expr: quantile(0.5), legendFormat: 'median', exemplar: true },
    { expr: quantile(0.95), legendFormat: '95th percentile' },
    { expr: quantile(0.99), legendFormat: '99th percentile' },
  ]),
]
