// Sessions inside the process on disk: what a restart and a crash leave of them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { InsideMessage, InsideSession } from '../src/index.js'
import { InsideRig, take } from './inside-rig.js'
import { connectPacket } from './test-client.js'

let stage: InsideRig
beforeEach(async () => {
  stage = new InsideRig('lmdb')
  await stage.open()
})
afterEach(() => stage.dispose())

const open = (clientId: string): Promise<InsideSession> => stage.rig.broker.session(clientId)
const iterate = (session: InsideSession): AsyncIterator<InsideMessage> => session[Symbol.asyncIterator]()
const publish = (text: string, qos: 1 | 2): Promise<void> => stage.rig.broker.publish('a', text, { qos })

describe.each([
  ['a restart', () => stage.restart(10)],
  ['a crash', () => stage.crash()],
] as const)('after %s', (_, again) => {
  it('what was not acknowledged comes again, in order and under its number; what was does not', async () => {
    const session = await open('in')
    await session.subscribe('a', { qos: 2 })
    for (let n = 1; n <= 6; n++) await publish(`${n}`, n % 2 ? 1 : 2)
    const messages = iterate(session)
    const taken: InsideMessage[] = []
    for (let n = 0; n < 4; n++) taken.push((await messages.next()).value) // three are acknowledged by that
    await taken[3]!.ack()
    await again()
    expect(await stage.rig.broker.sessions.get('in')).toMatchObject({ subscriptions: 1, connected: false })
    await publish('7', 2) // while nobody has opened it
    const resumed = await open('in')
    expect(resumed.resumed).toBe(true)
    const lines = await take(iterate(resumed), 3)
    expect(lines.map((line) => line.replace(' dup', ''))).toEqual([
      'a "5" qos 1 number 5',
      'a "6" qos 2 number 6',
      'a "7" qos 2 number 7',
    ])
  })

  it('QoS 2 is taken over once: by number towards it, by packet identifier from it', async () => {
    const reader = await open('reader')
    await reader.subscribe('a', { qos: 2 })
    const writer = await open('writer')
    await writer.publish('a', 'once', { qos: 2, packetId: 7 })
    await again()
    const same = await open('writer')
    await same.publish('a', 'once', { qos: 2, packetId: 7 }) // it does not know that it was safe
    await same.release(7)
    await again()
    const next = await open('writer')
    await next.publish('a', 'another', { qos: 2, packetId: 7 })
    await next.publish('a', 'without', { qos: 2 })
    await next.publish('a', 'last', { qos: 2, packetId: 65_535 }) // not what the one before has used
    const lines = await take(iterate(await open('reader')), 4)
    expect(lines.map((line) => line.replace(' dup', ''))).toEqual([
      'a "once" qos 2 number 1',
      'a "another" qos 2 number 2',
      'a "without" qos 2 number 3',
      'a "last" qos 2 number 4',
    ])
  })

  it('what came last under which packet id is known, also when that is free, until all are forgotten', async () => {
    const writer = await open('writer')
    await writer.publish('a', 'one', { qos: 2, packetId: 7, sum: 1 })
    await writer.publish('a', 'two', { qos: 2, packetId: 7, sum: 2 }) // a repeat of the first, whatever it says: 7 is not free
    await writer.release(7)
    await writer.publish('a', 'three', { qos: 1, packetId: 65_535, sum: 4_294_967_295 })
    await writer.flush() // nobody keeps that message, so its publication waits for nothing
    await again()
    const same = await open('writer')
    expect([7, 8, 65_535].map((id) => same.sumOf(id))).toEqual([1, undefined, 4_294_967_295])
    await same.publish('a', 'four', { qos: 2, packetId: 7, sum: 4 })
    expect([same.sumOf(7), same.held]).toEqual([4, [7]])
    same.forgetSums()
    await same.flush()
    await again()
    const last = await open('writer')
    expect([last.sumOf(7), last.sumOf(65_535), last.held]).toEqual([undefined, undefined, [7]])
  })

  it('a member of a shared group gets what it was lent, and the rest', async () => {
    const session = await open('in')
    await session.subscribe('$share/g/a', { qos: 1 })
    for (const text of ['1', '2', '3']) await publish(text, 1)
    await take(iterate(session), 2)
    await session.publish('b', 'x', { qos: 1 }) // so that the acknowledgement is safe
    await session.close()
    await again()
    const texts = await take(iterate(await open('in')), 2)
    expect(texts.map((line) => line.slice(0, 5))).toEqual(['a "2"', 'a "3"'])
  })

  it('a client of the network goes on with it where it was, at QoS 2 too', async () => {
    const session = await open('in')
    await session.subscribe('a', { qos: 2 })
    for (const text of ['1', '2']) await publish(text, 2)
    const messages = iterate(session)
    const { value } = await messages.next()
    await value.ack()
    await session.close()
    await again()
    const client = stage.rig.open('in').send(connectPacket('in', { cleanStart: false }))
    expect((await client.next(2)).map((line) => line.replace(' dup', ''))).toEqual([
      'connack 0 present',
      'publish a "2" qos 2 id 2',
    ])
  })
})

it('it has an end when nobody opens it for as long as it says, also while the broker is away', async () => {
  const session = await stage.rig.broker.session('in', { expirySeconds: 60 })
  await session.subscribe('a')
  await session.close()
  await stage.restart(61)
  expect((await stage.rig.broker.session('in', { expirySeconds: Number.POSITIVE_INFINITY })).resumed).toBe(false)
  await stage.restart(0, { limits: { maxSessionExpirySeconds: 120 } })
  expect((await stage.rig.broker.session('in', { expirySeconds: 1_000 })).expirySeconds).toBe(120)
})

it('a message that has expired while it was away does not come', async () => {
  const session = await stage.rig.broker.session('in')
  await session.subscribe('a')
  await session.close()
  const properties = { messageExpiryInterval: 20 }
  await stage.rig.broker.publish('a', 'short', { qos: 1, properties })
  await publish('long', 1)
  await stage.restart(30)
  expect(await take(iterate(await open('in')), 1)).toEqual(['a "long" qos 1 number 2'])
  expect((await stage.rig.broker.metrics()).dropped.expired).toBe(1)
})

it('what waits is on disk, and comes out of it in order as fast as it is taken', async () => {
  const session = await stage.rig.broker.session('in', { maxInflight: 10 })
  await session.subscribe('a')
  const all = Array.from({ length: 5_000 }, (_, n) => `${n}`)
  await Promise.all(all.map((text) => publish(text, 1)))
  expect(await stage.rig.broker.sessions.get('in')).toMatchObject({ inflight: 10, queued: 4_990 })
  const got: string[] = []
  for await (const message of session) {
    got.push(message.text())
    if (got.length === 2_500) break
  }
  await session.close()
  await stage.restart()
  for await (const message of await open('in')) {
    got.push(message.text())
    if (got.length === 5_001) break
  }
  expect(got).toEqual([...all.slice(0, 2_500), ...all.slice(2_499)])
})

it('is given at QoS 1 only what is on disk: a crash cannot give its number to another message', async () => {
  const session = await open('in')
  await session.subscribe('a')
  const messages = iterate(session)
  let isSafe = false
  const published = publish('1', 1).then(() => {
    isSafe = true
  })
  const first = await messages.next()
  expect(first.value.text()).toBe('1')
  await Promise.resolve()
  expect(isSafe).toBe(true)
  await published
})
