// One panel of a Grafana dashboard: its frame, and the drawing that its type asks for.
import { Component } from 'preact'
import { Notice } from '../elements/states.jsx'
import { Gauge } from './gauge.jsx'
import { Heatmap } from './heatmap.jsx'
import { Stat } from './stat.jsx'
import { TablePanel } from './table.jsx'
import { Text } from './text.jsx'
import { TimeSeries } from './timeseries.jsx'
import { interpolate } from './variables.js'

const TYPES = {
  timeseries: TimeSeries,
  graph: TimeSeries,
  stat: Stat,
  gauge: Gauge,
  table: TablePanel,
  'table-old': TablePanel,
  heatmap: Heatmap,
  text: Text,
}

export function Panel({ panel, variables, range }) {
  const Drawing = TYPES[panel.type]
  const title = interpolate(panel.title ?? '', variables)
  return (
    <section class={`panel panel-${panel.type}`} aria-label={title || panel.type}>
      {(title || panel.description) && (
        <header class="panel-head">
          <h3>{title}</h3>
          {panel.description && (
            <span class="panel-about" tabIndex={0} role="note" aria-label={panel.description} data-text={panel.description}>
              i
            </span>
          )}
        </header>
      )}
      <div class="panel-body">
        {Drawing ? (
          <Fence key={panel.id}>
            <Drawing panel={panel} title={title} variables={variables} range={range} />
          </Fence>
        ) : (
          <Notice>
            Panels of the type <code>{panel.type}</code> are not drawn here; Grafana shows them.
          </Notice>
        )}
      </div>
    </section>
  )
}

/** A panel that cannot be drawn says so; the others go on. */
class Fence extends Component {
  state = { error: null }
  static getDerivedStateFromError(error) {
    return { error }
  }
  render({ children }, { error }) {
    return error ? <Notice kind="bad">This panel cannot be drawn: {error.message}</Notice> : children
  }
}
