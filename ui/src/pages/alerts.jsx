// Alerts: the rules and their state, who was told, what is silenced.
import * as api from '../api.js'
import { Notifications } from '../alerts/notifications.jsx'
import { isHeartbeat, Rules } from '../alerts/rules.jsx'
import { Silences } from '../alerts/silences.jsx'
import { Answer, Empty } from '../elements/states.jsx'
import { useLoad } from '../load.js'
import { useTick } from '../refresh.js'
import { href, useRoute } from '../router.js'

export function AlertsPage({ part = 'rules' }) {
  const tick = useTick()
  const { query } = useRoute()
  const alerts = useLoad(api.alerts, [tick])
  const told = useLoad(api.notifications, [tick])
  const silences = useLoad(api.silences, [tick])
  const firing = (alerts.data?.groups ?? [])
    .flatMap(({ rules }) => rules)
    .filter((rule) => rule.state === 'firing' && !isHeartbeat(rule)).length
  const active = (silences.data ?? []).filter(({ status }) => status.state === 'active').length
  return (
    <div class="page">
      <div class="page-head">
        <h1>Alerts</h1>
      </div>
      <nav class="tabs" aria-label="Alerts">
        <Tab part={part} name="rules" path="/alerts" number={firing}>
          Rules
        </Tab>
        <Tab part={part} name="notifications" path="/alerts/notifications">
          Notifications
        </Tab>
        <Tab part={part} name="silences" path="/alerts/silences" number={active}>
          Silences
        </Tab>
      </nav>
      {part === 'notifications' && <Answer of={told}>{(list) => <Notifications list={list} />}</Answer>}
      {part === 'silences' && (
        <Answer of={silences}>
          {(list) => <Silences silences={list} groups={alerts.data?.groups ?? []} again={silences.again} />}
        </Answer>
      )}
      {part === 'rules' && (
        <Answer of={alerts} lines={10}>
          {({ groups }) =>
            groups.length ? (
              <Rules groups={groups} silences={silences.data ?? []} opened={query.get('rule')} />
            ) : (
              <Empty>No rules are loaded. Name rule files in prometheus.yml.</Empty>
            )
          }
        </Answer>
      )}
    </div>
  )
}

function Tab({ part, name, path, number = 0, children }) {
  return (
    <a href={href(path)} aria-current={part === name ? 'page' : undefined}>
      {children}
      {number > 0 && <span class={name === 'rules' ? 'badge' : 'badge quiet'}>{number}</span>}
    </a>
  )
}
