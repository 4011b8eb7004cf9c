import { CommandError } from '../command-error.js'
import { isObject, type Layer, type Path } from './layers.js'
import { problemsOf } from './problem.js'
import { type Config, configSchema } from './schema.js'

/** A configuration, and where each of its values comes from. */
export interface Resolved {
  readonly config: Config
  /** In words for people: `godwit.yaml:3:5`, `GODWIT_DATA`, `--data`, `default`. */
  origin(path: Path): string
}

/**
 * Lays the layers over one another, setting by setting (a list is one setting, unless an item is named by its number),
 * and checks the whole.
 * @throws CommandError naming the place of each value that is wrong, and what may stand there.
 */
export function resolve(layers: readonly Layer[]): Resolved {
  const merged = layers.reduce<unknown>((below, { values }) => overlay(below, values), {})
  const origin = (path: Path): string => originOf(layers, path) ?? 'default'
  const parsed = configSchema.safeParse(merged, { reportInput: true })
  if (parsed.success) return { config: parsed.data, origin }
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, (path) => placeOf(layers, path)))
  // In the order of the file.
  const inOrder = [...new Set(problems)].sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  throw CommandError.all(inOrder)
}

function overlay(below: unknown, above: unknown): unknown {
  if (!isObject(above)) return above
  const keys = Object.keys(above)
  if (Array.isArray(below) && keys.length > 0 && keys.every((key) => /^\d+$/.test(key))) {
    return below.map((item, at) => (Object.hasOwn(above, at) ? overlay(item, above[at]) : item))
  }
  if (!isObject(below)) return above
  const merged = { ...below }
  for (const [key, value] of Object.entries(above)) {
    merged[key] = Object.hasOwn(below, key) ? overlay(below[key], value) : value
  }
  return merged
}

/** The topmost layer that says something there; a list comes from one layer as a whole, what its items leave out from none. */
function originOf(layers: readonly Layer[], path: Path): string | undefined {
  for (const layer of layers.toReversed()) {
    const said = says(layer.values, path)
    if (said === 'yes') return layer.where(path)
    if (said === 'in its list') return 'default'
  }
  return undefined
}

/** Of what is missing: the place of what it is missing in. */
function placeOf(layers: readonly Layer[], path: Path): string {
  for (let length = path.length; length > 0; length--) {
    const place = originOf(layers, path.slice(0, length))
    if (place !== undefined && place !== 'default') return place
  }
  return 'default'
}

/** Whether the values say something there, or leave it out of a list that goes before those of the layers below. */
function says(values: unknown, path: Path): 'yes' | 'in its list' | 'no' {
  let at = values
  let inList = false
  for (const step of path) {
    inList ||= Array.isArray(at)
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return inList ? 'in its list' : 'no'
    at = (at as Record<string | number, unknown>)[step]
  }
  return 'yes'
}
