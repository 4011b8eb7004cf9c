import type { Packet } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BrokerError, type Change, type Page, type SessionView, type TraceEvent } from '../src/index.js'
import { type Rig, settled, startRig } from './rig.js'
import { publishPacket, type TestClient } from './test-client.js'

describe.each([4, 5] as const)('what a broker shows of itself, at version %d', (version) => {
  it('all of it, in loops that go from page to page', async () => {
    const { broker, connect } = await startRig({}, version)
    const a = await connect('a')
    for (const filter of ['x', 'y']) a.subscribe(filter, 0)
    await a.heard()
    for (let n = 0; n < 1001; n++) await broker.publish(`k/${n}`, 'm', { retain: true })
    const mine = async (list: AsyncIterable<{ readonly clientId: string }>): Promise<number> => {
      let count = 0
      for await (const { clientId } of list) if (clientId === 'a') count += 1
      return count
    }
    expect([await mine(broker.clients), await mine(broker.sessions), await mine(broker.subscriptions)]).toEqual([
      1, 1, 2,
    ])
    const topics = new Set<string>()
    for await (const { topic } of broker.retained) topics.add(topic)
    expect([...topics].filter((topic) => topic.startsWith('k/'))).toHaveLength(1001)
  })

  it('its clients, as they are now', async () => {
    const { broker, connect, clock } = await startRig({}, version)
    const a = await connect('a', { username: 'ann', keepAliveSeconds: 30, cleanStart: true })
    a.subscribe('t/+', 1)
    await a.heard()
    await broker.publish('t/x', 'm', { qos: 1 })
    await a.heard()
    expect(await broker.clients.count()).toBe(1)
    expect(await broker.clients.get('nobody')).toBeUndefined()
    expect(await broker.clients.get('a')).toEqual({
      clientId: 'a',
      username: 'ann',
      address: 'test',
      transport: 'memory',
      listener: undefined,
      version,
      connectedAt: Math.floor(clock.now() / 1000) * 1000,
      keepAliveSeconds: 30,
      cleanStart: true,
      subscriptions: 1,
      inflight: 1,
      queued: 0,
      outboxBytes: 0,
      bridge: false,
      tls: undefined,
      certificate: undefined,
    })
  })

  it('its sessions: when they end, what waits for them; and ends them when asked to', async () => {
    const { broker, connect, durable, clock } = await startRig({}, version)
    const a = await connect('a', durable)
    a.subscribe('t', 1)
    await a.heard()
    expect(await broker.sessions.get('a')).toMatchObject({ connected: true, expiresAt: undefined, durable: true })
    a.drop()
    await a.heard()
    await broker.publish('t', '1', { qos: 1 })
    const days = 30 * 86_400_000 // the longest that limits grant
    expect(await broker.sessions.get('a')).toEqual({
      clientId: 'a',
      connected: false,
      inside: false,
      expiresAt: clock.now() + days,
      durable: true,
      subscriptions: 1,
      queued: 1,
      inflight: 0,
    })
    expect([await broker.clients.count(), await broker.sessions.count()]).toEqual([0, 1])
    const b = await connect('b')
    const ended = ['a', 'b', 'c'].map((clientId) => broker.sessions.end(clientId))
    expect(await Promise.all(ended)).toEqual([true, true, false])
    expect(await b.heardInFull()).toEqual(version === 5 ? [expect.stringContaining('disconnect 0x98')] : [])
    expect([b.closed, await broker.sessions.count()]).toEqual([true, 0])
  })

  it('the subscriptions of sessions, by client and by filter', async () => {
    const { broker, connect } = await startRig({}, version)
    const [a, b] = [await connect('a'), await connect('b')]
    a.subscribe('x', 2).subscribe('$share/g/y', 1, 2)
    b.subscribe('x', 0)
    await a.heard()
    const plain = { noLocal: false, retainAsPublished: false, subscriptionIdentifier: 0 }
    expect(await broker.subscriptions.page()).toEqual({
      items: [
        { clientId: 'a', filter: '$share/g/y', shareName: 'g', qos: 1, ...plain },
        { clientId: 'a', filter: 'x', shareName: undefined, qos: 2, ...plain },
        { clientId: 'b', filter: 'x', shareName: undefined, qos: 0, ...plain },
      ],
      next: undefined,
    })
    expect(await broker.subscriptions.count()).toBe(3)
    expect((await broker.subscriptions.page({ filter: 'x' })).items.map(({ clientId }) => clientId)).toEqual(['a', 'b'])
    expect((await broker.subscriptions.page({ clientId: 'b' })).items).toHaveLength(1)
    expect((await broker.subscriptions.page({ clientId: 'c' })).items).toHaveLength(0)
    const listed: string[] = []
    for await (const { clientId } of broker.subscriptions.list({ filter: 'x' })) listed.push(clientId)
    expect(listed).toEqual(['a', 'b'])
  })

  it('retained messages, which it can remove', async () => {
    const { broker, connect, clock } = await startRig({}, version)
    const a = await connect('a')
    a.publish('k/1', 'one', 1, 1, true).publish('k/2', 'two', 0, 1, true)
    await a.heard()
    expect([await broker.retained.count(), await broker.retained.bytes()]).toEqual([2, 6 + 2 * (3 + 100)])
    const view = (await broker.retained.get('k/1'))!
    expect(view).toMatchObject({ topic: 'k/1', qos: 1, payloadBytes: 3, publisher: 'a', expiresAt: Infinity })
    expect(view.publishedAt).toBe(Math.floor(clock.now() / 1_000) * 1_000)
    view.payload.fill(0)
    expect((await broker.retained.get('k/1'))!.payload.toString()).toBe('one')
    expect((await broker.retained.page({ filter: '+/2' })).items.map(({ topic }) => topic)).toEqual(['k/2'])
    expect(await broker.retained.delete('k/#')).toBe(2)
    a.subscribe('k/#', 0, 3)
    expect(await a.heard()).toEqual(['suback 3 [0]'])
    await expect(broker.retained.page({ filter: 'a#' })).rejects.toThrow(BrokerError)
  })

  it('every packet of a client that is traced, without what is nobody else’s business', async () => {
    const { broker, connect } = await startRig({}, version)
    const events: TraceEvent[] = []
    const trace = await broker.trace({ clientId: 'a' }, (some) => events.push(...some))
    const will = { topic: 'gone/a', payload: 'secret', qos: 1, retain: true } as const
    const [b, a] = [await connect('b'), await connect('a', { username: 'u', password: 'hidden', will })]
    a.subscribe('t', 1).publish('t', 'secret', 0)
    b.publish('t', 'more', 1, 9)
    await a.heard()
    a.puback(1).disconnect()
    await a.heard()
    await trace.stop()
    const again = await connect('a')
    await again.heard()
    expect(events.map(({ direction, packet: { type } }) => `${direction} ${type}`)).toEqual(
      [
        'in connect',
        'out connack',
        'in subscribe',
        'in publish',
        'out suback',
        'out publish',
        'out publish',
        'in puback',
        'in disconnect',
      ].sort(inOrderOf(events)),
    )
    expect(new Set(events.map(({ clientId, address }) => `${clientId} ${address}`))).toEqual(new Set(['a test']))
    expect(JSON.stringify(events)).not.toMatch(/secret|hidden|more/)
    expect(events[0]!.packet.will).toEqual({ topic: 'gone/a', qos: 1, retain: true, payloadBytes: 6 })
    const delivered = events.find(({ direction, packet }) => direction === 'out' && packet.qos === 1)!
    expect(delivered.packet).toMatchObject({ topic: 't', payloadBytes: 4, packetId: 1, dup: false, retain: false })
  })

  it('the PUBLISH packets of topics that are traced, of everybody', async () => {
    const { broker, connect } = await startRig({}, version)
    const events: string[] = []
    await broker.trace({ topic: 'home/#' }, (some) => {
      for (const { direction, clientId, packet } of some) events.push(`${direction} ${clientId} ${packet.topic}`)
    })
    const [a, b] = [await connect('a'), await connect('b')]
    b.subscribe('#')
    await b.heard()
    a.publish('home/x', '1').publish('other', '2')
    await b.heard()
    expect(events).toEqual(['in a home/x', 'out b home/x'])
    await expect(broker.trace({ topic: 'a#' }, () => {})).rejects.toThrow(BrokerError)
  })
})

/** Packets that answer each other come in either order. */
function inOrderOf(events: readonly TraceEvent[]): (one: string, other: string) => number {
  const lines = events.map(({ direction, packet: { type } }) => `${direction} ${type}`)
  return (one, other) => lines.indexOf(one) - lines.indexOf(other)
}

it('a page has what comes after the one before, whatever has come and gone meanwhile', async () => {
  const { broker, connect } = await startRig()
  for (const clientId of ['b', 'd', 'f']) await connect(clientId)
  const first = await broker.clients.page({ limit: 2 })
  expect([first.items.map(({ clientId }) => clientId), first.next]).toEqual([['b', 'd'], 'd'])
  await broker.sessions.end('d')
  await connect('e')
  await connect('a')
  const second = await broker.clients.page({ limit: 2, after: first.next! })
  expect([second.items.map(({ clientId }) => clientId), second.next]).toEqual([['e', 'f'], undefined])
  for (const limit of [0, 1001, 1.5]) await expect(broker.sessions.page({ limit })).rejects.toThrow(/limit is/)
})

it('pages of a thousand sessions bring each of them once, in order', async () => {
  const { broker, greet, open } = await startRig()
  const names = Array.from({ length: 1000 }, (_none, n) => `client-${(n * 7919) % 1000}`)
  for (const name of names) greet(name)
  await open().heard()
  const seen: string[] = []
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Page<SessionView> = await broker.sessions.page({ after, limit: 37 })
    seen.push(...page.items.map(({ clientId }) => clientId))
    after = page.next
  }
  expect(seen).toEqual(names.toSorted())
})

it('a listener that fails is told in the log, and changes nothing for others', async () => {
  const { broker, connect, log } = await startRig()
  const fail = (): never => {
    throw new Error('boom')
  }
  const changes: Change[] = []
  await broker.changes(fail)
  await broker.changes((some) => changes.push(...some))
  await broker.trace({ clientId: 'a' }, fail)
  const a = await connect('a')
  a.subscribe('t')
  expect(await a.heard()).toEqual(['suback 1 [0]'])
  expect(changes.map(({ type }) => type)).toEqual(['session-created', 'client-connected', 'subscribed'])
  expect(log.filter((line) => line.includes('boom'))).toHaveLength(2) // once each
})

it('a retained message that goes because its replacement does not fit is told of as removed', async () => {
  const { broker } = await startRig({ limits: { maxRetainedBytes: 1_000 } })
  const tooLarge = 'x'.repeat(1_000)
  const changes: string[] = []
  await broker.changes((some) => {
    for (const change of some) changes.push(`${change.type} ${'topic' in change ? change.topic : ''}`)
  })
  broker.publish('a', 'xxx', { retain: true })
  broker.publish('a', tooLarge, { retain: true })
  broker.publish('b', tooLarge, { retain: true }) // there was none before
  broker.publish('a', '', { retain: true })
  broker.publish('a', 'y', { retain: true })
  expect(changes).toEqual([]) // not before the work is done
  await settled()
  expect(changes).toEqual(['retained-set a', 'retained-deleted a', 'retained-set a'])
  expect((await broker.metrics()).dropped['retained-full']).toBe(2)
})

it('a topic trace knows topics by their alias too', async () => {
  const { broker, connect } = await startRig({}, 5)
  const topics: unknown[] = []
  await broker.trace({ topic: 'long/#' }, (some) => {
    for (const { topic, properties } of some.map(({ packet }) => packet)) topics.push([topic, properties?.topicAlias])
  })
  const a = await connect('a')
  a.send({ ...publishPacket('long/topic', 'x'), properties: { topicAlias: 3 } } as Packet)
  a.send({ ...publishPacket('', 'x'), properties: { topicAlias: 3 } } as Packet)
  await a.heard()
  expect(topics).toEqual([
    ['long/topic', 3],
    ['long/topic', 3],
  ])
})

it('messages from inside carry properties, and show those of others', async () => {
  const { broker, connect, clock } = await startRig({}, 5)
  const a = await connect('a')
  a.subscribe('t')
  await a.heard()
  const seen: unknown[] = []
  broker.subscribe('t', ({ properties, expiresAt }) => seen.push([properties, expiresAt]))
  broker.publish('t', 'x', { properties: { contentType: 'text/plain', messageExpiryInterval: 9 } })
  expect(seen).toEqual([[{ contentType: 'text/plain' }, clock.now() + 9000]])
  expect(await a.heardInFull()).toEqual(['publish t "x" {"messageExpiryInterval":9,"contentType":"text/plain"}'])
  expect(() => broker.publish('t', 'x', { properties: { contentType: '\0' } })).toThrow()
  expect(() => broker.publish('t', 'x', { properties: { messageExpiryInterval: -1 } })).toThrow()
})

describe('the busiest topics', () => {
  it('are counted while somebody looks', async () => {
    const { broker } = await startRig()
    broker.publish('before', 'x')
    const watch = await broker.watchTopics()
    for (let n = 0; n < 3; n++) broker.publish('often', 'xx')
    broker.publish('seldom', 'x')
    expect((await watch.top(10)).topics).toEqual([
      { topic: 'often', messages: 3, bytes: 6 },
      { topic: 'seldom', messages: 1, bytes: 1 },
    ])
    await watch.stop()
    await watch.stop()
    broker.publish('after', 'x')
    expect(await watch.top(1)).toMatchObject({ leftOut: 1, tooHighBy: 0 })
    expect((await watch.top(10)).topics).toHaveLength(2)
  })

  it('are found among any number of others, in bounded memory', async () => {
    const { broker } = await startRig()
    const watch = await broker.watchTopics()
    for (let n = 0; n < 20_000; n++) {
      broker.publish(`once/${n}`, 'x')
      if (n % 10 === 0) broker.publish('often', 'x')
    }
    const {
      topics: [first],
      leftOut,
      tooHighBy,
    } = await watch.top(1)
    expect(first!.topic).toBe('often')
    expect(first!.messages).toBeGreaterThanOrEqual(2000)
    expect(first!.messages).toBeLessThan(2100)
    expect(first!.messages - tooHighBy).toBeLessThanOrEqual(2000)
    expect(leftOut).toBe(20_000)
    expect((await watch.top(5000)).topics.length).toBeLessThanOrEqual(1000)
  })
})

describe('the feed of changes', () => {
  /** What the listings show, and what the feed has made of it. */
  interface Shown {
    readonly clients: Set<string>
    readonly sessions: Set<string>
    readonly subscriptions: Set<string>
    readonly retained: Set<string>
  }

  function follow(shown: Shown, change: Change): void {
    const change_ = (set: Set<string>, name: string, isThere: boolean): void => {
      if (isThere) set.add(name)
      else set.delete(name)
    }
    switch (change.type) {
      case 'client-connected':
      case 'client-gone':
        return change_(shown.clients, change.clientId, change.type === 'client-connected')
      case 'session-created':
      case 'session-ended':
        return change_(shown.sessions, change.clientId, change.type === 'session-created')
      case 'subscribed':
      case 'unsubscribed':
        return change_(shown.subscriptions, `${change.clientId} ${change.filter}`, change.type === 'subscribed')
      case 'retained-set':
      case 'retained-deleted':
        return change_(shown.retained, change.topic, change.type === 'retained-set')
    }
  }

  interface Scene extends Rig {
    readonly clients: Map<string, TestClient>
    readonly client: TestClient | undefined
  }

  interface Value {
    readonly clientId: string
    readonly filter: string
    readonly isClean: boolean
    readonly seconds: number
  }

  const does = {
    connect: ({ clients, greet }: Scene, { clientId, isClean }: Value) =>
      void clients.set(clientId, greet(clientId, { cleanStart: isClean })),
    drop: ({ client }: Scene) => client?.drop(),
    disconnect: ({ client }: Scene) => void client?.disconnect(),
    endSession: ({ broker }: Scene, { clientId }: Value) => void broker.sessions.end(clientId),
    subscribe: ({ client }: Scene, { filter }: Value) => void client?.subscribe(filter),
    unsubscribe: ({ client }: Scene, { filter }: Value) =>
      void client?.send({ type: 'unsubscribe', packetId: 2, filters: [filter] }),
    retain: ({ broker }: Scene, { isClean, seconds }: Value) => {
      const properties = { messageExpiryInterval: seconds }
      void broker.publish(isClean ? 't' : 'u/v', 'x', { retain: true, ...(seconds < 60 && { properties }) })
    },
    clear: ({ broker }: Scene) => void broker.publish('t', '', { retain: true }),
    forget: ({ broker }: Scene, { filter }: Value) => void broker.retained.delete(filter),
    pass: ({ pass }: Scene, { seconds }: Value) => pass(seconds * 1000),
  }

  const step = fc.tuple(
    fc.constantFrom(...(Object.keys(does) as (keyof typeof does)[])),
    fc.record({
      clientId: fc.constantFrom('a', 'b'),
      filter: fc.constantFrom('t', '$share/g/t', 'u/#'),
      isClean: fc.boolean(),
      seconds: fc.constantFrom(1, 90),
    }),
  )

  it('gives what the listings show, whatever clients do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const rig = await startRig({ limits: { sessionExpirySeconds: 60 } })
        const { broker, pass } = rig
        const followed = {
          clients: new Set(),
          sessions: new Set(),
          subscriptions: new Set(),
          retained: new Set(),
        } as Shown
        await broker.changes((some, missed) => {
          expect(missed).toBe(0)
          for (const change of some) follow(followed, change)
        })
        const clients = new Map<string, TestClient>()
        for (const [what, value] of steps) {
          await does[what]({ ...rig, clients, client: clients.get(value.clientId) }, value)
          await pass(0)
        }
        await pass(61_000) // what is over is swept away by then
        const listed: Shown = {
          clients: new Set((await broker.clients.page()).items.map((one) => one.clientId)),
          sessions: new Set((await broker.sessions.page()).items.map((one) => one.clientId)),
          subscriptions: new Set(
            (await broker.subscriptions.page()).items.map((one) => `${one.clientId} ${one.filter}`),
          ),
          retained: new Set((await broker.retained.page()).items.map(({ topic }) => topic)),
        }
        expect(followed).toEqual(listed)
        expect(listed.clients.size).toBe(await broker.clients.count())
        expect(listed.subscriptions.size).toBe(await broker.subscriptions.count())
        await broker.close()
      }),
      { numRuns: 100 },
    )
  })
})

describe('a listener that does not keep up', () => {
  it('is told so much as is gathered, and how many more it has missed', async () => {
    const { broker } = await startRig()
    const told: [first: string | undefined, count: number, missed: number][] = []
    let goOn = (): void => {}
    const watch = await broker.changes((some, missed) => {
      const [first] = some
      told.push([first && 'topic' in first ? first.topic : undefined, some.length, missed])
      return new Promise<void>((resolve) => {
        goOn = resolve
      })
    })
    const other: number[] = []
    await broker.changes((some, missed) => other.push(some.length, missed))
    void broker.publish('first', 'x', { retain: true })
    await settled()
    for (let n = 0; n < 20_005; n++) {
      void broker.publish(`n/${n}`, 'x', { retain: true })
      if (n % 1_000 === 0) await settled()
    }
    await settled()
    expect(told).toEqual([['first', 1, 0]])
    goOn()
    await settled()
    expect(told.slice(1)).toEqual([['n/0', 20_000, 5]])
    await watch.stop()
    goOn()
    void broker.publish('later', 'x', { retain: true })
    await settled()
    expect(told).toHaveLength(2)
    expect(other.reduce((sum, n) => sum + n, 0)).toBe(20_007)
  })

  it('costs no more than some 8 MiB, however long the names are', async () => {
    const { broker } = await startRig({ limits: { maxRetainedMessages: 1 } })
    const told: number[] = []
    const watch = await broker.changes((some, missed) => told.push(some.length, missed))
    for (let n = 0; n < 200; n++)
      void broker.publish(`${'x'.repeat(60_000)}${n % 2}`, n % 2 ? '' : 'x', { retain: true })
    await watch.stop()
    const [kept = 0, missed = 0] = told
    expect(kept).toBeGreaterThan(50)
    expect(kept).toBeLessThan(80)
    expect(missed).toBeGreaterThan(20)
  })
})
