import { encodeUtf8, type QoS } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeBasics } from '../../src/basics.js'
import { Delivery } from '../../src/delivery/delivery.js'
import type { Sink } from '../../src/delivery/sink.js'
import { packetIdOf } from '../../src/delivery/window.js'
import type { Drops } from '../../src/drops.js'
import { Message } from '../../src/message.js'
import { type DropReason, Metrics } from '../../src/metrics.js'
import { checkOptions } from '../../src/options.js'
import { plainGrant } from '../../src/router/subscriber.js'
import { idle } from '../../src/store/deliveries.contract.js'
import type { QueuedMessage } from '../../src/store/queue.js'
import type { RecoveredSession, SessionStore } from '../../src/store/store.js'
import { DurableRig, nothing, type Step } from './durable-rig.js'

/** A message as the model knows it; its place in the queue is its number. */
interface Entry {
  readonly text: string
  readonly qos: QoS
  state: 'waiting' | 'sent' | 'released' | 'done'
}

/** What must be known of a session. */
interface SessionModel {
  expiresAt: number | undefined
  readonly subscriptions: Map<string, QoS>
  readonly received: Map<number, string>
  readonly queue: Entry[]
}

/** What must be known of everything. */
interface Model {
  readonly sessions: Map<string, SessionModel>
  readonly retained: Map<string, string>
  readonly wills: Map<string, string>
}

const clientIds = ['a', 'b', 'c', 'd', 'e'] as const
const maxInflight = 5

/** A session's deliveries, checked against the model message by message. */
class Client implements Sink {
  full = false
  readonly delivery: Delivery
  readonly stored: SessionStore
  readonly pages = new Map<number, Uint8Array>()
  readonly #model: SessionModel

  constructor(stored: SessionStore, model: SessionModel, recovered?: RecoveredSession) {
    this.#model = model
    this.stored = stored
    this.delivery = new Delivery({
      clientId: 'c',
      queue: stored.queue,
      durable: true,
      parts: {
        ...makeBasics(checkOptions({ limits: { maxQueuedMessages: 1e6, maxQueuedBytes: 1e9 } }), new Metrics()),
        drops: { report: (reason: DropReason) => expect.fail(`dropped: ${reason}`) } as unknown as Drops,
      },
    })
    stored.serves(this.delivery)
    if (!recovered) return
    this.delivery.restore(recovered)
    for (const [page, bits] of recovered.received) this.pages.set(page, bits)
  }

  readonly onFault = (): void => {}
  readonly refusal = (): undefined => undefined

  publish({ message, qos }: QueuedMessage, _dup: boolean, packetId: number): void {
    const text = Buffer.from(message.payload).toString()
    const at = this.#model.queue.findIndex((entry, index) => entry.text === text && packetIdOf(index + 1) === packetId)
    const entry = this.#model.queue[at]
    expect({ text, qos, state: entry?.state }).toEqual({
      text,
      qos: entry?.qos,
      state: expect.stringMatching(/waiting|sent/),
    })
    if (entry!.state === 'waiting') {
      expect(this.#model.queue.findIndex(({ state }) => state === 'waiting')).toBe(at) // in order
    }
    entry!.state = 'sent'
  }

  pubrel(packetId: number): void {
    expect(this.#model.queue[packetId - 1]?.state).toBe('released')
  }

  /** The client answers one of the messages it has. */
  answer(pick: number): void {
    const open = this.#model.queue.flatMap(({ state }, at) => (state === 'sent' || state === 'released' ? [at] : []))
    const at = open[pick % open.length]
    if (at === undefined) return
    const entry = this.#model.queue[at]!
    const packetId = packetIdOf(at + 1)
    if (entry.qos === 2 && entry.state === 'sent') {
      entry.state = 'released'
      expect(this.delivery.release(packetId)).toBeTypeOf('number')
    } else {
      entry.state = 'done' // before: what this makes room for is sent within the call
      expect(entry.qos === 1 ? this.delivery.acknowledge(packetId) : this.delivery.complete(packetId)).toBe(true)
    }
  }
}

/** The store under test and the model beside it. */
class World {
  readonly rig: DurableRig = new DurableRig()
  model: Model = { sessions: new Map(), retained: new Map(), wills: new Map() }
  /** The model as it was when each of these commits was made. */
  #inFlight: Model = structuredClone(this.model)
  #durable: Model = structuredClone(this.model)
  #clients = new Map<string, Client>()
  #texts = 0

  async start(): Promise<this> {
    this.rig.onStep = (step: Step) => {
      if (step === 'gathered') this.#inFlight = structuredClone(this.model)
      else this.#durable = this.#inFlight
    }
    await this.rig.open()
    return this
  }

  connect(clientId: string): void {
    const model = this.model.sessions.get(clientId) ?? newSession()
    this.model.sessions.set(clientId, model)
    let client = this.#clients.get(clientId)
    if (!client) {
      client = new Client(this.rig.store.session(clientId), model)
      this.#clients.set(clientId, client)
    }
    model.expiresAt = undefined
    client.stored.connected(3600)
    client.delivery.attach(client, maxInflight)
  }

  disconnect(clientId: string, expiresAt: number): void {
    const client = this.#clients.get(clientId)
    if (!client) return
    client.delivery.detach()
    client.stored.disconnected(expiresAt)
    this.model.sessions.get(clientId)!.expiresAt = expiresAt
  }

  delete(clientId: string): void {
    this.#clients.get(clientId)?.delivery.detach()
    this.#clients.get(clientId)?.stored.delete()
    this.#clients.delete(clientId)
    this.model.sessions.delete(clientId)
  }

  publish(targets: readonly string[], qos: QoS, size: number): void {
    const text = `${this.#texts++}:`.padEnd(size, '.')
    const message = Message.of(`t/${this.#texts % 3}`, encodeUtf8(text), qos)
    for (const clientId of targets) {
      const client = this.#clients.get(clientId)
      if (!client) continue
      this.model.sessions.get(clientId)!.queue.push({ text, qos, state: 'waiting' })
      client.delivery.deliver(message, { qos: 2, retainAsPublished: false, identifiers: undefined })
    }
  }

  answer(clientId: string, pick: number, times: number): void {
    for (let time = 0; time < times; time++) this.#clients.get(clientId)?.answer(pick)
  }

  subscribe(clientId: string, filter: string, qos: QoS | undefined): void {
    const client = this.#clients.get(clientId)
    if (!client) return
    const { subscriptions } = this.model.sessions.get(clientId)!
    if (qos === undefined) {
      client.stored.deleteSubscription(filter)
      subscriptions.delete(filter)
    } else {
      client.stored.setSubscription(filter, plainGrant(qos), false)
      subscriptions.set(filter, qos)
    }
  }

  receive(clientId: string, page: number, byte: number): void {
    const client = this.#clients.get(clientId)
    if (!client) return
    const bits = client.pages.get(page) ?? new Uint8Array(128)
    client.pages.set(page, bits.fill(byte, 0, 3))
    client.stored.setReceived(page, bits)
    const { received } = this.model.sessions.get(clientId)!
    if (byte === 0) received.delete(page)
    else received.set(page, hex(bits))
  }

  retain(topic: string, present: boolean): void {
    const text = `${this.#texts++}`
    this.rig.store.setRetained(topic, present ? Message.of(topic, encodeUtf8(text), 1, true) : undefined)
    if (present) this.model.retained.set(topic, text)
    else this.model.retained.delete(topic)
  }

  keepWill(clientId: string, present: boolean): void {
    const text = `${this.#texts++}`
    const will = { topic: 'w', payload: encodeUtf8(text), qos: 1, retain: false } as const
    this.rig.store.setWill(clientId, present ? will : undefined)
    if (present) this.model.wills.set(clientId, text)
    else this.model.wills.delete(clientId)
  }

  async flush(): Promise<void> {
    await idle(this.rig.store)
  }

  async reopen(): Promise<void> {
    await this.rig.reopen()
    this.#recover()
  }

  async crash(step: Step): Promise<void> {
    const done = this.rig.crash(step)
    // Which commit is the last on disk is known at the step, while the dead store writes on.
    const steps = this.rig.onStep
    let left: Model | undefined
    this.rig.onStep = (now) => {
      if (left) return
      steps(now)
      if (now === step) left = this.#durable
    }
    await done
    this.rig.onStep = steps
    this.model = structuredClone(left!)
    this.#recover()
  }

  async end(): Promise<void> {
    expect(await this.rig.countsWhenEmpty()).toEqual(nothing)
  }

  /** What was recovered is what the model says, and the clients go on from there. */
  #recover(): void {
    const { sessions, retained, wills } = this.rig.recovered
    expect(new Map(retained.map(({ topic, payload }) => [topic, text(payload)]))).toEqual(this.model.retained)
    expect(new Map(wills.map(({ clientId, will }) => [clientId, text(will.payload)]))).toEqual(this.model.wills)
    expect(sessions.map(({ clientId }) => clientId).sort()).toEqual([...this.model.sessions.keys()].sort())
    this.#clients = new Map()
    for (const session of sessions) {
      const model = this.model.sessions.get(session.clientId)!
      expect(session.expiresAt).toBe(model.expiresAt)
      expect(new Map(session.subscriptions.map(([filter, grant]) => [filter, grant.qos]))).toEqual(model.subscriptions)
      expect(new Map(session.received.map(([page, bits]) => [page, hex(bits)]))).toEqual(model.received)
      const client = new Client(session.stored, model, session)
      this.#clients.set(session.clientId, client)
      this.#compareQueue(session, model, client)
    }
    this.#durable = structuredClone(this.model)
  }

  #compareQueue({ outgoing, stored }: RecoveredSession, model: SessionModel, client: Client): void {
    expect(outgoing.tail).toBe(model.queue.length + 1)
    let bytes = 0
    for (const [at, entry] of model.queue.entries()) {
      const number = at + 1
      expect(client.delivery.isDone(number)).toBe(entry.state === 'done')
      const isOpen = number >= outgoing.head && number < outgoing.next
      const handshake = isOpen ? outgoing.handshakes[number - outgoing.head] : 0
      expect(handshake === 3).toBe(entry.state === 'released')
      if (entry.state === 'sent' && handshake === 0) entry.state = 'waiting' // sent after its commit: it goes out again
      if (entry.state === 'done') continue
      const kept = stored.queue.get(number)
      expect(kept && { text: text(kept.message.payload), qos: kept.qos }).toEqual({ text: entry.text, qos: entry.qos })
      bytes += entry.text.length
    }
    expect(stored.queue.bytes).toBeGreaterThanOrEqual(bytes)
    if (bytes === 0) expect(stored.queue.bytes).toBe(0)
  }
}

function newSession(): SessionModel {
  return { expiresAt: undefined, subscriptions: new Map(), received: new Map(), queue: [] }
}

function text(payload: Uint8Array): string {
  return Buffer.from(payload).toString()
}

function hex(bits: Uint8Array): string {
  return Buffer.from(bits).toString('hex')
}

type Operation = readonly [name: string, run: (world: World) => void | Promise<void>]

const clientId = fc.constantFrom(...clientIds)
const qos = fc.constantFrom<QoS>(1, 2)
const targets = fc.subarray([...clientIds], { minLength: 1 })

/** One operation, with a name for the counterexample. */
function operation<T>(name: string, of: fc.Arbitrary<T>, run: (world: World, value: T) => void | Promise<void>) {
  return of.map((value): Operation => [`${name} ${JSON.stringify(value)}`, (world) => run(world, value)])
}

const some = fc.oneof(
  { weight: 3, arbitrary: operation('connect', clientId, (world, id) => world.connect(id)) },
  {
    weight: 2,
    arbitrary: operation(
      'disconnect',
      fc.tuple(clientId, fc.constantFrom(5, Number.POSITIVE_INFINITY)),
      (world, [id, at]) => world.disconnect(id, at),
    ),
  },
  { weight: 1, arbitrary: operation('delete', clientId, (world, id) => world.delete(id)) },
  {
    weight: 8,
    arbitrary: operation(
      'publish',
      fc.tuple(targets, qos, fc.constantFrom(0, 10, 5000, 70_000), fc.integer({ min: 1, max: 8 })),
      (world, [ids, at, size, times]) => {
        for (let time = 0; time < times; time++) world.publish(ids, at, size)
      },
    ),
  },
  {
    // Each message a commit of its own: more of them than a queue holds positions of.
    weight: 1,
    arbitrary: operation(
      'publish one by one',
      fc.tuple(targets, fc.integer({ min: 60, max: 70 })),
      async (world, [ids, times]) => {
        for (let time = 0; time < times; time++) {
          world.publish(ids, 1, 10)
          await world.flush()
        }
      },
    ),
  },
  {
    weight: 8,
    arbitrary: operation(
      'answer',
      fc.tuple(clientId, fc.nat(9), fc.constantFrom(1, 3, 200)),
      (world, [id, pick, times]) => world.answer(id, pick, times),
    ),
  },
  {
    weight: 2,
    arbitrary: operation(
      'subscribe',
      fc.tuple(clientId, fc.constantFrom('x', 'y/#'), fc.constantFrom<(QoS | undefined)[]>(0, 1, undefined)),
      (world, [id, filter, at]) => world.subscribe(id, filter, at),
    ),
  },
  {
    weight: 2,
    arbitrary: operation(
      'receive',
      fc.tuple(clientId, fc.constantFrom(0, 63), fc.constantFrom(0, 7)),
      (world, [id, page, byte]) => world.receive(id, page, byte),
    ),
  },
  {
    weight: 1,
    arbitrary: operation('retain', fc.tuple(fc.constantFrom('r', 's'), fc.boolean()), (world, [topic, on]) =>
      world.retain(topic, on),
    ),
  },
  {
    weight: 1,
    arbitrary: operation('will', fc.tuple(clientId, fc.boolean()), (world, [id, on]) => world.keepWill(id, on)),
  },
  {
    weight: 6,
    arbitrary: operation('turn', fc.constant(''), () => new Promise<void>((resolve) => setImmediate(resolve))),
  },
  { weight: 3, arbitrary: operation('flush', fc.constant(''), (world) => world.flush()) },
  { weight: 1, arbitrary: operation('reopen', fc.constant(''), (world) => world.reopen()) },
  {
    weight: 1,
    arbitrary: operation('crash', fc.constantFrom<Step[]>('gathered', 'committed', 'flushed'), (world, step) =>
      world.crash(step),
    ),
  },
)

describe('the durable store against a plain model', () => {
  it('holds, after every crash and every close, what the last commit says, and nothing once all is done', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(some, { minLength: 10, maxLength: 80, size: 'max' }), async (operations) => {
        const world = await new World().start()
        try {
          for (const id of clientIds) world.connect(id)
          for (const [, run] of operations) await run(world)
          await world.reopen()
          await world.end()
        } finally {
          await world.rig.dispose()
        }
      }),
      { numRuns: Number(process.env.GODWIT_TEST_RUNS ?? 12), endOnFailure: false },
    )
  }, 120_000)
})
