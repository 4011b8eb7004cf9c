import type { Rule } from './answers.js'
import { plain } from './format.js'
import { texts } from './texts.js'

const words = texts.access

/** One value or a list, as a list. */
export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? (value as readonly T[]) : [value as T]
}

/** `allow publish, receive` */
export function decisionInWords({ allow, deny }: Rule): string {
  const actions = listOf(allow ?? deny).map((action) => words.actions[action])
  return `${allow === undefined ? words.deny : words.allow} ${actions.join(', ')}`
}

/** Whom it is for. */
export function whomInWords({ user, client, anonymous }: Rule): string {
  const found = [
    ...(user === undefined ? [] : [words.ofUsers(listOf(user).map(plain).join(', '))]),
    ...(client === undefined ? [] : [words.ofClients(listOf(client).map(plain).join(', '))]),
    ...(anonymous ? [words.anonymous] : []),
  ]
  return found.join(', ') || words.everybody
}

export function ruleInWords(rule: Rule): string {
  return `${decisionInWords(rule)} ${plain(rule.filter)}: ${whomInWords(rule)}`
}
