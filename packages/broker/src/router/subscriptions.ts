import type { Terms } from '../delivery/terms.js'
import { SmallMap } from '../small-map.js'
import type { Grant, Subscriber } from './subscriber.js'
import { matchTopic, TopicTree } from './topic-tree.js'

/** Who holds one filter, and how it was granted. */
type Holders = SmallMap<Subscriber, Grant>

/** One subscriber a message goes to, and on which terms. */
export interface Match extends Terms {
  readonly subscriber: Subscriber
  /** With No Local in play: the terms for the subscriber's own messages, `undefined` when it gets none of them. */
  readonly own: Terms | undefined | 'same'
  /** It is a bridge. */
  readonly isBridge: boolean
}

/** Topics and matches remembered, together; past it the memory is started anew. */
const maxRemembered = 500_000
/** Longer topics are looked for each time, or clients could fill the memory with names nobody asks for again. */
const maxRememberedLength = 256

const hasWildcard = /[+#]/

/**
 * Who subscribed to what. A filter without wildcards is found by its text, the others by a walk. Asking for a topic again
 * costs a lookup, until a subscription that might match it changes.
 */
export class Subscriptions {
  readonly #exact = new Map<string, Holders>()
  readonly #wild = new TopicTree<Holders>()
  #remembered = new Map<string, readonly Match[]>()
  /** Topics and matches put into `#remembered` since it was started. */
  #rememberedSize = 0
  #bridged = 0

  /** Whether there is more than one of bridges. */
  get hasBridges(): boolean {
    return this.#bridged > 1
  }

  /** Adds or replaces. */
  add(filter: string, subscriber: Subscriber, granted: Grant): void {
    const holders = this.#holders(filter)
    const before = holders.get(subscriber)
    if (before?.bridge) this.#bridged--
    if (granted.bridge) this.#bridged++
    holders.set(subscriber, granted)
    this.#forget(filter)
  }

  delete(filter: string, subscriber: Subscriber): void {
    const filters = hasWildcard.test(filter) ? this.#wild : this.#exact
    const holders = filters.get(filter)
    const before = holders?.get(subscriber)
    if (!holders?.delete(subscriber)) return
    if (before?.bridge) this.#bridged--
    if (holders.size === 0) filters.delete(filter)
    this.#forget(filter)
  }

  #holders(filter: string): Holders {
    if (hasWildcard.test(filter)) return this.#wild.getOrSet(filter, () => new SmallMap())
    const known = this.#exact.get(filter)
    if (known) return known
    const holders: Holders = new SmallMap()
    this.#exact.set(filter, holders)
    return holders
  }

  match(topic: string): readonly Match[] {
    return this.#remembered.get(topic) ?? this.#find(topic)
  }

  #find(topic: string): readonly Match[] {
    const found: Holders[] = []
    matchTopic(this.#wild, topic, (holders) => void found.push(holders))
    const exact = this.#exact.get(topic)
    if (exact) found.push(exact)
    const matches = found.length === 1 ? matchesOf(found[0]!) : joined(found)
    if (topic.length <= maxRememberedLength) this.#remember(topic, matches)
    return matches
  }

  #remember(topic: string, matches: readonly Match[]): void {
    if (this.#rememberedSize > maxRemembered) this.#startAnew()
    this.#rememberedSize += 1 + matches.length
    this.#remembered.set(topic, matches)
  }

  #startAnew(): void {
    this.#remembered = new Map()
    this.#rememberedSize = 0
  }

  /** A filter without wildcards matches one topic; any other may match all that is remembered. */
  #forget(filter: string): void {
    if (!hasWildcard.test(filter)) this.#remembered.delete(filter)
    else if (this.#remembered.size > 0) this.#startAnew()
  }
}

function matchesOf(holders: Holders): Match[] {
  const matches: Match[] = []
  holders.forEach((grant, subscriber) => void matches.push(matchOf(subscriber, [grant])))
  return matches
}

/** A subscriber that holds several of the filters is found once. */
function joined(all: readonly Holders[]): Match[] {
  const grants = new Map<Subscriber, Grant[]>()
  for (const holders of all) {
    holders.forEach((grant, subscriber) => {
      const known = grants.get(subscriber)
      if (known) known.push(grant)
      else grants.set(subscriber, [grant])
    })
  }
  return Array.from(grants, ([subscriber, granted]) => matchOf(subscriber, granted))
}

/** One copy for overlapping subscriptions; a No Local filter drops out before the maximum is taken. */
function matchOf(subscriber: Subscriber, grants: readonly Grant[]): Match {
  const others = grants.filter((grant) => !grant.noLocal)
  const same = others.length === grants.length
  const own = same ? 'same' : others.length > 0 ? termsOf(others) : undefined
  return { subscriber, ...termsOf(grants), own, isBridge: grants.some(({ bridge }) => bridge === true) }
}

function termsOf(grants: readonly Grant[]): Terms {
  const identifiers = grants.flatMap(({ identifier }) => (identifier > 0 ? [identifier] : []))
  return {
    qos: grants.reduce<Grant['qos']>((highest, { qos }) => (qos > highest ? qos : highest), 0),
    retainAsPublished: grants.some((grant) => grant.retainAsPublished),
    identifiers: identifiers.length > 0 ? identifiers : undefined,
  }
}
