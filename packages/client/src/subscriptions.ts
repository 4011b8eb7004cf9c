import {
  encode,
  type Packet,
  type PacketOf,
  type PropertiesOf,
  type ProtocolVersion,
  type TopicPattern,
} from '@godwit/protocol'
import { Call } from './call.js'
import type { Clock } from './clock.js'
import { type AnyClientError, InterruptedError, SubscriptionRefusedError, UnsubscribeRefusedError } from './errors.js'
import { byIdentifier, type FilterState, newFilter } from './filter-state.js'
import type { CallOptions } from './options.js'
import { Routes } from './routes.js'
import { filterRefused, type ServerLimits } from './server-limits.js'
import type { PacketIds } from './state/packet-ids.js'
import { subscribePacket } from './subscribe-packet.js'
import { ActiveSubscription, type SubscribeOptions } from './subscription.js'

/** Servers limit the size of a SUBSCRIBE; a packet carries at most this many filters. */
const filtersPerPacket = 100

interface SubscriptionsOptions {
  readonly clock: Clock
  readonly ids: PacketIds
  onBuffered(change: number): void
  /** A subscription that stood has ended with an error of its own. */
  onFailed(filters: readonly string[], error: unknown): void
}

/** The connection of the moment. */
interface SubscriptionTerms {
  readonly send: (packet: Packet) => void
  readonly version: ProtocolVersion
  readonly limits: ServerLimits
  /** The server has a session, of whomever. */
  readonly sessionPresent: boolean
  /** The server still has what it confirmed before. */
  readonly remembered: boolean
  /** The server keeps the session when the connection ends. */
  readonly sessionKept: boolean
  /** A relay says when a session that is there is asked again: below 5.0 all that is retained comes with it. */
  readonly waitsToAsk: boolean
}

interface Handshake {
  readonly type: 'subscribe' | 'unsubscribe'
  readonly filters: readonly { readonly state: FilterState; readonly asking: readonly ActiveSubscription<string>[] }[]
}

interface Leaving {
  readonly filters: readonly string[]
  readonly call: Call<void>
}

/**
 * The desired subscriptions against what the server has. Every change, and every new connection, ends in `pump()`,
 * which sends what makes the two equal; there is no list of operations to replay.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #filters = new Map<string, FilterState>()
  readonly #active = new Set<ActiveSubscription<string>>()
  readonly routes = new Routes(this.#active, this.#filters)
  readonly #starting = new Map<ActiveSubscription<string>, Call<ActiveSubscription<string>>>()
  #leaving: Leaving[] = []
  readonly #handshakes = new Map<number, Handshake>()
  #terms: SubscriptionTerms | undefined
  #sessionKept = false
  #nextIdentifier = 1
  #changed = false

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  /** Whether an answer of the server is awaited. */
  get busy(): boolean {
    return this.#handshakes.size > 0
  }

  subscribe(patterns: readonly TopicPattern<string>[], options: SubscribeOptions): Promise<ActiveSubscription<string>> {
    const subscription: ActiveSubscription<string> = new ActiveSubscription(patterns, options, {
      onBuffered: (change) => this.#options.onBuffered(change),
      onFailed: (error) => this.#options.onFailed(subscription.filters, error),
      onEnd: (callOptions) => this.#end(subscription, callOptions),
    })
    const what = `subscribe to '${subscription.filters.join("', '")}'`
    const call = new Call<ActiveSubscription<string>>(this.#options.clock, options, what, () => {
      subscription.stop()
      this.#remove(subscription)
      this.pump()
    })
    if (call.settled) return call.promise
    this.#starting.set(subscription, call)
    this.#active.add(subscription)
    this.routes.clear()
    const identifier = this.#nextIdentifier++
    for (const filter of new Set(subscription.filters)) {
      const state = this.#filters.get(filter) ?? newFilter(filter, identifier)
      this.#filters.set(filter, state)
      state.subscribers.add(subscription)
      state.due = true // also when the server has it: a new subscriber wants the retained messages
    }
    this.#changed = true
    this.pump()
    return call.promise
  }

  /**
   * Ends what this client has subscribed to by these filters; and what the server may have of an earlier process, which only
   * it knows.
   */
  unsubscribe(filters: readonly string[], options: CallOptions | undefined): Promise<void> {
    for (const filter of filters) {
      const known = this.#filters.get(filter)
      const state = known ?? newFilter(filter, this.#nextIdentifier++)
      if (known === undefined) {
        state.held = true
        this.#filters.set(filter, state)
      }
      for (const subscription of state.subscribers) this.#forgo(subscription, filter)
      state.subscribers.clear()
    }
    this.routes.clear()
    this.#changed = true
    return this.#leave(filters, options)
  }

  /** It goes on with its other filters, if it has any. */
  #forgo(subscription: ActiveSubscription<string>, filter: string): void {
    subscription.forgo(filter)
    const call = this.#starting.get(subscription)
    if (!subscription.open) {
      this.#starting.delete(subscription)
      this.#active.delete(subscription)
      call?.reject(new InterruptedError('aborted', `subscribe to '${filter}': unsubscribe() came before SUBACK`))
    } else if (call !== undefined && subscription.isAnswered) this.#onAnswered(subscription, undefined)
  }

  /** A new connection. */
  attach(terms: SubscriptionTerms): void {
    this.#terms = terms
    this.#sessionKept = terms.sessionKept
    for (const state of this.#filters.values()) {
      if (terms.remembered) continue
      // What is only to be ended the session may have from whoever came before.
      state.held = state.subscribers.size === 0 && terms.sessionPresent
      state.due = true
      state.waits = terms.waitsToAsk
    }
    this.#tidy()
    this.#changed = true
  }

  /** What waits to be asked for again is. */
  askAgain(): void {
    for (const state of this.#filters.values()) state.waits = false
    this.#changed = true
    this.pump()
  }

  detach(): void {
    this.#terms = undefined
    for (const [id, handshake] of this.#handshakes) {
      this.#options.ids.release(id)
      for (const { state } of handshake.filters) {
        state.busy = false
        state.due = true // whether the server has it is unknown
      }
    }
    this.#handshakes.clear()
    if (!this.#sessionKept) for (const state of this.#filters.values()) state.held = false
    this.#tidy()
  }

  /** Sends what is missing, as far as packet ids allow. */
  pump(): void {
    if (!this.#changed || this.#terms === undefined) return
    this.#changed = false
    const { version, limits } = this.#terms
    const idle = [...this.#filters.values()].filter((state) => !state.busy)
    const wanted = idle.filter((state) => state.subscribers.size > 0 && state.due && !state.waits)
    const allowed = wanted.filter((state) => filterRefused(limits, state.filter) === undefined)
    // What is asked for in one call goes in one packet; below 5.0, where identifiers do not divide it, everything does.
    const packets = version === 5 ? byIdentifier(allowed) : [allowed]
    for (const states of packets) this.#request('subscribe', states)
    this.#request(
      'unsubscribe',
      idle.filter((state) => state.subscribers.size === 0 && state.held),
    )
    this.#refuse(
      wanted.filter((state) => filterRefused(limits, state.filter) !== undefined),
      limits,
    )
  }

  /** False when the answer does not fit its question. */
  onSuback({ packetId, reasonCodes, properties }: PacketOf<'suback'>): boolean {
    const handshake = this.#finish(packetId, 'subscribe')
    if (handshake === undefined) return true
    if (reasonCodes.length !== handshake.filters.length) return false // [MQTT-3.8.4-5]
    this.#onGranted(handshake, reasonCodes, properties)
    this.#settle()
    return true
  }

  /** False when the answer does not fit its question. */
  onUnsuback({ packetId, reasonCodes, properties }: PacketOf<'unsuback'>): boolean {
    const handshake = this.#finish(packetId, 'unsubscribe')
    if (handshake === undefined) return true
    if (this.#terms?.version === 5 && reasonCodes.length !== handshake.filters.length) return false // [MQTT-3.11.3-1]
    for (const { state } of handshake.filters) state.held = false
    this.#onStaying(handshake, reasonCodes, properties)
    this.#settle()
    return true
  }

  /** The client has ended; without an error, by close(). */
  end(error: AnyClientError | undefined, rejection: AnyClientError): void {
    for (const call of this.#starting.values()) call.reject(rejection)
    this.#starting.clear()
    for (const subscription of this.#active) {
      if (error === undefined) subscription.stop()
      else subscription.fail(error)
    }
    this.#active.clear()
    this.#filters.clear()
    this.#tidy()
  }

  #end(subscription: ActiveSubscription<string>, options: CallOptions | undefined): Promise<void> {
    this.#remove(subscription)
    return this.#leave(subscription.filters, options)
  }

  #leave(filters: readonly string[], options: CallOptions | undefined): Promise<void> {
    const call = new Call<void>(this.#options.clock, options, `unsubscribe from '${filters.join("', '")}'`, () => {
      this.#leaving = this.#leaving.filter((leaving) => leaving.call !== call)
    })
    this.#leaving.push({ filters, call })
    this.#settle()
    return call.promise
  }

  #remove(subscription: ActiveSubscription<string>): void {
    this.#starting.delete(subscription)
    this.#active.delete(subscription)
    this.routes.clear()
    for (const filter of subscription.filters) this.#filters.get(filter)?.subscribers.delete(subscription)
    this.#changed = true
  }

  /** Those who wait for the end of what the server does not end. It is not asked again. */
  #onStaying({ filters }: Handshake, reasonCodes: readonly number[], said: PropertiesOf<'unsuback'> | undefined): void {
    const answers = filters.map(({ state: { filter } }, at) => ({ filter, reasonCode: reasonCodes[at] ?? 0 }))
    const refused = new Set(answers.flatMap(({ filter, reasonCode }) => (reasonCode >= 0x80 ? [filter] : [])))
    for (const { filters: wanted, call } of this.#leaving) {
      if (wanted.some((filter) => refused.has(filter))) call.reject(new UnsubscribeRefusedError(answers, said))
    }
  }

  #onGranted({ filters }: Handshake, reasonCodes: readonly number[], said?: PropertiesOf<'suback'>): void {
    const answered = new Set<ActiveSubscription<string>>()
    for (const [at, { state, asking }] of filters.entries()) {
      const reasonCode = reasonCodes[at]!
      if (reasonCode >= 0x80) state.held = false
      for (const subscription of asking) {
        if (state.subscribers.has(subscription) && subscription.grant(state.filter, reasonCode))
          answered.add(subscription)
      }
    }
    for (const subscription of answered) this.#onAnswered(subscription, said)
  }

  /** What CONNACK has refused already is not asked for: its answer is known. */
  #refuse(states: readonly FilterState[], limits: ServerLimits): void {
    if (states.length === 0) return
    const filters = states.map((state) => ({ state, asking: [...state.subscribers] }))
    for (const state of states) state.due = false
    this.#onGranted(
      { type: 'subscribe', filters },
      states.map((state) => filterRefused(limits, state.filter)!),
    )
    this.#settle()
  }

  #onAnswered(subscription: ActiveSubscription<string>, said: PropertiesOf<'suback'> | undefined): void {
    const call = this.#starting.get(subscription)
    this.#starting.delete(subscription)
    const { granted } = subscription
    const refused = granted.filter((grant) => grant.reasonCode >= 0x80).length
    if (refused === 0 || (subscription.options.partial && refused < granted.length)) {
      call?.resolve(subscription)
      return
    }
    const error = new SubscriptionRefusedError(granted, said)
    subscription.fail(error)
    this.#remove(subscription)
    if (call === undefined) this.#options.onFailed(subscription.filters, error)
    else call.reject(error)
  }

  #request(type: Handshake['type'], states: readonly FilterState[]): void {
    for (let at = 0; at < states.length; at += filtersPerPacket) {
      this.#requestChunk(type, states.slice(at, at + filtersPerPacket))
    }
  }

  #requestChunk(type: Handshake['type'], chunk: readonly FilterState[]): void {
    const terms = this.#terms
    if (terms === undefined) return
    const { maximumPacketSize, subscriptionIdentifierAvailable } = terms.limits
    const packetOf = (packetId: number): Packet =>
      type === 'subscribe'
        ? subscribePacket(packetId, chunk, subscriptionIdentifierAvailable)
        : { type, packetId, filters: chunk.map((state) => state.filter) }
    if (maximumPacketSize < Infinity && chunk.length > 1 && encode(packetOf(1), 5).length > maximumPacketSize) {
      const half = chunk.length >> 1
      this.#requestChunk(type, chunk.slice(0, half))
      return this.#requestChunk(type, chunk.slice(half))
    }
    const packetId = this.#options.ids.take()
    if (packetId === 0) {
      this.#changed = true // pump() comes again when an id has been released
      return
    }
    this.#handshakes.set(packetId, {
      type,
      filters: chunk.map((state) => ({ state, asking: [...state.subscribers] })),
    })
    for (const state of chunk) {
      state.busy = true
      state.due = false
      state.held = true
    }
    terms.send(packetOf(packetId))
  }

  #finish(packetId: number, type: Handshake['type']): Handshake | undefined {
    const handshake = this.#handshakes.get(packetId)
    if (handshake?.type !== type) return undefined
    this.#handshakes.delete(packetId)
    this.#options.ids.release(packetId)
    for (const { state } of handshake.filters) state.busy = false
    this.#changed = true
    return handshake
  }

  #settle(): void {
    this.pump()
    this.#tidy()
  }

  /** Drops filters that nobody wants and the server does not have, and tells those who waited for that. */
  #tidy(): void {
    for (const [filter, state] of this.#filters) {
      if (state.subscribers.size === 0 && !state.held && !state.busy) this.#filters.delete(filter)
    }
    this.#leaving = this.#leaving.filter(({ filters, call }) => {
      const waits = filters.some((filter) => this.#filters.get(filter)?.subscribers.size === 0)
      if (!waits) call.resolve()
      return waits
    })
  }
}
