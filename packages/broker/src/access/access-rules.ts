import type { ClientInfo } from '../hooks/client-info.js'
import type { Hooks } from '../hooks/hooks.js'
import { type AccessAction, type AccessRule, listOf, parseRule } from './access-rule.js'
import { type ClientRule, type CompiledRule, decidingRule, type RuleSubject, ruleFor } from './client-rules.js'

/** A wish to publish to a topic, to subscribe to a filter, or to be given a message of a topic. */
export interface AccessRequest {
  readonly action: AccessAction
  readonly client: RuleSubject
  /** The Topic Name, or for `subscribe` the Topic Filter, without `$share/NAME/`. */
  readonly topic: string
}

/** A decision, and the rule that made it; without a rule it is the default: no. */
export interface Explanation {
  readonly allowed: boolean
  readonly rule: AccessRule | undefined
}

/** Who may do what: hooks for the broker, and the same engine for whoever asks why. */
export interface AccessRules extends Hooks {
  authorize(request: AccessRequest & { readonly client: ClientInfo }): boolean
  /** Whether a message of this topic may be sent to the client: `receive` in the rules. */
  authorizeDelivery(topic: string, client: ClientInfo): boolean
  /** The decision and its reason, worked out anew. */
  explain(request: AccessRequest): Explanation
  /** Puts other rules in force, for all clients at once. Subscriptions that exist stay; deliveries are judged anew. */
  replace(rules: readonly AccessRule[]): void
}

/** Decisions remembered for one client and action; then they are forgotten, and made again when asked for. */
const mostDecisions = 1024

/**
 * Access rules: the first that applies decides, and what none allows is denied. A filter is granted only if all that it
 * matches is allowed (section 4.7); whether one message may be received is decided by its topic.
 * @throws BrokerError `invalid-option` for a rule that cannot be, as `replace` does; what was in force then stays.
 */
export function accessRules(rules: readonly AccessRule[]): AccessRules {
  return new Engine(rules)
}

class Engine implements AccessRules {
  readonly name = 'access rules'
  #set: RuleSet
  #known = new WeakMap<RuleSubject, Decisions>() // goes with the connection's own object

  constructor(rules: readonly AccessRule[]) {
    this.#set = new RuleSet(rules)
  }

  authorize({ action, client, topic }: AccessRequest): boolean {
    return this.#decisionsOf(client).decide(action, topic)
  }

  authorizeDelivery(topic: string, client: ClientInfo): boolean {
    return this.#decisionsOf(client).decide('receive', topic)
  }

  explain({ action, client, topic }: AccessRequest): Explanation {
    const deciding = decidingRule(this.#set.of(client), action, topic)
    return { allowed: deciding?.allows ?? false, rule: deciding?.rule }
  }

  replace(next: readonly AccessRule[]): void {
    this.#set = new RuleSet(next)
    this.#known = new WeakMap()
  }

  #decisionsOf(client: RuleSubject): Decisions {
    const present = this.#known.get(client)
    if (present) return present
    const decisions = new Decisions(this.#set.of(client))
    this.#known.set(client, decisions)
    return decisions
  }
}

/** All rules, those for single users kept by name: a client is not asked about the rules of ten thousand others. */
class RuleSet {
  readonly #forAll: CompiledRule[] = []
  readonly #byUser = new Map<string, CompiledRule[]>()

  constructor(rules: readonly AccessRule[]) {
    for (const [at, { where = `access rule ${at + 1}`, ...unchecked }] of rules.entries()) {
      const rule = parseRule(unchecked, where)
      const compiled = compile(rule, at)
      if (rule.user === undefined) this.#forAll.push(compiled)
      for (const user of new Set(listOf(rule.user))) {
        const theirs = this.#byUser.get(user)
        if (theirs) theirs.push(compiled)
        else this.#byUser.set(user, [compiled])
      }
    }
  }

  /** The rules for this client, in their order, with its own values in them. */
  of(subject: RuleSubject): readonly ClientRule[] {
    const { username, clientId } = subject
    const own = username === undefined ? [] : (this.#byUser.get(username) ?? [])
    return [...own, ...this.#forAll]
      .filter(({ rule }) => !rule.anonymous || username === undefined)
      .filter(({ rule }) => rule.client === undefined || listOf(rule.client).includes(clientId))
      .sort((one, other) => one.at - other.at)
      .flatMap((compiled) => ruleFor(compiled, subject) ?? [])
  }
}

function compile(rule: AccessRule, at: number): CompiledRule {
  const { filter } = rule
  return {
    rule,
    at,
    allows: rule.allow !== undefined,
    actions: new Set(listOf(rule.allow ?? rule.deny)),
    levels: filter.includes('${') ? undefined : filter.split('/'),
  }
}

/** What has been decided for one client since the rules came into force. */
class Decisions {
  readonly #rules: readonly ClientRule[]
  readonly #made: Readonly<Record<AccessAction, Map<string, boolean>>> = {
    publish: new Map(),
    subscribe: new Map(),
    receive: new Map(),
  }

  constructor(rules: readonly ClientRule[]) {
    this.#rules = rules
  }

  decide(action: AccessAction, topic: string): boolean {
    const made = this.#made[action]
    const before = made.get(topic)
    if (before !== undefined) return before
    const allowed = decidingRule(this.#rules, action, topic)?.allows ?? false
    if (made.size >= mostDecisions) made.clear()
    made.set(topic, allowed)
    return allowed
  }
}
