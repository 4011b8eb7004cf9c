import { describe, expect, test } from 'vitest'
import { RecentLog } from '../src/index.js'
import { memoryParts } from './parts.js'
import { startRig } from './rig.js'

test('the broker: what there is of everything', async () => {
  const { ask, connect, clock } = await startRig({ listeners: () => ['127.0.0.1:1883'] })
  await connect('a')
  clock.advance(61_000)
  expect(await ask('GET', '/broker', { as: 'viewer' })).toMatchObject({
    status: 200,
    body: {
      uptimeSeconds: 61,
      startedAt: '2026-01-01T00:00:00.000Z',
      clients: 1,
      ready: true,
      listeners: ['127.0.0.1:1883'],
    },
  })
  expect((await ask('GET', '/counters')).body.plain).toMatchObject({ clientsAccepted: 1 })
})

test('the cluster: its nodes, how far they are behind, and how soon what is acknowledged is safe', async () => {
  const { ask } = await startRig(memoryParts())
  const { body } = await ask('GET', '/cluster', { as: 'viewer' })
  expect(body.acknowledged).toEqual({ half: null, most: null }) // nothing has been
  expect([body.owner, body.nodes[1].behindFrames, body.nodes[1].behindBytes]).toEqual(['a', 1, 100])
  expect((await ask('GET', '/broker')).body.cluster).toBe('plant')
  const alone = await startRig()
  expect((await alone.ask('GET', '/broker')).body.cluster).toBeNull()
  expect((await alone.ask('GET', '/cluster')).body.detail).toBe('this broker is no node of a cluster')
})

test('bridges and plugins: what each does, and what cannot be reached', async () => {
  const { ask } = await startRig(memoryParts())
  const since = '1970-01-01T00:00:00.000Z'
  expect((await ask('GET', '/bridges', { as: 'viewer' })).body.bridges).toMatchObject([
    { name: 'cloud', connected: false, since, server: null, queued: 3, dropped: { expired: 2 } },
  ])
  expect((await ask('GET', '/plugins', { as: 'viewer' })).body.plugins).toMatchObject([
    { name: 'influx', counts: { written: 4 }, outlets: [{ clientId: 'plugin-influx', problem: null, queued: 1 }] },
  ])
  const { unreached } = (await ask('GET', '/broker')).body
  expect(unreached).toEqual([{ what: 'bridge', name: 'cloud', since, problem: 'nobody answers' }])
})

test('clients, page by page', async () => {
  const { ask, connect } = await startRig()
  for (const clientId of ['a', 'b', 'c']) await connect(clientId, { username: clientId === 'b' ? 'ben' : 'ann' })
  const first = (await ask('GET', '/clients?limit=2')).body
  expect(first.items).toHaveLength(2)
  expect(first.items[0]).toMatchObject({ clientId: 'a', username: 'ann', transport: 'tcp', version: '5.0', queued: 0 })
  const second = (await ask('GET', `/clients?limit=2&cursor=${first.next}&columns=username`)).body
  expect(second).toEqual({ items: [{ clientId: 'c', username: 'ann' }], next: null })
  expect((await ask('GET', '/clients?search=BEN&columns=clientId')).body.items).toEqual([{ clientId: 'b' }])
  expect((await ask('GET', '/clients?username=ann&columns=clientId')).body.items).toHaveLength(2)
})

test('clients in another order', async () => {
  const { ask, connect } = await startRig()
  const wants = { a: 1, b: 3, c: 2 }
  for (const [clientId, filters] of Object.entries(wants)) {
    const client = await connect(clientId)
    for (let n = 0; n < filters; n++) await client.subscribe(`t/${n}`)
  }
  const order = async (query: string): Promise<string> => {
    let [ids, cursor] = ['', '']
    for (;;) {
      const { items, next } = (await ask('GET', `/clients?limit=1&sort=${query}${cursor}`)).body
      ids += items.map(({ clientId }: { clientId: string }) => clientId).join('')
      if (next === null) return ids
      cursor = `&cursor=${next}`
    }
  }
  expect([await order('subscriptions'), await order('-subscriptions')]).toEqual(['acb', 'bca'])
})

test('one client, whatever it is called', async () => {
  const { ask, connect } = await startRig()
  for (const clientId of ['..', 'a/b?c=%2F&d', '<img src=x onerror=alert(1)>', '𝄞']) {
    await connect(clientId)
    expect(await ask('GET', `/client?clientId=${encodeURIComponent(clientId)}`)).toMatchObject({
      status: 200,
      body: { clientId },
    })
  }
  expect(await ask('GET', '/client?clientId=nobody')).toMatchObject({ status: 404, body: { code: 'not-found' } })
})

describe('payloads', () => {
  const asking = async (as: 'viewer' | 'operator') => {
    const { ask, broker, connect } = await startRig()
    const client = await connect('c', { sessionExpirySeconds: 60 })
    await client.subscribe('t', { qos: 1 })
    await client.close()
    await broker.publish('t', Uint8Array.of(0, 255), { qos: 1, retain: true, properties: { contentType: 'x/y' } })
    const paths = ['/session/queue?clientId=c', '/retained', '/retained/message?topic=t']
    const plain = await Promise.all(paths.map((path) => ask('GET', path, { as })))
    const asked = await Promise.all(
      paths.map((path) => ask('GET', `${path}${path.includes('?') ? '&' : '?'}payloads=true`, { as })),
    )
    const first = ({ body }: { body: { items?: unknown[] } }): unknown => body.items?.[0] ?? body
    return { plain: plain.map(first), asked: asked.map(first) }
  }

  test('are an operator’s, in base64, and come only when they are asked for', async () => {
    const { plain, asked } = await asking('operator')
    const message = { topic: 't', payloadBytes: 2, properties: { contentType: 'x/y' } }
    for (const one of plain) {
      expect(one).toMatchObject(message)
      expect(one).not.toHaveProperty('payload')
    }
    for (const one of asked) expect(one).toMatchObject({ ...message, payload: 'AP8=' })
  })

  test('are nothing for a viewer', async () => {
    const { plain, asked } = await asking('viewer')
    for (const one of plain) expect(one).not.toHaveProperty('payload')
    for (const one of asked) expect(one).toMatchObject({ status: 403, code: 'forbidden' })
  })
})

test('sessions, and what waits in one', async () => {
  const { ask, broker, connect } = await startRig()
  for (const clientId of ['a', 'b']) {
    const client = await connect(clientId, { sessionExpirySeconds: 60 })
    await client.subscribe('t', { qos: 1 })
    if (clientId === 'b') await client.close()
  }
  for (const text of ['1', '2', '3']) await broker.publish('t', text, { qos: 1 })
  const { items } = (await ask('GET', '/sessions?connected=false&columns=queued,connected')).body
  expect(items).toEqual([{ clientId: 'b', queued: 3, connected: false }])
  const first = (await ask('GET', '/session/queue?clientId=b&limit=2&payloads=true')).body
  expect(first.items.map(({ number, state, payload }: never) => [number, state, payload])).toEqual([
    [1, 'waiting', 'MQ=='],
    [2, 'waiting', 'Mg=='],
  ])
  const second = (await ask('GET', `/session/queue?clientId=b&limit=2&cursor=${first.next}`)).body
  expect([second.items.length, second.next]).toEqual([1, null])
  expect((await ask('GET', '/session/queue?clientId=x')).status).toBe(404)
})

test('who would get a message, and through which filter', async () => {
  const { ask, connect } = await startRig()
  const [a, b] = [await connect('a'), await connect('b')]
  await a.subscribe(['home/#', 'garden/+'])
  await b.subscribe('$share/g/home/+')
  const { items } = (await ask('GET', '/receivers?topic=home/door')).body
  expect(items.map(({ clientId, filter }: never) => `${clientId} ${filter}`)).toEqual(['a home/#', 'b $share/g/home/+'])
  expect(await ask('GET', '/receivers?topic=home/%2B')).toMatchObject({ status: 400, body: { code: 'invalid-topic' } })
  expect((await ask('GET', '/shared-group?sharedFilter=$share/g/home/%2B')).body.memberList).toEqual([
    { clientId: 'b', connected: true, ready: true, qos: 0 },
  ])
})

test('what was dropped and refused, by client, in words, and by which setting', async () => {
  const { ask, broker, connect, clock } = await startRig({}, { limits: { maxQueuedMessages: 1 } })
  const client = await connect('c', { sessionExpirySeconds: 60 })
  await client.subscribe('t', { qos: 1 })
  await client.close()
  for (const text of ['1', '2', '3']) await broker.publish('t', text, { qos: 1 })
  clock.advance(600_000)
  const { since, counts, clients, last } = (await ask('GET', '/drops')).body
  const queueFull = {
    kind: 'message',
    reason: 'queue-full',
    count: 2,
    settings: expect.arrayContaining(['limits.maxQueuedMessages']),
  }
  expect([since, counts, clients]).toMatchObject([
    '2026-01-01T00:00:00.000Z',
    [queueFull],
    [{ clientId: 'c', total: 2 }],
  ])
  expect(last).toHaveLength(2)
  expect((await ask('GET', '/drops?clientId=c')).body.counts).toMatchObject([queueFull])
  expect((await ask('GET', '/drops?clientId=x')).body).toMatchObject({ counts: [], clients: [], last: [] })
})

describe('history', () => {
  test('an hour in steps of ten seconds, a day in minutes, and no more than that', async () => {
    const { ask, broker, clock } = await startRig()
    const pass = async (seconds: number): Promise<void> => {
      for (let at = 0; at < seconds; at += 10) {
        await new Promise((resolve) => setImmediate(resolve)) // the reading under way is there
        clock.advance(10_000)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await pass(60)
    await broker.publish('t', 'x', { retain: true })
    await pass(60)
    const hour = (await ask('GET', '/history?span=hour')).body
    expect([hour.stepSeconds, hour.times.length, hour.times.at(-1) - hour.times[0]]).toEqual([10, 12, 110])
    expect(hour.series.retained).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    expect(hour.series.eventLoopSeconds[0]).toBeNull()
    const day = (await ask('GET', '/history?span=day')).body
    expect([day.stepSeconds, day.series.retained]).toEqual([60, [0, 1]])
    await pass(3_700)
    expect((await ask('GET', '/history?span=hour')).body.times).toHaveLength(360)
  })
})

test('the last lines of the log', async () => {
  const log = new RecentLog(undefined, () => 0)
  const { ask } = await startRig({ log })
  for (let n = 0; n < 1_100; n++)
    log.log(n % 2 ? 'info' : 'debug', `line ${n}`, { n, text: 'x'.repeat(n === 1_099 ? 5_000 : 1) })
  const { lines } = (await ask('GET', '/log?count=2&level=info')).body
  expect(lines).toEqual([
    { at: '1970-01-01T00:00:00.000Z', level: 'info', message: 'line 1097', fields: { n: 1_097, text: 'x' } },
    {
      at: '1970-01-01T00:00:00.000Z',
      level: 'info',
      message: 'line 1099',
      fields: { n: 1_099, text: `${'x'.repeat(4_096)}…` },
    },
  ])
  expect((await ask('GET', '/log?count=1000')).body.lines).toHaveLength(1_000)
  for (let n = 0; n < 400; n++) log.log('info', 'y'.repeat(4_096))
  expect((await ask('GET', '/log?count=1000')).body.lines.length).toBeLessThan(260)
})
