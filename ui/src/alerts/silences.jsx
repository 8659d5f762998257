// Silences: which alerts are held back, until when, by whom and why.
import { useState } from 'preact/hooks'
import * as api from '../api.js'
import { Empty, Failure } from '../elements/states.jsx'
import { Icon } from '../elements/icons.jsx'
import { State } from '../elements/tags.jsx'
import { plural } from '../format.js'
import { recall, remember } from '../memory.js'
import { setQuery, useRoute } from '../router.js'
import { moment, parseTime } from '../time.js'
import { fulfils, OPERATOR_NAMES, operatorOf, toJson } from './matchers.js'

const DURATIONS = [
  [30, '30 minutes'],
  [60, '1 hour'],
  [240, '4 hours'],
  [1440, '1 day'],
  [10080, '1 week'],
]
const ORDER = ['active', 'pending', 'expired']
const EMPTY_MATCHER = { name: '', operator: '=', value: '' }

export function Silences({ silences, groups, again }) {
  const { query } = useRoute()
  const wanted = query.get('silence')
  const sorted = [...silences].sort(
    (one, other) =>
      ORDER.indexOf(one.status.state) - ORDER.indexOf(other.status.state) || (one.updatedAt < other.updatedAt ? 1 : -1),
  )
  const done = () => {
    setQuery({ silence: null })
    again()
  }
  return (
    <>
      {wanted === null ? (
        <p>
          <button class="button" onClick={() => setQuery({ silence: '{}' })}>
            <Icon name="mute" /> New silence
          </button>
        </p>
      ) : (
        <Form key={wanted} labels={readLabels(wanted)} groups={groups} done={done} />
      )}
      {sorted.length === 0 ? (
        <Empty>Nothing is silenced.</Empty>
      ) : (
        <ul class="silences">
          {sorted.map((silence) => (
            <Silence key={silence.id} silence={silence} again={again} />
          ))}
        </ul>
      )}
    </>
  )
}

function readLabels(text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function Silence({ silence, again }) {
  const [error, setError] = useState(null)
  const state = silence.status.state
  const expire = () => api.expireSilence(silence.id).then(again, setError)
  return (
    <li class={`silence silence-${state}`}>
      <State name={state} />
      <span class="labels">
        {silence.matchers.map((matcher) => (
          <span class="label" key={matcher.name + matcher.value}>
            <span class="label-name">
              {matcher.name}
              {operatorOf(matcher)}
            </span>
            {matcher.value}
          </span>
        ))}
      </span>
      <span class="silence-why">{silence.comment}</span>
      <span class="muted">
        {silence.createdBy}, {state === 'expired' ? 'ended' : 'until'} {moment(parseTime(silence.endsAt))}
      </span>
      {state !== 'expired' && (
        <button class="button small" onClick={expire}>
          End now
        </button>
      )}
      {error && <Failure error={error} />}
    </li>
  )
}

function Form({ labels, groups, done }) {
  const given = Object.entries(labels).map(([name, value]) => ({ name, operator: '=', value }))
  const [matchers, setMatchers] = useState(given.length ? given : [{ ...EMPTY_MATCHER, name: 'alertname' }])
  const [error, setError] = useState(null)
  const filled = matchers.filter(({ name, value }) => name && value).map(toJson)
  const held = groups
    .flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts ?? []))
    .filter((alert) => fulfils(alert.labels, filled))
  const change = (index, part) => setMatchers(matchers.map((one, at) => (at === index ? { ...one, ...part } : one)))
  const submit = async (event) => {
    event.preventDefault()
    const form = new FormData(event.target)
    const now = Date.now()
    remember('name', form.get('by'))
    try {
      await api.createSilence({
        matchers: filled,
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + form.get('minutes') * 60000).toISOString(),
        createdBy: form.get('by'),
        comment: form.get('comment'),
      })
      done()
    } catch (reason) {
      setError(reason)
    }
  }
  return (
    <form class="card silence-form" onSubmit={submit} aria-label="New silence">
      <h2>New silence</h2>
      <fieldset>
        <legend>Hold back the alerts whose labels are</legend>
        {matchers.map((matcher, index) => (
          <Matcher
            key={index}
            matcher={matcher}
            change={(part) => change(index, part)}
            remove={matchers.length > 1 ? () => setMatchers(matchers.filter((_, at) => at !== index)) : null}
          />
        ))}
        <button type="button" class="button small" onClick={() => setMatchers([...matchers, EMPTY_MATCHER])}>
          Add a label
        </button>
      </fieldset>
      <div class="bar">
        <label class="field">
          <span>For</span>
          <select name="minutes" defaultValue="60">
            {DURATIONS.map(([minutes, name]) => (
              <option key={minutes} value={minutes} selected={minutes === 60}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Your name</span>
          <input name="by" required autocomplete="name" defaultValue={recall('name', '')} />
        </label>
        <label class="field grow">
          <span>Why</span>
          <input name="comment" required placeholder="What is being done about it" />
        </label>
      </div>
      {error && <Failure error={error} />}
      <div class="silence-actions">
        <button class="button primary" disabled={!filled.length}>
          Silence
        </button>
        <button type="button" class="button" onClick={() => setQuery({ silence: null })}>
          Cancel
        </button>
        <span class="muted" role="status">
          {held.length ? `Holds back ${plural(held.length, 'alert')} now: ${names(held)}` : 'Holds back no alert now.'}
        </span>
      </div>
    </form>
  )
}

const names = (alerts) => [...new Set(alerts.map(({ labels }) => labels.alertname))].join(', ')

function Matcher({ matcher, change, remove }) {
  const on = (part) => (event) => change({ [part]: event.target.value })
  return (
    <div class="matcher">
      <input aria-label="Label" placeholder="label" value={matcher.name} onInput={on('name')} />
      <select aria-label="Condition" value={matcher.operator} onChange={on('operator')}>
        {OPERATOR_NAMES.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <input aria-label="Value" placeholder="value" value={matcher.value} onInput={on('value')} />
      {remove && (
        <button type="button" class="icon-button" aria-label={`Take away ${matcher.name}`} onClick={remove}>
          <Icon name="cross" size={14} />
        </button>
      )}
    </div>
  )
}
