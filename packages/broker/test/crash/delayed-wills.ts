import { encodeUtf8, type PropertiesOf, type ReceivedPublish } from '@godwit/protocol'
import type { BrokerProcess } from './broker-process.js'
import { untilClosed } from './bystanders.js'
import type { Findings } from './findings.js'
import type { Random } from './random.js'
import { Subscriber, SubscriberState } from './subscriber.js'
import { now as monotonicNow, replay, type Timed } from './timeline.js'
import { Wire } from './wire.js'

type WillEvent = { readonly key: string } & (
  | { readonly type: 'asked'; readonly clientId: string; readonly afterSeconds: number }
  | { readonly type: 'greeted' }
  /** DISCONNECT is on its way, with which the will stays or goes. */
  | { readonly type: 'leaving'; readonly stays: boolean; readonly time: number }
  /** The broker has closed the connection: it has taken note. */
  | { readonly type: 'left' }
  /** What the crash left is judged from here on by what it promised. */
  | { readonly type: 'restarted'; readonly time: number }
  /** Its client came back before it was due. */
  | { readonly type: 'resumed' }
)

interface WillPromise {
  readonly clientId: string
  /** Will Delay Interval, or the session's expiry if that is shorter. */
  readonly afterSeconds: number
  greeted: boolean
  leaving?: { readonly stays: boolean; readonly time: number; certain: boolean }
  /** Not before, and no later, once the crash has been; by the broker's clock. */
  due?: { readonly earliest: number; readonly latest: number }
}

/** What wills were promised. */
export class WillState {
  readonly promises = new Map<string, WillPromise>()

  apply(event: WillEvent): void {
    const { key } = event
    if (event.type === 'asked') {
      this.promises.set(key, { clientId: event.clientId, afterSeconds: event.afterSeconds, greeted: false })
      return
    }
    const promise = this.promises.get(key)
    if (!promise) return
    if (event.type === 'greeted') promise.greeted = true
    else if (event.type === 'leaving') promise.leaving = { stays: event.stays, time: event.time, certain: false }
    else if (event.type === 'left') promise.leaving!.certain = true
    else if (event.type === 'restarted') promise.due ??= dueOf(promise, event.time)
    else promise.due = never
  }
}

const never = { earliest: Number.POSITIVE_INFINITY, latest: Number.POSITIVE_INFINITY }

/** A connection that was open at the crash counts as closed at the restart; that of a certain leave is known. */
function dueOf(
  { afterSeconds, greeted, leaving }: WillPromise,
  restartedAt: number,
): { earliest: number; latest: number } {
  const afterCrash = restartedAt + afterSeconds * 1000
  if (!greeted) return { earliest: afterCrash, latest: Number.POSITIVE_INFINITY }
  if (!leaving) return { earliest: afterCrash, latest: afterCrash }
  if (!leaving.stays) return leaving.certain ? never : { earliest: afterCrash, latest: Number.POSITIVE_INFINITY }
  const armed = leaving.time + afterSeconds * 1000
  return { earliest: armed, latest: leaving.certain ? armed : afterCrash }
}

/** A will is published within this time after it is due. */
const graceMs = 1000
const delays = [10, 100] as const
const disconnectWithWill = 0x04

function propertiesOf(key: string): PropertiesOf<'publish'> {
  return {
    contentType: `will of ${key}`,
    userProperties: [
      ['b', key],
      ['a', '1'],
    ],
  }
}

/** Clients with delayed wills that the crash cuts off, or that have left before it; and one who watches for the wills. */
export class DelayedWills {
  readonly journal: Timed<WillEvent>[] = []
  readonly watcher: Subscriber
  state: WillState = new WillState()
  readonly #random: Random
  readonly #findings: Findings
  #count = 0
  #left: Timed<WillEvent> | undefined
  #marks = 0
  #running: Promise<void> | undefined

  constructor(random: Random, findings: Findings, watching: SubscriberState = new SubscriberState()) {
    this.#random = random
    this.#findings = findings
    const onPublish = (packet: ReceivedPublish, key: string): void => this.#check(packet, key)
    this.watcher = new Subscriber('will-watcher', watching, { version: 5, onPublish })
  }

  at(moment: bigint, findings: Findings): DelayedWills {
    const watching = replay(new SubscriberState(), this.watcher.journal, moment)
    const then = new DelayedWills(this.#random, findings, watching)
    then.state = replay(new WillState(), this.journal, moment)
    then.#count = this.#count
    return then
  }

  async subscribe({ port }: BrokerProcess): Promise<void> {
    await this.watcher.connect(port)
    await this.watcher.subscribe(2, 'v/#')
  }

  /** Some that stay, and some that have left with their will for a while when the load begins. */
  async begin(broker: BrokerProcess): Promise<void> {
    await this.watcher.disconnect()
    for (const delay of delays) {
      await this.#open(broker, { delay })
      await this.#leave(await this.#open(broker, { delay }), true, broker)
    }
    await this.#open(broker, { delay: 100, expirySeconds: 10 })
    await this.#leave(await this.#open(broker, { delay: 10 }), false, broker)
  }

  load(broker: BrokerProcess): void {
    this.#running = untilClosed(async () => {
      for (;;) {
        const one = await this.#open(broker, { delay: this.#random.pick(delays) })
        if (this.#random.chance(0.9)) await this.#leave(one, this.#random.chance(0.5), broker)
      }
    })
  }

  async lost(): Promise<void> {
    await Promise.all([this.#running, this.watcher.lost()])
  }

  async restarted({ port, now }: BrokerProcess): Promise<void> {
    this.#left = undefined
    for (const key of this.state.promises.keys()) this.state.apply({ type: 'restarted', key, time: now })
    if (await this.watcher.connect(port)) return
    this.#findings.sessionsGone.push(this.watcher.name)
    await this.watcher.subscribe(2, 'v/#')
  }

  /** The client of one will that is not due yet comes back: that will must not be published any more. */
  async resumeOne({ port, now }: BrokerProcess): Promise<void> {
    const [key, promise] =
      [...this.state.promises].find(([, { due }]) => due!.earliest > now && due!.latest < Number.POSITIVE_INFINITY) ??
      []
    if (!key || !promise) return
    const { clientId } = promise
    await (await Wire.open(port, { clientId, clean: false, expirySeconds: 1000 }, 5)).disconnect()
    this.state.apply({ type: 'resumed', key })
  }

  /** What is due has come, what is not has not. */
  async verify({ port, now }: BrokerProcess): Promise<void> {
    await this.#mark(port)
    const { deliveries } = this.watcher.state
    for (const [key, { due }] of this.state.promises) {
      const times = deliveries.get(key) ?? 0
      const { earliest, latest } = due!
      if (times > 1) this.#findings.wills.push(`${key} was published ${times} times`)
      if (times > 0 && now < earliest) this.#findings.wills.push(`${key} was published though not due`)
      if (times === 0 && now >= latest + graceMs) this.#findings.wills.push(`${key} was not published`)
    }
  }

  /** What the broker has published before comes before a message of the same QoS that is published now. */
  async #mark(port: number): Promise<void> {
    const key = `mark:${this.#marks++}`
    const wire = await Wire.open(port, { clientId: 'will-marker', clean: true }, 5)
    const properties = propertiesOf(key)
    const payload = encodeUtf8(`${key} `)
    wire.send({ type: 'publish', topic: 'v/mark', payload, qos: 2, retain: false, dup: false, packetId: 1, properties })
    await this.watcher.received(key)
    await wire.disconnect()
  }

  #check({ properties, dup }: ReceivedPublish, key: string): void {
    const given = propertiesOf(key)
    const same = properties?.contentType === given.contentType && Object.keys(properties ?? {}).length === 2
    if (!same || JSON.stringify(properties?.userProperties) !== JSON.stringify(given.userProperties)) {
      this.#findings.changed.push(`will ${key}${dup ? ', repeated' : ''}: ${JSON.stringify(properties)}`)
    }
  }

  async #open(
    { port }: BrokerProcess,
    { delay, expirySeconds = 1000 }: { readonly delay: number; readonly expirySeconds?: number },
  ): Promise<{ key: string; wire: Wire }> {
    const clientId = `will-${this.#count}`
    const key = `${clientId}:${this.#count++}`
    this.#note({ type: 'asked', key, clientId, afterSeconds: Math.min(delay, expirySeconds) })
    const properties = { ...propertiesOf(key), willDelayInterval: delay }
    const will = { topic: 'v/will', payload: encodeUtf8(`${key} `), qos: 2, retain: false, properties } as const
    const wire = await Wire.open(port, { clientId, clean: false, expirySeconds, will }, 5)
    // The broker lives: it was not its death that closed the connection before.
    if (this.#left) this.#note(this.#left.event, this.#left.at)
    this.#left = undefined
    this.#note({ type: 'greeted', key })
    return { key, wire }
  }

  async #leave({ key, wire }: { key: string; wire: Wire }, stays: boolean, { now }: BrokerProcess): Promise<void> {
    this.#note({ type: 'leaving', key, stays, time: now })
    await wire.disconnect(stays ? { reasonCode: disconnectWithWill } : {})
    this.#left = { at: monotonicNow(), event: { type: 'left', key } }
  }

  #note(event: WillEvent, at = monotonicNow()): void {
    this.journal.push({ at, event })
    this.state.apply(event)
  }
}
