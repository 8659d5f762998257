// Where a PromQL query is written; names of metrics and functions are completed.
import { useEffect, useRef, useState } from 'preact/hooks'
import * as api from '../api.js'
import { useLoad } from '../load.js'

const FUNCTIONS =
  'sum avg min max count topk bottomk quantile stddev group count_values by without rate irate increase delta deriv ' +
  'histogram_quantile histogram_avg avg_over_time max_over_time min_over_time sum_over_time count_over_time ' +
  'last_over_time quantile_over_time changes resets predict_linear absent absent_over_time label_replace label_join ' +
  'clamp_max clamp_min round abs ceil floor time vector scalar sort sort_desc offset'
const MOST = 12

export function ExpressionBox({ expression, run }) {
  const [text, setText] = useState(expression)
  const [offers, setOffers] = useState([])
  const [chosen, setChosen] = useState(-1)
  const field = useRef(null)
  const names = useLoad((signal) => api.labelValues('__name__', {}, signal), [])
  const about = useLoad((signal) => api.metadata(signal), [])
  useEffect(() => setText(expression), [expression])
  const words = [
    ...(names.data ?? []).map((name) => ({ name, about: helpOf(about.data, name) })),
    ...FUNCTIONS.split(' ').map((name) => ({ name, about: 'PromQL' })),
  ]
  const close = () => {
    setOffers([])
    setChosen(-1)
  }
  const offer = (value, caret) => {
    setOffers(matching(words, wordBefore(value, caret)))
    setChosen(-1)
  }
  const accept = ({ name }) => {
    const caret = field.current.selectionStart
    const start = caret - wordBefore(text, caret).length
    setText(text.slice(0, start) + name + text.slice(caret))
    close()
    requestAnimationFrame(() => {
      field.current.focus()
      field.current.setSelectionRange(start + name.length, start + name.length)
    })
  }
  const submit = (event) => {
    event?.preventDefault()
    close()
    run(text.trim())
  }
  const onKeyDown = (event) => {
    if (offers.length && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
      const step = event.key === 'ArrowDown' ? 1 : -1
      setChosen((chosen + step + offers.length + (chosen < 0 && step < 0 ? 1 : 0)) % offers.length)
    } else if (offers.length && (event.key === 'Tab' || (event.key === 'Enter' && chosen >= 0))) {
      accept(offers[Math.max(0, chosen)])
    } else if (event.key === 'Escape') {
      close()
    } else if (event.key === 'Enter' && !event.shiftKey) {
      submit()
    } else {
      return
    }
    event.preventDefault()
  }
  return (
    <form class="query-form expression-box" onSubmit={submit} role="search" aria-label="Metrics">
      <div class="completion">
        <textarea
          ref={field}
          class="code-input"
          data-search
          rows={Math.min(8, text.split('\n').length + Math.floor(text.length / 110))}
          aria-label="PromQL query"
          aria-haspopup="listbox"
          aria-controls="offers"
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `offer-${chosen}` : undefined}
          placeholder="A PromQL query, as rate(http_requests_total[5m])"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            setText(event.target.value)
            offer(event.target.value, event.target.selectionStart)
          }}
          onKeyDown={onKeyDown}
          onBlur={close}
        />
        <ul id="offers" class={offers.length ? 'popover offers' : 'offers-none'} role="listbox" aria-label="Completions">
          {offers.map((one, index) => (
            <li
              key={one.name}
              id={`offer-${index}`}
              role="option"
              aria-selected={index === chosen}
              onPointerDown={(event) => {
                event.preventDefault()
                accept(one)
              }}
            >
              <code>{one.name}</code>
              <span class="muted">{one.about}</span>
            </li>
          ))}
        </ul>
      </div>
      <button class="button primary">Run</button>
    </form>
  )
}

/** The name that stands before the caret, outside of a string. */
function wordBefore(text, caret) {
  const before = text.slice(0, caret)
  if ((before.match(/"/g) ?? []).length % 2) return ''
  return /[a-zA-Z_:][\w:]*$/.exec(before)?.[0] ?? ''
}

function matching(words, start) {
  if (start.length < 2) return []
  const wanted = start.toLowerCase()
  const found = words.filter(({ name }) => name.includes(wanted) && name !== start)
  return found
    .sort((one, other) => other.name.startsWith(wanted) - one.name.startsWith(wanted) || one.name.localeCompare(other.name))
    .slice(0, MOST)
}

function helpOf(metadata, name) {
  const family = name.replace(/_(bucket|sum|count|total)$/, '')
  const entry = (metadata?.[name] ?? metadata?.[family])?.[0]
  return entry ? `${entry.type}. ${entry.help}` : ''
}
