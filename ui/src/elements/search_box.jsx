// Somebody pastes a job's id or a trace's id: the page goes to its trace.
import { useState } from 'preact/hooks'
import { find } from '../api.js'
import { go, href } from '../router.js'
import { Icon } from './icons.jsx'

export function SearchBox() {
  const [text, setText] = useState('')
  const [missing, setMissing] = useState(null)
  const submit = async (event) => {
    event.preventDefault()
    const wanted = text.trim()
    if (!wanted) return
    try {
      const traceId = await find(wanted)
      if (!traceId) return setMissing({ wanted, message: 'No job and no trace has this id.' })
      setText('')
      setMissing(null)
      event.target.querySelector('input').blur()
      go(`/traces/${traceId}`)
    } catch (error) {
      setMissing({ wanted, message: error.message })
    }
  }
  return (
    <form class="search" role="search" onSubmit={submit}>
      <Icon name="search" />
      <input
        id="search"
        type="search"
        placeholder="Job or trace id"
        aria-label="Find a job or a trace by its id"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.target.value)
          setMissing(null)
        }}
        onKeyDown={(event) => event.key === 'Escape' && (setMissing(null), event.target.blur())}
      />
      <kbd aria-hidden="true">/</kbd>
      <div class="search-answer" role="status">
        {missing && (
          <div class="popover">
            <p>{missing.message}</p>
            <a href={href('/logs', { query: quoted(missing.wanted) })} onClick={() => setMissing(null)}>
              Look for it in the logs
            </a>
          </div>
        )}
      </div>
    </form>
  )
}

const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`
