import type { Packet, QoS, ReceivedPublish } from '@godwit/protocol'
import type { BrokerProcess } from './broker-process.js'
import { DelayedWills } from './delayed-wills.js'
import { Findings } from './findings.js'
import { checkTerms, expiryOf, propertiesOf } from './message-terms.js'
import type { Play } from './play.js'
import { Publisher, PublisherState } from './publisher.js'
import type { Random } from './random.js'
import { SharedMembers } from './shared-members.js'
import { Sleepers } from './sleepers.js'
import { keyIn, Subscriber, SubscriberState } from './subscriber.js'
import { SubscriptionOptions } from './subscription-options.js'
import { replay } from './timeline.js'
import { defaultPatienceMs, within } from './verify.js'
import { Wire } from './wire.js'

/** Time that passes between who has left before the load, and the load. */
const beforeLoadMs = 7000
/** Time that passes after the restart: first what is overdue comes, then what falls due in the new process. */
const overdueMs = 2000
const fallsDueMs = 15_000
const mostKeptBack = 20

/** The parts of a scene, as they are or as they were at a moment. */
interface Cast {
  readonly findings: Findings
  readonly publishers: readonly Publisher[]
  readonly reader: Subscriber
  readonly members: SharedMembers
  readonly sleepers: Sleepers
  readonly wills: DelayedWills
  readonly options: SubscriptionOptions
}

/** A scene as it was at a moment, and who is told what was not kept. */
interface Before {
  readonly cast: Cast
  readonly moment: bigint
  readonly findings: Findings
}

/**
 * Everybody around one broker, all at 5.0: publishers whose messages have properties and expire, a reader who is offline,
 * a shared group, sessions that expire, delayed wills, subscription options. The broker's time is the scene's.
 */
export class V5Scene implements Play {
  readonly isTimed = true
  readonly #qos: QoS
  readonly #random: Random
  readonly #cast: Cast
  #keptBack = 0
  #time = 0

  constructor(qos: QoS, random: Random, before?: Before) {
    this.#qos = qos
    this.#random = random
    this.#cast = before ? this.#castAt(before) : this.#newCast()
  }

  get findings(): Findings {
    return this.#cast.findings
  }

  get acknowledged(): number {
    return this.#cast.publishers.reduce((sum, { state }) => sum + state.acknowledged.size, 0)
  }

  get answered(): readonly bigint[] {
    return this.#cast.publishers
      .flatMap(({ journal }) => journal)
      .flatMap(({ at, event }) => (event.type === 'sent' ? [] : [at]))
  }

  at(moment: bigint, findings: Findings): V5Scene {
    return new V5Scene(this.#qos, this.#random, { cast: this.#cast, moment, findings })
  }

  async begin(broker: BrokerProcess): Promise<void> {
    const { publishers, reader, members, wills, options } = this.#cast
    this.#setTime(broker)
    await reader.connect(broker.port)
    await reader.subscribe(this.#qos, 'c/#')
    await members.begin(broker.port)
    for (const publisher of publishers) await publisher.connect(broker.port)
    await wills.subscribe(broker)
    await options.begin(broker)
  }

  async load(broker: BrokerProcess): Promise<void> {
    const { publishers, reader, members, sleepers, wills, options } = this.#cast
    await reader.disconnect()
    await sleepers.begin(broker)
    await wills.begin(broker)
    await broker.pass(beforeLoadMs)
    this.#setTime(broker)
    this.#keptBack = 0
    await members.load(broker.port)
    for (const publisher of publishers) publisher.load()
    for (const one of [sleepers, wills, options]) one.load(broker)
  }

  async lost(): Promise<void> {
    const { publishers, reader, members, sleepers, wills, options } = this.#cast
    await Promise.all([...publishers, reader, members, sleepers, wills, options].map((one) => one.lost()))
  }

  async verify(broker: BrokerProcess, patienceMs: number = defaultPatienceMs): Promise<void> {
    const { sleepers, wills, options, findings } = this.#cast
    sleepers.restarted(broker)
    await wills.restarted(broker)
    await wills.verify(broker)
    await broker.pass(overdueMs)
    this.#setTime(broker)
    await wills.verify(broker)
    await wills.resumeOne(broker)
    await sleepers.verify(broker, 0, findings)
    await this.#checkRetained(broker.port)
    await this.#checkMessages(broker.port, patienceMs)
    await options.verify(broker, findings)
    await broker.pass(fallsDueMs)
    this.#setTime(broker)
    await wills.verify(broker)
    await sleepers.verify(broker, 1, findings)
  }

  #newCast(): Cast {
    const findings = new Findings()
    const random = this.#random
    return {
      findings,
      publishers: [new PublisherState('anna'), new PublisherState('carl', 'q'), new PublisherState('dora', 'q')].map(
        (state) => this.#publisher(state),
      ),
      reader: this.#reader(new SubscriberState()),
      members: new SharedMembers({ qos: this.#qos, random, onPublish: this.#check }),
      sleepers: new Sleepers(random),
      wills: new DelayedWills(random, findings),
      options: new SubscriptionOptions(random),
    }
  }

  #castAt({ cast: { publishers, reader, members, sleepers, wills, options }, moment, findings }: Before): Cast {
    return {
      findings,
      publishers: publishers.map(({ state: { name, root }, journal }) =>
        this.#publisher(replay(new PublisherState(name, root), journal, moment)),
      ),
      reader: this.#reader(replay(new SubscriberState(), reader.journal, moment)),
      members: members.at(moment, { qos: this.#qos, random: this.#random, onPublish: this.#check }),
      sleepers: sleepers.at(moment),
      wills: wills.at(moment, findings),
      options: options.at(moment),
    }
  }

  #publisher(state: PublisherState): Publisher {
    const keepsBack = (): boolean => this.#random.chance(0.05) && this.#keptBack++ < mostKeptBack
    return new Publisher(state, { qos: this.#qos, window: 20, version: 5, propertiesOf, keepsBack })
  }

  #reader(state: SubscriberState): Subscriber {
    return new Subscriber('reader', state, { version: 5, onPublish: this.#check })
  }

  readonly #check = (packet: ReceivedPublish, key: string): void => {
    const publisher = this.#cast.publishers.find(({ state }) => key.startsWith(`${state.name}:`))
    if (publisher) checkTerms(packet, key, publisher.state, this.#time, this.findings)
  }

  #setTime({ now }: BrokerProcess): void {
    this.#time = now
    for (const publisher of this.#cast.publishers) publisher.time = now
  }

  /** Everybody comes back, publishers finish what they had begun, the reader and the members take what is there. */
  async #checkMessages(port: number, patienceMs: number): Promise<void> {
    const { publishers, reader, members, findings } = this.#cast
    if (!(await reader.connect(port))) {
      findings.sessionsGone.push(reader.name)
      await reader.subscribe(this.#qos, 'c/#')
    }
    await members.connect(port, findings)
    for (const publisher of publishers) {
      if (!(await publisher.connect(port))) findings.sessionsGone.push(publisher.state.name)
    }
    await within(
      patienceMs,
      publishers.map((publisher) => publisher.finish()),
    )
    const due = publishers.map(({ state }) => ({ state, keys: this.#dueOf(state) }))
    const toReader = due.filter(({ state }) => state.root === 'c').flatMap(({ keys }) => keys)
    const toMembers = due.filter(({ state }) => state.root === 'q').flatMap(({ keys }) => keys)
    await within(patienceMs, [members.received(toMembers), ...toReader.slice(-1).map((key) => reader.received(key))])
    for (const { state } of publishers) {
      for (const { number } of state.open.values()) findings.unfinished.push(state.keyOf(number))
    }
    for (const key of toReader) this.#judge(key, reader.state.deliveries.get(key) ?? 0, reader.name)
    for (const key of toMembers) this.#judge(key, members.timesOf(key), 'the group')
    for (const key of reader.state.outOfOrder) {
      // At QoS 1 one that expired unacknowledged comes again, with a new time and a later place.
      if (toReader.includes(key)) findings.outOfOrder.push(`${key} for ${reader.name}`)
    }
  }

  /** By now all its messages have been acknowledged: those that cannot have expired must have been delivered. */
  #dueOf(state: PublisherState): readonly string[] {
    const keys = Array.from({ length: state.next }, (_, number) => state.keyOf(number))
    return keys.filter((key) => expiryOf(state, key).earliest > this.#time)
  }

  #judge(key: string, times: number, whom: string): void {
    if (times === 0) this.findings.lost.push(`${key} for ${whom}`)
    if (times > 1 && this.#qos === 2) this.findings.duplicates.push(`${key} for ${whom}`)
  }

  async #checkRetained(port: number): Promise<void> {
    const found = new Map<string, number>()
    const onPacket = (packet: Packet): void => {
      if (packet.type !== 'publish') return
      const key = keyIn(packet.payload)
      this.#check(packet as ReceivedPublish, key)
      found.set(packet.topic, Number(key.split(':')[1]))
    }
    const wire = await Wire.open(port, { clientId: 'retained-reader', clean: true, onPacket }, 5)
    await wire.subscribe(0, 'c/retained/#', 'q/retained/#')
    wire.send({ type: 'pingreq' }) // its answer comes after what is retained
    await wire.expect('pingresp')
    await wire.disconnect()
    for (const { state } of this.#cast.publishers) {
      for (const [topic, number] of state.retained()) {
        if ((found.get(topic) ?? -1) < number && !this.#mayHaveExpired(state, topic, number)) {
          this.findings.retained.push(`${topic}: ${number}`)
        }
      }
    }
  }

  /** It, or a newer one that may have taken its place. */
  #mayHaveExpired(state: PublisherState, topic: string, from: number): boolean {
    for (let number = from; number < state.next; number++) {
      if (state.topicOf(number) !== topic) continue
      if (expiryOf(state, state.keyOf(number)).earliest <= this.#time) return true
    }
    return false
  }
}
