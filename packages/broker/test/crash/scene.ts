import type { QoS } from '@godwit/protocol'
import type { BrokerProcess } from './broker-process.js'
import { Comers, Fickle, Wills } from './bystanders.js'
import { Findings } from './findings.js'
import type { Play, Promises } from './play.js'
import { Publisher, PublisherState } from './publisher.js'
import type { Random } from './random.js'
import { Subscriber, SubscriberState } from './subscriber.js'
import { replay } from './timeline.js'
import { defaultPatienceMs, filters, verify } from './verify.js'

/** What a subscriber does while the broker is under load; mid-handshake: it and all publishers leave answers out. */
export type Presence = 'offline' | 'online' | 'mid-handshake'

/** Answers left out in one round: the rest of the window goes on. */
const mostKeptBack = 30

/** Everybody around one broker and its data folder, through any number of crashes. */
export class Scene implements Play {
  readonly isTimed = false
  readonly findings: Findings = new Findings()
  readonly publishers: readonly Publisher[]
  readonly subscribers: readonly Subscriber[]
  readonly wills: Wills = new Wills()
  readonly #qos: QoS
  readonly #sleepers: readonly Subscriber[]
  #keptBack = 0
  readonly #fickle: Fickle
  readonly #comers = new Comers()
  readonly #newThings: boolean

  /**
   * @param presences one subscriber each.
   * @param newThings whether there are clients that keep making sessions and subscriptions. Default true.
   */
  constructor(qos: QoS, presences: readonly Presence[], random: Random, newThings = true) {
    this.#qos = qos
    this.#newThings = newThings
    const midHandshake = presences.includes('mid-handshake')
    const keepsBack = (): boolean => {
      const keeps = midHandshake && this.#keptBack < mostKeptBack && random.chance(0.05)
      if (keeps) this.#keptBack++
      return keeps
    }
    this.publishers = ['anna', 'bert'].map(
      (name) => new Publisher(new PublisherState(name), { qos, window: 40, keepsBack }),
    )
    this.subscribers = presences.map(
      (presence) =>
        new Subscriber(`${presence}-reader`, new SubscriberState(), presence === 'mid-handshake' ? { keepsBack } : {}),
    )
    this.#sleepers = this.subscribers.filter((_, at) => presences[at] === 'offline')
    this.#fickle = new Fickle(random)
  }

  get acknowledged(): number {
    return this.publishers.reduce((sum, { state }) => sum + state.acknowledged.size, 0)
  }

  get answered(): readonly bigint[] {
    return this.publishers
      .flatMap(({ journal }) => journal)
      .flatMap(({ at, event }) => (event.type === 'sent' ? [] : [at]))
  }

  /** Publishers, subscribers and wills; the others are not asked. */
  at(moment: bigint, findings: Findings): Promises {
    const qos = this.#qos
    const publishers = this.publishers.map(
      ({ state, journal }) =>
        new Publisher(replay(new PublisherState(state.name), journal, moment), { qos, window: 40 }),
    )
    const subscribers = this.subscribers.map(
      ({ name, journal }) => new Subscriber(name, replay(new SubscriberState(), journal, moment)),
    )
    const { wills } = this
    return {
      verify: ({ port }, patienceMs = defaultPatienceMs) =>
        verify(port, { qos, publishers, subscribers, wills, patienceMs }, findings),
    }
  }

  async begin({ port }: BrokerProcess): Promise<void> {
    for (const subscriber of this.subscribers) {
      await subscriber.connect(port)
      await subscriber.subscribe(this.#qos, ...filters)
    }
    for (const publisher of this.publishers) await publisher.connect(port)
    await this.#fickle.connect(port)
  }

  async load({ port }: BrokerProcess): Promise<void> {
    for (const sleeper of this.#sleepers) await sleeper.disconnect()
    await this.wills.connect(port)
    this.#keptBack = 0
    for (const publisher of this.publishers) publisher.load()
    if (!this.#newThings) return
    this.#fickle.load(port)
    this.#comers.load(port)
  }

  async lost(): Promise<void> {
    const everybody = [...this.publishers, ...this.subscribers, this.wills, this.#fickle, this.#comers]
    await Promise.all(everybody.map((one) => one.lost()))
  }

  async verify({ port }: BrokerProcess, patienceMs: number = defaultPatienceMs): Promise<void> {
    const { publishers, subscribers, wills, findings } = this
    await verify(port, { qos: this.#qos, publishers, subscribers, wills, patienceMs }, findings)
    await this.#fickle.verify(port, findings)
    await this.#comers.verify(port, findings)
  }
}
