import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parse, parseDocument } from 'yaml'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'
import { isDynamicSecurityFile, isMosquittoConf } from './mosquitto-file.js'
import { withWholePaths } from './paths.js'
import { yamlProblem } from './yaml-problem.js'

export type Path = readonly (string | number)[]
export type Values = Readonly<Record<string, unknown>>

/** One source of settings. Later layers override earlier ones. */
export interface Layer {
  readonly values: Values
  /** Where the layer says this, in words for people: `godwit.yaml:3:5`, `GODWIT_DATA`, `--data`. */
  where(path: Path): string
}

/** What nobody has said. */
export function defaultLayer(values: Values): Layer {
  return { values, where: () => 'default' }
}

/** What the flags say; `names` gives the flag of each setting. */
export function flagLayer(values: Values, names: Readonly<Record<string, string>>): Layer {
  return { values, where: (path) => names[path.join('.')] ?? names[String(path[0])] ?? 'flag' }
}

/**
 * A YAML or JSON file. Relative paths in it are relative to its folder.
 * @throws CommandError with line and column.
 */
export function fileLayer(file: string, what = 'the configuration'): Layer {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const problem = `cannot read ${what} ${file}: ${systemProblem(error)}`
    throw new CommandError(`${problem}; name a YAML or JSON file`, 1, { cause: error })
  }
  return textLayer(text, file, dirname(resolve(file)))
}

/**
 * The same of a text.
 * @param file what it is called, for messages. @param folder of which relative paths in it are.
 */
export function textLayer(text: string, file: string, folder: string): Layer {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const position = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  if (isMosquittoConf(text)) throw new CommandError(`${file} is a configuration of mosquitto; ${toImport(file)}`)
  const [error] = [...document.errors, ...document.warnings]
  if (error) throw new CommandError(`${position(error.pos[0])}: ${yamlProblem(error)}`)
  const values = withoutNothing(valuesOf(document, file)) ?? {}
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new CommandError(`${file}:1:1: a configuration is a list of "key: value"; see docs/configuration.md`)
  }
  if (isDynamicSecurityFile(values)) {
    throw new CommandError(`${file} is a file of mosquitto's dynamic security; ${toImport(file)}`)
  }
  return {
    values: withWholePaths(values as Values, folder),
    where: (path) => position(offsetOf(document.contents, path)),
  }
}

const toImport = (file: string): string => `translate it first: godwit config import ${file} -o godwit.yaml`

function valuesOf(document: Document, file: string): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw new CommandError(`${file}:1:1: ${(error as Error).message}`)
  }
}

/** A key with nothing behind it, as one whose lines are all comments, says nothing. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing)
  if (!isObject(value)) return value ?? undefined
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutNothing(inner)] as const)
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined))
}

/** Where the key or the item stands that the path leads to, or the last one of it that there is. */
function offsetOf(root: unknown, path: Path): number {
  let node = root
  let offset = 0
  for (const step of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === step) : undefined
    const next = pair ? pair.value : isNode(node) && 'get' in node ? (node as Sequence).get(step, true) : undefined
    const at = pair ? pair.key : next
    if (!isNode(at)) return offset
    offset = at.range?.[0] ?? offset
    node = next
  }
  return offset
}

interface Sequence {
  get(at: string | number, keepNode: true): Node | undefined
}

const prefix = 'GODWIT_'
/** Of the clients, of the project’s own tests, and what Kubernetes tells every container of a Service that is called godwit. */
const othersVariables = /^GODWIT_(TEST_|URL$|PORT(_|$)|SERVICE_(HOST|PORT)(_|$))/

/**
 * `GODWIT_LIMITS__MAX_INFLIGHT=100` is `limits.maxInflight: 100`, `GODWIT_LISTENERS__0__PORT` the port of the first
 * listener. Values are read as YAML, so a list can stand there too.
 * @param isText whether a setting is text, which is taken as it is.
 */
export function environmentLayer(
  environment: Readonly<Record<string, string | undefined>>,
  isText: (path: Path) => boolean = () => false,
): Layer {
  const values: Record<string, unknown> = {}
  const names = new Map<string, string>()
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || othersVariables.test(name) || value === undefined) continue
    const path = name.slice(prefix.length).split('__').map(camelCase)
    names.set(path.join('.'), name)
    put(values, path, isText(path) ? value : scalar(value))
  }
  const where = (path: Path): string => {
    for (let length = path.length; length > 0; length--) {
      const name = names.get(path.slice(0, length).join('.'))
      if (name !== undefined) return name
    }
    return [...names].find(([known]) => known.startsWith(path.join('.')))?.[1] ?? 'environment'
  }
  return { values, where }
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function scalar(value: string): unknown {
  try {
    return parse(value)
  } catch {
    return value
  }
}

function put(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    values[key] = value
    return
  }
  const inner = values[key]
  const below = isObject(inner) ? { ...inner } : {}
  put(below, rest, value)
  values[key] = below
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
