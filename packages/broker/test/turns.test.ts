// How much of what clients have filled the broker with is looked at in one turn of the event loop: everybody else waits for as
// long. Counted, not timed, like the calls on sockets in work.test.ts.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { Broker, Page, RetainedView } from '../src/index.js'
import { SortedNames } from '../src/sorted-names.js'
import { DuplexTransport } from '../src/transport/duplex.js'
import { type Rig, settled, startRig } from './rig.js'
import { publishPacket, subscribePacket, type TestClient } from './test-client.js'
import { workOf } from './work-counter.js'

/** Nodes, messages and subscriptions of all slices of a turn: 1,000 steps, and a look at 16 nodes is one. */
const mostOfTurn = 1_000 * 16 * 1.5
const many = 30_000

function retain(broker: Broker, count: number, expirySeconds?: number): void {
  const properties = expirySeconds === undefined ? {} : { properties: { messageExpiryInterval: expirySeconds } }
  for (let n = 0; n < count; n++) broker.publish(`room/${n}`, 'x', { retain: true, ...properties })
}

/** Turns until another client has its PINGRESP. */
async function turnsToPong(client: TestClient): Promise<number> {
  let turns = 0
  let isAnswered = false
  const answer = client.send({ type: 'pingreq' }).next()
  answer.then(() => {
    isAnswered = true
  })
  while (!isAnswered) {
    await nextTurn()
    turns++
  }
  expect(await answer).toEqual(['pingresp'])
  return turns
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await nextTurn()
}

describe.each([4, 5] as const)('at version %i', (version) => {
  it('SUBSCRIBE of many filters that match nothing retained looks at a little at a time', async () => {
    const rig = await startRig({}, version)
    const [client, other] = [await rig.connect('c', rig.durable), await rig.connect('other')]
    for (let n = 0; n < many; n++) rig.broker.publish(`room${n}/state`, 'x', { retain: true })
    await settled()
    const filters = Array.from({ length: 100 }, (_, n) => ({ filter: `+/no${n}`, qos: 1 as const }))
    let turns = 0
    const work = await workOf(async () => {
      client.send(subscribePacket([...filters, { filter: 'room7/state', qos: 1 }]))
      expect(await client.next()).toEqual([`suback 1 [${'1 '.repeat(100)}1]`])
      turns = await turnsToPong(other)
      expect(await client.next()).toEqual(['publish room7/state "x" retain']) // behind all that was looked for in vain
    })
    expect(work.most).toBeLessThan(mostOfTurn)
    expect(work.total).toBeGreaterThan(100 * many) // all was looked at in the end
    expect(turns).toBeLessThan(10)
  })
})

it('a client that sends without a pause is heard a few thousand packets a turn', async () => {
  const rig = await startRig()
  const [flood, other] = [await rig.connect('flood'), await rig.connect('other')]
  const chunk = Array.from({ length: 500 }, () => publishPacket('nobody', 'x'))
  for (let n = 0; n < 60; n++) flood.send(...chunk)
  let most = 0
  const pong = turnsToPong(other)
  for (let before = await rig.broker.metrics(); before.publishReceived < 30_000; ) {
    await nextTurn()
    const now = await rig.broker.metrics()
    most = Math.max(most, now.packetsReceived - before.packetsReceived)
    before = now
  }
  expect(most).toBeLessThan(5_000)
  expect(await pong).toBeLessThan(10)
})

it('a client that retains without a pause is heard less a turn: each topic costs what ten other messages do', async () => {
  const rig = await startRig()
  const [flood, other] = [await rig.connect('flood'), await rig.connect('other')]
  for (let n = 0; n < 20; n++) {
    flood.send(...Array.from({ length: 500 }, (_, at) => publishPacket(`room/${n}/${at}`, 'x', 0, 0, true)))
  }
  let most = 0
  const pong = turnsToPong(other)
  for (let before = await rig.broker.retained.count(); before < 10_000; ) {
    await nextTurn()
    const now = await rig.broker.retained.count()
    most = Math.max(most, now - before)
    before = now
  }
  expect(most).toBeLessThan(500)
  expect(await pong).toBeLessThan(10)
})

it('a client whose messages take long is heard less a turn', async () => {
  const takesLong = (): void => rig.clock.advance(0.02)
  const rig: Rig = await startRig({ hooks: [{ onPublish: takesLong }] })
  const [flood, other] = [await rig.connect('flood'), await rig.connect('other')]
  for (let n = 0; n < 20; n++) flood.send(...Array.from({ length: 500 }, () => publishPacket('nobody', 'x')))
  let most = 0
  const pong = turnsToPong(other)
  for (let before = await rig.broker.metrics(); before.publishReceived < 10_000; ) {
    await nextTurn()
    const now = await rig.broker.metrics()
    most = Math.max(most, now.packetsReceived - before.packetsReceived)
    before = now
  }
  expect(most).toBeLessThan(1_500) // in 5 ms 250, and a chunk more
  expect(await pong).toBeLessThan(10)
})

it('many clients that each say little at once are all heard in that turn, and none is stopped and read from again', async () => {
  const rig = await startRig()
  const clients = await Promise.all(Array.from({ length: 300 }, (_, n) => rig.connect(`c${n}`)))
  const pause = vi.spyOn(DuplexTransport.prototype, 'pause')
  const before = await rig.broker.metrics()
  for (const client of clients) client.send(...Array.from({ length: 20 }, () => ({ type: 'pingreq' }) as const))
  await nextTurn()
  const after = await rig.broker.metrics()
  expect(after.packetsReceived - before.packetsReceived).toBe(6_000)
  expect(pause).not.toHaveBeenCalled()
  pause.mockRestore()
})

it('a replay that waits gives out each topic once, in the order of what was published to it', async () => {
  const rig = await startRig()
  const client = await rig.connect('c')
  retain(rig.broker, 5_000)
  await settled()
  client.subscribe('room/#')
  await client.next(700) // some of it
  for (let n = 0; n < 5_000; n += 500) rig.broker.publish(`room/${n}`, 'newer', { retain: true })
  for (let n = 1; n < 5_000; n += 500) rig.broker.publish(`room/${n}`, '', { retain: true })
  await until(async () => (await rig.broker.metrics()).publishSent >= 4_990)
  const got = new Map<string, string[]>()
  const heard = [...(await client.heard())]
  for (const line of heard) {
    const [, topic = '', text = ''] = line.split(' ')
    got.set(topic, [...(got.get(topic) ?? []), text])
  }
  for (let n = 0; n < 5_000; n += 500) expect(got.get(`room/${n}`)?.at(-1)).toBe('"newer"')
  for (const [topic, texts] of got)
    expect([topic, texts.filter((text) => text === '"x"').length]).toEqual([topic, texts.includes('"x"') ? 1 : 0])
})

describe('the sweep of retained messages that expire', () => {
  it('touches what is due, and nothing else; the gauges fall with it', async () => {
    const rig = await startRig()
    retain(rig.broker, many, 3_600)
    const bytes = await rig.broker.retained.bytes()
    for (let n = 0; n < 100; n++) {
      rig.broker.publish(`brief/${n}`, 'xy', { retain: true, properties: { messageExpiryInterval: 5 } })
    }
    await settled()
    const work = await workOf(() => rig.pass(10_000))
    expect([await rig.broker.retained.count(), await rig.broker.retained.bytes()]).toEqual([many, bytes])
    expect(work.total).toBeLessThan(1_000)
  })

  it('removes very many that are due at once over several turns', async () => {
    const rig = await startRig()
    const other = await rig.connect('other')
    retain(rig.broker, many, 5)
    await settled()
    rig.clock.advance(6_000)
    expect(await rig.broker.retained.count()).toBeGreaterThan(many - 2_500)
    expect(await turnsToPong(other)).toBeLessThan(10)
    expect(await rig.broker.retained.count()).toBeGreaterThan(0)
    await until(async () => (await rig.broker.retained.count()) === 0)
    expect(await rig.broker.retained.bytes()).toBe(0)
  })
})

/** Clients with sessions that go on, each with so many subscriptions. */
async function subscribed(rig: Rig, clients: number, filters: number): Promise<void> {
  const all = Array.from({ length: filters }, (_, n) => ({ filter: `plant/${n}/+`, qos: 1 as const }))
  for (let n = 0; n < clients; n++) {
    const client = await rig.connect(`s${n}`, rig.durable)
    client.send(subscribePacket(all))
    await client.next()
    client.drop()
  }
  await settled()
}

describe('the end of sessions', () => {
  it('takes several turns for many subscriptions, and nothing is routed to them meanwhile', async () => {
    const rig = await startRig({ limits: { sessionExpirySeconds: 10 } })
    const other = await rig.connect('other')
    await subscribed(rig, 4, 5_000)
    expect(await rig.broker.subscriptions.count()).toBe(20_000)
    const work = await workOf(async () => {
      rig.clock.advance(12_000)
      await until(async () => (await rig.broker.sessions.count()) === 1)
      expect(await rig.broker.subscriptions.count()).toBe(0)
      for (let n = 0; n < 5_000; n += 100) rig.broker.publish(`plant/${n}/a`, 'x', { qos: 1 })
      expect((await rig.broker.metrics()).queued.messages).toBe(0)
      expect(await turnsToPong(other)).toBeLessThan(10)
      for (let turn = 0; turn < 30; turn++) await nextTurn()
    })
    expect(work.most).toBeLessThan(5_000)
    expect(work.total).toBeGreaterThan(15_000)
    await subscribed(rig, 1, 1)
    rig.broker.publish('plant/0/a', 'x', { qos: 1 })
    expect((await rig.broker.metrics()).queued.messages).toBe(1)
  })
})

describe('a subscription inside the process', () => {
  it('that is iterated has all of a large replay, however slowly it takes it, and what came meanwhile after it', async () => {
    const rig = await startRig()
    retain(rig.broker, many)
    const subscription = rig.broker.subscribe('room/+n')
    rig.broker.publish('room/3', 'newer', { retain: true })
    const seen = new Set<string>()
    let last = ''
    const work = await workOf(async () => {
      for await (const { params, text } of subscription) {
        expect(seen.has(params.n)).toBe(false)
        seen.add(params.n)
        last = `${params.n} ${text()}`
        if (seen.size % 5_000 === 0) await settled()
        if (seen.size === many) break
      }
    })
    expect(last).toBe('3 newer')
    expect((await rig.broker.metrics()).dropped['slow-listener']).toBe(0)
    expect(work.most).toBeLessThan(mostOfTurn)
  })

  it('with a listener gets a large replay in portions, and each topic once', async () => {
    const rig = await startRig()
    const other = await rig.connect('other')
    retain(rig.broker, many)
    await settled()
    const seen = new Map<string, string>()
    rig.broker.subscribe(
      'room/+n',
      ({ params, text }) => void seen.set(params.n, `${seen.get(params.n) ?? ''}${text()}`),
    )
    expect(seen.size).toBeGreaterThan(0)
    expect(seen.size).toBeLessThan(2_500)
    rig.broker.publish(`room/${many - 1}`, 'newer', { retain: true })
    expect(await turnsToPong(other)).toBeLessThan(10)
    await until(() => seen.size === many)
    await settled()
    expect(seen.get(`${many - 1}`)).toBe('newer')
    expect([...seen.values()].filter((text) => text !== 'x')).toHaveLength(1)
  })
})

it('a page of what is retained looks at no more than 10,000 topics, and a walk over all pages finds all that match', async () => {
  const { broker } = await startRig()
  retain(broker, many)
  broker.publish('zoo/1', 'x', { retain: true })
  const found: string[] = []
  let pages = 0
  let after: string | undefined
  do {
    const page: Page<RetainedView> = await broker.retained.page({
      filter: '+/1',
      ...(after && { after }),
    })
    found.push(...page.items.map(({ topic }) => topic))
    after = page.next
    pages++
  } while (after !== undefined)
  expect(found).toEqual(['room/1', 'zoo/1'])
  expect(pages).toBe(Math.ceil((many + 1) / 10_000))
})

it('removing all that is retained takes several turns', async () => {
  const { broker } = await startRig()
  retain(broker, many)
  await settled()
  const removing = broker.retained.delete('#')
  expect(await broker.retained.count()).toBeGreaterThan(many - 2_500)
  broker.publish('room/new', 'x', { retain: true })
  expect(await removing).toBe(many)
  expect(await broker.retained.count()).toBe(1)
  expect(await broker.retained.get('room/new')).toBeDefined()
})

/** How many names were looked at in the turn in which it was most, and in all. */
async function namesLookedAt(play: () => Promise<void>): Promise<{ most: number; total: number }> {
  const from = SortedNames.prototype.from
  let [inTurn, most, total] = [0, 0, 0]
  const turnIsOver = (): void => {
    inTurn = 0
  }
  const spy = vi.spyOn(SortedNames.prototype, 'from').mockImplementation(function* (this: SortedNames, name) {
    for (const one of from.call(this, name)) {
      if (inTurn === 0) setImmediate(turnIsOver)
      most = Math.max(most, ++inTurn)
      total++
      yield one
    }
  })
  try {
    await play()
    return { most, total }
  } finally {
    spy.mockRestore()
  }
}

it('pages and walks that are asked for together look at some 1,000 names a turn, and counts at none', async () => {
  const { broker } = await startRig()
  retain(broker, many)
  await settled()
  const all = Array.from({ length: 5 })
  const work = await namesLookedAt(async () => {
    const pages = all.map(() => broker.retained.page({ filter: '+/none' }))
    const walk = (async () => {
      let count = 0
      for await (const _one of broker.retained.list()) count++
      return count
    })()
    expect(await walk).toBe(many)
    for (const { items } of await Promise.all(pages)) expect(items).toEqual([])
  })
  expect(work.total).toBeGreaterThan(many + 5 * 10_000 - 1)
  expect(work.most).toBeLessThan(1_100) // and a look again at where each has got to
  const counts = await namesLookedAt(async () => {
    expect(await Promise.all([broker.retained.count(), broker.clients.count(), broker.sessions.count()])).toEqual([
      many,
      0,
      0,
    ])
  })
  expect(counts.total).toBe(0)
})
