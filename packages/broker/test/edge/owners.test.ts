// Who serves: nobody, another, this node, one that hangs or cannot be reached.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createBroker, type Edge } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { settled } from '../rig.js'
import { connectPacket, TestClient } from '../test-client.js'
import { openTcp, startBroker } from '../transports/started-broker.js'
import { type EdgeRig, startEdge, startEdgeRig, until } from './edge-rig.js'

let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

async function rigOf(...args: Parameters<typeof startEdgeRig>): Promise<EdgeRig> {
  const rig = await startEdgeRig(...args)
  closing.push(() => rig.close())
  return rig
}

const waiting = async (edge: Edge): Promise<number> => (await edge.metrics()).forward.waiting
const passedOn = async (edge: Edge): Promise<number> => (await edge.metrics()).forward.clients

/** Something that listens where an owner should. */
async function fakeOwner(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => {}))
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

/** An edge on time of the test's, with a client that speaks this version and has said CONNECT. */
async function knock(version: 4 | 5, options: Parameters<typeof startEdge>[0] = {}) {
  const clock = new VirtualClock()
  const { edge, edgeLog } = await startEdge({ clock, ...options })
  closing.push(() => edge.close())
  const { port } = await edge.listen({ port: 0, name: 'plain' })
  const client = new TestClient(await openTcp(port), 'c', settled, version).read()
  client.send(connectPacket('c', { version }))
  return { clock, edge, edgeLog, client }
}

describe('while nobody serves', () => {
  it('a CONNECT waits for who will, and what comes behind it too', async () => {
    const rig = await rigOf({ isServed: false })
    const client = await rig.open('c')
    client.send(connectPacket('c')).publish('a', 'early', 1)
    await until(async () => (await waiting(rig.edge)) === 1)
    rig.claim()
    expect(await client.next(2)).toEqual(['connack 0', 'puback 1'])
    expect(await waiting(rig.edge)).toBe(0)
  })

  it.each([
    [4, 'connack 88'],
    [5, 'connack 88 {"reasonString":"no node of the cluster serves now; try again later"}'],
  ] as const)('a CONNECT of %s waits so long and no longer', async (version, answer) => {
    const { clock, edge, client } = await knock(version, { holdMs: 5_000 })
    await until(async () => (await waiting(edge)) === 1)
    clock.advance(4_000)
    expect(await waiting(edge)).toBe(1)
    clock.advance(2_000)
    await client.ended()
    expect(await client.heardInFull()).toEqual([answer])
    expect(await edge.metrics()).toMatchObject({ refused: { unavailable: 1 }, forward: { waiting: 0, clients: 0 } })
  })

  it('a CONNECT waits no longer than it may take to be answered', async () => {
    const { clock, edge, client } = await knock(4, { holdMs: 60_000, limits: { connectTimeoutMs: 3_000 } })
    await until(async () => (await waiting(edge)) === 1)
    clock.advance(5_000)
    await client.ended()
    expect(await client.heard()).toEqual(['connack 88'])
  })

  it('who gives up takes no place any more, and is not passed on later', async () => {
    const rig = await rigOf({ isServed: false })
    const client = await rig.open('c')
    client.send(connectPacket('c'))
    await until(async () => (await waiting(rig.edge)) === 1)
    client.end()
    await until(async () => (await waiting(rig.edge)) === 0)
    rig.claim()
    await rig.connect('other')
    expect(rig.clients.map(({ clientId }) => clientId)).toEqual(['other'])
  })

  it('what waits is bounded, of each and of all', async () => {
    const limits = { maxUnauthenticatedBytes: 300_000 }
    const { edge, client } = await knock(5, { limits })
    await until(async () => (await waiting(edge)) === 1)
    client.sendBytes(new Uint8Array(10_000_000)) // the kernels take a part of it, and the edge some 64 KiB
    await until(async () => (await edge.metrics()).bytesReceived > 65_536)
    expect(await waiting(edge)).toBe(1)
    await settled()
    expect((await edge.metrics()).bytesReceived).toBeLessThan(200_000)
  })
})

describe('the owner', () => {
  it('cannot be reached: it is tried again while the CONNECT waits, and the log says so', async () => {
    const { server, port } = await fakeOwner(() => {})
    server.close()
    const rig = await rigOf({ isServed: false })
    rig.edge.setOwner({ host: '127.0.0.1', port, claim: 'gone' })
    const client = await rig.open('c')
    client.send(connectPacket('c'))
    await until(async () => (await rig.edge.metrics()).forward.failures > 1)
    expect(rig.edgeLog).toContain(
      `warn no connection to the node that serves; its clients wait {"node":"127.0.0.1:${port}","why":"ECONNREFUSED"}`,
    )
    rig.claim()
    expect(await client.next()).toEqual(['connack 0'])
  })

  it.each([
    [4, []],
    [5, ['connack 80 {"reasonString":"not authenticated in time"}']],
  ] as const)('says nothing: a CONNECT of %s ends in its time', async (version, answer) => {
    let heard = 0
    const { port } = await fakeOwner((socket) => void socket.on('data', (chunk) => (heard += chunk.length)))
    const { clock, edge, client } = await knock(version)
    edge.setOwner({ host: '127.0.0.1', port, claim: '1' })
    await until(() => heard > 0)
    clock.advance(12_000)
    await client.ended()
    expect(await client.heardInFull()).toEqual(answer)
    expect(await edge.metrics()).toMatchObject({ connectTimeouts: 1, forward: { clients: 0 } })
  })

  it.each<[string, (socket: Socket) => void, string | undefined]>([
    ['a reset', (socket) => void socket.resetAndDestroy(), 'ECONNRESET'],
    ['an end in order', (socket) => void socket.end(), undefined],
  ])('ends a connection, which its client sees as it was: %s', async (_name, end, code) => {
    const { port } = await fakeOwner((socket) => void socket.once('data', () => end(socket)))
    const { edge } = await startEdge()
    closing.push(() => edge.close())
    edge.setOwner({ host: '127.0.0.1', port, claim: '1' })
    const listener = await edge.listen({ port: 0 })
    const socket = await openTcp(listener.port)
    let seen: string | undefined
    socket.on('error', ({ code: how }: NodeJS.ErrnoException) => (seen = how)).resume()
    socket.write(Buffer.from('100d00044d515454040200000001' + '63', 'hex'))
    await once(socket, 'close').catch(() => {})
    expect(seen).toBe(code)
  })

  it('is another now: connections to the one before end, and come again', async () => {
    const rig = await rigOf()
    const before = await rig.connect('c')
    const next = await startBroker()
    closing.push(() => next.broker.close())
    const { port } = await next.broker.listen({ port: 0, node: { names: [] } })
    rig.edge.setOwner({ host: '127.0.0.1', port, claim: 'next' })
    await before.ended()
    await rig.connect('c')
    expect(next.clients.map(({ clientId }) => clientId)).toEqual(['c'])
    await until(async () => (await rig.broker.clients.count()) === 0)
    expect((await rig.edge.metrics()).forward).toMatchObject({ clients: 1, ended: 1, connections: 2, bufferedBytes: 0 })
  })

  it('is the same, or not known for a while: connections stay', async () => {
    const rig = await rigOf()
    const client = await rig.connect('c')
    rig.edge.setOwner(undefined)
    rig.edge.setOwner({ host: '127.0.0.1', port: rig.node.port, claim: '1' })
    await settled()
    client.send({ type: 'pingreq' })
    expect(await client.next()).toEqual(['pingresp'])
    expect(await passedOn(rig.edge)).toBe(1)
  })
})

describe('this node serves', () => {
  it('from one moment to the next, at the same port, for those that wait too', async () => {
    const rig = await rigOf()
    const before = await rig.connect('before')
    rig.edge.setOwner(undefined)
    const early = await rig.open('early')
    early.send(connectPacket('early')).publish('a', 'x', 1)
    await until(async () => (await waiting(rig.edge)) === 1)
    const clients: string[] = []
    const here = await createBroker({
      counters: rig.edge.counters,
      sysIntervalSeconds: 0,
      hooks: [{ onConnect: ({ clientId, listener }) => void clients.push(`${clientId} at ${listener}`) }],
    })
    closing.push(() => here.close())
    rig.edge.setOwner(here)
    expect(await early.next(2)).toEqual(['connack 0', 'puback 1'])
    await before.ended()
    const late = await rig.connect('late')
    late.subscribe('a', 1)
    expect(await late.next()).toEqual(['suback 1 [1]'])
    expect(clients).toEqual(['early at plain', 'late at plain'])
    expect(await here.metrics()).toMatchObject({
      clientsAccepted: 2,
      forward: { clients: 0, connections: 1, ended: 1 },
    })
    // And no longer.
    rig.claim()
    await here.close()
    await late.ended()
    await rig.connect('after')
    expect((await rig.edge.metrics()).clientsAccepted).toBe(2)
  })
})

describe('this node serves since a client came in, which', () => {
  /** A client that is at the edge, and has said nothing. No time passes: what waits would wait for ever. */
  async function silent() {
    const rig = await rigOf({ isServed: false, edge: { clock: new VirtualClock() } })
    const client = await rig.open('c')
    await until(async () => (await rig.edge.metrics()).connectionsAccepted === 1)
    const here = await createBroker({ counters: rig.edge.counters, sysIntervalSeconds: 0 })
    closing.push(() => here.close())
    return { rig, client, here }
  }

  it('says CONNECT now: it is answered at once', async () => {
    const { rig, client, here } = await silent()
    rig.edge.setOwner(here)
    client.send(connectPacket('c')).publish('a', 'x', 1)
    expect(await client.next(2)).toEqual(['connack 0', 'puback 1'])
    expect((await rig.edge.metrics()).forward).toMatchObject({ waiting: 0, clients: 0 })
  })

  it('has half of its CONNECT said: it says the rest, and is answered', async () => {
    const { rig, client, here } = await silent()
    const connect = Buffer.from('100d00044d51545404020000000163', 'hex')
    client.sendBytes(connect.subarray(0, 7))
    await until(async () => (await rig.edge.metrics()).bytesReceived === 7)
    rig.edge.setOwner(here)
    client.sendBytes(connect.subarray(7))
    client.subscribe('a', 1)
    expect(await client.next(2)).toEqual(['connack 0', 'suback 1 [1]'])
  })

  it('has said CONNECT and no more follows: it ends at once, as it has gone', async () => {
    const { server, port } = await fakeOwner(() => {})
    server.close()
    const { rig, client, here } = await silent()
    rig.edge.setOwner({ host: '127.0.0.1', port, claim: 'gone' })
    client.send(connectPacket('c')).end()
    await until(async () => (await rig.edge.metrics()).forward.failures > 0)
    rig.edge.setOwner(here)
    await client.ended()
    expect((await rig.edge.metrics()).forward).toMatchObject({ waiting: 0, clients: 0 })
  })
})

describe('who keeps showing wrong credentials', () => {
  it('is refused at the edge after a few, and not passed on', async () => {
    let asked = 0
    const authenticate = (): boolean => {
      asked++
      return false
    }
    const rig = await rigOf({
      broker: { hooks: [{ authenticate }] },
      edge: { backOff: { afterFailures: 2, firstMs: 60_000 } },
    })
    for (const [attempt, answer] of [
      ['one', 'connack 87'],
      ['one', 'connack 87'], // the same again counts once
      ['two', 'connack 87'],
      ['three', 'connack 88'],
    ] as const) {
      const client = await rig.open('c')
      client.send(connectPacket('c', { username: 'u', password: attempt }))
      expect(await client.next()).toEqual([answer])
      await client.ended()
    }
    expect(asked).toBe(3)
    expect((await rig.edge.metrics()).refused.unavailable).toBe(1)
  })
})

it('an edge that closes ends those that it has passed on, at both sides', async () => {
  const rig = await rigOf()
  const client = await rig.connect('c', { will: { topic: 'will', payload: 'gone' } })
  await rig.edge.close()
  await client.ended()
  await until(async () => (await rig.broker.clients.count()) === 0)
  await expect(rig.edge.listen({ port: 0 })).rejects.toThrow('the edge has been closed')
})
