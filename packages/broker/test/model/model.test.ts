import type { QoS } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { connectPacket, publishPacket } from '../test-client.js'
import { World } from './world.js'
import { expiryOf311, type Greeting, sharedFilter } from './world-model.js'

/** Sequences to try; the long form of `npm run proof -- --model` tries many more. */
const numRuns = Number(process.env.GODWIT_TEST_MODEL_RUNS ?? 1500)

type Run<T> = (world: World, value: T) => void | Promise<void>

/** One line of the dialogue: what is done, then everything that is heard because of it. */
class Action<T> implements fc.AsyncCommand<World, World> {
  readonly name: string
  readonly value: T
  readonly act: Run<T>

  constructor(name: string, value: T, act: Run<T>) {
    this.name = name
    this.value = value
    this.act = act
  }

  /** Only who is connected says something. */
  check(world: World): boolean {
    const { from } = this.value as { from?: string }
    return from === undefined || online(world, from) !== undefined
  }

  async run(world: World): Promise<void> {
    await this.act(world, this.value)
    await world.compare()
  }

  toString(): string {
    return `${this.name} ${JSON.stringify(this.value)}`
  }
}

const action = <T>(name: string, of: fc.Arbitrary<T>, act: Run<T>): fc.Arbitrary<Action<T>> =>
  of.map((value) => new Action(name, value, act))

const clientId = fc.constantFrom('a', 'b')
const qos = fc.constantFrom<QoS>(0, 1, 2)

/** The session and connection of a client that is connected. */
function online(world: World, id: string) {
  const session = world.model.sessions.get(id)
  return session?.connected ? { session, client: world.clients.get(id)! } : undefined
}

const connect = action(
  'connect',
  fc.record({
    clientId,
    version: fc.constantFrom<4 | 5>(4, 5),
    cleanStart: fc.boolean(),
    expiry: fc.constantFrom(0, 5, 30, 0xffff_ffff),
    window: fc.constantFrom(1, 2, 256),
    will: fc.option(fc.record({ qos, retain: fc.boolean(), delay: fc.constantFrom(0, 3, 10, 40) }), { nil: undefined }),
  }),
  async (world, { clientId, version, cleanStart, expiry: asked, window: receiveMaximum, will: wish }) => {
    const expiry = version === 5 ? asked : cleanStart ? 0 : expiryOf311
    const window = version === 5 ? receiveMaximum : 256
    const delay = version === 5 ? (wish?.delay ?? 0) : 0
    // One retained topic a filter: the order among several is the broker's to choose.
    const retain = wish?.retain === true && clientId === 'a'
    const will = wish && { ...wish, retain, topic: `w/${clientId}`, payload: 'gone', delay }
    const greeting: Greeting = { clientId, version, cleanStart, expiry, window, will }
    const properties = version === 5 ? { properties: { willDelayInterval: delay } } : {}
    const packet = connectPacket(clientId, {
      version,
      cleanStart,
      ...(version === 5 && { properties: { sessionExpiryInterval: expiry, receiveMaximum: window } }),
      ...(will && {
        will: { topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain, ...properties },
      }),
    })
    world.arrive(clientId, world.rig.open(clientId))
    world.model.connect(greeting)
    world.clients.get(clientId)!.send(packet)
  },
)

const publish = action(
  'publish',
  fc.record({
    from: clientId,
    topic: fc.constantFrom('t/a', 't/b', 's'),
    qos,
    retain: fc.boolean(),
    empty: fc.boolean(),
    expiry: fc.constantFrom(undefined, 3, 20),
    twice: fc.boolean(),
  }),
  (world, { from, topic, qos, retain: asked, empty, expiry, twice }) => {
    const speaker = online(world, from)
    if (!speaker) return
    const { session, client } = speaker
    const retain = asked && topic !== 't/b'
    const number = world.nextPacketId()
    const packetId = 1 + (number % 3) // used again soon: a released id is free [MQTT-4.3.3-2]
    const payload = retain && empty ? '' : `m${number}`
    const mayExpire = session.version === 5 && expiry !== undefined
    const expiresAt = mayExpire ? world.model.now + expiry : Number.POSITIVE_INFINITY
    const code = session.version === 5 && !world.model.isWanted(topic) ? ' 0x10' : ''
    const isRepeated = qos === 2 && twice
    world.model.publish({ topic, payload, qos, retain, expiresAt, publisher: from })
    const packet = {
      ...publishPacket(topic, payload, qos, packetId, retain),
      ...(mayExpire && { properties: { messageExpiryInterval: expiry } }),
    } as ReturnType<typeof publishPacket>
    client.send(packet)
    if (isRepeated) client.send({ ...packet, dup: true } as typeof packet)
    if (qos === 1) world.answer(from, `puback ${packetId}${code}`)
    if (qos < 2) return
    client.send({ type: 'pubrel', packetId })
    world.answer(from, `pubrec ${packetId}${code}`, `pubcomp ${packetId}`)
    if (isRepeated) world.answer(from, `pubrec ${packetId}`)
  },
)

/** A QoS 2 publication that stays half done, maybe until a later connection; the same id again is a repeat of it. */
const publishHalf = action(
  'publish, and no PUBREL yet',
  fc.record({ from: clientId, packetId: fc.constantFrom(101, 102), retain: fc.boolean() }),
  (world, { from, packetId, retain }) => {
    const speaker = online(world, from)
    if (!speaker) return
    const { session, client } = speaker
    const isRepeated = session.held.has(packetId)
    const payload = `h${world.nextPacketId()}`
    const code = !isRepeated && session.version === 5 && !world.model.isWanted('t/a') ? ' 0x10' : ''
    world.answer(from, `pubrec ${packetId}${code}`)
    if (!isRepeated) {
      const expiresAt = Number.POSITIVE_INFINITY
      world.model.publish({ topic: 't/a', payload, qos: 2, retain, expiresAt, publisher: from })
    }
    session.held.add(packetId)
    const packet = publishPacket('t/a', payload, 2, packetId, retain)
    client.send({ ...packet, dup: isRepeated } as typeof packet)
  },
)

const release = action(
  'release',
  fc.record({ from: clientId, packetId: fc.constantFrom(101, 102) }),
  (world, { from, packetId }) => {
    const speaker = online(world, from)
    if (!speaker) return
    const { session, client } = speaker
    const isUnknown = !session.held.delete(packetId)
    world.answer(from, `pubcomp ${packetId}${isUnknown && session.version === 5 ? ' 0x92' : ''}`)
    client.send({ type: 'pubrel', packetId })
  },
)

const subscribe = action(
  'subscribe',
  fc.record({
    from: clientId,
    filter: fc.constantFrom('t/a', 't/+', 'w/#', sharedFilter),
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
    identifier: fc.constantFrom(0, 0, 1, 7),
  }),
  (world, { from, filter, qos, noLocal, retainAsPublished, retainHandling, identifier }) => {
    const speaker = online(world, from)
    if (!speaker) return
    const { session, client } = speaker
    const packetId = world.nextPacketId()
    const isFive = session.version === 5
    const grant = {
      qos,
      noLocal: isFive && noLocal && filter !== sharedFilter,
      retainAsPublished: isFive && retainAsPublished,
      identifier: isFive ? identifier : 0,
    }
    world.answer(from, `suback ${packetId} [${qos}]`)
    world.model.subscribe(session, filter, grant, isFive ? retainHandling : 0)
    const options = isFive ? { qos, noLocal: grant.noLocal, retainAsPublished, retainHandling } : { qos }
    const properties = isFive && identifier > 0 ? { properties: { subscriptionIdentifiers: [identifier] } } : {}
    client.send({ type: 'subscribe', packetId, subscriptions: [{ filter, ...options }], ...properties })
  },
)

const unsubscribe = action(
  'unsubscribe',
  fc.record({ from: clientId, filter: fc.constantFrom('t/a', 't/+', 'w/#', sharedFilter) }),
  (world, { from, filter }) => {
    const speaker = online(world, from)
    if (!speaker) return
    const { session, client } = speaker
    const packetId = world.nextPacketId()
    const code = session.version === 5 ? ` [${session.subscriptions.has(filter) ? 0 : 17}]` : ''
    world.answer(from, `unsuback ${packetId}${code}`)
    world.model.unsubscribe(session, filter)
    client.send({ type: 'unsubscribe', packetId, filters: [filter] })
  },
)

const acknowledge = action(
  'acknowledge',
  fc.record({ from: clientId, count: fc.integer({ min: 1, max: 3 }) }),
  async (world, { from, count }) => {
    for (let left = count; left > 0; left--) {
      const speaker = online(world, from)
      const delivery = speaker?.session.inFlight.find((one) => !speaker.session.unrepeated.includes(one))
      if (!speaker || !delivery) return
      const { session, client } = speaker
      const { packetId } = delivery
      if (delivery.state === 'sent' && delivery.qos === 2) {
        delivery.state = 'released'
        world.answer(from, `pubrel ${packetId}`)
        client.send({ type: 'pubrec', packetId })
      } else {
        client.send({ type: delivery.qos === 1 ? 'puback' : 'pubcomp', packetId })
        session.forget(delivery)
        world.model.pump(session)
      }
      await world.compare()
    }
  },
)

const disconnect = action(
  'disconnect',
  fc.record({
    from: clientId,
    how: fc.constantFrom('normal', 'with will', 'dropped'),
    expiry: fc.constantFrom(undefined, 0, 5),
  }),
  (world, { from, how, expiry }) => {
    const speaker = online(world, from)
    if (!speaker) return
    const { session, client } = speaker
    const isFive = session.version === 5
    const saysMore = isFive && how !== 'dropped' && expiry !== undefined && session.expiry > 0
    if (saysMore) session.expiry = expiry
    world.model.close(session, how === 'normal' || (how === 'with will' && !isFive))
    if (how === 'dropped') client.drop()
    else {
      const reasonCode = isFive && how === 'with will' ? 4 : 0
      client.send({
        type: 'disconnect',
        ...(isFive && { reasonCode }),
        ...(saysMore && { properties: { sessionExpiryInterval: expiry } }),
      })
    }
  },
)

const pass = action('pass', fc.constantFrom(1, 4, 12, 60), async (world, seconds) => {
  world.model.advance(seconds)
  await world.rig.pass(seconds * 1000)
})

/** To the next moment at which something ends by itself: one second before it, at it, or one after. */
const passToDue = action('pass to what is due', fc.constantFrom(-1, 0, 1), async (world, offset) => {
  const due = world.model.nextDue
  const seconds = (due ?? world.model.now) + offset - world.model.now
  if (due === undefined || due - world.model.now > 1000 || seconds <= 0) return
  world.model.advance(seconds)
  await world.rig.pass(seconds * 1000)
})

describe('the broker against a plain model of sessions', () => {
  it(
    'says to two clients what the model says, whatever they do',
    async () => {
      const actions = fc.commands(
        [
          connect,
          connect,
          publish,
          publish,
          publish,
          publishHalf,
          release,
          subscribe,
          subscribe,
          unsubscribe,
          acknowledge,
          acknowledge,
          disconnect,
          pass,
          passToDue,
          passToDue,
        ],
        {
          maxCommands: 40,
          size: 'max',
        },
      )
      await fc.assert(
        fc.asyncProperty(actions, async (dialogue) => {
          const world = await World.start()
          try {
            await fc.asyncModelRun(() => ({ model: world, real: world }), dialogue)
            await world.end()
          } finally {
            await world.rig.broker.close()
          }
        }),
        { numRuns },
      )
    },
    20_000 + 40 * numRuns,
  )
})
