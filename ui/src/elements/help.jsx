// The keys, in a dialog.
import { useEffect, useRef } from 'preact/hooks'
import { PLACES } from '../keyboard.js'

const KEYS = [
  ['/', 'Search: the query of this page, or a job or trace id'],
  ['j  k', 'Next and previous row of a list'],
  ['Enter', 'Open what has the focus'],
  ['← →', 'Close and open a branch of a trace'],
  ['Esc', 'Close what is open'],
  ['?', 'These keys'],
]

export function Help({ open, close }) {
  const dialog = useRef(null)
  useEffect(() => {
    if (open) dialog.current.showModal()
    else dialog.current.close()
  }, [open])
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}>
      <header>
        <h2 id="help-title">Keys</h2>
        <button class="button" onClick={close}>
          Close
        </button>
      </header>
      <dl class="keys">
        {PLACES.map(({ key, name }) => (
          <Key key={key} keys={`g ${key}`} what={`Go to ${name}`} />
        ))}
        {KEYS.map(([keys, what]) => (
          <Key key={keys} keys={keys} what={what} />
        ))}
      </dl>
      <p class="muted">On a graph: drag to look closer, click to see the traces and logs of that moment.</p>
    </dialog>
  )
}

function Key({ keys, what }) {
  return (
    <div>
      <dt>
        {keys.split(' ').filter(Boolean).map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{what}</dd>
    </div>
  )
}
