// The rules: what is looked for, what was found, who is told.
import { useState } from 'preact/hooks'
import { DataTable } from '../elements/data_table.jsx'
import { Icon } from '../elements/icons.jsx'
import { Labels, Severity, State } from '../elements/tags.jsx'
import { duration, parseValue, plural, value as format } from '../format.js'
import { href } from '../router.js'
import { ago, moment, parseTime } from '../time.js'
import { silenceOf } from './matchers.js'

const ORDER = ['firing', 'pending', 'inactive']

export function Rules({ groups, silences, opened }) {
  return groups.map((group) => <Group key={`${group.file}/${group.name}`} group={group} silences={silences} opened={opened} />)
}

function Group({ group, silences, opened }) {
  const alerting = group.rules
    .filter(({ type }) => type === 'alerting')
    .sort((one, other) => rank(one) - rank(other))
  const recording = group.rules.filter(({ type }) => type === 'recording')
  return (
    <section class="group" aria-label={`Group ${group.name}`}>
      <header class="group-head">
        <h2>{group.name}</h2>
        <span class="muted">
          every {duration(group.interval)} · last {ago(parseTime(group.lastEvaluation))}, took {duration(group.evaluationTime)}
        </span>
      </header>
      <ul class="rules">
        {alerting.map((rule) => (
          <Rule key={rule.name} rule={rule} silences={silences} opened={opened === rule.name} />
        ))}
      </ul>
      {recording.length > 0 && <Recording rules={recording} />}
    </section>
  )
}

const rank = (rule) => ORDER.indexOf(rule.state) + (isHeartbeat(rule) ? 10 : 0) - (rule.health === 'ok' ? 0 : 20)

/** An alert that always fires, to show that alerting works. */
export const isHeartbeat = ({ labels }) => labels.severity === 'none'

function Rule({ rule, silences, opened }) {
  const [open, setOpen] = useState(opened)
  const first = rule.alerts[0]
  const held = first && rule.alerts.every(({ labels }) => silenceOf(labels, silences))
  const state = rule.health === 'ok' ? (held ? 'silenced' : rule.state) : 'error'
  return (
    <li class={open ? 'rule open' : 'rule'}>
      <button class="rule-line" data-row aria-expanded={open} onClick={() => setOpen(!open)}>
        <State name={state} color={isHeartbeat(rule) && state === 'firing' ? '--good' : undefined}>
          {isHeartbeat(rule) && state === 'firing' ? 'heartbeat' : state}
        </State>
        <span class="rule-name">{rule.name}</span>
        <Severity name={rule.labels.severity ?? ''} quiet={!first} />
        <span class="rule-summary">{first?.annotations.summary ?? plain(rule.annotations.summary)}</span>
        <span class="rule-since">{first ? `since ${moment(earliest(rule.alerts))}` : ''}</span>
        <span class="rule-receivers">
          <Icon name="send" size={13} /> {rule.receivers?.join(', ') || 'nobody'}
        </span>
      </button>
      {open && <RuleDetails rule={rule} silences={silences} />}
    </li>
  )
}

const earliest = (alerts) => Math.min(...alerts.map(({ activeAt }) => parseTime(activeAt)))
/** A summary before there is an alert to fill it in: '{job} does not answer'. */
const plain = (text = '') => text.replace(/\{\{\s*\$(?:labels\.)?(\w+)[^}]*\}\}/g, '{$1}')

function RuleDetails({ rule, silences }) {
  const { summary, description, runbook_url: runbook, ...annotations } = rule.annotations
  return (
    <div class="rule-details">
      {rule.lastError && <p class="bad">{rule.lastError}</p>}
      <p class="rule-description">{rule.alerts[0]?.annotations.description ?? plain(description)}</p>
      <div class="expression">
        <code>{rule.query}</code>
        <a class="button" href={href('/explore', { expr: rule.query })}>
          <Icon name="explore" /> Explore
        </a>
      </div>
      <dl class="facts">
        <Fact name="For">{rule.duration ? duration(rule.duration) : 'at once'}</Fact>
        {rule.keepFiringFor > 0 && <Fact name="Keeps firing for">{duration(rule.keepFiringFor)}</Fact>}
        <Fact name="Sent to">{rule.receivers?.join(', ') || 'nobody'}</Fact>
        <Fact name="Evaluated">
          {ago(parseTime(rule.lastEvaluation))}, took {duration(rule.evaluationTime)}
        </Fact>
        {runbook && (
          <Fact name="Runbook">
            {/^https?:/.test(runbook) ? <a href={runbook} rel="noreferrer">{runbook}</a> : <code>{runbook}</code>}
          </Fact>
        )}
        {Object.entries(annotations).map(([name, text]) => (
          <Fact key={name} name={name}>
            {text}
          </Fact>
        ))}
        <Fact name="Labels">
          <Labels labels={rule.labels} />
        </Fact>
      </dl>
      {rule.alerts.length > 0 && <Instances rule={rule} silences={silences} />}
    </div>
  )
}

function Fact({ name, children }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Instances({ rule, silences }) {
  const columns = [
    {
      title: 'State',
      of: ({ state, labels }) => (silenceOf(labels, silences) ? 'silenced' : state),
      show: ({ state, labels }) => <State name={silenceOf(labels, silences) ? 'silenced' : state} />,
    },
    {
      title: 'Labels',
      of: ({ labels }) => JSON.stringify(labels),
      show: ({ labels }) => <Labels labels={labels} without={['alertname', ...Object.keys(rule.labels)]} />,
      wide: true,
    },
    { title: 'Active since', of: ({ activeAt }) => activeAt, show: ({ activeAt }) => moment(parseTime(activeAt)) },
    { title: 'Value', number: true, of: ({ value }) => parseValue(value), show: ({ value }) => format(parseValue(value)) },
    {
      title: 'Silence',
      of: () => '',
      show: ({ labels }) => (
        <a class="button small" href={href('/alerts/silences', { silence: JSON.stringify(labels) })}>
          <Icon name="mute" size={14} /> Silence
        </a>
      ),
    },
  ]
  return <DataTable columns={columns} rows={rule.alerts} label={`Alerts of ${rule.name}`} />
}

function Recording({ rules }) {
  return (
    <details class="recording">
      <summary>{plural(rules.length, 'recording rule')}</summary>
      <ul>
        {rules.map((rule) => (
          <li key={rule.name}>
            <a href={href('/explore', { expr: rule.name })}>{rule.name}</a> <code>{rule.query}</code>
            {rule.lastError && <span class="bad"> {rule.lastError}</span>}
          </li>
        ))}
      </ul>
    </details>
  )
}
