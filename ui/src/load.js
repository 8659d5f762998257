// Asking from a component: the last answer stays on the screen while the next is on its way.
import { useEffect, useRef, useState } from 'preact/hooks'

let asking = 0

/** Whether an answer is still on its way: a page that is not done is not asked again. */
export const isAsking = () => asking > 0

/**
 * Ask whenever an input changes. What was on its way is given up.
 *
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} ask
 * @param {unknown[]} inputs ask again when one changes
 * @param {unknown} subject forget the last answer when this changes: it was about something else
 * @returns {{data: T|undefined, error: Error|undefined, loading: boolean, again: () => void}}
 */
export function useLoad(ask, inputs, subject = '') {
  const [state, setState] = useState({ subject, loading: true })
  const [round, setRound] = useState(0)
  const latest = useRef(ask)
  latest.current = ask
  useEffect(() => {
    const abort = new AbortController()
    setState((old) => ({ ...(old.subject === subject ? old : {}), subject, loading: true }))
    asking += 1
    latest.current(abort.signal).finally(() => (asking -= 1)).then(
      (data) => abort.signal.aborted || setState({ subject, data, loading: false }),
      (error) =>
        abort.signal.aborted || setState((old) => ({ subject, data: old.data, error, loading: false })),
    )
    return () => abort.abort()
  }, [...inputs, subject, round])
  const again = () => setRound((number) => number + 1)
  return state.subject === subject ? { ...state, again } : { loading: true, again }
}
