// Which colour means what. Names are custom properties of styles/tokens.css.

const SERIES = 10
const MEANINGS = [
  [/^(error|errors|failed|failure|fatal|critical|5xx)$/i, '--bad'],
  [/^(success|succeeded|delivered|ok|2xx)$/i, '--good'],
  [/^(warning|warn|4xx)$/i, '--warn'],
]

/** The colour of a series: by what its name means, else by its place. */
export function seriesColor(name, index) {
  const meaning = MEANINGS.find(([pattern]) => pattern.test(name.trim()))
  return meaning ? meaning[1] : `--series-${(index % SERIES) + 1}`
}

/** The colour of a service: the same on every screen, by the order in which they are known. */
export const serviceColor = (service, services) =>
  `--series-${(Math.max(0, services.indexOf(service)) % SERIES) + 1}`

const GRAFANA = { green: '--good', orange: '--warn', yellow: '--warn', red: '--bad', blue: '--series-1', purple: '--series-4' }

/** A colour of Grafana ('green', 'dark-red', '#73BF69') as one of ours, or as it is. */
export function grafanaColor(name) {
  const bare = String(name ?? '').replace(/^(semi-dark|super-light|dark|light)-/, '')
  if (/^#[0-9a-f]{3,8}$/i.test(bare)) return bare
  return GRAFANA[bare] ?? '--text'
}

/** As CSS: a custom property's name becomes var(...). */
export const css = (color) => (color.startsWith('--') ? `var(${color})` : color)

export const LEVELS = ['CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'TRACE']
export const levelColor = (level) =>
  ({ CRITICAL: '--bad', ERROR: '--bad', WARNING: '--warn', INFO: '--info', DEBUG: '--quiet', TRACE: '--quiet' })[level] ??
  '--quiet'
