// The live tail: lines as they are stored, the newest first.
import { useEffect, useState } from 'preact/hooks'
import { logTail } from '../api.js'

const MOST = 500

/** @returns {{records: object[], lost: number, connected: boolean}} */
export function useTail(query, on) {
  const [state, setState] = useState({ records: [], lost: 0, connected: false })
  useEffect(() => {
    setState({ records: [], lost: 0, connected: false })
    if (!on) return undefined
    const stream = logTail(query)
    let waiting = []
    let frame = 0
    const show = () => {
      frame = 0
      const arrived = waiting.reverse()
      waiting = []
      setState((old) => ({ ...old, records: [...arrived, ...old.records].slice(0, MOST) }))
    }
    stream.onopen = () => setState((old) => ({ ...old, connected: true }))
    stream.onerror = () => setState((old) => ({ ...old, connected: false }))
    stream.onmessage = ({ data }) => {
      waiting.push(JSON.parse(data))
      frame ||= requestAnimationFrame(show)
    }
    stream.addEventListener('lost', ({ data }) =>
      setState((old) => ({ ...old, lost: old.lost + JSON.parse(data).records })),
    )
    return () => {
      stream.close()
      cancelAnimationFrame(frame)
    }
  }, [query, on])
  return state
}
