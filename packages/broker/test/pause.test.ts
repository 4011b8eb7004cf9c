// A process that was stopped (SIGSTOP, a machine that was frozen): whoever spoke meanwhile is heard before anybody is taken for silent.
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as pass } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { encode } from '@godwit/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { createWebSocketStream, WebSocket } from 'ws'
import { ChildBroker } from './child-broker.js'
import { settled, startRig } from './rig.js'
import { connectPacket } from './test-client.js'
import { Authority } from './transports/certificates.js'

describe.each([4, 5] as const)('after a pause, at version %i', (version) => {
  it('who had spoken meanwhile stays, and who had not goes', async () => {
    const rig = await startRig({}, version)
    const speaker = await rig.connect('speaker', { keepAliveSeconds: 2 })
    const silent = await rig.connect('silent', { keepAliveSeconds: 2 })
    const awake = rig.clock.pause(20_000)
    speaker.send({ type: 'pingreq' })
    await settled()
    awake()
    expect(await speaker.heard()).toEqual(['pingresp'])
    expect((await rig.broker.metrics()).keepAliveTimeouts).toBe(1)
    expect([speaker.closed, silent.closed]).toEqual([false, true])
    await rig.pass(4000)
    expect(speaker.closed).toBe(true)
  })

  it('a CONNECT that had come meanwhile is answered, and who sent none has the time that was lost', async () => {
    const rig = await startRig({ limits: { connectTimeoutMs: 5000 } }, version)
    const slow = rig.open()
    const late = rig.open()
    await settled()
    const awake = rig.clock.pause(20_000)
    late.send(connectPacket('late', { version, keepAliveSeconds: 600 }))
    await settled()
    awake()
    expect(await late.heard()).toEqual(['connack 0'])
    expect(slow.closed).toBe(false)
    await rig.pass(7000)
    expect([late.closed, slow.closed]).toEqual([false, true])
    expect((await rig.broker.metrics()).connectTimeouts).toBe(1)
  })

  it('a new client does not wait: one pause is no overload', async () => {
    const rig = await startRig({}, version)
    await rig.connect('present', { keepAliveSeconds: 600 })
    rig.clock.pause(20_000)()
    await rig.connect('new')
    expect((await rig.broker.metrics()).connectsDelayed).toBe(0)
  })
})

const children: ChildBroker[] = []
afterEach(async () => {
  for (const child of children.splice(0)) await child.end()
})

const mostMs = 30_000

describe.skipIf(process.platform === 'win32')(
  'a process that is stopped for six seconds (no SIGSTOP on Windows)',
  () => {
    it('keeps the 200 of 220 clients whose PINGREQ lies in their sockets', { timeout: mostMs }, async () => {
      const { cert, key } = await (await Authority.create('test')).issue('localhost')
      const doors = [{ port: 0 }, { port: 0, tls: { cert, key } }, { port: 0, websocket: { path: '*' } }]
      const broker = await ChildBroker.start({}, doors)
      children.push(broker)
      const [tcp = 0, tls = 0, ws = 0] = broker.ports
      const streamOf = (n: number): Duplex =>
        n % 10 === 1 ? overTls(tls) : n % 10 === 2 ? overWebSocket(ws) : connectTcp(tcp, '127.0.0.1')
      const streams = await Promise.all(Array.from({ length: 220 }, (_, n) => connected(streamOf(n), `c${n}`)))
      const gone = new Set<Duplex>()
      const ended = streams.map(async (stream) => gone.add(await endOf(stream)))
      broker.child.kill('SIGSTOP')
      await pass(5000)
      const speakers = streams.slice(0, 200)
      const answered = speakers.map((stream) => new Promise((resolve) => void stream.once('data', resolve)))
      for (const stream of speakers) stream.write(encode({ type: 'pingreq' }, 4))
      await pass(1000)
      broker.child.kill('SIGCONT')
      await Promise.all(answered.map((answer, n) => Promise.race([answer, ended[n]])))
      await Promise.all(ended.slice(200))
      expect(speakers.filter((stream) => gone.has(stream))).toHaveLength(0)
      const { clients, metrics } = await broker.ask()
      expect(clients).toBe(200)
      expect(metrics.keepAliveTimeouts).toBe(20)
      for (const stream of streams) stream.destroy()
    })
  },
)

const overTls = (port: number): Duplex => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })

const overWebSocket = (port: number): Duplex => createWebSocketStream(new WebSocket(`ws://127.0.0.1:${port}/`, 'mqtt'))

/** A WebSocket's stream has an end and no close, one that was reset a close and no end. */
function endOf(stream: Duplex): Promise<Duplex> {
  return new Promise((resolve) => {
    for (const event of ['end', 'close']) stream.once(event, () => resolve(stream))
  })
}

/** Says CONNECT, with a Keep Alive of 2 s, and nothing more by itself. */
async function connected(stream: Duplex, clientId: string): Promise<Duplex> {
  stream.on('error', () => {})
  stream.write(encode(connectPacket(clientId, { keepAliveSeconds: 2 }), 4))
  await once(stream, 'data')
  return stream.resume()
}
