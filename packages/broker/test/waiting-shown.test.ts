// What waits in a session or in a shared group, who would get a message, and what was dropped: as a broker shows it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { BrokerError, memoryStore, type QueuedView, type Store } from '../src/index.js'
import { lmdbStore } from '../src/store/lmdb/index.js'
import { MemoryQueue } from '../src/store/memory-queue.js'
import { settled, startRig } from './rig.js'

function diskStore(): Store {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-waiting-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return lmdbStore({ directory })
}

const inWords = ({ number, state, topic, qos, payload }: QueuedView): string =>
  `${number} ${state} ${topic} ${qos} ${payload}`

describe.each([
  ['in memory', memoryStore],
  ['on disk', diskStore],
])('the queue of a session, %s', (_, store) => {
  it('what was sent and what waits, in its order, page by page; and looking changes nothing', async () => {
    const { broker, greet, durable } = await startRig({ store: store(), limits: { maxInflight: 1_000 } }, 5)
    const client = greet('c', { ...durable, properties: { ...durable.properties, receiveMaximum: 2 } })
    await client.next()
    client.subscribe('t', 2)
    await client.next()
    for (let n = 1; n <= 300; n++) await broker.publish('t', `m${n}`, { qos: n === 1 ? 2 : 1 })
    await settled()
    const first = await broker.sessions.queue('c', { limit: 4 })
    expect(first.items.map(inWords)).toEqual(['1 sent t 2 m1', '2 sent t 1 m2', '3 waiting t 1 m3', '4 waiting t 1 m4'])
    const rest = await broker.sessions.queue('c', { limit: 1_000, after: first.next! })
    expect(rest.items.map(({ number }) => number)).toEqual(Array.from({ length: 296 }, (__, n) => n + 5))
    expect(rest.next).toBeUndefined()

    client.drop()
    await settled()
    expect((await broker.sessions.queue('c')).items).toHaveLength(100)
    const again = greet('c', durable)
    const heard = await again.next(301)
    expect(heard.slice(1).map((line) => /"(m\d+)"/.exec(line)?.[1])).toEqual(
      Array.from({ length: 300 }, (__, n) => `m${n + 1}`),
    )
    await broker.close()
  })

  it('of nobody it is empty, and its pages are named by their numbers', async () => {
    const { broker } = await startRig({ store: store() })
    expect(await broker.sessions.queue('nobody')).toEqual({ items: [], next: undefined })
    await expect(broker.sessions.queue('nobody', { after: 'x' })).rejects.toThrow(BrokerError)
    await broker.close()
  })
})

it('a queue is looked at a slice at a time, however long it is', async () => {
  const { broker, connect, durable } = await startRig()
  const client = await connect('c', durable)
  client.subscribe('t', 1)
  await client.next()
  client.drop()
  await settled()
  for (let n = 0; n < 20_000; n++) void broker.publish('t', 'm', { qos: 1 })
  let [most, ofTurn, isOver] = [0, 0, false]
  const peek = MemoryQueue.prototype.peek
  const spy = vi.spyOn(MemoryQueue.prototype, 'peek').mockImplementation(function (this: MemoryQueue, ...from) {
    const looked = peek.apply(this, from)
    ofTurn += looked.entries.length
    return looked
  })
  onTestFinished(() => spy.mockRestore())
  const counting = (async () => {
    for (; !isOver; ofTurn = 0) {
      await nextTurn()
      most = Math.max(most, ofTurn)
    }
  })()
  const pages = Array.from({ length: 5 }, () => broker.sessions.queue('c', { limit: 1_000 }))
  for (const { items } of await Promise.all(pages)) expect(items).toHaveLength(1_000)
  isOver = true
  await counting
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThan(1_000 + 10 * 64) // and what was looked at together with the last of a slice
})

it('through which subscriptions a message goes', async () => {
  const { broker, connect } = await startRig({}, 5)
  const [a, b] = [await connect('a'), await connect('b')]
  a.subscribe('home/#', 1).subscribe('home/+/state', 0, 2).subscribe('garden/#', 0, 3)
  b.subscribe('$share/g/home/kitchen/state', 1).subscribe('#', 0, 2)
  await settled()
  const through = async (topic: string): Promise<string[]> =>
    (await broker.subscriptions.page({ topic })).items.map(({ clientId, filter }) => `${clientId} ${filter}`)
  expect(await through('home/kitchen/state')).toEqual([
    'a home/#',
    'a home/+/state',
    'b #',
    'b $share/g/home/kitchen/state',
  ])
  expect(await through('$SYS/broker')).toEqual([])
  await expect(broker.subscriptions.page({ topic: 'a/+' })).rejects.toThrow(BrokerError)
})

it('shared groups: members, and what none of them has', async () => {
  const { broker, connect, durable } = await startRig({}, 5)
  const [a, b] = [await connect('a', durable), await connect('b')]
  a.subscribe('$share/g/t', 1)
  b.subscribe('$share/g/t', 2).subscribe('$share/h/t', 0, 2)
  await settled()
  expect((await broker.sharedGroups.page()).items.map(({ sharedFilter, members }) => [sharedFilter, members])).toEqual([
    ['$share/g/t', 2],
    ['$share/h/t', 1],
  ])
  expect(await broker.sharedGroups.members('$share/g/t')).toEqual([
    { clientId: 'a', connected: true, ready: true, qos: 1 },
    { clientId: 'b', connected: true, ready: true, qos: 2 },
  ])
  b.drop()
  a.drop()
  await settled()
  for (let n = 0; n < 3; n++) await broker.publish('t', 'm', { qos: 1 })
  expect(await broker.sharedGroups.get('$share/g/t')).toEqual({
    sharedFilter: '$share/g/t',
    shareName: 'g',
    filter: 't',
    members: 1,
    waiting: 3,
    lent: 0,
    queuedBytes: 3 * (1 + 1 + 100),
    durable: true,
  })
  const names: string[] = []
  for await (const { shareName } of broker.sharedGroups) names.push(shareName)
  expect([names, await broker.sharedGroups.count()]).toEqual([['g'], 1])
  expect(await broker.sharedGroups.members('$share/x/t')).toEqual([])
})

describe('what was dropped and refused', () => {
  it('by reason and by client, and the last of them with what is known', async () => {
    const { broker, connect, clock } = await startRig({
      limits: { maxQueuedMessages: 1 },
      hooks: [{ name: 'h', authorize: ({ topic }) => topic !== 'secret' }],
    })
    const watch = await broker.watchDrops()
    const c = await connect('c', { cleanStart: false })
    c.subscribe('t', 1).subscribe('secret', 0, 2)
    await settled()
    c.drop()
    await settled()
    for (let n = 0; n < 3; n++) await broker.publish('t', 'm', { qos: 1 })
    await broker.publish('t', 'm')
    const { counts, clients, ofOthers, last } = await watch.recent()
    const expected = [
      { kind: 'message', reason: 'queue-full', count: 2 },
      { kind: 'subscription', reason: 'not-authorized', count: 1 },
      { kind: 'message', reason: 'offline-qos0', count: 1 },
    ]
    expect(counts).toEqual(expected)
    expect(clients).toEqual([{ clientId: 'c', total: 4, counts: expected }])
    expect(await watch.of('c')).toEqual(expected)
    expect(ofOthers).toBe(0)
    expect(last.map(({ reason }) => reason)).toEqual(['queue-full', 'queue-full', 'not-authorized'])
    expect(last[2]).toMatchObject({ at: clock.now(), filter: 'secret', address: 'test' })
    await watch.stop()
    await broker.publish('t', 'm', { qos: 1 })
    expect((await watch.recent()).counts[0]?.count).toBe(2)
  })

  it('for an hour', async () => {
    const { broker, connect, pass } = await startRig()
    const watch = await broker.watchDrops()
    const c = await connect('c', { cleanStart: false })
    c.subscribe('t', 1)
    await settled()
    c.drop()
    await settled()
    await broker.publish('t', 'm')
    for (let minutes = 0; minutes < 55; minutes += 5) await pass(300_000)
    expect((await watch.recent()).counts).toHaveLength(1)
    await pass(300_000)
    await pass(300_000)
    expect((await watch.recent()).counts).toEqual([])
  })

  it('in bounded memory, whoever comes', async () => {
    const { broker, connect } = await startRig()
    const watch = await broker.watchDrops()
    for (let n = 0; n < 600; n++) {
      const client = await connect(`c${n}`, { cleanStart: false })
      client.subscribe('t', 1)
      await client.next()
      client.drop()
    }
    await settled()
    await broker.publish('t', 'm')
    const { clients, ofOthers, counts } = await watch.recent()
    expect([clients.length, ofOthers, counts[0]?.count]).toEqual([500, 100, 600])
  })
})
