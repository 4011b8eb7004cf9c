import { nearest } from '@godwit/protocol'
import { BrokerError } from '../errors.js'
import { checkNames, type NamesOf, unknownName } from '../option-names.js'
import type { Hooks } from './hooks.js'

const known: NamesOf<Hooks> = {
  name: true,
  authenticate: true,
  authenticationMethods: true,
  authorize: true,
  authorizeDelivery: true,
  onPublish: true,
  onConnect: true,
  onDisconnect: true,
}
const names = Object.keys(known)

/** The hooks that are functions. */
export const hookFunctions: readonly Exclude<keyof Hooks, 'name' | 'authenticationMethods'>[] = [
  'authenticate',
  'authorize',
  'authorizeDelivery',
  'onPublish',
  'onConnect',
  'onDisconnect',
]

/** Those of aedes and mosca, and its events: what they are here. */
const elsewhere: Readonly<Record<string, string>> = {
  preConnect: 'authenticate',
  authorizePublish: "authorize, which is asked with action 'publish'",
  authorizeSubscribe: "authorize, which is asked with action 'subscribe'",
  authorizeForward: 'authorizeDelivery',
  published: 'onPublish, which sees a message before it is routed',
  client: 'onConnect',
  clientReady: 'onConnect',
  clientConnected: 'onConnect',
  clientDisconnect: 'onDisconnect',
  clientDisconnected: 'onDisconnect',
  clientError: 'onDisconnect, which is told why, and the log',
  onMessage: 'onPublish',
}

/**
 * Refuses hooks that nobody would call. An instance of a class may have methods of its own; only those are refused that
 * look like a hook that is none.
 * @throws BrokerError `invalid-option`.
 */
export function checkHooks(hooks: readonly Hooks[] = []): void {
  if (!Array.isArray(hooks)) {
    throw new BrokerError('invalid-option', 'hooks takes a list, such as [{ authenticate }]')
  }
  for (const [at, hook] of hooks.entries()) checkHook(hook, `hooks[${at}]`)
}

/**
 * The same of one.
 * @param where how it is called, for messages.
 * @throws BrokerError `invalid-option`.
 */
export function checkHook(hook: unknown, where: string): asserts hook is Hooks {
  if (typeof hook !== 'object' || hook === null) {
    throw new BrokerError('invalid-option', `${where} is ${String(hook)}; it takes an object, such as { authenticate }`)
  }
  if (isPlain(hook)) checkNames(hook, known, where, elsewhere)
  else checkMethods(hook, where)
  checkKinds(hook, where)
}

const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value))

function checkMethods(hook: object, where: string): void {
  for (let level = hook; level !== Object.prototype && level !== null; level = Object.getPrototypeOf(level) as object) {
    for (const name of Object.getOwnPropertyNames(level)) {
      if (name === 'constructor' || Object.hasOwn(known, name)) continue
      if (Object.hasOwn(elsewhere, name) || nearest(name, names) !== undefined)
        throw unknownName(name, names, where, elsewhere)
    }
  }
}

/** A hook that is no function would be taken for none. */
function checkKinds(hook: Hooks, where: string): void {
  for (const name of names) {
    const value = hook[name as keyof Hooks]
    const kind = name === 'name' ? 'string' : name === 'authenticationMethods' ? 'object' : 'function'
    if (value === undefined || typeof value === kind) continue
    throw new BrokerError('invalid-option', `${where}.${name} is ${String(value)}; it takes a ${kind}`)
  }
}
