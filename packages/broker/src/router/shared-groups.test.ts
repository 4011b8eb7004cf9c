import type { QoS } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Basics, makeBasics } from '../basics.js'
import { Batches } from '../batches.js'
import { Changes } from '../changes.js'
import { noCommit } from '../commit.js'
import type { Loan } from '../delivery/borrowing.js'
import { Delivery } from '../delivery/delivery.js'
import type { Sink } from '../delivery/sink.js'
import { Message } from '../message.js'
import { Metrics } from '../metrics.js'
import { checkOptions } from '../options.js'
import { MemoryQueue } from '../store/memory-queue.js'
import { RetainedMessages } from './retained.js'
import { Router } from './router.js'
import type { Member } from './shared-group.js'
import { SharedGroups } from './shared-groups.js'
import { plainGrant } from './subscriber.js'

const filter = '$share/g/+'

/** A router, its groups, and what was sent to whom. */
class World {
  readonly metrics = new Metrics()
  readonly basics: Basics
  readonly groups: SharedGroups
  readonly router: Router
  readonly sent: string[] = []

  constructor(handOverAtDisconnect = true) {
    const options = checkOptions({ sharedHandOverAtDisconnect: handOverAtDisconnect })
    this.basics = makeBasics(options, this.metrics)
    this.groups = new SharedGroups(this.basics)
    const retained = new RetainedMessages(options.limits)
    const changes = new Changes(new Batches(this.basics.faults))
    this.router = new Router({ ...this.basics, retained, groups: this.groups, changes })
  }

  publish(text: string, qos: QoS = 1): void {
    this.router.publish(Message.of('a', Buffer.from(text), qos))
  }
}

interface Sent {
  readonly text: string
  readonly qos: QoS
  readonly packetId: number
  released: boolean
}

/** A client and its session. */
class Client {
  readonly delivery: Delivery
  readonly #world: World
  readonly #onSent: (sent: Sent, dup: boolean) => void
  /** What it was sent and has not finished. */
  open: Sent[] = []
  joined = false

  constructor(world: World, name: string, durable = true, onSent: (sent: Sent, dup: boolean) => void = () => {}) {
    this.#world = world
    this.#onSent = onSent
    this.delivery = new Delivery({
      clientId: name,
      queue: new MemoryQueue(),
      durable,
      parts: world.basics,
    })
  }

  connect(maxInflight = 10): this {
    const sink: Sink = {
      full: false,
      refusal: () => undefined,
      onFault: () => {},
      publish: ({ message, qos }, dup, packetId) => {
        const sent = { text: Buffer.from(message.payload).toString(), qos, packetId, released: false }
        this.#world.sent.push(`${this.delivery.clientId} ${sent.text} ${qos}${dup ? ' dup' : ''}`)
        if (qos > 0) this.open.push(sent)
        this.#onSent(sent, dup)
      },
      pubrel: (packetId) => void this.open.push({ text: '', qos: 2, packetId, released: true }),
    }
    this.delivery.attach(sink, maxInflight)
    return this
  }

  join(qos: QoS): this {
    this.#world.router.join(filter, this.delivery, plainGrant(qos))
    this.joined = true
    this.delivery.pump()
    return this
  }

  unsubscribe(): void {
    if (this.joined) this.#world.router.leave(filter, this.delivery)
    this.joined = false
  }

  disconnect(): void {
    this.open = []
    this.delivery.detach()
  }

  /** The session ends; its connection, if there is one, before. */
  end(): void {
    this.disconnect()
    this.delivery.end()
    this.unsubscribe()
  }

  /** The next step of the oldest open handshake; answers the text of a QoS 1 message it ends. */
  answer(): string | undefined {
    const oldest = this.open[0]
    if (!oldest) return undefined
    if (oldest.qos === 2 && !oldest.released) {
      oldest.released = true
      expect(this.delivery.release(oldest.packetId)).toBe(0)
      return undefined
    }
    this.open.shift()
    if (oldest.qos === 2) expect(this.delivery.complete(oldest.packetId)).toBe(true)
    else expect(this.delivery.acknowledge(oldest.packetId)).toBe(true)
    return oldest.qos === 1 ? oldest.text : undefined
  }
}

describe('a shared group', () => {
  it('goes round its members, and past those without room', () => {
    const world = new World()
    new Client(world, 'a').connect(1).join(1)
    new Client(world, 'b').connect(2).join(1)
    new Client(world, 'c').join(1)
    for (const text of ['1', '2', '3', '4']) world.publish(text)
    expect(world.sent).toEqual(['a 1 1', 'b 2 1', 'b 3 1'])
    expect(world.groups.get(filter)!.waiting).toBe(1)
  })

  it('gives back in the first order, and before what is new', () => {
    const world = new World()
    const a = new Client(world, 'a').connect(2).join(1)
    for (const text of ['1', '2', '3']) world.publish(text)
    a.disconnect()
    new Client(world, 'b').join(1).connect()
    expect(world.sent).toEqual(['a 1 1', 'a 2 1', 'b 1 1', 'b 2 1', 'b 3 1'])
  })

  it('lets QoS 2 that was not sent move, and no other', () => {
    const world = new World()
    const a = new Client(world, 'a').connect(1).join(2)
    world.publish('1', 2)
    world.publish('2', 2)
    a.disconnect()
    const b = new Client(world, 'b').join(2).connect()
    a.connect()
    expect(world.sent).toEqual(['a 1 2', 'b 2 2', 'a 1 2 dup'])
    a.end()
    b.end()
    expect(world.metrics.dropped['shared-member-gone']).toBe(2)
  })

  it('completes what a member has in flight when it unsubscribes [MQTT-3.10.4-3]', () => {
    const world = new World()
    const a = new Client(world, 'a').connect().join(1)
    world.publish('1')
    a.unsubscribe()
    expect(world.groups.get(filter)).toBeUndefined()
    a.disconnect()
    a.connect()
    expect(world.sent).toEqual(['a 1 1', 'a 1 1 dup'])
    expect(a.answer()).toBe('1')
  })
})

describe('what a group costs', () => {
  /** A member that counts how often it is asked whether it has room. */
  const memberOf = (room: () => number, onAsked: () => void): Member => ({
    clientId: 'm',
    durable: false,
    online: true,
    get room() {
      onAsked()
      return room()
    },
    addSupply: () => {},
    deleteSupply: () => {},
    onFault: () => {},
    deliver: () => noCommit,
    take: () => noCommit,
  })

  it('members without room are asked once, not with every message and with each that comes back', () => {
    const world = new World()
    let asked = 0
    const full = memberOf(
      () => 0,
      () => asked++,
    )
    for (let n = 0; n < 1_000; n++) world.router.join(filter, { ...full }, plainGrant(1))
    const loans: Loan[] = []
    let room = 10_000
    const taker = memberOf(
      () => Math.max(0, room),
      () => asked++,
    )
    world.router.join(
      filter,
      {
        ...taker,
        get room() {
          return taker.room
        },
        take: (_m, _t, loan) => {
          room--
          if (loan) loans.push(loan)
          return noCommit
        },
      },
      plainGrant(1),
    )
    const group = world.groups.get(filter)!
    for (let n = 0; n < 10_000; n++) world.publish(`${n}`)
    expect([loans.length, group.waiting]).toEqual([10_000, 0])
    for (const loan of loans.reverse()) loan.giveBack()
    expect(group.waiting).toBe(10_000)
    expect(asked).toBeLessThan(1_000 + 10_000 + 100)
  })
})

const deeds = ['join', 'unsubscribe', 'connect', 'disconnect', 'end', 'answer', 'publish'] as const
/** What happens often, so that runs get somewhere. */
const usual = ['join', 'connect', 'answer', 'publish', 'publish'] as const

interface Step {
  readonly what: (typeof deeds)[number]
  readonly who: number
  readonly qos: QoS
  /** The client's window. */
  readonly room: number
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(...deeds, ...usual),
  who: fc.integer({ min: 0, max: 3 }),
  qos: fc.constantFrom<QoS>(1, 2),
  room: fc.integer({ min: 1, max: 3 }),
})

/** One run, and what must be true of it. Client 0 has sessions that end with their connection. */
class Run {
  readonly #world: World
  readonly #clients: Client[]
  /** Acknowledged at QoS 1, or somebody's alone since it was sent at QoS 2. */
  readonly #done = new Set<string>()
  /** What the group that is there now was given. */
  #owed: string[] = []

  constructor(handOverAtDisconnect: boolean) {
    this.#world = new World(handOverAtDisconnect)
    this.#clients = [0, 1, 2, 3].map((who) => this.#make(who))
  }

  #make(who: number): Client {
    return new Client(this.#world, `${who}`, who > 0, ({ text, qos }, dup) => {
      if (!dup) expect(this.#done).not.toContain(text)
      if (qos === 2) this.#done.add(text)
    })
  }

  do({ what, who, qos, room }: Step, text: string): void {
    const client = this.#clients[who]!
    const { online, durable } = client.delivery
    if (what === 'publish') this.#publish(text, qos)
    else if (what === 'end' || (what === 'disconnect' && !durable)) this.#end(who)
    else if (what === 'disconnect') client.disconnect()
    else if (what === 'unsubscribe') client.unsubscribe()
    else if (what === 'connect' && !online) client.connect(room)
    else if (what === 'join' && (durable || online)) client.join(qos)
    else if (what === 'answer' && online) this.#answer(client)
    if (!this.#world.groups.get(filter)) this.#owed = []
  }

  /** Everybody comes and acknowledges everything: nothing is owed then, and nothing is left. */
  finish(): void {
    for (const client of this.#clients) if (!client.delivery.online) client.connect()
    while (this.#clients.some(({ open }) => open.length > 0)) {
      for (const client of this.#clients) this.#answer(client)
    }
    expect(this.#owed.filter((text) => !this.#done.has(text))).toEqual([])
    const group = this.#world.groups.get(filter)
    if (group?.isEmpty === false) expect(group.state()).toMatchObject({ head: group.state().tail })
  }

  #publish(text: string, qos: QoS): void {
    if (this.#world.groups.get(filter)) this.#owed.push(text)
    this.#world.publish(text, qos)
  }

  #end(who: number): void {
    this.#clients[who]!.end()
    this.#clients[who] = this.#make(who)
  }

  #answer(client: Client): void {
    const text = client.answer()
    if (text !== undefined) this.#done.add(text)
  }
}

describe('any run of joins, leaves, disconnections and acknowledgements', () => {
  it.each([true, false])('loses no QoS 1 and repeats no QoS 2 (hand-over at disconnect: %s)', (handOver) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const run = new Run(handOver)
        for (const [at, one] of steps.entries()) run.do(one, `m${at}`)
        run.finish()
      }),
      { numRuns: 1000 },
    )
  })
})
