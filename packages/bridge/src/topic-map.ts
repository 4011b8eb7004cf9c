import { isTopicFilter, isTopicName, matchesFilter, type QoS } from '@godwit/protocol'
import { BridgeError } from './errors.js'

/** Topics that a bridge carries, and what they are called on either side. */
export interface BridgeTopic {
  /**
   * What follows the prefix on both sides: a topic filter (section 4.7), or '' for the one topic that both prefixes are. A
   * message is carried when its topic is the prefix of its side and something that matches this.
   */
  readonly filter: string
  /** `out`: from this broker to the other one. `in`: from there to here. `both`: each way. */
  readonly direction: 'out' | 'in' | 'both'
  /** The highest QoS that messages are carried at. Default 1. */
  readonly qos?: QoS
  /** What topics begin with on this side. Default ''. */
  readonly localPrefix?: string
  /** What they begin with on the other side instead. Default ''. */
  readonly remotePrefix?: string
}

/** One of them, with its defaults. */
export interface TopicRule {
  /** Its place in the list, from 1 up: the Subscription Identifier on this side. */
  readonly number: number
  readonly qos: QoS
  readonly goesOut: boolean
  readonly comesIn: boolean
  readonly localPrefix: string
  readonly remotePrefix: string
  readonly localFilter: string
  readonly remoteFilter: string
}

/** Topics whose names on the other side are remembered. */
const mostRemembered = 10_000

/** What topics are called on the other side. Where several rules fit, the first one counts. */
export class TopicMap {
  readonly rules: readonly TopicRule[]
  readonly #inward = new Map<string, string | undefined>()
  readonly #outward = new Map<string, string | undefined>()

  /** @throws BridgeError. */
  constructor(bridge: string, topics: readonly BridgeTopic[]) {
    this.rules = topics.map((topic, at) => ruleOf(bridge, topic, at + 1))
    for (const side of ['localFilter', 'remoteFilter'] as const) checkTwice(bridge, this.rules, side)
  }

  /** @param numbers of the rules by whose filters the message has come. */
  toRemote(topic: string, numbers: readonly number[]): string | undefined {
    const rule = this.rules[(numbers.length === 1 ? numbers[0]! : Math.min(...numbers)) - 1]
    if (!rule) return undefined
    if (rule.localPrefix === rule.remotePrefix) return topic
    const key = `${rule.number} ${topic}`
    return remembered(this.#outward, key, () => renamed(topic, rule.localPrefix, rule.remotePrefix))
  }

  toLocal(topic: string): string | undefined {
    return remembered(this.#inward, topic, () => {
      const rule = this.rules.find(({ comesIn, remoteFilter }) => comesIn && matchesFilter(remoteFilter, topic))
      return rule && renamed(topic, rule.remotePrefix, rule.localPrefix)
    })
  }
}

/** With another prefix. `#` also stands for the level above: `a` has `a/#` too. Undefined: it would have no name. */
function renamed(topic: string, from: string, to: string): string | undefined {
  const name = topic.length < from.length ? to.replace(/\/$/, '') : to + topic.slice(from.length)
  return name === '' ? undefined : name
}

function remembered<V>(names: Map<string, V>, key: string, find: () => V): V {
  const known = names.get(key)
  if (known !== undefined) return known
  const found = find()
  if (names.size >= mostRemembered) names.clear()
  names.set(key, found)
  return found
}

function ruleOf(bridge: string, topic: BridgeTopic, number: number): TopicRule {
  const { filter, direction, qos = 1, localPrefix = '', remotePrefix = '' } = topic
  const wrong = (what: string): never => {
    throw new BridgeError(bridge, `topics, ${number}. entry: ${what}`)
  }
  if (filter.startsWith('$share/')) wrong('a shared subscription cannot be bridged; give its filter alone')
  for (const [name, prefix] of Object.entries({ localPrefix, remotePrefix })) {
    if (prefix !== '' && !isTopicName(prefix)) wrong(`${name} is ${JSON.stringify(prefix)}; it takes no wildcards`)
  }
  const [localFilter, remoteFilter] = [localPrefix + filter, remotePrefix + filter]
  for (const whole of [localFilter, remoteFilter]) {
    if (!isTopicFilter(whole)) wrong(`${JSON.stringify(whole)} is not a topic filter`)
  }
  const [goesOut, comesIn] = [direction !== 'in', direction !== 'out']
  return { number, qos, goesOut, comesIn, localPrefix, remotePrefix, localFilter, remoteFilter }
}

/** A session has one subscription a filter: two rules that share it on one side, in one direction, cannot both be. */
function checkTwice(bridge: string, rules: readonly TopicRule[], side: 'localFilter' | 'remoteFilter'): void {
  const seen = new Map<string, number>()
  for (const rule of rules) {
    if (side === 'localFilter' ? !rule.goesOut : !rule.comesIn) continue
    const before = seen.get(rule[side])
    if (before !== undefined) {
      const way = side === 'localFilter' ? 'out' : 'in'
      throw new BridgeError(bridge, `topics: the entries ${before} and ${rule.number} both carry ${rule[side]} ${way}`)
    }
    seen.set(rule[side], rule.number)
  }
}
