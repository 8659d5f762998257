// A job's id leads to its trace.
import { useEffect } from 'preact/hooks'
import { find } from '../api.js'
import { Answer } from '../elements/states.jsx'
import { useLoad } from '../load.js'
import { go, href } from '../router.js'

export function JobPage({ id }) {
  const found = useLoad((signal) => find(id, signal), [], id)
  useEffect(() => {
    if (found.data) go(`/traces/${found.data}`, {}, { replace: true })
  }, [found.data])
  return (
    <div class="page">
      <h1>Job {id}</h1>
      <Answer of={found} lines={2}>
        {(traceId) =>
          traceId ? null : (
            <p>
              No trace and no log line names this job. <a href={href('/traces')}>See all traces</a>
            </p>
          )
        }
      </Answer>
    </div>
  )
}
