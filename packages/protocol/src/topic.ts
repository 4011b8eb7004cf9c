/// <reference lib="es2024.string" />
import { byteLength } from './bytes.js'

const maxBytes = 65_535
const hasWildcard = /[+#]/

function hasLegalText(topic: string): boolean {
  if (typeof topic !== 'string' || topic.length === 0 || topic.includes('\0')) return false // [MQTT-4.7.3-1] [MQTT-4.7.3-2]
  if (!topic.isWellFormed()) return false // half a surrogate pair has no UTF-8 [MQTT-1.5.3-1]
  return topic.length * 3 <= maxBytes || byteLength(topic) <= maxBytes // [MQTT-4.7.3-3]
}

/** Whether messages can be published to it: not empty, well-formed, no wildcard, at most 65,535 bytes (section 4.7). */
export function isTopicName(topic: string): boolean {
  return hasLegalText(topic) && !topic.includes('+') && !topic.includes('#') // [MQTT-4.7.1-1]
}

/**
 * Whether it can be subscribed to: wildcards alone in their level, `#` last (section 4.7). A filter that begins with
 * `$share/` must name a group without wildcards and a filter behind it (section 4.8.2).
 */
export function isTopicFilter(filter: string): boolean {
  if (!hasLegalText(filter)) return false
  if (filter.startsWith('$share/')) {
    const shared = splitShared(filter)
    return shared !== undefined && !hasWildcard.test(shared.group) && hasLegalWildcards(shared.filter)
  }
  return hasLegalWildcards(filter)
}

function hasLegalWildcards(filter: string): boolean {
  if (!hasWildcard.test(filter)) return true
  const levels = filter.split('/')
  return levels.every((level, at) => {
    if (level === '+') return true // [MQTT-4.7.1-3]
    if (level === '#') return at === levels.length - 1 // [MQTT-4.7.1-2]
    return !hasWildcard.test(level)
  })
}

/** How many levels a topic or filter has: `a/b` has 2, `/` has 2. */
export function topicLevels(topic: string): number {
  let levels = 1
  for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels++
  return levels
}

/** The parts of `$share/group/filter`; `undefined` for any other filter, and when one of the parts is empty. */
export function splitShared(filter: string): { readonly group: string; readonly filter: string } | undefined {
  const match = /^\$share\/([^/]+)\/(.+)$/s.exec(filter)
  return match ? { group: match[1]!, filter: match[2]! } : undefined
}

/** Whether a Topic Name matches a Topic Filter (section 4.7); both must be legal. `#` also matches the level above it. */
export function matchesFilter(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) {
    if (filter.startsWith('+') || filter.startsWith('#')) return false // [MQTT-4.7.2-1]
  }
  const wanted = filter.split('/')
  const levels = topic.split('/')
  for (const [at, level] of wanted.entries()) {
    if (level === '#') return true
    if (at >= levels.length || (level !== '+' && level !== levels[at])) return false
  }
  return wanted.length === levels.length
}
