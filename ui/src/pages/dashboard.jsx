// The Grafana dashboards, drawn from the very files that Grafana is given.
import { useEffect, useState } from 'preact/hooks'
import * as api from '../api.js'
import { Answer, Empty } from '../elements/states.jsx'
import { Icon } from '../elements/icons.jsx'
import { useLoad } from '../load.js'
import { Panel } from '../panels/panel.jsx'
import { useVariables, VariableBar } from '../panels/variable_bar.jsx'
import { useRange } from '../range.js'
import { go, href } from '../router.js'

export function DashboardPage({ uid }) {
  const list = useLoad(api.dashboards, [])
  useEffect(() => {
    if (!uid && list.data?.length) go(`/dashboards/${encodeURIComponent(list.data[0].uid)}`, {}, { replace: true })
  }, [uid, list.data])
  return (
    <div class="page">
      <Answer of={list} lines={2}>
        {(dashboards) =>
          dashboards.length === 0 ? (
            <Empty>No dashboards are provisioned. Give the backend a folder of Grafana dashboards.</Empty>
          ) : (
            <>
              <Tabs dashboards={dashboards} uid={uid} />
              {uid && <Dashboard key={uid} uid={uid} />}
            </>
          )
        }
      </Answer>
    </div>
  )
}

function Tabs({ dashboards, uid }) {
  const shared = sharedStart(dashboards.map(({ title }) => title))
  return (
    <nav class="tabs" aria-label="Dashboards">
      {dashboards.map((one) => (
        <a
          key={one.uid}
          href={href(`/dashboards/${encodeURIComponent(one.uid)}`)}
          aria-current={one.uid === uid ? 'page' : undefined}
          title={one.description}
        >
          {one.title.slice(shared) || one.title}
        </a>
      ))}
    </nav>
  )
}

/** How much all titles begin with ('Resume Optimizer - '): tabs need not say it again. */
function sharedStart(titles) {
  if (titles.length < 2) return 0
  const cut = titles[0].lastIndexOf(' - ') + 3
  const start = titles[0].slice(0, cut)
  return cut > 3 && titles.every((title) => title.startsWith(start)) ? cut : 0
}

function Dashboard({ uid }) {
  const found = useLoad((signal) => api.dashboard(uid, signal), [], uid)
  return (
    <Answer of={found} lines={8}>
      {(dashboard) => <Drawn dashboard={dashboard} />}
    </Answer>
  )
}

function Drawn({ dashboard }) {
  const range = useRange()
  const variables = useVariables(dashboard, range)
  return (
    <>
      <div class="page-head">
        <h1>{dashboard.title}</h1>
        {dashboard.description && <p class="muted">{dashboard.description}</p>}
      </div>
      <VariableBar variables={variables} />
      {variables.ready &&
        sections(dashboard.panels ?? []).map((section) => (
          <Section key={section.id} section={section} variables={variables.texts} range={range} />
        ))}
    </>
  )
}

/** Panels by the rows they stand under; a collapsed row carries its own. */
export function sections(panels) {
  const found = [{ id: 'top', title: '', panels: [], collapsed: false }]
  for (const panel of panels) {
    if (panel.type === 'row') {
      found.push({ id: panel.id, title: panel.title, panels: [...(panel.panels ?? [])], collapsed: panel.collapsed })
    } else {
      found.at(-1).panels.push(panel)
    }
  }
  return found.filter(({ panels: held, title }) => held.length || title)
}

function Section({ section, variables, range }) {
  const [open, setOpen] = useState(!section.collapsed)
  const top = Math.min(...section.panels.map(({ gridPos }) => gridPos?.y ?? 0))
  return (
    <section class="row" aria-label={section.title || 'Panels'}>
      {section.title && (
        <h2>
          <button class="row-title" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Icon name={open ? 'down' : 'right'} size={14} />
            {section.title}
          </button>
        </h2>
      )}
      {open && (
        <div class="grid">
          {section.panels.map((panel) => (
            <div class="cell" key={panel.id} style={place(panel.gridPos, top)}>
              <Panel panel={panel} variables={variables} range={range} />
            </div>
          ))}
        </div>
      )}
    </section>
  )
}

const place = ({ x = 0, y = 0, w = 12, h = 8 } = {}, top) => ({
  '--x': x + 1,
  '--y': y - top + 1,
  '--w': w,
  '--h': h,
})
