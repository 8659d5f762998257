// The choices of a dashboard, kept in the address as var-name.
import { useLoad } from '../load.js'
import { setQuery, useRoute } from '../router.js'
import { choosable, initial, optionsOf, textOf } from './variables.js'

const ALL = '$__all'

/** What each variable offers and is. */
export function useVariables(dashboard, range) {
  const { query } = useRoute()
  const given = choosable(dashboard).map(({ name }) => query.get(`var-${name}`) ?? '')
  const ask = async (signal) => {
    const list = []
    const texts = {}
    for (const [index, variable] of choosable(dashboard).entries()) {
      let error = null
      const options = await optionsOf(variable, texts, range, signal).catch((reason) => {
        if (reason.name === 'AbortError') throw reason
        error = reason
        return []
      })
      const chosen = given[index] ? given[index].split(',') : initial(variable, options)
      texts[variable.name] = textOf(variable, chosen, options)
      list.push({ variable, options, chosen, error })
    }
    return { list, texts }
  }
  const found = useLoad(ask, [given.join('\n')], dashboard)
  return { list: found.data?.list ?? [], texts: found.data?.texts ?? {}, ready: Boolean(found.data) }
}

export function VariableBar({ variables }) {
  const shown = variables.list.filter(({ variable }) => variable.type !== 'constant')
  if (!shown.length) return null
  return (
    <div class="bar" role="group" aria-label="Variables">
      {shown.map(({ variable, options, chosen, error }) => (
        <label key={variable.name} class="field">
          <span>{variable.label || variable.name}</span>
          <Choice variable={variable} options={options} chosen={chosen} />
          {error && <span class="bad">{error.message}</span>}
        </label>
      ))}
    </div>
  )
}

function Choice({ variable, options, chosen }) {
  const choose = (values) => setQuery({ [`var-${variable.name}`]: values.join(',') })
  if (variable.type === 'textbox') {
    return <input type="text" value={chosen[0] ?? ''} onChange={(event) => choose([event.target.value])} />
  }
  const all = [...(variable.includeAll ? [ALL] : []), ...new Set([...options, ...chosen.filter((one) => one !== ALL)])]
  return (
    <select
      multiple={variable.multi}
      size={variable.multi ? Math.min(4, all.length) : undefined}
      onChange={(event) => choose([...event.target.selectedOptions].map((option) => option.value))}
    >
      {all.map((option) => (
        <option key={option} value={option} selected={chosen.includes(option)}>
          {option === ALL ? 'All' : option}
        </option>
      ))}
    </select>
  )
}
