import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import { connect } from '@godwit/client'
import { afterAll, expect, test } from 'vitest'
import { BridgeError, type BridgeOptions, bridge, probe } from '../src/index.js'
import { type Bridged, bridged, heard, type Side, side, subscribed, until, Wire } from './rig.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-bridge-'))
afterAll(() => rmSync(home, { recursive: true }))

const all: BridgeOptions['topics'] = [{ filter: '#', direction: 'both', qos: 2 }]
const numbers = (count: number, topic: string): string[] => Array.from({ length: count }, (_, n) => `${topic} ${n}`)

test.each([5, 4] as const)('cuts: at QoS 2 each comes once, in order, both ways (version %i)', async (version) => {
  const [near, far] = [await side(), await side()]
  const [here, there] = [heard(near.broker, 'from/far'), heard(far.broker, 'from/near')]
  const { bridge, wire } = await bridged(near, far, { version, state: false, topics: all })
  await subscribed(far)
  for (let n = 0; n < 200; n++) {
    void near.broker.publish('from/near', `${n}`, { qos: 2 })
    void far.broker.publish('from/far', `${n}`, { qos: 2 })
    if (n % 20 === 0) await until(() => there.length > n - 20)
    if (n % 40 === 0) wire.cut()
  }
  await until(() => there.length >= 200 && here.length >= 200 && bridge.view.queued === 0)
  expect([there, here]).toEqual([numbers(200, 'from/near'), numbers(200, 'from/far')])
  expect(bridge.view.lostSessions).toBe(0)
})

test('while the other broker is away messages wait, and go when it is there', async () => {
  const [near, far] = [await side(), await side()]
  const there = heard(far.broker, '#')
  const { bridge, wire } = await bridged(near, far, {
    state: false,
    topics: [{ filter: '#', direction: 'out', qos: 1 }],
  })
  await until(() => bridge.view.connected)
  wire.isUp = false
  wire.cut()
  await until(() => !bridge.view.connected)
  for (let n = 0; n < 2_000; n++) void near.broker.publish('a', `${n}`, { qos: 1 })
  expect([bridge.view.queued, there.length]).toEqual([2_000, 0])
  wire.isUp = true
  await until(() => there.length === 2_000)
  expect(there).toEqual(numbers(2_000, 'a'))
})

test('this side dies between PUBREC and PUBCOMP, and with messages under way: nothing comes twice, nothing is lost', async () => {
  const directory = join(home, 'near')
  const far = await side()
  const there = heard(far.broker, '#')
  const first = await side({ store: lmdbStore({ directory }) })
  const { bridge, wire } = await bridged(first, far, { state: false, topics: all })
  await until(() => bridge.view.connected)
  for (let n = 0; n < 50; n++) void first.broker.publish('a', `${n}`, { qos: 2 })
  await until(() => there.length > 10)
  // Who is dead says nothing more: else a PUBREL would go that the copy knows nothing of.
  wire.isUp = false
  wire.cut()
  const copy = join(home, 'copy')
  cpSync(directory, copy, { recursive: true, filter: (path) => !/lock(\.sock)?$/.test(path) })
  await first.broker.close()
  const seen = there.length
  const second = await side({ store: lmdbStore({ directory: copy }) })
  const { bridge: again } = await bridged(second, far, { state: false, topics: all })
  await until(() => again.view.connected && again.view.queued === 0)
  expect(there.slice(0, seen)).toEqual(numbers(seen, 'a'))
  expect(new Set(there).size).toBe(there.length)
})

test('the other broker has lost the session: what is under way goes again, what is retained too, and it is told', async () => {
  const [near, far, other] = [await side(), await side(), await side()]
  const { bridge, wire, log } = await bridged(near, far, {
    state: false,
    topics: [{ filter: '#', direction: 'out', qos: 2 }],
  })
  await near.broker.publish('kept', 'x', { qos: 1, retain: true })
  await until(() => bridge.view.out === 1)
  wire.isUp = false
  wire.cut()
  await until(() => !bridge.view.connected)
  await near.broker.publish('a', '1', { qos: 2 })
  const there = heard(other.broker, '#')
  wire.to = other.broker
  wire.isUp = true
  await until(() => there.length === 2)
  expect(there.toSorted()).toEqual(['a 1', 'kept x'])
  expect(bridge.view.lostSessions).toBe(1)
  expect(log.filter((line) => line.includes('had no session of this bridge'))).toHaveLength(1)
})

test('what the other broker does not take is dropped with a count and one line, and the rest goes on', async () => {
  const [near, far] = [await side(), await side({ limits: { maxPacketBytes: 1_000 } })]
  const there = heard(far.broker, '#')
  const { bridge, log } = await bridged(near, far, {
    state: false,
    topics: [{ filter: '#', direction: 'out', qos: 2 }],
  })
  await until(() => bridge.view.connected)
  for (let n = 0; n < 5; n++) await near.broker.publish('big', 'x'.repeat(2_000), { qos: 1 })
  await near.broker.publish('small', 'y', { qos: 2 })
  await until(() => there.length === 1)
  expect(bridge.view.dropped['too-large']).toBe(5)
  expect(log.filter((line) => line.includes('dropped'))).toHaveLength(1)
})

test('the other broker has no QoS 2 and keeps nothing: it goes at QoS 1 and without RETAIN', async () => {
  const [near, far] = [await side(), await side({ maximumQos: 1, retainAvailable: false })]
  const qos: number[] = []
  far.broker.subscribe('#', (message) => void qos.push(message.qos))
  const { bridge } = await bridged(near, far, { state: false, topics: all })
  await near.broker.publish('a', '1', { qos: 2, retain: true })
  await until(() => bridge.view.out === 1)
  expect([qos, bridge.view.queued]).toEqual([[1], 0])
})

test('what does not belong in is dropped: another topic of the session, and $SYS of this broker', async () => {
  const [near, far] = [await side(), await side()]
  const stale = await far.broker.session('far', { expirySeconds: 60 })
  await stale.subscribe('other/#')
  await stale.close()
  const { bridge } = await bridged(near, far, {
    state: false,
    topics: [
      { filter: 'x', direction: 'in', localPrefix: '$SYS/', remotePrefix: 'y/' },
      { filter: 'in/#', direction: 'in' },
    ],
  })
  await subscribed(far, 3)
  await far.broker.publish('other/a', '1', { qos: 1 })
  await far.broker.publish('y/x', '1', { qos: 1 })
  await far.broker.publish('in/a', '1', { qos: 1 })
  await until(() => bridge.view.in === 1)
  expect(bridge.view.dropped).toMatchObject({ 'not-mapped': 1, 'system-topic': 1 })
})

test('properties, and what is left of the expiry, are carried at 5.0', async () => {
  const [near, far] = [await side(), await side()]
  const { bridge } = await bridged(near, far, { state: false, topics: all })
  const seen: unknown[] = []
  far.broker.subscribe('#', ({ properties, expiresAt }) => void seen.push(properties, Number.isFinite(expiresAt)))
  const properties = {
    contentType: 'text/plain',
    responseTopic: 'r',
    correlationData: new Uint8Array([1]),
    messageExpiryInterval: 60,
  }
  await near.broker.publish('a', 'x', { qos: 1, properties: { ...properties, userProperties: [['k', 'v']] } })
  await until(() => bridge.view.out === 1)
  const { messageExpiryInterval: _, ...carried } = properties
  expect(seen[0]).toMatchObject({ ...carried, correlationData: expect.anything() })
  expect((seen[0] as typeof properties & { userProperties: unknown }).userProperties).toEqual([
    ['k', 'v'],
    ['godwit-hops', near.broker.id],
  ])
  expect(seen[1]).toBe(true)
})

/** Brokers that take one another's bridges for what they are. */
const net = { bridgeUsers: ['a bridge'] }
const inANet = { username: 'a bridge', state: false } as const

test('a ring of three comes to rest, and each broker has the message once', async () => {
  const sides = [await side(), await side(), await side()]
  const lists = sides.map(({ broker }) => heard(broker, '#'))
  const topics: BridgeOptions['topics'] = [{ filter: '#', direction: 'out', qos: 1 }]
  const made: Bridged[] = []
  for (const [at, near] of sides.entries()) {
    made.push(await bridged(near, sides[(at + 1) % 3]!, { state: false, topics }))
  }
  await until(() => made.every(({ bridge }) => bridge.view.connected))
  for (const [at, { broker }] of sides.entries()) await broker.publish(`from/${at}`, 'x', { qos: 1 })
  await until(() => made.every(({ bridge }) => bridge.view.dropped.loop === 1 && bridge.view.queued === 0))
  for (const list of lists) expect(list.toSorted()).toEqual(['from/0 x', 'from/1 x', 'from/2 x'])
})

test.each([0, 1, 2] as const)(
  'a ring of three, each link both ways: each broker has each message once, and it comes to rest (QoS %i)',
  async (qos) => {
    const sides = [await side(net), await side(net), await side(net)]
    const lists = sides.map(({ broker }) => heard(broker, '#'))
    const made: Bridged[] = []
    for (const [at, near] of sides.entries()) {
      made.push(await bridged(near, sides[(at + 1) % 3]!, { ...inANet, topics: all }))
    }
    for (const one of sides) await subscribed(one)
    for (let n = 0; n < 100; n++) {
      for (const [at, { broker }] of sides.entries()) await broker.publish(`from/${at}`, `${n}`, { qos })
    }
    await until(() => lists.every((list) => list.length >= 300) && made.every(({ bridge }) => bridge.view.queued === 0))
    await rest(sides)
    for (const list of lists) {
      expect(list).toHaveLength(300)
      for (const at of [0, 1, 2]) {
        const topic = `from/${at}`
        expect(list.filter((line) => line.startsWith(topic))).toEqual(numbers(100, topic))
      }
    }
  },
)

/** Waits until nothing moves: for a while no broker is given a message. */
async function rest(sides: readonly Side[]): Promise<void> {
  let before = -1
  for (let looks = 0; looks < 25; looks++) {
    const given = await Promise.all(sides.map(async ({ broker }) => (await broker.metrics()).publishReceived))
    const now = given.reduce((sum, count) => sum + count)
    if (now !== before) looks = 0
    before = now
    await wait(2)
  }
}

test('where the other broker takes it for a client, no mark goes there, nor does one that is there come in', async () => {
  const [near, far] = [await side(), await side()]
  const there: unknown[] = []
  far.broker.subscribe('#', ({ properties }) => void there.push(properties?.userProperties))
  const here: unknown[] = []
  near.broker.subscribe('in', ({ properties }) => void here.push(properties?.userProperties))
  for (const name of ['one', 'other']) {
    const session = await near.broker.session(name, { bridge: true })
    await session.subscribe('out', { noLocal: true, retainAsPublished: true })
  }
  await bridged(near, far, { ...inANet, topics: all })
  await subscribed(far)
  await near.broker.publish('out', 'x', { qos: 1 })
  await far.broker.publish('in', 'x', { qos: 1, properties: { userProperties: [['godwit-mark', 'forged 0']] } })
  await until(() => there.length === 2 && here.length === 1)
  expect(there.toSorted()).toEqual([[['godwit-hops', near.broker.id]], [['godwit-mark', 'forged 0']]])
  expect(here).toEqual([[['godwit-hops', far.broker.id]]])
})

test.each([
  [['a bridge'], true],
  [[], false],
] as const)(
  'a probe says whether the other broker takes it for a bridge (bridgeUsers %j)',
  async (bridgeUsers, takesBridges) => {
    const far = await side({ bridgeUsers })
    const { openStream } = new Wire(far.broker)
    const found = await probe({ name: 'far', url: 'mqtt://far', username: 'a bridge', topics: all, openStream })
    expect(found).toMatchObject({ isGodwit: true, takesBridges, filters: [{ filter: '#', qos: 2, reasonCode: 2 }] })
  },
)

test('where topics are renamed on a way, a message is another one under its other name', async () => {
  const sides = [await side(net), await side(net), await side(net)]
  const lists = sides.map(({ broker }) => heard(broker, '#'))
  const renamed: BridgeOptions['topics'] = [{ filter: '#', direction: 'both', qos: 2, remotePrefix: 'there/' }]
  for (const [at, topics] of [all, all, renamed].entries()) {
    await bridged(sides[at]!, sides[(at + 1) % 3]!, { ...inANet, topics })
  }
  for (const one of sides) await subscribed(one)
  await sides[2]!.broker.publish('a', 'x', { qos: 2 })
  await until(() => lists[0]!.length === 2 && lists[1]!.length === 2)
  expect(lists.map((list) => list.toSorted())).toEqual([['a x', 'there/a x'], ['a x', 'there/a x'], ['a x']])
})

test('the state is told on both sides', async () => {
  const [near, far] = [await side(), await side()]
  const [here, there] = [heard(near.broker, 'state/#'), heard(far.broker, 'state/#')]
  const { bridge, wire } = await bridged(near, far, {
    state: { topic: 'state/far' },
    topics: [{ filter: 'a', direction: 'out' }],
  })
  await until(() => there.includes('state/far 1'))
  wire.isUp = false
  wire.cut()
  await until(() => there.includes('state/far 0') && here.at(-1) === 'state/far 0')
  wire.isUp = true
  await until(() => here.at(-1) === 'state/far 1')
  await bridge.close()
  expect([here.at(-1), there.at(-1)]).toEqual(['state/far 0', 'state/far 0'])
})

test('what a bridge says of itself ends no message that is on its way', async () => {
  const near = await side({ store: lmdbStore({ directory: join(home, 'state') }) })
  const far = await side()
  const there = heard(far.broker, 'a')
  far.broker.subscribe('state/far', (message) => {
    // Its number is 1, as that of what a client publishes first would be. PUBACK of the state comes before it is on disk.
    if (message.text() === '1') void near.broker.publish('a', 'x', { qos: 2 })
  })
  const { bridge } = await bridged(near, far, {
    state: { topic: 'state/far' },
    topics: [{ filter: 'a', direction: 'out', qos: 2 }],
  })
  await until(() => bridge.view.out === 1)
  expect([there, bridge.view.queued]).toEqual([['a x'], 0])
})

test('a client with the Client Identifier of the session inside is refused, and two bridges of one name cannot be', async () => {
  const [near, far] = [await side(), await side()]
  await bridged(near, far, { state: false, topics: all })
  const { port } = await near.broker.listen({ port: 0 })
  const coming = connect(`mqtt://127.0.0.1:${port}`, { clientId: 'bridge/far', reconnect: false })
  await expect(coming).rejects.toMatchObject({ reasonCode: 0x85 })
  await expect(bridged(near, far, { state: false, topics: all })).rejects.toMatchObject({ code: 'session-in-use' })
})

test.each<[object, string]>([
  [{ name: 'a b' }, 'bridge a b: name takes letters, digits, dots, hyphens and underscores'],
  [{ topics: [] }, 'bridge far: topics is empty; give at least one, with filter and direction'],
  [{ topic: 'x' }, 'bridge far: there is no option topic; did you mean topics?'],
  [{ topics: [{ filter: 'a#', direction: 'in' }] }, 'bridge far: topics, 1. entry: "a#" is not a topic filter'],
  [
    { topics: [{ filter: 'a', direction: 'in', localPrefix: '+/' }] },
    'bridge far: topics, 1. entry: localPrefix is "+/"; it takes no wildcards',
  ],
  [{ topics: [...all, ...all] }, 'bridge far: topics: the entries 1 and 2 both carry # out'],
  [{ url: 'http://far' }, 'http://far'],
])('%j is refused', async (options, message) => {
  const { broker } = await side()
  const making = bridge(broker, { name: 'far', url: 'mqtt://far', topics: all, ...options } as BridgeOptions)
  const error = await making.catch((problem: Error) => problem)
  expect((error as Error).message).toContain(message)
  if (message.startsWith('bridge')) expect(error).toBeInstanceOf(BridgeError)
})
