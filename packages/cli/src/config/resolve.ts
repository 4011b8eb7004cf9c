import type { z } from 'zod'
import { CommandError } from '../command-error.js'
import { isObject, type Layer, type Path } from './layers.js'
import { type Config, configSchema } from './schema.js'

/** A configuration, and where each of its values comes from. */
export interface Resolved {
  readonly config: Config
  /** In words for people: `godwit.yaml:3:5`, `GODWIT_DATA`, `--data`, `default`. */
  origin(path: Path): string
}

/**
 * Lays the layers over one another, setting by setting (a list is one setting), and checks the whole.
 * @throws CommandError naming the place of the first value that is wrong, and what may stand there.
 */
export function resolve(layers: readonly Layer[]): Resolved {
  const merged = layers.reduce<unknown>((below, { values }) => overlay(below, values), {})
  const origin = (path: Path): string => originOf(layers, path)
  const parsed = configSchema.safeParse(merged)
  if (parsed.success) return { config: parsed.data, origin }
  throw new CommandError(problemOf(parsed.error.issues[0]!, origin))
}

function overlay(below: unknown, above: unknown): unknown {
  if (!isObject(below) || !isObject(above)) return above
  const merged = { ...below }
  for (const [key, value] of Object.entries(above)) {
    merged[key] = Object.hasOwn(below, key) ? overlay(below[key], value) : value
  }
  return merged
}

/** The topmost layer that says something there; a list comes from one layer as a whole. */
function originOf(layers: readonly Layer[], path: Path): string {
  for (const layer of layers.toReversed()) if (says(layer.values, path)) return layer.where(path)
  return 'default'
}

function says(values: unknown, path: Path): boolean {
  let at = values
  for (const step of path) {
    if (Array.isArray(at)) return true
    if (!isObject(at) || !Object.hasOwn(at, step)) return false
    at = at[step]
  }
  return true
}

function problemOf(issue: z.core.$ZodIssue, origin: (path: Path) => string): string {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') {
    const wrong = [...path, issue.keys[0]!]
    return `${origin(wrong)}: there is no key '${wrong.join('.')}'; it takes ${keysAt(path).join(', ')}`
  }
  return `${origin(path)}: ${path.join('.')}: ${issue.message}`
}

/** The keys that may stand under a path. */
function keysAt(path: Path): readonly string[] {
  let schema: unknown = configSchema
  for (const step of path) {
    const { shape, element } = plain(schema)
    schema = typeof step === 'number' ? element : shape?.[step]
  }
  return Object.keys(plain(schema).shape ?? {})
}

interface Shaped {
  readonly shape?: Readonly<Record<string, unknown>>
  readonly element?: unknown
}

/** Without what makes a schema optional or gives it a default. */
function plain(schema: unknown): Shaped {
  const { unwrap } = schema as { unwrap?: () => unknown }
  const isArray = 'element' in (schema as object)
  return unwrap && !isArray ? plain(unwrap.call(schema)) : (schema as Shaped)
}
