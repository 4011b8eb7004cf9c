// Sessions inside the process: what they are refused, what ends them, and what of theirs nobody else feels.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type BrokerError, type InsideMessage, type InsideSession, memoryStore, type Store } from '../src/index.js'
import { FailingStore } from './failing.js'
import { take } from './inside-rig.js'
import { settled, startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'

const any = (value: unknown) => value as never
const iterate = (session: InsideSession): AsyncIterator<InsideMessage> => session[Symbol.asyncIterator]()
const told = (error: BrokerError): string => `${error.code}: ${error.message}`

it.each<[string, (session: InsideSession) => Promise<unknown>]>([
  ['invalid-topic: "a/#/b" is not a topic filter', (session) => session.subscribe('a/#/b')],
  ['invalid-topic: "" is not a topic filter', (session) => session.unsubscribe('')],
  ['invalid-topic: a filter has more than 3 levels', (session) => session.subscribe('a/b/c/d')],
  ['invalid-topic: topic has more than 3 levels', (session) => session.publish('a/b/c/d', 'x')],
  ['invalid-topic: "a/+" is not a topic name to publish to', (session) => session.publish('a/+', 'x', { qos: 1 })],
  ['invalid-topic: topics under $SYS are published by the broker itself', (session) => session.publish('$SYS/a', 'x')],
  ['invalid-option: subscribe has no QoS; did you mean qos?', (session) => session.subscribe('a', any({ QoS: 1 }))],
  ['invalid-option: qos is 3; it takes 0, 1 or 2', (session) => session.subscribe('a', any({ qos: 3 }))],
  [
    'invalid-option: publish has no retained; did you mean retain?',
    (s) => s.publish('a', 'x', any({ retained: true })),
  ],
  ['invalid-option: qos is 3; it takes 0, 1 or 2', (session) => session.publish('a', 'x', any({ qos: 3 }))],
  [
    'invalid-option: packetId is for QoS 2 alone; with sum, for QoS 1 too',
    (session) => session.publish('a', 'x', { qos: 1, packetId: 1 }),
  ],
  ['invalid-option: sum is kept under a packetId', (session) => session.publish('a', 'x', { qos: 2, sum: 1 })],
  [
    'invalid-option: sum is 0; it takes whole numbers from 1 to 4,294,967,295',
    (session) => session.publish('a', 'x', { qos: 1, packetId: 1, sum: 0 }),
  ],
  ['invalid-option: packetId is 0; it takes whole numbers from 1 to 65,535', (session) => session.release(0)],
  ['invalid-option: the payload is a number; it takes a string or bytes', (session) => session.publish('a', any(1))],
  [
    'refused: the session has as many subscriptions as it may (limits.maxSubscriptionsPerSession), or there is no room to keep another',
    (session) => session.subscribe('second'),
  ],
  [
    'invalid-option: identifier is 0; it takes whole numbers from 1 to 268,435,455',
    (session) => session.subscribe('a', { identifier: 0 }),
  ],
  [
    'invalid-option: subscribe: No Local on a shared subscription',
    (session) => session.subscribe('$share/g/a', { noLocal: true }),
  ],
  ['refused: shared subscriptions not supported here', (session) => session.subscribe('$share/g/a')],
  ['refused: QoS 2 is not supported here', (session) => session.publish('a', 'x', { qos: 2 })],
])('%s', async (message, call) => {
  const { broker } = await startRig({
    limits: { maxSubscriptionsPerSession: 1, maxTopicLevels: 3 },
    sharedSubscriptions: false,
    maximumQos: 1,
  })
  const session = await broker.session('in')
  expect(await session.subscribe('first', { qos: 2 })).toBe(1)
  expect(await call(session).catch(told)).toBe(message)
  expect(await session.publish('a', 'x', { qos: 1 })).toBeUndefined() // it goes on
})

it.each<[string, unknown, object?]>([
  ['invalid-option: clientId is ""; it takes a text that is not empty', ''],
  ['invalid-option: clientId is 5; it takes a text that is not empty', 5],
  ['invalid-option: client identifiers end at 64 bytes', 'x'.repeat(65)],
  [
    'invalid-option: session has no sessionExpirySeconds; here that is expirySeconds',
    'in',
    { sessionExpirySeconds: 1 },
  ],
  ['invalid-option: session has no expirySecond; did you mean expirySeconds?', 'in', { expirySecond: 1 }],
  ['invalid-option: maxInflight is 0; it takes whole numbers from 1 to 65,535', 'in', { maxInflight: 0 }],
  ["invalid-option: ack is \"none\"; it takes 'auto' or 'manual'", 'in', { ack: 'none' }],
  ['invalid-option: onMessage is 1; it takes a function', 'in', { onMessage: 1 }],
  ['invalid-option: clean is 1; it takes true or false', 'in', { clean: 1 }],
  [
    'invalid-option: expirySeconds is -1; it takes whole numbers from 0 to 4294967295, or Infinity',
    'in',
    { expirySeconds: -1 },
  ],
  ['refused: the server keeps as many sessions as it can', 'second'],
])('is not opened: %s', async (message, clientId, options) => {
  const { broker } = await startRig({ limits: { maxSessions: 1, maxClientIdBytes: 64 } })
  await broker.session('first')
  expect(await broker.session(any(clientId), any(options)).catch(told)).toBe(message)
})

it('asks no hook: the program may do what it wants', async () => {
  const hook = { name: 'nobody', authenticate: () => false, authorize: () => false, authorizeDelivery: () => false }
  const { broker } = await startRig({ hooks: [hook] })
  const session = await broker.session('in')
  await session.subscribe('a')
  await session.publish('a', 'x', { qos: 1 })
  expect(await take(iterate(session), 1)).toEqual(['a "x" qos 1 number 1'])
})

it('ends in order with the broker', async () => {
  const { broker } = await startRig()
  const session = await broker.session('in')
  await session.subscribe('a')
  const got: string[] = []
  const reading = (async () => {
    for await (const { text } of session) got.push(text())
  })()
  await broker.publish('a', '1', { qos: 1 })
  await settled()
  await broker.close()
  await reading
  await session.closed
  expect(got).toEqual(['1'])
  expect(await session.publish('a', 'x').catch((error: BrokerError) => error.code)).toBe('session-closed')
  expect(await broker.session('in').catch((error: BrokerError) => error.code)).toBe('closed')
})

it('is traced, and its messages are counted, as those of a client', async () => {
  const { broker } = await startRig()
  const lines: string[] = []
  const trace = await broker.trace({ clientId: 'in' }, (events) => {
    for (const { direction, packet } of events) lines.push(`${direction} ${packet.type} ${packet.topic}`)
  })
  const session = await broker.session('in')
  await session.subscribe('a')
  await session.publish('a', 'x', { qos: 1 })
  await take(iterate(session), 1)
  await trace.stop()
  expect(lines).toEqual(['in publish a', 'out publish a'])
  expect(await broker.metrics()).toMatchObject({ publishReceived: 1, publishSent: 1 })
})

it('is closed once: whoever closes it again waits for the same', async () => {
  const store = new SteppedStore()
  const { broker } = await startRig({ store })
  const opening = broker.session('in')
  await settled()
  store.flush()
  const session = await opening
  const done: string[] = []
  for (const name of ['one', 'other']) void session.close().then(() => done.push(name))
  await settled()
  expect(done).toEqual([])
  store.flush()
  await settled()
  expect(done).toEqual(['one', 'other'])
})

it.each([
  ['disconnected', (broker: Awaited<ReturnType<typeof startRig>>['broker']) => broker.disconnect('in'), 1],
  ['removed', (broker: Awaited<ReturnType<typeof startRig>>['broker']) => broker.sessions.end('in'), 0],
])('tells its loop when it is %s by somebody else', async (_, end, left) => {
  const { broker } = await startRig()
  const session = await broker.session('in')
  const next = iterate(session).next()
  expect(await end(broker)).toBe(true)
  await expect(next).rejects.toMatchObject({ code: 'session-closed', message: /^the session of in has ended: / })
  await expect(session.closed).rejects.toMatchObject({ code: 'session-closed' })
  expect(await broker.sessions.count()).toBe(left)
})

it('ends, alone, when the store fails in its business', async () => {
  const store = new FailingStore('in')
  const { broker, log } = await startRig({ store })
  const [opening, others] = [broker.session('in'), broker.session('other')]
  await settled()
  store.flush()
  const [session, other] = await Promise.all([opening, others])
  for (const one of [session, other]) void one.subscribe('a')
  void broker.publish('a', '1', { qos: 1 })
  await settled()
  store.flush()
  const messages = iterate(session)
  await messages.next()
  store.fails = 'queue.delete'
  await expect(messages.next()).rejects.toMatchObject({ message: 'the session of in has ended: internal error' })
  expect(log.find((line) => line.startsWith('error'))).toMatch(/"doing":"acknowledging a message".*injected/)
  expect(await take(iterate(other), 1)).toEqual(['a "1" qos 1 number 1'])
})

it('waits with what needs room on the disk, in order, as a client has to', async () => {
  let isLow = true
  const store: Store = Object.defineProperty(memoryStore(), 'isLow', { get: () => isLow })
  const { broker } = await startRig({ store })
  isLow = false
  const session = await broker.session('in')
  await session.subscribe('a', { qos: 2 })
  isLow = true
  let done = 0
  const published = ([1, 2, 0] as const).map((qos) => session.publish('a', `${qos}`, { qos }).then(() => done++))
  await settled()
  expect(done).toBe(0)
  expect((await broker.metrics()).publishesHeld).toBe(3)
  isLow = false
  store.onRoom()
  const messages = iterate(session)
  expect(await take(messages, 3)).toEqual(['a "1" qos 1 number 1', 'a "2" qos 2 number 2', 'a "0"'])
  await Promise.all(published)
  await session.publish('a', '4', { qos: 2, packetId: 65_535 }) // not what the one before has used
  expect(await take(messages, 1)).toEqual(['a "4" qos 2 number 3'])
  isLow = true
  const never = session.publish('a', '5', { qos: 1 })
  await session.close()
  await expect(never).rejects.toMatchObject({ code: 'session-closed' })
  expect((await broker.accounts()).waiting.bytes).toBe(0)
})

it.each(['loop', 'listener'] as const)('lets others have their turn, however much its %s has to take', async (how) => {
  const { broker } = await startRig()
  let got = 0
  const onMessage = (): void => void got++
  const session = await broker.session('in', how === 'listener' ? { onMessage } : {})
  await session.subscribe('a')
  await session.close()
  const many = 20_000
  for (let n = 0; n < many; n++) void broker.publish('a', 'x', { qos: 1 })
  const again = await broker.session('in', how === 'listener' ? { onMessage } : {})
  if (how === 'loop') {
    void (async () => {
      for await (const _ of again) got++
    })()
  }
  let most = 0
  for (let before = got; got < many; before = got) {
    await nextTurn()
    most = Math.max(most, got - before)
  }
  expect(most).toBeLessThanOrEqual(2_000)
})

it('of what was refused no sum is kept: it may come again', async () => {
  const { broker } = await startRig({ checkPayloadFormat: true })
  const session = await broker.session('in')
  const properties = { payloadFormatIndicator: 1 } as const
  const refused = session.publish('a', Uint8Array.of(0xff), { qos: 2, packetId: 7, sum: 1, properties })
  expect(await refused.catch(told)).toBe('refused: the payload is not UTF-8, as it says')
  expect([session.sumOf(7), session.held]).toEqual([undefined, []])
})
