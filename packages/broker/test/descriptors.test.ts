// A process that may open few files: who is one too many is counted and told, and there is room again when others leave.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type NetConnectOpts } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { encode } from '@godwit/protocol'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createWebSocketStream, WebSocket } from 'ws'
import { Descriptors } from '../src/descriptors.js'
import { Drops } from '../src/drops.js'
import { Metrics } from '../src/metrics.js'
import { ChildBroker } from './child-broker.js'
import { connectPacket } from './test-client.js'
import { Authority } from './transports/certificates.js'

const folder = mkdtempSync(join(tmpdir(), 'godwit-descriptors-'))
const children: ChildBroker[] = []
const streams: Duplex[] = []
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy()
  for (const child of children.splice(0)) await child.end()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(process.platform === 'win32')('a broker that may open 128 files (no such limit on Windows)', () => {
  it('says so, turns away who is too many, and takes new clients at each listener when others have left', async () => {
    const { cert, key } = await (await Authority.create('test')).issue('localhost')
    const path = join(folder, 's')
    const listeners = [{ port: 0 }, { port: 0, tls: { cert, key } }, { port: 0, websocket: {} }, { path }]
    const broker = await ChildBroker.start({ limits: { maxConnections: 1000 } }, listeners, 128)
    children.push(broker)
    const [tcp = 0, tls = 0, ws = 0] = broker.ports
    const crowd = await Promise.all(Array.from({ length: 200 }, (_, n) => answer(overTcp({ port: tcp }), `c${n}`)))
    const inside = crowd.filter((heard) => heard === 'connack').length
    expect(inside).toBeGreaterThan(5)
    expect(inside).toBeLessThan(112)
    const atListeners = (): Promise<string[]> =>
      Promise.all([
        answer(overTcp({ port: tcp }), 'tcp'),
        answer(connectTls({ port: tls, host: '127.0.0.1', rejectUnauthorized: false }), 'tls'),
        answer(createWebSocketStream(new WebSocket(`ws://127.0.0.1:${ws}/mqtt`, 'mqtt')), 'ws'),
        answer(overTcp({ path }), 'unix'),
      ])
    expect(await atListeners()).toEqual(['closed', 'closed', 'closed', 'closed'])
    const { metrics, lines } = await broker.ask()
    expect(metrics.refused.descriptors).toBe(204 - inside)
    const told = lines.filter((line) => line.startsWith('warn'))
    expect(told).toEqual([
      expect.stringMatching(
        /^warn limits.maxConnections is 1000, but this process may open only 128 files: there is room for about 64 connections, and those beyond are refused; raise it \(ulimit -n 1160, or LimitNOFILE=1160 in the systemd unit\), or lower limits.maxConnections/,
      ),
      expect.stringMatching(/^warn connection refused .*"reason":"descriptors","why":"of the 128 files .*ulimit -n/),
    ])
    for (const stream of streams.splice(0)) stream.destroy()
    await expect.poll(async () => (await broker.ask()).clients).toBe(0)
    expect(await atListeners()).toEqual(['connack', 'connack', 'connack', 'connack'])
    expect(broker.errors).toBe('')
  })
})

const overTcp = (to: Partial<NetConnectOpts> & object): Duplex =>
  connect({ host: '127.0.0.1', ...to } as NetConnectOpts)

/** What comes of a CONNECT. */
async function answer(stream: Duplex, clientId: string): Promise<'connack' | 'closed'> {
  streams.push(stream)
  const ends = ['end', 'close', 'error'].map((event) => once(stream, event).then(() => 'closed' as const))
  for (const end of ends) end.catch(() => {})
  const heard = once(stream, 'data').then(() => 'connack' as const)
  stream.on('error', () => {}).write(encode(connectPacket(clientId), 4))
  return Promise.race([heard, ...ends]).catch(() => 'closed')
}

describe('Descriptors', () => {
  function setUp(limit: number | undefined) {
    const metrics = new Metrics()
    const lines: string[] = []
    const log = {
      log: (_: string, text: string, fields?: object) => void lines.push(`${text} ${JSON.stringify(fields)}`),
    }
    const drops = new Drops(metrics, log, () => {})
    return { metrics, lines, drops, descriptors: new Descriptors(drops, () => limit) }
  }

  it('says once what is wrong with the limit, and nothing where it is high enough or not known', () => {
    const { descriptors } = setUp(1024)
    expect(descriptors.shortFor(10_000)).toMatch(/may open only 1024 files: there is room for about 864 connections/)
    expect(descriptors.shortFor(10_000)).toBeUndefined()
    expect(setUp(10_160).descriptors.shortFor(10_000)).toBeUndefined()
    expect(setUp(undefined).descriptors.shortFor(10_000)).toBeUndefined()
  })

  it('counts each failure to accept, and tells them in one line', () => {
    const { drops, metrics, lines } = setUp(64)
    for (let n = 0; n < 1000; n++) drops.acceptFailed('EMFILE')
    expect(metrics.acceptFailures).toBe(1000)
    expect(lines).toEqual([expect.stringMatching(/^a connection could not be accepted .*ulimit -n.*EMFILE/)])
  })
})
