// The page's icons: strokes on a grid of 20, in the colour of the text around them.

const PATHS = {
  overview: 'M2.5 10.5h3l2-6 4 11 2-5h4',
  dashboards: 'M3 3h6v7H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 12h6v5H3z',
  logs: 'M3 5h14M3 8.5h9M3 12h14M3 15.5h6',
  traces: 'M3 4.5h9M6 8.5h8M9 12.5h8M12 16.5h3',
  alerts: 'M10 3a4.5 4.5 0 0 1 4.5 4.5c0 4 1.5 5 1.5 6H4c0-1 1.5-2 1.5-6A4.5 4.5 0 0 1 10 3zM8.5 16.5a1.6 1.6 0 0 0 3 0',
  explore: 'M4 5l4 4-4 4M10 14h6',
  search: 'M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM13 13l4 4',
  refresh: 'M16 10a6 6 0 1 1-1.8-4.3M16 3v3.5h-3.5',
  sun: 'M10 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  moon: 'M16 12.2A6.7 6.7 0 0 1 7.8 4a6.7 6.7 0 1 0 8.2 8.2z',
  auto: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM10 3v14M10 6l4 .8M10 10h7M10 14l4-.8',
  help: 'M7.5 7.5a2.5 2.5 0 1 1 3.4 2.3c-.6.3-.9.7-.9 1.4v.6M10 14.6v.1',
  check: 'M4 10.5l4 4 8-9',
  cross: 'M5 5l10 10M15 5L5 15',
  right: 'M8 5l5 5-5 5',
  down: 'M5 8l5 5 5-5',
  clock: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM10 6v4.2l2.8 1.7',
  mute: 'M3 8v4h3l4 3.5v-11L6 8zM13 8l4 4M17 8l-4 4',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  exemplar: 'M10 4l6 6-6 6-6-6z',
  warning: 'M10 3.5l7.5 13h-15zM10 8.5v3.5M10 14.2v.1',
  play: 'M6 4l10 6-10 6z',
  pause: 'M7 4v12M13 4v12',
  send: 'M3 10l14-6-5 13-3-5.500z',
}

export function Icon({ name, size = 16 }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
