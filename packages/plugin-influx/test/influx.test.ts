// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the names of wildcards are written so
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { type PluginRig, startPlugin } from '@godwit/broker/testing'
import influx from '@godwit/plugin-influx'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { InfluxServer, skipped } from './influx-server.js'

let server: InfluxServer
let rig: PluginRig

const start = async (points: object[], options: object = {}): Promise<PluginRig> => {
  rig = await startPlugin(influx, { url: server.url, database: 'iot', lingerMs: 0, points, ...options })
  return rig
}
const written = async (count: number): Promise<void> => {
  while (rig.plugin.counts().written !== count) await new Promise(setImmediate)
}

describe.skipIf(skipped)('InfluxDB 1', () => {
  beforeAll(async () => {
    server = await InfluxServer.start()
  }, 60_000)
  afterAll(() => server.remove())
  beforeEach(() => server.query('CREATE DATABASE iot'))
  afterEach(async () => {
    await rig.stop()
    await server.up()
    await server.query('DROP DATABASE iot')
  })

  it('has tags of named wildcards, and fields of JSON', async () => {
    const { broker, clock } = await start([
      { filter: 'home/+room/climate', measurement: 'climate', integers: ['seen'] },
    ])
    const now = clock.now()
    await broker.publish('home/living room/climate', '{"t": 21.5, "seen": 3, "battery": {"low": false}, "list": [1]}', {
      qos: 1,
    })
    await written(1)
    expect(await server.query('SELECT * FROM climate')).toEqual([
      { time: expect.any(Number), room: 'living room', t: 21.5, seen: 3, 'battery.low': false },
    ])
    const [{ time }] = (await server.query('SELECT * FROM climate')) as [{ time: number }]
    expect(Math.round(time / 1e6)).toBe(now) // JSON.parse rounds nanoseconds of our time to multiples of 256
  })

  it('keeps apart what comes in one moment, in its order', async () => {
    const { broker } = await start([{ filter: 'a' }])
    for (let n = 1; n <= 50; n++) void broker.publish('a', String(n), { qos: 1 })
    await written(50)
    const rows = await server.query('SELECT * FROM mqtt ORDER BY time')
    expect(rows.map(({ value }) => value)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
  })

  it('has what a payload says by itself', async () => {
    const { broker } = await start([
      { filter: 'text/#rest', payload: 'text', tags: { of: '${rest}', on: '${topic}' } },
      { filter: 'number/+', payload: 'number', measurement: 'n', field: 'reading' },
      { filter: 'timed', time: 'at', timeUnit: 's', fields: ['v'], measurement: 't' },
    ])
    await broker.publish('text/x/y', 'say "hi", \\ and\nmore', { qos: 1 })
    await broker.publish('number/1', ' 7e2 ', { qos: 1 })
    await broker.publish('timed', '{"at": 1500000000.25, "v": 1, "w": 2}', { qos: 1 })
    await written(3)
    expect(await server.query('SELECT * FROM mqtt')).toEqual([
      { time: expect.any(Number), of: 'x/y', on: 'text/x/y', value: 'say "hi", \\ and\nmore' },
    ])
    expect(await server.query('SELECT * FROM n')).toEqual([{ time: expect.any(Number), reading: 700 }])
    expect(await server.query('SELECT * FROM t')).toEqual([{ time: 1500000000250000000, v: 1 }])
  })

  it('waits while the server is away, and comes in order, none missing', async () => {
    const { broker, clock, said } = await start([{ filter: 'a', payload: 'number' }], { maxBatchMessages: 7 })
    void broker.publish('a', '1', { qos: 1 })
    await written(1)
    await server.down()
    for (let n = 2; n <= 100; n++) void broker.publish('a', String(n), { qos: 1 })
    expect(await said(/messages wait/)).toContain('cannot be reached')
    await server.up()
    clock.advance(500)
    await written(100)
    const rows = await server.query('SELECT * FROM mqtt ORDER BY time')
    expect(rows.map(({ value }) => value)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
  })

  it('sets aside what the server refuses and what is no point, and writes what is beside it', async () => {
    const { broker, said } = await start([{ filter: 'a/+', tags: {} }], { maxBatchMessages: 5, lingerMs: 1000 })
    for (const payload of ['1', '"a text where numbers are"', '[]', '4', '5'])
      void broker.publish('a/b', payload, { qos: 1 })
    await written(3)
    expect((await server.query('SELECT * FROM mqtt')).map(({ value }) => value)).toEqual([1, 4, 5])
    expect(await said(/message refused/)).toMatch(/answers 400: .*field type conflict/)
    while (rig.plugin.counts().refused !== 2) await new Promise(setImmediate)
  })

  it('waits, and loses nothing, while there is no such database', async () => {
    const { broker, clock, said } = await start([{ filter: 'a' }], { database: 'later' })
    await broker.publish('a', '1', { qos: 1 })
    expect(await said(/messages wait/)).toMatch(/answers 404: .*database not found/)
    await server.query('CREATE DATABASE later')
    clock.advance(500)
    await written(1)
    expect(await server.query('SELECT * FROM mqtt', 'later')).toHaveLength(1)
    await server.query('DROP DATABASE later')
  })
})

/** The interface of InfluxDB 2 and 3, of which Debian has none. */
describe('InfluxDB 2', () => {
  it('is asked as its API is described', async () => {
    const requests: { request: IncomingMessage; body: string }[] = []
    const listening = createServer(async (request, response) => {
      requests.push({ request, body: await text(request) })
      response.writeHead(204).end()
    }).listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const { port } = listening.address() as { port: number }
    const options = {
      bucket: 'b & c',
      org: 'home',
      token: 'secret',
      precision: 'ms',
      points: [{ filter: 'a' }],
      lingerMs: 0,
    }
    rig = await startPlugin(influx, { url: `http://127.0.0.1:${port}/influx/`, ...options })
    const now = rig.clock.now()
    await rig.broker.publish('a', '1', { qos: 1 })
    await written(1)
    const [{ request, body }] = requests as [(typeof requests)[number]]
    expect(request.url).toBe('/influx/api/v2/write?org=home&bucket=b+%26+c&precision=ms')
    expect(request.headers).toMatchObject({
      authorization: 'Token secret',
      'content-type': 'text/plain; charset=utf-8',
    })
    expect(body).toBe(`mqtt value=1 ${now}`)
    await rig.stop()
    listening.close()
  })
})

it.each([
  [{ points: [] }, /options\.points/],
  [{ database: undefined }, /options\.bucket: it takes bucket \(InfluxDB 2 and later\) or database/],
  [{ bucket: 'b', database: undefined }, /options\.org: a bucket needs its org/],
  [{ url: 'http://192.0.2.1:8086' }, /options\.url: .*use https, or say allowHttp/],
  [
    { points: [{ filter: 'a/+x/+x' }] },
    /options\.points\.0\.filter: it takes a topic filter, whose wildcards may have names/,
  ],
])('options %j are refused', async (options, problem) => {
  const whole = { url: 'http://127.0.0.1:8086', database: 'd', points: [{ filter: 'a' }], ...options }
  await expect(startPlugin(influx, whole)).rejects.toThrow(problem)
})
