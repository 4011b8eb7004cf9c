import type { QoS } from '@godwit/protocol'
import { Comers, Fickle, Wills } from './bystanders.js'
import { Findings } from './findings.js'
import { Publisher, PublisherState } from './publisher.js'
import type { Random } from './random.js'
import { Subscriber, SubscriberState } from './subscriber.js'
import { filters, verify } from './verify.js'

/** What a subscriber does while the broker is under load; mid-handshake: it and all publishers leave answers out. */
export type Presence = 'offline' | 'online' | 'mid-handshake'

/** Answers left out in one round: the rest of the window goes on. */
const mostKeptBack = 30

/** Everybody around one broker and its data folder, through any number of crashes. */
export class Scene {
  readonly findings: Findings = new Findings()
  readonly publishers: readonly Publisher[]
  readonly subscribers: readonly Subscriber[]
  readonly wills: Wills = new Wills()
  readonly #qos: QoS
  readonly #sleepers: readonly Subscriber[]
  #keptBack = 0
  readonly #fickle: Fickle
  readonly #comers = new Comers()

  /** @param presences one subscriber each. */
  constructor(qos: QoS, presences: readonly Presence[], random: Random) {
    this.#qos = qos
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
        new Subscriber(
          `${presence}-reader`,
          new SubscriberState(),
          presence === 'mid-handshake' ? keepsBack : undefined,
        ),
    )
    this.#sleepers = this.subscribers.filter((_, at) => presences[at] === 'offline')
    this.#fickle = new Fickle(random)
  }

  /** Messages acknowledged so far. */
  get acknowledged(): number {
    return this.publishers.reduce((sum, { state }) => sum + state.acknowledged.size, 0)
  }

  /** The first time: sessions and subscriptions are made. */
  async begin(port: number): Promise<void> {
    for (const subscriber of this.subscribers) {
      await subscriber.connect(port)
      await subscriber.subscribe(this.#qos, ...filters)
    }
    for (const publisher of this.publishers) await publisher.connect(port)
    await this.#fickle.connect(port)
  }

  /** From now on everybody is busy. */
  async load(port: number): Promise<void> {
    for (const sleeper of this.#sleepers) await sleeper.disconnect()
    await this.wills.connect(port)
    this.#keptBack = 0
    for (const publisher of this.publishers) publisher.load()
    this.#fickle.load(port)
    this.#comers.load(port)
  }

  /** The broker is dead: what was on its way still arrives. */
  async lost(): Promise<void> {
    const everybody = [...this.publishers, ...this.subscribers, this.wills, this.#fickle, this.#comers]
    await Promise.all(everybody.map((one) => one.lost()))
  }

  /** After a restart: who was promised what, and is it there? */
  async verify(port: number): Promise<void> {
    const { publishers, subscribers, wills, findings } = this
    await verify(port, { qos: this.#qos, publishers, subscribers, wills }, findings)
    await this.#fickle.verify(port, findings)
    await this.#comers.verify(port, findings)
  }
}
