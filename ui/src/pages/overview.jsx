// The overview: is it well, what fires, who was told, what does it cost, is the watch itself kept.
import * as api from '../api.js'
import { Notifications } from '../alerts/notifications.jsx'
import { isHeartbeat } from '../alerts/rules.jsx'
import { silenceOf } from '../alerts/matchers.js'
import { Icon } from '../elements/icons.jsx'
import { Answer, Empty } from '../elements/states.jsx'
import { Severity, State } from '../elements/tags.jsx'
import { count, duration, plural, value as format } from '../format.js'
import { useLoad } from '../load.js'
import { Panel } from '../panels/panel.jsx'
import { useRange } from '../range.js'
import { useTick } from '../refresh.js'
import { href } from '../router.js'
import { ago, clock, moment, parseTime } from '../time.js'
import { CHARTS, NUMBERS } from './overview_panels.js'

const RECENT = 6

export function OverviewPage({ watch }) {
  const tick = useTick()
  const range = useRange()
  const alerts = useLoad(api.alerts, [tick])
  const silences = useLoad(api.silences, [tick])
  const told = useLoad(api.notifications, [tick])
  const active = activeAlerts(alerts.data?.groups ?? [], silences.data ?? [])
  return (
    <div class="page overview">
      <Answer of={watch} lines={2}>
        {(overview) => <Verdict overview={overview} active={active} />}
      </Answer>
      <div class="numbers">
        {NUMBERS.map((panel) => (
          <a key={panel.title} class="card number-card" href={href('/explore', { expr: panel.targets[0].expr })}>
            <Panel panel={panel} variables={{}} range={range} />
          </a>
        ))}
        <Cost overview={watch.data} />
      </div>
      <div class="columns">
        <div class="column wide">
          <div class="charts">
            {CHARTS.map((panel) => (
              <div class="card" key={panel.title}>
                <Panel panel={panel} variables={{}} range={range} />
              </div>
            ))}
          </div>
          <Failures range={range} />
        </div>
        <div class="column">
          <section class="card">
            <CardHead title="What fires" path="/alerts" more="All rules" />
            <Answer of={alerts} lines={3}>
              {() => <Active alerts={active} />}
            </Answer>
          </section>
          <section class="card">
            <CardHead title="Who was told" path="/alerts/notifications" more="All notifications" />
            <Answer of={told} lines={3}>
              {(list) => <Notifications list={list.filter(isNews)} most={RECENT} />}
            </Answer>
          </section>
          <section class="card">
            <CardHead title="The watch itself" />
            <Answer of={watch} lines={4}>
              {(overview) => <Watch overview={overview} />}
            </Answer>
          </section>
        </div>
      </div>
    </div>
  )
}

const isNews = ({ summary }) => !summary.endsWith(': Watchdog')

function activeAlerts(groups, silences) {
  return groups
    .flatMap(({ rules }) => rules)
    .filter((rule) => rule.type === 'alerting' && !isHeartbeat(rule))
    .flatMap((rule) => rule.alerts.map((alert) => ({ ...alert, rule, silenced: Boolean(silenceOf(alert.labels, silences)) })))
    .sort((one, other) => weight(one) - weight(other) || (one.activeAt < other.activeAt ? -1 : 1))
}

const weight = ({ state, silenced, labels }) =>
  (silenced ? 20 : 0) + (state === 'firing' ? 0 : 10) + (labels.severity === 'critical' ? 0 : 1)

function CardHead({ title, path, query, more }) {
  return (
    <header class="card-head">
      <h2>{title}</h2>
      {path && <a href={href(path, query)}>{more}</a>}
    </header>
  )
}

/** One sentence that says how things stand. */
function Verdict({ overview, active }) {
  const firing = active.filter(({ state, silenced }) => state === 'firing' && !silenced)
  const broken = overview.checks.filter(({ ok }) => !ok)
  const pending = active.filter(({ state, silenced }) => state === 'pending' && !silenced)
  const critical = firing.some(({ labels }) => labels.severity === 'critical')
  const kind = broken.length || critical ? 'bad' : firing.length || pending.length || overview.targets.down ? 'warn' : 'good'
  const name = overview.service_name || 'The service'
  const words = broken.length
    ? `The watch is not kept: ${broken.map(({ name: check }) => check).join(', ')}`
    : firing.length
      ? `${name}: ${plural(firing.length, 'alert fires', 'alerts fire')}`
      : overview.targets.down
        ? `${name}: ${plural(overview.targets.down, 'target does', 'targets do')} not answer`
        : pending.length
          ? `${name}: ${plural(pending.length, 'alert is', 'alerts are')} pending`
          : `${name} is well`
  const started = parseTime(overview.started_at)
  return (
    <div class={`verdict verdict-${kind}`} role="status">
      <span class="verdict-mark">
        <Icon name={kind === 'good' ? 'check' : 'warning'} size={20} />
      </span>
      <div>
        <h1>{words}</h1>
        <p>
          {overview.targets.up} of {plural(overview.targets.up + overview.targets.down, 'target')} up
          {firing.length > 0 && pending.length > 0 && ` · ${plural(pending.length, 'alert')} pending`} · watched since{' '}
          {moment(started)}, for {duration(Math.max(0, Date.now() / 1000 - started))}
        </p>
      </div>
    </div>
  )
}

function Cost({ overview }) {
  const cost = overview?.cost_today_usd
  return (
    <a class="card number-card" href={href('/explore', { expr: 'sum by (__name__) ({__name__=~".+_cost_usd_total"})' })}>
      <section class="panel" aria-label="Cost today">
        <header class="panel-head">
          <h3>Cost today</h3>
        </header>
        <div class="panel-body">
          {cost === null || cost === undefined ? (
            <Empty>No cost is counted.</Empty>
          ) : (
            <div class="stats">
              <div class="stat">
                <span class="stat-value">{format(cost, 'currencyUSD', cost < 10 ? 4 : 2)}</span>
                <span class="stat-name">since midnight, UTC</span>
              </div>
            </div>
          )}
        </div>
      </section>
    </a>
  )
}

function Active({ alerts }) {
  if (!alerts.length) return <Empty>Nothing. Every rule was looked at and none holds.</Empty>
  return (
    <ul class="active-alerts">
      {alerts.map(({ labels, annotations, state, activeAt, rule, silenced }) => (
        <li key={JSON.stringify(labels)}>
          <a class="active-alert" data-row href={href('/alerts', { rule: rule.name })}>
            <span class="active-head">
              <State name={silenced ? 'silenced' : state} />
              <strong>{rule.name}</strong>
              <Severity name={labels.severity ?? ''} />
            </span>
            <span>{annotations.description ?? annotations.summary}</span>
            <span class="muted">
              since {clock(parseTime(activeAt))} ({ago(parseTime(activeAt))}) ·{' '}
              {state === 'firing' && !silenced ? `sent to ${rule.receivers.join(', ') || 'nobody'}` : 'nobody is told yet'}
            </span>
          </a>
        </li>
      ))}
    </ul>
  )
}

function Watch({ overview }) {
  const { samples, logs, spans, bytes } = overview.storage
  return (
    <>
      <ul class="checks">
        {overview.checks.map(({ name, ok, detail }) => (
          <li key={name}>
            <State name={ok ? 'ok' : 'failed'}>{name}</State>
            <span class={ok ? 'muted' : 'bad'}>{detail}</span>
          </li>
        ))}
      </ul>
      <dl class="storage">
        <Amount name="samples" number={count(samples)} />
        <Amount name="log lines" number={count(logs)} />
        <Amount name="spans" number={count(spans)} />
        <Amount name="on disk" number={format(bytes, 'bytes')} />
      </dl>
    </>
  )
}

function Amount({ name, number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{number}</dd>
    </div>
  )
}

function Failures({ range }) {
  const found = useLoad(
    (signal) => api.traces({ errors_only: 'true', start: range.start, end: range.end, limit: RECENT }, signal),
    [range],
  )
  return (
    <section class="card">
      <CardHead title="Failed lately" path="/traces" query={{ errors: 1 }} more="All failed traces" />
      <Answer of={found} lines={3}>
        {(traces) =>
          traces.length === 0 ? (
            <Empty>No trace failed in this time.</Empty>
          ) : (
            <ol class="failures">
              {traces.map((trace) => (
                <li key={trace.trace_id}>
                  <a data-row href={href(`/traces/${trace.trace_id}`)}>
                    <time>{moment(trace.start)}</time>
                    <span class="failure-name">{trace.root_name}</span>
                    <span class="bad">{plural(trace.errors, 'error')}</span>
                    <span class="muted">{duration(trace.duration_seconds)}</span>
                  </a>
                </li>
              ))}
            </ol>
          )
        }
      </Answer>
    </section>
  )
}
