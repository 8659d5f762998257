// The conditions of a silence, as Alertmanager understands them.

const OPERATORS = { '=': [false, true], '!=': [false, false], '=~': [true, true], '!~': [true, false] }
export const OPERATOR_NAMES = Object.keys(OPERATORS)

/** As the API wants it. */
export function toJson({ name, operator, value }) {
  const [isRegex, isEqual] = OPERATORS[operator]
  return { name, value, isRegex, isEqual }
}

/** '=' and its three brothers. */
export const operatorOf = ({ isRegex, isEqual = true }) =>
  OPERATOR_NAMES.find((name) => OPERATORS[name][0] === isRegex && OPERATORS[name][1] === isEqual)

/** Whether labels fulfil all conditions; a condition that cannot be read is not fulfilled. */
export function fulfils(labels, matchers) {
  return matchers.length > 0 && matchers.every((matcher) => holds(labels[matcher.name] ?? '', matcher))
}

function holds(value, { value: wanted, isRegex, isEqual = true }) {
  try {
    return (isRegex ? new RegExp(`^(?:${wanted})$`).test(value) : value === wanted) === isEqual
  } catch {
    return false
  }
}

/** The first active silence that holds labels back. */
export const silenceOf = (labels, silences) =>
  silences.find(({ status, matchers }) => status.state === 'active' && fulfils(labels, matchers))
