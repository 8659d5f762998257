// What stands where an answer should be: nothing yet, nothing at all, or a failure.
import { Icon } from './icons.jsx'

/** Says plainly that there is nothing, and what that means. */
export function Empty({ children }) {
  return <p class="empty">{children}</p>
}

/** Says what failed, in the backend's words. */
export function Failure({ error, again }) {
  return (
    <div class="failure" role="alert">
      <Icon name="warning" />
      <span>{error.message}</span>
      {again && (
        <button class="quiet-button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

export function Notice({ kind = 'info', children }) {
  return (
    <div class={`notice notice-${kind}`} role="note">
      {children}
    </div>
  )
}

/** The answer of useLoad: a failure, a wait, or what `children` makes of the data. */
export function Answer({ of, lines = 4, children }) {
  if (of.error && of.data === undefined) return <Failure error={of.error} again={of.again} />
  if (of.data === undefined) return <Waiting lines={lines} />
  return (
    <>
      {of.error && <Failure error={of.error} again={of.again} />}
      {children(of.data)}
    </>
  )
}

function Waiting({ lines }) {
  return (
    <div class="waiting" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} class="waiting-line" />
      ))}
    </div>
  )
}
