import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BrokerError, InsideMessage, InsideSession } from '../src/index.js'
import { InsideRig, lineOf, take } from './inside-rig.js'
import { type Rig, settled, startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'
import { connectPacket, publishPacket, subscribePacket } from './test-client.js'

let stage: InsideRig
let rig: Rig

const codeOf = (error: BrokerError): string => error.code
const iterate = (session: InsideSession): AsyncIterator<InsideMessage> => session[Symbol.asyncIterator]()

describe.each(['memory', 'lmdb'] as const)('a session inside the process, its store %s', (kind) => {
  beforeEach(async () => {
    stage = new InsideRig(kind)
    rig = await stage.open()
  })
  afterEach(() => stage.dispose())

  it('reads in order what comes at each QoS', async () => {
    const session = await rig.broker.session('in')
    expect(session.resumed).toBe(false)
    expect(await session.subscribe('a/#', { qos: 2 })).toBe(2)
    for (const qos of [0, 1, 2, 1, 0] as const) void rig.broker.publish(`a/${qos}`, 'x', { qos })
    expect(await take(iterate(session), 5)).toEqual([
      'a/0 "x"',
      'a/1 "x" qos 1 number 1',
      'a/2 "x" qos 2 number 2',
      'a/1 "x" qos 1 number 3',
      'a/0 "x"',
    ])
  })

  it('is given what it has not acknowledged when it is opened again, and nothing else', async () => {
    const session = await rig.broker.session('in')
    await session.subscribe('#', { qos: 2 })
    for (let n = 1; n <= 4; n++) await rig.broker.publish('a', `${n}`, { qos: n % 2 ? 1 : 2 })
    await take(iterate(session), 3) // two are acknowledged
    await session.close()
    await rig.broker.publish('a', '5', { qos: 1 })
    const again = await rig.broker.session('in')
    expect(again.resumed).toBe(true)
    expect(await take(iterate(again), 3)).toEqual([
      'a "3" qos 1 number 3 dup',
      'a "4" qos 2 number 4 dup',
      'a "5" qos 1 number 5',
    ])
  })

  it('acknowledges by hand, in any order', async () => {
    const session = await rig.broker.session('in', { ack: 'manual' })
    await session.subscribe('a', { qos: 2 })
    for (let n = 1; n <= 4; n++) await rig.broker.publish('a', `${n}`, { qos: n % 2 ? 1 : 2 })
    const messages = iterate(session)
    const taken: InsideMessage[] = []
    for (let n = 0; n < 4; n++) taken.push((await messages.next()).value)
    await taken[3]!.ack()
    await taken[0]!.ack()
    await taken[0]!.ack()
    expect(await rig.broker.sessions.get('in')).toMatchObject({ queued: 0, inflight: 2 })
    await session.close()
    await expect(taken[1]!.ack()).rejects.toMatchObject({ code: 'session-closed' })
    const again = await rig.broker.session('in')
    expect(await take(iterate(again), 2)).toEqual(['a "2" qos 2 number 2 dup', 'a "3" qos 1 number 3 dup'])
  })

  it('gives the next loop first what one has left', async () => {
    const session = await rig.broker.session('in')
    await session.subscribe('a')
    for (const text of ['1', '2', '3']) await rig.broker.publish('a', text, { qos: 1 })
    for await (const message of session) if (message.text() === '2') break
    const failing = (async () => {
      for await (const message of session) throw new Error(lineOf(message))
    })()
    await expect(failing).rejects.toThrow('a "2" qos 1 number 2 dup')
    for await (const message of session) {
      await message.ack() // done with it
      break
    }
    expect(await take(iterate(session), 1)).toEqual(['a "3" qos 1 number 3'])
  })

  it('shares among its loops, each of which acknowledges its own', async () => {
    const session = await rig.broker.session('in')
    await session.subscribe('a')
    const [one, other] = [iterate(session), iterate(session)]
    const pulls = [one.next(), other.next(), one.next()]
    for (const text of ['1', '2', '3']) await rig.broker.publish('a', text, { qos: 1 })
    expect((await Promise.all(pulls)).map(({ value }) => value.text())).toEqual(['1', '2', '3'])
    expect(await rig.broker.sessions.get('in')).toMatchObject({ inflight: 3 })
    void one.next()
    await settled()
    expect(await rig.broker.sessions.get('in')).toMatchObject({ inflight: 2 })
  })

  it('has a listener called for one message after the other', async () => {
    const got: string[] = []
    const waiting: (() => void)[] = []
    const onMessage = (message: InsideMessage): Promise<void> => {
      got.push(lineOf(message))
      return new Promise((resolve) => waiting.push(resolve))
    }
    const session = await rig.broker.session('in', { onMessage })
    await session.subscribe('a')
    for (const text of ['1', '2']) await rig.broker.publish('a', text, { qos: 1 })
    await expect.poll(() => got).toEqual(['a "1" qos 1 number 1'])
    waiting[0]!()
    await expect.poll(() => got).toEqual(['a "1" qos 1 number 1', 'a "2" qos 1 number 2'])
    expect(await rig.broker.sessions.get('in')).toMatchObject({ inflight: 1 })
  })

  it.each([
    ['throws', () => Promise.reject(new Error('broken'))],
    [
      'rejects',
      () => {
        throw new Error('broken')
      },
    ],
  ])('is closed by its listener that %s, which is told, and keeps the message', async (_, onMessage) => {
    const other = await rig.broker.session('other')
    await other.subscribe('a')
    const session = await rig.broker.session('in', { onMessage })
    await session.subscribe('a')
    await rig.broker.publish('a', '1', { qos: 1 })
    await expect(session.closed).rejects.toThrow('broken')
    await expect(session.subscribe('b')).rejects.toThrow('broken')
    expect(rig.log.filter((line) => line.startsWith('error'))).toEqual([
      'error the listener of a session inside the process failed {"clientId":"in","error":"Error: broken"}',
    ])
    expect(await take(iterate(other), 1)).toEqual(['a "1" qos 1 number 1'])
    expect(await take(iterate(await rig.broker.session('in')), 1)).toEqual(['a "1" qos 1 number 1 dup'])
  })

  it('subscribes as a client does: retained messages, No Local, identifiers', async () => {
    await rig.broker.publish('r', 'old', { qos: 1, retain: true })
    const session = await rig.broker.session('in')
    const messages = iterate(session)
    await session.subscribe('r', { identifier: 7 })
    expect(await take(messages, 1)).toEqual(['r "old" qos 1 number 1 retain by 7'])
    await session.subscribe('r', { retainHandling: 1, retainAsPublished: true })
    await rig.broker.publish('r', 'new', { qos: 1, retain: true })
    expect(await take(messages, 1)).toEqual(['r "new" qos 1 number 2 retain'])
    await session.subscribe('r', { retainHandling: 2, noLocal: true })
    await session.publish('r', 'own', { qos: 1 })
    await rig.broker.publish('r', 'other', { qos: 1 })
    expect(await take(messages, 1)).toEqual(['r "other" qos 1 number 3'])
    expect(await session.unsubscribe('r')).toBe(true)
    expect(await session.unsubscribe('r')).toBe(false)
    expect(await rig.broker.sessions.get('in')).toMatchObject({ subscriptions: 0 })
  })

  it.each([4, 5] as const)('is written to and read by clients of version %d', async (version) => {
    const client = rig.greet('net', { version })
    await client.next()
    client.subscribe('out/#', 2)
    await client.next()
    const session = await rig.broker.session('in')
    await session.subscribe('in/#', { qos: 2 })
    client.send(publishPacket('in/1', 'x', 1, 1), publishPacket('in/2', 'x', 2, 2))
    expect((await client.next(2)).sort()).toEqual(['puback 1', 'pubrec 2'])
    const messages = iterate(session)
    expect(await take(messages, 2)).toEqual(['in/1 "x" qos 1 number 1', 'in/2 "x" qos 2 number 2'])
    for (const qos of [0, 1, 2] as const) await session.publish(`out/${qos}`, 'y', { qos })
    expect(await client.next(3)).toEqual([
      'publish out/0 "y"',
      'publish out/1 "y" qos 1 id 1',
      'publish out/2 "y" qos 2 id 2',
    ])
  })

  it('takes its part of a shared subscription', async () => {
    const session = await rig.broker.session('in')
    await session.subscribe('$share/g/a', { qos: 1 })
    const client = rig.greet('net', { version: 5 })
    await client.next()
    client.send(subscribePacket([{ filter: '$share/g/a', qos: 1 }]))
    await client.next()
    for (let n = 1; n <= 4; n++) await rig.broker.publish('a', `${n}`, { qos: 1 })
    const texts = [await client.next(2), await take(iterate(session), 2)].map((lines) =>
      lines.map((line) => /"(\d)"/.exec(line)![1]!),
    )
    expect(texts.flat().sort()).toEqual(['1', '2', '3', '4'])
    await session.end() // what it has not acknowledged goes to the other
    expect(await client.next()).toHaveLength(1)
  })

  it('gets no more into memory than its window and its bytes let; the rest waits, and is counted', async () => {
    await stage.restart(0, { limits: { maxOutboxBytes: 65_536, maxQueuedMessages: 100 } })
    const { broker } = stage.rig
    const session = await broker.session('in', { maxInflight: 3 })
    await session.subscribe('a', { qos: 1 })
    await Promise.all(Array.from({ length: 110 }, (_, n) => broker.publish('a', `${n}`, { qos: 1 })))
    expect(await broker.sessions.get('in')).toMatchObject({ inflight: 3, queued: 100 })
    expect((await broker.metrics()).dropped['queue-full']).toBe(7)
    await session.subscribe('b', { qos: 0 })
    for (let n = 0; n < 10; n++) await broker.publish('b', Buffer.alloc(20_000))
    expect((await broker.metrics()).dropped['slow-consumer']).toBe(6)
    const lines = await take(iterate(session), 107)
    expect(lines.filter((line) => line.startsWith('a')).map((line) => line.split('"')[1])).toEqual(
      Array.from({ length: 103 }, (_, n) => `${n}`),
    )
  })

  it('is shown among sessions and clients', async () => {
    const session = await rig.broker.session('in', { expirySeconds: 60 })
    expect(session.expirySeconds).toBe(60)
    expect(await rig.broker.sessions.get('in')).toMatchObject({ inside: true, connected: true, durable: true })
    expect(await rig.broker.clients.get('in')).toMatchObject({ transport: 'inside', address: '', version: 5 })
    await session.close()
    expect(await rig.broker.sessions.get('in')).toMatchObject({ inside: false, connected: false })
    await rig.pass(62_000)
    expect(await rig.broker.sessions.get('in')).toBeUndefined()
    expect((await rig.broker.session('in')).resumed).toBe(false)
  })

  it('is ended with all that is in it', async () => {
    const session = await rig.broker.session('in')
    await session.subscribe('a')
    await rig.broker.publish('a', '1', { qos: 1 })
    const next = iterate(session)
    await take(next, 1)
    const waiting = next.next()
    await session.end()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await session.closed
    expect(await rig.broker.sessions.count()).toBe(0)
    await expect(session.publish('a', 'x')).rejects.toMatchObject({ code: 'session-closed' })
  })

  it('is begun anew with clean, and ends with its close without an expiry', async () => {
    const session = await rig.broker.session('in')
    await session.subscribe('a')
    await session.close()
    const anew = await rig.broker.session('in', { clean: true, expirySeconds: 0 })
    expect(anew.resumed).toBe(false)
    expect(await rig.broker.sessions.get('in')).toMatchObject({ subscriptions: 0, durable: false })
    await anew.subscribe('a', { qos: 2 })
    await rig.broker.publish('a', '1', { qos: 2 })
    expect(await take(iterate(anew), 1)).toEqual(['a "1" qos 2 number 1'])
    await anew.close()
    expect(await rig.broker.sessions.count()).toBe(0)
  })
})

describe('who has a Client Identifier', () => {
  beforeEach(async () => {
    stage = new InsideRig('memory')
    rig = await stage.open()
  })
  afterEach(() => stage.dispose())

  it.each([
    [3, 'connack 85'],
    [4, 'connack 85'],
    [5, 'connack 85'],
  ] as const)('a network client of version %d is refused while it is open', async (version, refusal) => {
    await stage.restart(0, { mqtt31: true })
    rig = stage.rig
    const session = await rig.broker.session('in')
    const client = rig.open('in').send(connectPacket('in', { version }))
    expect(await client.heard()).toEqual([refusal])
    expect(client.closed).toBe(true)
    expect((await rig.broker.metrics()).refused.connect).toBe(1)
    expect(rig.log.find((line) => line.startsWith('warn'))).toBe(
      'warn connection refused {"clientId":"in","address":"test","reason":"connect","why":"the server uses this client identifier itself"}',
    )
    await session.close()
    expect(await rig.greet('in', { version, cleanStart: false }).heard()).toEqual(
      version === 3 ? ['connack 0'] : ['connack 0 present'],
    )
  })

  it('a second one inside is refused', async () => {
    await rig.broker.session('in')
    expect(await rig.broker.session('in').catch(codeOf)).toBe('session-in-use')
  })

  it.each([4, 5] as const)('it takes a client of version %d over, with its session', async (version) => {
    await stage.restart()
    rig = stage.rig
    const properties = version === 5 ? { sessionExpiryInterval: 60 } : undefined
    const client = rig.greet('c', { version, cleanStart: false, properties })
    await client.next()
    client.subscribe('a', 2)
    await client.next()
    await rig.broker.publish('a', '1', { qos: 1 })
    await rig.broker.publish('a', '2', { qos: 2 })
    await rig.broker.publish('a', '3', { qos: 2 })
    await client.next(3)
    client.send({ type: 'pubrec', packetId: 3 }) // it has that one
    await client.next()
    const session = await rig.broker.session('c')
    expect(session.resumed).toBe(true)
    expect(await client.heardInFull()).toEqual(
      version === 5 ? ['disconnect 0x8e {"reasonString":"taken over by a new connection of the same client"}'] : [],
    )
    expect(client.closed).toBe(true)
    await rig.broker.publish('a', '4', { qos: 1 })
    expect(await take(iterate(session), 3)).toEqual([
      'a "1" qos 1 number 1 dup',
      'a "2" qos 2 number 2 dup',
      'a "4" qos 1 number 4',
    ])
    expect(await rig.broker.sessions.get('c')).toMatchObject({ inflight: 1 })
    expect((await rig.broker.metrics()).takeovers).toBe(1)
  })
})

it('gives what is not on disk at QoS 1, to a user who knows nothing by its number', async () => {
  const store = new SteppedStore()
  const { broker } = await startRig({ store })
  const heard: string[] = []
  const onMessage = ({ text }: InsideMessage): void => void heard.push(text())
  const opening = broker.session('in', { beforeKept: true, expirySeconds: 60, onMessage })
  await settled()
  store.flush()
  void (await opening).subscribe('a', { qos: 2 })
  store.flush()
  void broker.publish('a', '1', { qos: 1 })
  void broker.publish('a', '2', { qos: 2 })
  void broker.publish('a', '3', { qos: 1 })
  await settled()
  expect(heard).toEqual(['1'])
  store.flush()
  await settled()
  expect(heard).toEqual(['1', '2', '3'])
})
