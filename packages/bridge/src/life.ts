import type { Broker, InsideSession } from '@godwit/broker'
import { brokerProperty } from '@godwit/broker/bridging'
import type { ServerInfo } from '@godwit/client'
import { type Relay, relay } from '@godwit/client/relay'
import type { BridgeOptions } from './bridge-options.js'
import { clientOptions, localClientId, timerOf } from './checked-options.js'
import type { BridgeCounters, BridgeDrop } from './counters.js'
import { Hops } from './hops.js'
import { Inward } from './inward.js'
import { Marks } from './marks.js'
import type { Narrator } from './narrator.js'
import { Outward, type OutwardParts } from './outward.js'
import { Repeats } from './repeats.js'
import { RetainedOutward } from './retained-outward.js'
import { packetIdOf, SessionStore } from './session-store.js'
import type { StateTopics } from './state-topics.js'
import type { TopicMap, TopicRule } from './topic-map.js'

interface LifeParts {
  readonly topics: TopicMap
  readonly counters: BridgeCounters
  readonly narrator: Narrator
  readonly state: StateTopics
}

/** How long what is on its way may take when a bridge is closed. */
const closeMs = 2_000
/** Messages that the session gives beyond those that may be on their way to the other broker. */
const given = 1_024
/** For so long nothing must have come in. */
const quietMs = 1_000
const mostLooks = 60
/** That many may be on their way at 5.0, where the options do not say. */
const usualInflight = 10_000

/** A session here and a client there, from the opening of both to the end of both. */
export class Life {
  readonly session: InsideSession
  /** Resolves with what has ended it; undefined: it was closed. */
  readonly ended: Promise<unknown>
  readonly #broker: Broker
  readonly #options: BridgeOptions
  readonly #parts: LifeParts
  readonly #outward: Outward
  readonly #hops: Hops
  readonly #marks: Marks
  readonly #retained: RetainedOutward
  #inward: Inward | undefined
  #relay: Relay | undefined
  /** Whether the other broker may have a session of this bridge. */
  #mayBeKnown: boolean
  #end!: (error: unknown) => void
  #stopWatching: () => void = () => {}

  /** @throws BrokerError when the session cannot be opened. */
  static async begin(broker: Broker, options: BridgeOptions, parts: LifeParts): Promise<Life> {
    const hops = new Hops(broker.id)
    const marks = new Marks()
    const outward = new Outward({
      topics: parts.topics,
      hops,
      marks,
      retain: options.outgoingRetain ?? true,
      onSent: () => {
        parts.counters.out++
      },
      onDropped: (reason, topic, why) => drop(parts, reason, topic, why),
    })
    const { expirySeconds = Number.POSITIVE_INFINITY, maxInflight = usualInflight } = options
    const session = await broker.session(localClientId(options), {
      expirySeconds,
      maxInflight: Math.min(65_535, maxInflight + given),
      ack: 'manual',
      twoSteps: true,
      beforeKept: true,
      bridge: true,
      onMessage: outward.onMessage,
    })
    const life = new Life(broker, options, parts, session, outward, { hops, marks })
    try {
      await life.#join()
      await life.#connect()
    } catch (error) {
      await session.close()
      throw error
    }
    return life
  }

  constructor(
    broker: Broker,
    options: BridgeOptions,
    parts: LifeParts,
    session: InsideSession,
    outward: Outward,
    { hops, marks }: Pick<OutwardParts, 'hops' | 'marks'>,
  ) {
    this.session = session
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#broker = broker
    this.#options = options
    this.#parts = parts
    this.#outward = outward
    this.#hops = hops
    this.#marks = marks
    this.#mayBeKnown = session.resumed
    this.#retained = new RetainedOutward(broker, session, parts.topics)
    session.closed.then(
      () => this.#over(undefined),
      (error: unknown) => this.#over(error),
    )
  }

  /** Undefined: it is not connected. */
  get server(): ServerInfo | undefined {
    const client = this.#relay?.client
    return client?.connected ? client.server : undefined
  }

  /** @param forGood both sessions end with it. */
  async close(forGood = false): Promise<void> {
    this.#stopWatching()
    this.#outward.end()
    const client = this.#relay?.client
    if (client) {
      if (client.connected) await this.#parts.state.tellThere(client, false)
      const remembers = client.version === 5 && forGood ? { sessionExpirySeconds: 0 } : {}
      await client.close({ timeoutMs: closeMs, ...remembers })
    }
    this.#inward?.end()
    this.#retained.end()
    await (forGood ? this.session.end() : this.session.close())
    this.#end(undefined)
  }

  /** Something has ended it from outside. */
  #over(error: unknown): void {
    this.#stopWatching()
    this.#outward.end()
    this.#inward?.end()
    this.#retained.end()
    this.#end(error)
    void this.#relay?.client.close({ timeoutMs: 0 })
    void this.session.close().catch(() => {})
  }

  /** The session here wants what goes out, and nothing else any more. */
  async #join(): Promise<void> {
    const rules = this.#parts.topics.rules.filter(({ goesOut }) => goesOut)
    const wanted = new Set(rules.map(({ localFilter }) => localFilter))
    for (const filter of this.session.filters) if (!wanted.has(filter)) await this.session.unsubscribe(filter)
    for (const rule of rules) await this.#subscribeHere(rule, 1)
  }

  /** @param retainHandling 1: what is retained only if the subscription is new; 0: in any case. */
  async #subscribeHere(rule: TopicRule, retainHandling: 0 | 1): Promise<void> {
    await this.session.subscribe(rule.localFilter, {
      qos: rule.qos,
      identifier: rule.number,
      noLocal: true,
      retainAsPublished: true,
      retainHandling,
    })
  }

  async #connect(): Promise<void> {
    const { topics, state } = this.#parts
    const { bridgeProtocol = true, url } = this.#options
    const store = new SessionStore(this.session)
    const given = clientOptions(this.#options, {
      store,
      ...(state.will && { will: state.will }),
      userProperties: [[brokerProperty, this.#broker.id]],
    })
    const firstPacketId = packetIdOf(this.session.head + 32_768)
    const repeats = new Repeats(this.session, () => store.owe())
    const inward = new Inward({
      topics,
      hops: this.#hops,
      marks: this.#marks,
      session: this.session,
      repeats,
      retained: this.#retained,
      after: timerOf(this.#options),
      onTaken: () => {
        this.#parts.counters.in++
      },
      onDropped: (reason, topic, why) => drop(this.#parts, reason, topic, why),
    })
    const made = await relay(url, given, { bridge: bridgeProtocol, firstPacketId, repeats })
    const { client } = made
    this.#relay = made
    this.#inward = inward
    client.on('connect', (server) => this.#onConnect(server))
    client.on('disconnect', ({ error, retryInMs }) => {
      void state.tell(false)
      if (retryInMs !== undefined) this.#parts.narrator.disconnected(error)
    })
    client.on('unclaimed', inward.onUnclaimed)
    client.on('close', ({ error }) => this.#over(error))
    for (const rule of topics.rules) if (rule.comesIn) this.#subscribeThere(rule)
  }

  #subscribeThere(rule: TopicRule): void {
    const { client } = this.#relay!
    const asking = client.subscribe(rule.remoteFilter, {
      qos: rule.qos,
      noLocal: true,
      retainAsPublished: true,
      retainHandling: 1,
      ack: 'manual',
      onMessage: this.#inward!.onMessage,
    })
    asking.then(
      ({ granted }) => this.#parts.narrator.granted(rule, granted[0]?.reasonCode ?? 0),
      (error: Error) => this.#refusedThere(rule, error),
    )
  }

  /** It is asked for again on the next connection: somebody may have changed the rules over there. */
  #refusedThere(rule: TopicRule, error: Error): void {
    const { client } = this.#relay!
    if (client.state === 'closed' || client.state === 'closing') return
    this.#parts.narrator.refused(rule, error)
    const stop = client.on('connect', () => {
      stop()
      this.#subscribeThere(rule)
    })
  }

  #onConnect(server: ServerInfo): void {
    const { counters, narrator, state, topics } = this.#parts
    const { maximumQos = 2, retainAvailable = true, userProperties = [] } = server.properties ?? {}
    counters.connections++
    this.#outward.terms = { maximumQos, retainAvailable }
    this.#hops.begin(server.version, userProperties)
    this.#marks.begin(userProperties)
    this.#outward.begin(this.session, this.#relay!)
    const hasLost = !server.sessionPresent && this.#mayBeKnown && this.#options.expirySeconds !== 0
    this.#mayBeKnown = true
    narrator.connected(server)
    if (hasLost) {
      counters.lostSessions++
      narrator.lostSession(server, this.session.queued)
      // What it retains it may have lost as well.
      for (const rule of topics.rules) if (rule.goesOut) void this.#subscribeHere(rule, 0).catch(() => {})
    }
    void state.tell(true)
    void state.tellThere(this.#relay!.client, true)
    if (server.version < 5 && server.sessionPresent) this.#askAgainWhenQuiet()
  }

  /**
   * Below 5.0 a SUBSCRIBE brings all that is retained over there: it must not come behind something newer. So it is sent once what
   * was in the session has gone out, and nothing comes in; or else after a minute.
   */
  #askAgainWhenQuiet(): void {
    const { tail } = this.session
    const after = timerOf(this.#options)
    let before = this.#parts.counters.in
    const look = (left: number): void => {
      this.#stopWatching = after(quietMs, () => {
        const now = this.#parts.counters.in
        const isQuiet = now === before && this.session.head >= tail
        before = now
        if (isQuiet || left === 0) this.#relay?.askAgain()
        else look(left - 1)
      })
    }
    this.#stopWatching()
    look(mostLooks)
  }
}

function drop({ counters, narrator }: LifeParts, reason: BridgeDrop, topic: string, why: string): void {
  counters.dropped[reason]++
  narrator.dropped(reason, topic, why)
}
