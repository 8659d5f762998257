// The frame around every page: where one can go, what is searched, which time is looked at.
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { overview } from './api.js'
import { Help } from './elements/help.jsx'
import { Icon } from './elements/icons.jsx'
import { RangePicker } from './elements/range_picker.jsx'
import { SearchBox } from './elements/search_box.jsx'
import { listen, PLACES } from './keyboard.js'
import { useLoad } from './load.js'
import { AlertsPage } from './pages/alerts.jsx'
import { DashboardPage } from './pages/dashboard.jsx'
import { ExplorePage } from './pages/explore.jsx'
import { JobPage } from './pages/job.jsx'
import { LogsPage } from './pages/logs.jsx'
import { OverviewPage } from './pages/overview.jsx'
import { TracePage } from './pages/trace.jsx'
import { TracesPage } from './pages/traces.jsx'
import { useTick } from './refresh.js'
import { href, useRoute } from './router.js'
import { setTheme, theme, THEMES } from './theme.js'

export function App() {
  const route = useRoute()
  const [help, setHelp] = useState(false)
  const watch = useLoad(overview, [useTick()])
  useLayoutEffect(() => listen(() => setHelp(true)), [])
  useEffect(() => {
    document.title = `${titleOf(route)} · Watchkeeper`
    scrollTo(0, 0)
  }, [route.path])
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={href('/')}>
          <Mark />
          <span>Watchkeeper</span>
        </a>
        <SearchBox />
        <RangePicker />
        <div class="top-tools">
          <ThemeButton />
          <button class="icon-button" onClick={() => setHelp(true)} aria-label="Keys" title="Keys (?)">
            <Icon name="help" size={18} />
          </button>
        </div>
      </header>
      <Places route={route} firing={watch.data?.alerts.firing ?? 0} />
      <main id="content" tabIndex={-1}>
        {watch.error && watch.data && <p class="offline" role="alert">{watch.error.message} What is shown may be old.</p>}
        <Page route={route} watch={watch} />
      </main>
      <Help open={help} close={() => setHelp(false)} />
    </>
  )
}

function Page({ route, watch }) {
  const [first = '', second] = route.parts
  switch (first) {
    case '':
      return <OverviewPage watch={watch} />
    case 'dashboards':
      return <DashboardPage uid={second} />
    case 'logs':
      return <LogsPage />
    case 'traces':
      return second ? <TracePage key={second} id={second} /> : <TracesPage />
    case 'jobs':
      return <JobPage id={second ?? ''} />
    case 'alerts':
      return <AlertsPage part={second} />
    case 'explore':
      return <ExplorePage />
    default:
      return (
        <div class="page">
          <h1>There is no such page</h1>
          <p>
            <a href={href('/')}>Go to the overview</a>
          </p>
        </div>
      )
  }
}

function Places({ route, firing }) {
  return (
    <nav class="places" aria-label="Pages">
      {PLACES.map(({ path, name, icon, key }) => (
        <a
          key={path}
          href={href(path)}
          aria-current={('/' + (route.parts[0] ?? '')) === path ? 'page' : undefined}
          title={`${name} (g ${key})`}
        >
          <Icon name={icon} size={18} />
          <span>{name}</span>
          {path === '/alerts' && firing > 0 && (
            <span class="badge" aria-label={`${firing} firing`}>
              {firing}
            </span>
          )}
        </a>
      ))}
    </nav>
  )
}

function ThemeButton() {
  const [chosen, setChosen] = useState(theme)
  const next = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length]
  const change = () => {
    setTheme(next)
    setChosen(next)
  }
  const icon = { system: 'auto', dark: 'moon', light: 'sun' }[chosen]
  const label = `Colours: ${chosen}. Change to ${next}`
  return (
    <button class="icon-button" onClick={change} aria-label={label} title={label}>
      <Icon name={icon} size={18} />
    </button>
  )
}

function Mark() {
  return (
    <svg class="mark" width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M2 18h7l3.500-10 5.500 17 3.500-9h8.500" />
    </svg>
  )
}

function skip(event) {
  event.preventDefault()
  document.getElementById('content').focus()
}

const titleOf = ({ parts }) =>
  [PLACES.find(({ path }) => path === '/' + (parts[0] ?? ''))?.name ?? 'Watchkeeper', ...parts.slice(1)].join(' ')
