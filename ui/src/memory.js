// Small choices that outlive a visit. A browser may forbid keeping them: then they are not kept.
const PREFIX = 'watchkeeper.'

export function recall(name, fallback) {
  try {
    return localStorage.getItem(PREFIX + name) ?? fallback
  } catch {
    return fallback
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value)
  } catch {
    // A visit without memory works all the same.
  }
}
