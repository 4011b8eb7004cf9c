import { type AccessExplainer, Unacceptable } from '@godwit/admin/parts'
import type { AccessRules } from '@godwit/broker/access'
import { isTopicFilter, isTopicName } from '@godwit/protocol'

/**
 * Says why somebody may do something or not, by the rules in force.
 * @param common the rules for all listeners; undefined: there are none. @param own of those listeners that have rules of their own,
 * by name. @param names of all listeners.
 */
export function explainerOf(
  common: AccessRules | undefined,
  own: ReadonlyMap<string, AccessRules | undefined>,
  names: readonly string[],
): AccessExplainer {
  return {
    async explain({ action, topic, username, clientId = '', claims, listener }) {
      const isTopic = action === 'subscribe' ? isTopicFilter(topic) : isTopicName(topic)
      if (!isTopic)
        throw new Unacceptable(`${JSON.stringify(topic)} is no topic ${action === 'subscribe' ? 'filter' : 'name'}`)
      if (listener !== undefined && !names.includes(listener)) {
        throw new Unacceptable(`there is no listener ${JSON.stringify(listener)}; there are ${names.join(', ')}`)
      }
      const rules = listener !== undefined && own.has(listener) ? own.get(listener) : common
      if (!rules) return { allowed: true, why: 'there are no access rules, so that everybody may do everything' }
      const client = { clientId, username, ...(claims && { identity: { claims } }) }
      const { allowed, rule } = rules.explain({ action, client, topic })
      return rule ? { allowed, rule } : { allowed, why: 'no rule allows it, and what none allows is denied' }
    },
  }
}
