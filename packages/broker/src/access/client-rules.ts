import type { ClientInfo } from '../hooks/client-info.js'
import { type AccessAction, type AccessRule, variable } from './access-rule.js'
import { covers, type Levels, overlap } from './filter-coverage.js'

/** A client as rules see it. */
export type RuleSubject = Pick<ClientInfo, 'clientId' | 'username' | 'identity'>

/** A rule with what can be known before there is a client. */
export interface CompiledRule {
  readonly rule: AccessRule
  readonly allows: boolean
  readonly actions: ReadonlySet<AccessAction>
  /** `undefined`: it has variables, so each client has levels of its own. */
  readonly levels: Levels | undefined
  /** Its place among all rules: the first that applies decides. */
  readonly at: number
}

/** A rule as it is for one client. */
export interface ClientRule extends Omit<CompiledRule, 'levels'> {
  readonly levels: Levels
}

/** Writes the client's own values into a rule; `undefined`: the rule is not for this client. */
export function ruleFor(compiled: CompiledRule, subject: RuleSubject): ClientRule | undefined {
  if (compiled.levels) return compiled as ClientRule
  const levels = substituted(compiled.rule.filter, subject, compiled.allows)
  return levels && { ...compiled, levels }
}

/**
 * A value that MQTT would read as more than the text of one level could widen a rule: `+`, `#`, one with `/`, and `$`
 * where a filter begins. A rule that allows then is not for this client. One that denies keeps denying: everything from
 * that level on.
 */
function substituted(filter: string, subject: RuleSubject, allows: boolean): Levels | undefined {
  const levels: string[] = []
  for (const [at, level] of filter.split(levelEnd).entries()) {
    const names = [...level.matchAll(variable)].map(([, name]) => name!)
    const values = names.map((name) => valueFor(name, subject))
    const text = level.replace(variable, (_, name: string) => valueFor(name, subject) ?? '')
    if (values.every(isOneLevel) && !(at === 0 && names.length > 0 && text.startsWith('$') && allows)) {
      levels.push(text)
      continue
    }
    if (allows) return undefined
    const [first = ''] = text.split('/')
    const isKnown = values.every((value) => value !== undefined && value !== '') && !/[+#]/.test(first)
    return isKnown ? [...levels, first, '#'] : [...levels, '#']
  }
  return levels
}

/** Between levels; the name of a claim may have a `/` in it. */
const levelEnd = /\/(?![^{]*\})/

const isOneLevel = (value: string | undefined): boolean => value !== undefined && /^[^+#/\0]+$/.test(value)

function valueFor(name: string, { clientId, username, identity }: RuleSubject): string | undefined {
  if (name === 'clientId') return clientId
  if (name === 'username') return username
  const claims = identity?.claims
  const claim = name.slice('claim.'.length)
  const value = claims && Object.hasOwn(claims, claim) ? claims[claim] : undefined
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** The rule that decides; `undefined`: none does. Rules stand in their order. */
export function decidingRule(
  rules: readonly ClientRule[],
  action: AccessAction,
  topic: string,
): ClientRule | undefined {
  const asked = topic.split('/')
  if (action === 'subscribe') return decidingSubscribe(rules, asked)
  return rules.find((rule) => applies(rule, action) && covers(rule.levels, asked))
}

/** A subscription promises its messages; only a rule about `receive` itself can take some of them away. */
function applies({ actions, rule }: ClientRule, action: AccessAction): boolean {
  return actions.has(action) || (action === 'receive' && actions.has('subscribe') && rule.matching === undefined)
}

/** All of the filter must be allowed: a rule that denies any of it decides, one that allows only a part does not. */
function decidingSubscribe(rules: readonly ClientRule[], filter: Levels): ClientRule | undefined {
  return rules.find((rule) => rule.actions.has('subscribe') && decidesOn(rule, filter))
}

function decidesOn({ allows, levels, rule: { matching } }: ClientRule, filter: Levels): boolean {
  switch (matching) {
    case 'exact':
      return levels.length === filter.length && levels.every((level, at) => level === filter[at])
    case 'wildcard':
      return filter.some((level) => level === '+' || level === '#') && covers(levels, filter)
    case 'within':
      return covers(levels, filter)
    default:
      return allows ? covers(levels, filter) : overlap(levels, filter)
  }
}
