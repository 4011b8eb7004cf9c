import { readFileSync } from 'node:fs'
import type { AccessAction, AccessRule } from '@godwit/broker/access'
import { CommandError } from '../command-error.js'
import { isObject } from '../config/layers.js'
import { systemProblem } from '../system-problem.js'
import {
  type Acl,
  type Client,
  type Json,
  type Role,
  readClients,
  readGroups,
  readRoles,
} from './dynamic-security-json.js'
import { hashProblem } from './password-kinds.js'

/** A rule, and where it comes from in words. */
interface ImportedRule {
  readonly rule: AccessRule
  readonly from: string
}

/** Something to tell about an entry of the file. */
interface EntryNote {
  /** `client ann`, `role viewer`. */
  readonly entry: string
  readonly why: string
}

/** What a file of mosquitto's dynamic security plugin says, in our terms. */
export interface DynamicSecurity {
  /** Lines of a password file: `user:hash`. */
  readonly passwords: readonly string[]
  readonly rules: readonly ImportedRule[]
  readonly untranslated: readonly EntryNote[]
  readonly remarks: readonly EntryNote[]
}

/** Whether a file is one of the plugin, and no mosquitto.conf. */
export function isDynamicSecurity(text: string): boolean {
  return text.trimStart().startsWith('{')
}

/**
 * Reads dynamic-security.json of mosquitto 2.0 and 2.1. As there: the roles of a client go before those of its groups,
 * each in the order of their priorities, then of their names; the first entry of a role that matches decides, and what
 * none says the defaults do.
 * @throws CommandError for a file that cannot be read, or is none of the plugin.
 */
export function readDynamicSecurity(file: string): DynamicSecurity {
  return new Translation(parse(file)).result()
}

function parse(file: string): Json {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${systemProblem(error)}`)
  }
  let value: unknown
  try {
    value = text.trim() === '' ? {} : JSON.parse(text)
  } catch (error) {
    throw new CommandError(`${file}: it is no JSON: ${(error as Error).message}`)
  }
  if (!isObject(value)) throw new CommandError(`${file}: it is no file of mosquitto's dynamic security plugin`)
  for (const key of ['clients', 'roles', 'groups']) {
    if (value[key] !== undefined && !Array.isArray(value[key])) throw new CommandError(`${file}: ${key} is no list`)
  }
  return value
}

/** Whom rules are for. */
type Whom = Pick<AccessRule, 'user' | 'client' | 'anonymous'>

/** All about `receive` stands first, and decides for every topic: rules for `subscribe` speak of deliveries too. */
const actions = ['receive', 'publish', 'subscribe'] as const satisfies readonly AccessAction[]
const actionOf = ({ rule: { allow, deny } }: ImportedRule): number => actions.indexOf((allow ?? deny) as AccessAction)
const aclTypes = { receive: ['publishclientreceive'], publish: ['publishclientsend'], subscribe: [] } as const
const defaultKeys = { receive: 'publishClientReceive', publish: 'publishClientSend', subscribe: 'subscribe' } as const

class Translation {
  readonly #tree: Json
  readonly #untranslated: EntryNote[] = []
  readonly #remarks: EntryNote[] = []
  readonly #passwords: string[] = []
  readonly #rules: ImportedRule[] = []
  readonly #roles: ReadonlyMap<string, Role>
  /** `#`, and the first levels that begin with `$`, which `#` does not match. */
  readonly #everything: readonly string[]

  constructor(tree: Json) {
    this.#tree = tree
    this.#roles = readRoles(tree, (entry, why) => this.#untranslated.push({ entry, why }))
    const topics = [...this.#roles.values()].flatMap(({ acls }) => acls.map(({ topic }) => topic.split('/')[0]!))
    const system = topics.filter((level) => /^\$(?!share$|CONTROL$)[^+#%]*$/.test(level))
    this.#everything = ['#', ...[...new Set(['$SYS', ...system])].sort().map((level) => `${level}/#`)]
  }

  result(): DynamicSecurity {
    const clients = readClients(this.#tree, (entry, why) => this.#untranslated.push({ entry, why }))
    const groups = readGroups(this.#tree, clients)
    const alike = new Map<string, { readonly rules: readonly ImportedRule[]; readonly users: string[] }>()
    for (const client of clients.values()) {
      if (!this.#takePassword(client)) continue
      const rules = this.#rulesOf([client.roles, ...client.groups.map((name) => groups.roles.get(name)!)])
      if (client.clientId !== undefined) this.#writeBound(client.name, client.clientId, rules)
      else {
        const key = JSON.stringify(rules)
        const known = alike.get(key)
        if (known) known.users.push(client.name)
        else alike.set(key, { rules, users: [client.name] })
      }
    }
    for (const { rules, users } of alike.values()) this.#write(rules, { user: users.length === 1 ? users[0]! : users })
    if (groups.anonymous) this.#write(this.#rulesOf([groups.anonymous]), { anonymous: true })
    this.#rules.push(...this.#defaults())
    this.#tellUnsubscribe()
    return {
      passwords: this.#passwords,
      rules: this.#rules.sort((one, other) => actionOf(one) - actionOf(other)),
      untranslated: this.#untranslated,
      remarks: this.#remarks,
    }
  }

  /** @returns Whether the client can come in. */
  #takePassword({ name, disabled, hash }: Client): boolean {
    const cannot = (why: string): boolean => {
      this.#untranslated.push({ entry: `client ${name}`, why })
      return false
    }
    if (disabled) return cannot('it is disabled, and left out')
    if (hash === undefined) return cannot('it has no password, so it could not come in, and is left out')
    if (/[\r\n]/.test(name) || /^(#|\uFEFF)/.test(name)) return cannot('a password file has no form for such a name')
    const problem = hashProblem(hash)
    if (problem !== undefined) this.#remarks.push({ entry: `client ${name}`, why: problem.why })
    if (problem && !problem.needsPackage) return cannot('its password cannot be used, and it is left out')
    this.#passwords.push(`${name}:${hash}`)
    return true
  }

  /** The rules of roles in their order, for nobody yet. */
  #rulesOf(lists: readonly (readonly string[])[]): readonly ImportedRule[] {
    const roles = lists.flat().flatMap((name) => this.#roles.get(name) ?? [])
    return actions.flatMap((action) => roles.flatMap((role) => this.#rulesFor(role, action)))
  }

  #rulesFor(role: Role, action: (typeof actions)[number]): readonly ImportedRule[] {
    const from = `role ${role.name}`
    const written = (acl: Acl, more: Partial<AccessRule> = {}): ImportedRule => ({
      rule: { ...(acl.allow ? { allow: action } : { deny: action }), filter: acl.filter, ...more },
      from,
    })
    if (action !== 'subscribe') return role.of(...aclTypes[action]).map((acl) => written(acl))
    const noWildcards = role.allowWildcards
      ? []
      : this.#everything.map((filter) => ({
          rule: { deny: action, filter, matching: 'wildcard' } as const,
          from: `${from}, allowwildcardsubs false`,
        }))
    const literal = role
      .of('subscribeliteral')
      .map((acl) => written(acl, acl.allow && !/[+#]/.test(acl.topic) ? {} : { matching: 'exact' }))
    const pattern = role.of('subscribepattern').map((acl) => written(acl, acl.allow ? {} : { matching: 'within' }))
    return [...noWildcards, ...literal, ...pattern]
  }

  #write(rules: readonly ImportedRule[], whom: Whom): void {
    for (const { rule, from } of rules) this.#rules.push({ rule: { ...rule, ...whom }, from })
  }

  /** A client that may come in under one Client Identifier alone: under others it may do nothing. */
  #writeBound(user: string, client: string, rules: readonly ImportedRule[]): void {
    this.#write([...rules, ...this.#defaults()], { user, client })
    const under = actions.flatMap((deny) => this.#everything.map((filter) => ({ deny, filter, user })))
    for (const rule of under) this.#rules.push({ rule, from: `client ${user} is ${client} alone` })
    this.#remarks.push({
      entry: `client ${user}`,
      why: `mosquitto lets it in as ${client} alone; here it comes in under any Client Identifier, and may do nothing under others`,
    })
  }

  #defaults(): readonly ImportedRule[] {
    const defaults = isObject(this.#tree.defaultACLAccess) ? this.#tree.defaultACLAccess : {}
    return actions.flatMap((action) => {
      const key = defaultKeys[action]
      const allows = defaults[key] === true
      if (!allows && action !== 'receive') return [] // what no rule allows is denied
      return this.#everything.map((filter) => ({
        rule: { ...(allows ? { allow: action } : { deny: action }), filter },
        from: `defaultACLAccess ${key}`,
      }))
    })
  }

  #tellUnsubscribe(): void {
    const { defaultACLAccess: defaults } = this.#tree
    const refuses = isObject(defaults) && defaults.unsubscribe === false
    const entries = [...this.#roles.values()].flatMap((role) => role.of('unsubscribeliteral', 'unsubscribepattern'))
    if (!refuses && entries.every(({ allow }) => allow)) return
    this.#untranslated.push({ entry: 'unsubscribe', why: 'UNSUBSCRIBE is never refused here' })
  }
}
