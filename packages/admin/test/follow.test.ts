import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { fixedTokens, RecentLog, type Tokens } from '../src/index.js'
import { startRig, tokenOf, tokens } from './rig.js'

/** The broker has told what it has to tell. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await nextTurn()
}

test('changes, in the order in which they came, gathered into one event', async () => {
  const { follow, broker, clock } = await startRig()
  const { next } = await follow('feeds=changes', { as: 'viewer' })
  expect(await next()).toEqual({ event: 'open', data: { feeds: ['changes'] } })
  await broker.publish('a', 'x', { retain: true })
  await broker.publish('a', '', { retain: true })
  await settled()
  clock.advance(250)
  const items = [
    { type: 'retained-set', topic: 'a' },
    { type: 'retained-deleted', topic: 'a' },
  ]
  expect(await next()).toEqual({ event: 'changes', data: { items, missed: 0 } })
})

test('the log', async () => {
  const log = new RecentLog(undefined, () => 0)
  const { follow, clock } = await startRig({ log })
  const { next } = await follow('feeds=log')
  await next()
  log.log('warn', 'message dropped', { clientId: 'c' })
  clock.advance(250)
  const line = { at: '1970-01-01T00:00:00.000Z', level: 'warn', message: 'message dropped', fields: { clientId: 'c' } }
  expect(await next()).toEqual({ event: 'log', data: { items: [line], missed: 0 } })
})

test('metrics, once a second', async () => {
  const { follow, broker, clock } = await startRig()
  const { next } = await follow('feeds=metrics')
  await next()
  await broker.publish('a', 'x', { retain: true })
  clock.advance(1_000)
  await settled()
  clock.advance(0)
  expect(await next()).toMatchObject({
    event: 'metrics',
    data: { items: [{ at: '2026-01-01T00:00:01.000Z', retained: 1, clients: 0, eventLoopSeconds: null }], missed: 0 },
  })
})

test('packets of a client or a topic, without payloads, and for operators alone', async () => {
  const { follow, ask, connect, broker, clock } = await startRig()
  expect((await ask('GET', '/events?traceTopic=t', { as: 'viewer' })).status).toBe(403)
  const client = await connect('c')
  await client.subscribe('t/#')
  const { next } = await follow('traceClientId=c&traceTopic=t/%2B', { as: 'operator' })
  expect(await next()).toEqual({ event: 'open', data: { feeds: ['trace'] } })
  await broker.publish('t/1', 'secret')
  await settled()
  clock.advance(250)
  const told = await next()
  expect(told).toMatchObject({
    event: 'trace',
    data: { items: [{ clientId: 'c', direction: 'out', packet: { type: 'publish', topic: 't/1', payloadBytes: 6 } }] },
  })
  expect(JSON.stringify(told)).not.toContain('secret')
  expect(await ask('GET', '/events?traceTopic=a%23')).toMatchObject({ status: 400, body: { code: 'invalid-topic' } })
})

test('several feeds in one stream', async () => {
  const log = new RecentLog()
  const { follow, broker, clock } = await startRig({ log })
  const { next } = await follow('feeds=changes,log')
  await next()
  await broker.publish('a', 'x', { retain: true })
  await settled()
  log.log('info', 'x')
  clock.advance(250)
  expect([(await next())?.event, (await next())?.event].sort()).toEqual(['changes', 'log'])
})

test('what is asked for that is not there', async () => {
  const { ask } = await startRig()
  expect((await ask('GET', '/events')).status).toBe(400)
  expect((await ask('GET', '/events?feeds=weather')).status).toBe(400)
  expect(await ask('GET', '/events?feeds=log')).toMatchObject({ status: 501, body: { code: 'not-available' } })
})

describe('bounds', () => {
  test('of one event: a thousand things; more are counted', async () => {
    const { follow, broker, clock } = await startRig()
    const { next } = await follow('feeds=changes')
    await next()
    for (let n = 0; n < 1_500; n++) void broker.publish(`t/${n}`, 'x', { retain: true })
    await settled()
    clock.advance(250)
    const told = (await next()) as { data: { items: unknown[]; missed: number } }
    expect([told.data.items.length, told.data.missed]).toEqual([1_000, 500])
  })

  test('a reader that is too slow is cut off, and told what it misses; others are not', async () => {
    const { follow, broker, clock } = await startRig()
    const [slow, quick] = [await follow('feeds=changes'), await follow('feeds=changes')]
    await quick.next()
    for (let n = 0; n < 6; n++) {
      for (let m = 0; m < 100; m++) void broker.publish(`${'x'.repeat(1_000)}/${m}`, 'x', { retain: true })
      await settled()
      clock.advance(250)
      expect((await quick.next())?.event).toBe('changes')
    }
    const heard: string[] = []
    for (let event = await slow.next(); event; event = await slow.next()) {
      heard.push(event.event)
      if (event.event === 'cut') expect(event.data).toEqual({ missed: 100 })
    }
    expect(heard).toEqual(['open', 'changes', 'changes', 'changes', 'cut'])
  })

  test('of streams: 256; of traces: 32', async () => {
    const { follow, ask, clock } = await startRig()
    const open = []
    for (let n = 0; n < 256; n++) {
      clock.advance(20)
      open.push(await follow(n < 32 ? `traceClientId=${n}` : 'feeds=changes'))
    }
    clock.advance(1_000)
    expect(await ask('GET', '/events?feeds=changes')).toMatchObject({
      status: 429,
      body: { code: 'too-many-requests' },
    })
    await open[255]!.next()
    await open[255]!.leave()
    expect((await ask('GET', '/events?feeds=changes')).status).toBe(200)
    expect((await ask('GET', '/events?traceClientId=40')).status).toBe(429)
    expect((await ask('GET', '/events?traceClientId=31')).status).toBe(200)
  })
})

describe('a stream ends', () => {
  test('with its token', async () => {
    let isGood = true
    const revocable: Tokens = { find: (token) => tokens.find(token), isGood: () => isGood }
    const { follow, clock } = await startRig({ tokens: revocable })
    const { next } = await follow('feeds=changes')
    await next()
    isGood = false
    clock.advance(1_000)
    expect(await next()).toEqual({ event: 'end', data: { why: 'the token is not good any more' } })
    expect(await next()).toBeUndefined()
  })

  test('with the login of its browser, which has to be a page of this server', async () => {
    const { follow, ask, api, clock } = await startRig()
    const { headers } = await ask('POST', '/login', { as: 'nobody', body: { code: api.loginCode() } })
    const cookie = headers.get('set-cookie')!.split(';')[0]!
    expect((await ask('GET', '/events?feeds=changes', { as: 'nobody', headers: { cookie } })).status).toBe(403)
    const own = { cookie, 'sec-fetch-site': 'same-origin' }
    const { next } = await follow('feeds=changes', { as: 'nobody', headers: own })
    await next()
    await ask('POST', '/logout', { as: 'nobody', headers: own })
    clock.advance(1_000)
    expect((await next())?.event).toBe('end')
  })

  test('with the server', async () => {
    const { follow, api } = await startRig()
    const { next } = await follow('feeds=changes')
    await next()
    api.close()
    expect((await next())?.event).toBe('end')
  })

  test('when nobody reads it any more, and then nothing is gathered', async () => {
    const { follow, broker } = await startRig()
    let watchers = 0
    const changes = broker.changes.bind(broker)
    broker.changes = async (listener) => {
      watchers++
      const watch = await changes(listener)
      return {
        async stop() {
          watchers--
          await watch.stop()
        },
      }
    }
    const streams = [await follow('feeds=changes'), await follow('feeds=changes')]
    expect(watchers).toBe(1)
    for (const stream of streams) {
      await stream.next()
      await stream.leave()
    }
    await settled()
    expect(watchers).toBe(0)
  })
})

test('a token that is not known follows nothing', async () => {
  const { api } = await startRig({ tokens: fixedTokens([]) })
  const headers = { authorization: `Bearer ${tokenOf('admin')}` }
  const response = await api.fetch(new Request('http://localhost/api/v1/events?feeds=changes', { headers }))
  expect(response.status).toBe(401)
})
