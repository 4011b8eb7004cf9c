import { BrokerError } from '../errors.js'
import { checkHook } from '../hooks/hook-names.js'
import { checkNames, type NamesOf } from '../option-names.js'
import type { Plugin } from './plugin.js'
import type { SchemaIssue, StandardSchema } from './standard-schema.js'

const known: NamesOf<Plugin> = {
  name: true,
  options: true,
  state: true,
  hooks: true,
  authenticator: true,
  start: true,
  stop: true,
  counts: true,
}

const elsewhere: Readonly<Record<string, string>> = {
  authenticate: 'hooks: { authenticate }, or authenticator',
  authorize: 'hooks: { authorize }',
  authorizeDelivery: 'hooks: { authorizeDelivery }',
  onPublish: 'hooks: { onPublish }',
  onConnect: 'hooks: { onConnect }',
  onDisconnect: 'hooks: { onDisconnect }',
  schema: 'options',
  setup: 'start',
  close: 'stop',
}

const functions = ['state', 'authenticator', 'start', 'stop', 'counts'] as const

/**
 * Whether that is a plugin: what a module exports may be anything.
 * @param value an object as `definePlugin` takes it.
 * @throws BrokerError `invalid-option`.
 */
export function checkPlugin(value: unknown): asserts value is Plugin {
  if (typeof value !== 'object' || value === null) {
    throw wrong(`a plugin is ${String(value)}; it takes an object, as definePlugin makes it`)
  }
  const plugin = value as Partial<Record<keyof Plugin, unknown>>
  checkPluginName(plugin.name)
  const where = `plugin ${plugin.name}`
  checkNames(plugin, known, where, elsewhere)
  for (const name of functions) {
    const part = plugin[name]
    if (part === undefined || typeof part === 'function') continue
    throw wrong(`${where}: ${name} is ${String(part)}; it takes a function`)
  }
  if (plugin.options !== undefined && !isSchema(plugin.options)) {
    throw wrong(`${where}: options takes a schema, of zod or another library that speaks Standard Schema`)
  }
  if (plugin.hooks !== undefined && typeof plugin.hooks !== 'function') checkHook(plugin.hooks, `${where}: hooks`)
}

/** @throws BrokerError `invalid-option`. */
export function checkPluginName(name: unknown): asserts name is string {
  if (typeof name === 'string' && /^[\w.-]{1,64}$/.test(name)) return
  throw wrong(`a plugin needs a name of letters, digits, -, _ and ., 64 at most; it has ${JSON.stringify(name)}`)
}

function isSchema(value: unknown): value is StandardSchema {
  const standard = (value as Partial<StandardSchema> | null)?.['~standard']
  return standard?.version === 1 && typeof standard.validate === 'function'
}

/** Options that a plugin does not take, each with its place in them. */
export class PluginOptionsError extends BrokerError {
  readonly issues: readonly { readonly path: readonly (string | number)[]; readonly message: string }[]

  constructor(plugin: string, issues: PluginOptionsError['issues']) {
    const all = issues.map(({ path, message }) => `${['options', ...path].join('.')}: ${message}`)
    super('invalid-option', `plugin ${plugin}: ${all.join('; ')}`)
    this.issues = issues
  }
}

/**
 * What its schema makes of the options that are given.
 * @throws PluginOptionsError
 */
export async function optionsFor({ name, options: schema }: Plugin, given: unknown): Promise<unknown> {
  if (!schema) {
    if (given === undefined) return undefined
    throw new PluginOptionsError(name, [{ path: [], message: 'this plugin takes none' }])
  }
  const result = await schema['~standard'].validate(given ?? {})
  if (result.issues) throw new PluginOptionsError(name, result.issues.map(issueOf))
  return result.value
}

function issueOf({ message, path = [] }: SchemaIssue): PluginOptionsError['issues'][number] {
  const steps = path.map((step) => (typeof step === 'object' ? step.key : step))
  return { path: steps.map((step) => (typeof step === 'number' ? step : String(step))), message: inOneLine(message) }
}

const inOneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, '; ')

const wrong = (message: string): BrokerError => new BrokerError('invalid-option', message)
