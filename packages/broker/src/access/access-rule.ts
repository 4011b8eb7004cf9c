import { isTopicFilter } from '@godwit/protocol'
import { BrokerError } from '../errors.js'

/** What a rule is about. `receive`: one message on its way to a subscriber. */
export type AccessAction = 'publish' | 'subscribe' | 'receive'

/**
 * One access rule, in the form of the configuration file. It allows or denies, never both. A rule for `subscribe` also
 * says that what was subscribed to may be received; one for `receive` alone speaks of deliveries, and leaves the
 * subscription to other rules.
 */
export interface AccessRule {
  readonly allow?: AccessAction | readonly AccessAction[]
  readonly deny?: AccessAction | readonly AccessAction[]
  /** A Topic Filter, in which `${username}`, `${clientId}` and `${claim.NAME}` stand for the client's own. */
  readonly filter: string
  /** The users it is for. Left out: everybody, with or without a user name. */
  readonly user?: string | readonly string[]
  /** The Client Identifiers it is for. Left out: all. */
  readonly client?: string | readonly string[]
  /** True: only for clients without a user name. Default false. */
  readonly anonymous?: boolean
  /**
   * Of a rule for `subscribe` alone, which then says nothing of deliveries: the Topic Filters asked for that it decides
   * on. `within`: those that match nothing beyond `filter`; `wildcard`: of these the ones with `+` or `#`; `exact`: this
   * very filter. Left out: a rule that allows is `within`, one that denies decides on all that match anything of `filter`.
   */
  readonly matching?: 'within' | 'wildcard' | 'exact'
  /** Where it stands, for people: `rules.yaml:7`. */
  readonly where?: string
}

const actions: readonly unknown[] = ['publish', 'subscribe', 'receive'] satisfies AccessAction[]
const keys = ['allow', 'deny', 'filter', 'user', 'client', 'anonymous', 'matching']
const matchings: readonly unknown[] = ['within', 'wildcard', 'exact'] satisfies AccessRule['matching'][]

/** `${username}`, `${clientId}` or `${claim.NAME}`, where it stands in a filter. */
export const variable: RegExp = /\$\{(username|clientId|claim\.[^}]+)\}/g

/**
 * Checks rules as they come from a configuration file.
 * @param where says where the rule of that index stands, for messages and for `explain`.
 * @throws BrokerError `invalid-option`, naming the place and what may stand there.
 */
export function parseAccessRules(value: unknown, where: (index: number) => string): readonly AccessRule[] {
  if (!Array.isArray(value)) {
    throw new BrokerError(
      'invalid-option',
      `${where(0)}: access rules are a list, such as [{ allow: publish, filter: 'a/#' }]`,
    )
  }
  return value.map((rule: unknown, index) => parseRule(rule, where(index)))
}

/** One of them. */
export function parseRule(value: unknown, where: string): AccessRule {
  const fail = (problem: string): never => {
    throw new BrokerError('invalid-option', `${where}: ${problem}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail("an access rule is an object, such as { allow: publish, filter: 'a/#' }")
  }
  const rule = value as Record<string, unknown>
  const unknownKey = Object.keys(rule).find((key) => !keys.includes(key))
  if (unknownKey !== undefined) fail(`an access rule has no key '${unknownKey}'; it takes ${keys.join(', ')}`)
  if ((rule.allow === undefined) === (rule.deny === undefined)) fail('an access rule has either allow or deny')
  for (const key of ['allow', 'deny']) {
    const wanted = listOf(rule[key])
    if (rule[key] !== undefined && (wanted.length === 0 || !wanted.every((action) => actions.includes(action)))) {
      fail(`${key} is ${JSON.stringify(rule[key])}; it takes ${actions.join(', ')}, or a list of them`)
    }
  }
  for (const key of ['user', 'client']) {
    const names = listOf(rule[key])
    if (rule[key] !== undefined && (names.length === 0 || !names.every((name) => typeof name === 'string'))) {
      fail(`${key} is ${JSON.stringify(rule[key])}; it takes a name in quotes, or a list of them`)
    }
  }
  const { anonymous, filter } = rule
  checkMatching(rule, fail)
  if (anonymous !== undefined && typeof anonymous !== 'boolean') fail('anonymous takes true or false')
  if (anonymous === true && rule.user !== undefined) fail('a rule for anonymous clients has no user')
  if (typeof filter !== 'string' || !isFilterWithVariables(filter)) {
    fail(
      `filter is ${JSON.stringify(filter)}; it takes a topic filter, with \${username}, \${clientId} or \${claim.NAME}`,
    )
  }
  return { ...(rule as unknown as AccessRule), where }
}

function checkMatching({ allow, deny, matching }: Record<string, unknown>, fail: (problem: string) => never): void {
  if (matching === undefined) return
  if (!matchings.includes(matching)) fail(`matching is ${JSON.stringify(matching)}; it takes ${matchings.join(', ')}`)
  if (listOf(allow ?? deny).some((action) => action !== 'subscribe')) fail('matching is for a rule of subscribe alone')
}

/** A variable is a part of its level, so the filter must be legal whatever stands for it. `$share` belongs to no rule. */
export function isFilterWithVariables(filter: string): boolean {
  const plain = filter.replace(variable, 'x')
  return !plain.includes('${') && !plain.startsWith('$share/') && isTopicFilter(plain)
}

/** One value or a list, as a list. */
export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? (value as readonly T[]) : [value as T]
}
