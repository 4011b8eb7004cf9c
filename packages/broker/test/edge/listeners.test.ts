// Clients of every kind of listener of an edge, and TLS between nodes.
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { encode } from '@godwit/protocol'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { Edge, ListenOptions, NodeTlsOptions } from '../../src/index.js'
import { connectPacket, publishPacket } from '../test-client.js'
import { Authority, type Pair } from '../transports/certificates.js'
import { greet, lastWords, openTcp, type StartedBroker, startBroker } from '../transports/started-broker.js'
import { startEdge, until } from './edge-rig.js'

let ca: Authority
let plant: Authority
let server: Pair
let meter: Pair
let nodes: { readonly a: Pair; readonly b: Pair }
beforeAll(async () => {
  ca = await Authority.create('Devices CA')
  plant = await Authority.create('Plant CA')
  server = await ca.issue('localhost')
  meter = await ca.issue('meter', { email: 'meter@example.org' })
  nodes = { a: await plant.issue('a.plant'), b: await plant.issue('b.plant') }
})

let started: StartedBroker
let edge: Edge
let edgeLog: string[]
let folder: string
beforeEach(async () => {
  started = await startBroker()
  folder = await mkdtemp(join(tmpdir(), 'godwit-edge-'))
})
afterEach(async () => {
  await edge.close()
  await started.broker.close()
  await rm(folder, { recursive: true })
})

/** The broker on node a serves; the edge is node b's. */
async function serve(tls: Partial<NodeTlsOptions> = {}, pinned: readonly string[] = ['b.plant']): Promise<void> {
  const { port } = await started.broker.listen({
    port: 0,
    tls: { ...nodes.a, ca: plant.cert },
    node: { names: pinned },
  })
  const made = await startEdge({ tls: { ...nodes.b, ca: plant.cert, names: ['a.plant'], ...tls } })
  edge = made.edge
  edgeLog = made.edgeLog
  edge.setOwner({ host: '127.0.0.1', port, claim: '1' })
}

async function listen(options: ListenOptions): Promise<number> {
  return (await edge.listen({ port: 0, name: 'here', ...options } as ListenOptions)).port
}

const shown = async (): Promise<unknown> => (await started.broker.clients.page()).items[0]

it('TLS with a client certificate: the node that serves knows whose it is', async () => {
  await serve()
  const port = await listen({ tls: { ...server, ca: ca.cert, requestCert: true } })
  const identity = { cert: meter.cert, key: meter.key }
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert, ...identity })
  await once(socket, 'secureConnect')
  const client = await greet(socket, 'meter')
  client.publish('a', new Uint8Array(300_000), 1)
  expect(await client.next()).toEqual(['puback 1'])
  const certificate = { subject: 'CN=meter', commonName: 'meter', altNames: ['DNS:meter', 'email:meter@example.org'] }
  expect(started.clients).toMatchObject([{ listener: 'here', address: '127.0.0.1', certificate }])
  expect(await shown()).toMatchObject({ transport: 'tls', tls: { protocol: 'TLSv1.3' }, certificate })
  socket.destroy()
  await until(async () => (await started.broker.clients.count()) === 0)
})

it('a client certificate of another CA is refused here, and nothing of it goes on', async () => {
  await serve()
  const port = await listen({ tls: { ...server, ca: ca.cert, requestCert: true } })
  const socket = connectTls({ port, servername: 'localhost', ca: ca.cert, cert: nodes.b.cert, key: nodes.b.key })
  expect(await lastWords(socket.on('error', () => {}))).toBe('')
  expect(await edge.metrics()).toMatchObject({ handshakesRefused: { tls: 1 }, forward: { connections: 0 } })
})

it('WebSocket', async () => {
  await serve()
  const port = await listen({ websocket: {} })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, ['mqtt'])
  await once(socket, 'open')
  socket.send(encode(connectPacket('page'), 4))
  const [connack] = (await once(socket, 'message')) as [Buffer]
  expect(connack.toString('hex')).toBe('20020000')
  expect(await shown()).toMatchObject({ clientId: 'page', transport: 'ws', listener: 'here' })
  socket.close()
  await once(socket, 'close')
  await until(async () => (await started.broker.clients.count()) === 0)
})

it('a page that says all at once and goes is heard to its end', async () => {
  await serve()
  const heard: string[] = []
  started.broker.subscribe('#', ({ topic }) => void heard.push(topic))
  const socket = new WebSocket(`ws://127.0.0.1:${await listen({ websocket: {} })}/mqtt`, ['mqtt'])
  await once(socket, 'open')
  socket.send(encode(connectPacket('page', { will: { topic: 'will', payload: '' } }), 4))
  socket.send(encode(publishPacket('last', 'words'), 4))
  socket.close()
  await until(() => heard.length === 2)
  expect(heard).toEqual(['last', 'will'])
})

it('a Unix socket', async () => {
  await serve()
  const path = join(folder, 'mqtt.sock')
  await listen({ path })
  const socket = connectTcp({ path })
  await greet(socket, 'local')
  expect(await shown()).toMatchObject({ clientId: 'local', transport: 'unix', address: '', listener: 'here' })
  socket.destroy()
})

it('behind a proxy a client has its own address, here and where it is served', async () => {
  await serve()
  const port = await listen({ proxyProtocol: { from: ['127.0.0.1'] } })
  const socket = await openTcp(port)
  socket.write('PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n')
  await greet(socket)
  expect(await shown()).toMatchObject({ address: '192.0.2.7' })
})

it('a reset goes through TLS of nodes and clients', async () => {
  await serve()
  const port = await listen({ tls: server })
  const below = await openTcp(port)
  const socket = connectTls({ socket: below, servername: 'localhost', ca: ca.cert }).on('error', () => {})
  await once(socket, 'secureConnect')
  await greet(socket)
  below.resetAndDestroy()
  await until(async () => (await started.broker.clients.count()) === 0)
  expect(started.log.at(-1)).toMatch(/connection failed: read ECONNRESET/)
})

it('a connection to the same node goes on with the TLS session of the one before', async () => {
  const reused: boolean[] = []
  const owner = createTlsServer({ ...nodes.a, ca: plant.cert, requestCert: true }, (socket) => {
    reused.push(socket.isSessionReused())
    socket.on('error', () => {}).once('data', () => socket.write(Buffer.from('20020000', 'hex')))
  }).listen(0, '127.0.0.1')
  await once(owner, 'listening')
  edge = (await startEdge({ tls: { ...nodes.b, ca: plant.cert, names: ['a.plant'] } })).edge
  edge.setOwner({ host: '127.0.0.1', port: (owner.address() as { port: number }).port, claim: '1' })
  const port = await listen({})
  for (const clientId of ['one', 'two', 'three']) await greet(await openTcp(port), clientId)
  expect(reused).toEqual([false, true, true])
  owner.close()
})

it.each<[string, () => Promise<Partial<NodeTlsOptions>>, readonly string[], RegExp]>([
  [
    'it is another than it should be',
    async () => ({ names: ['c.plant'] }),
    ['b.plant'],
    /"why":"its certificate has none of the names of the nodes of this cluster"/,
  ],
  ['another CA vouches for it', async () => ({ ca: ca.cert }), ['b.plant'], /"why":"(unable to verify|self-signed)/],
])('a node that serves gets no clients when %s', async (_name, tls, pinned, why) => {
  await serve(await tls(), pinned)
  await said(await listen({}))
  await until(async () => (await edge.metrics()).forward.failures > 0)
  expect(edgeLog.join('\n')).toMatch(why)
  expect(started.clients).toEqual([])
})

it('a node that is not known where it passes clients on gets nobody in, and its clients see an end', async () => {
  await serve({}, ['c.plant'])
  expect(await lastWords(await said(await listen({})))).toBe('')
  expect(started.log.join('\n')).toContain('its certificate has none of the names of the nodes of this cluster')
})

it('a certificate for nodes that is replaced on disk is shown from then on', async () => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const put = async (pair: Pair): Promise<void> => {
    await Promise.all([writeFile(cert, pair.cert), writeFile(key, pair.key)])
  }
  await put(await plant.issue('x.plant'))
  await serve({ cert, key })
  const port = await listen({})
  expect(await lastWords(await said(port))).toBe('')
  await put(nodes.b)
  await edge.reload()
  await greet(await openTcp(port))
})

/** A connection on which CONNECT has been said. */
async function said(port: number): Promise<Socket> {
  const socket = await openTcp(port)
  socket.write(encode(connectPacket('c'), 4))
  return socket
}

it.each<[string, object, RegExp]>([
  ['names', { cert: 'c', key: 'k', ca: 'a', names: [] }, /tls.names is empty/],
  ['a file', { cert: '/no/such', key: 'k', ca: 'a', names: ['a'] }, /cannot read tls.cert \/no\/such/],
  ['a known word', { cert: 'c', key: 'k', ca: 'a', names: ['a'], pfx: 'p' }, /createEdge.tls has no pfx/],
])('is not made without %s', async (_name, tls, why) => {
  await serve()
  await expect(startEdge({ tls: tls as NodeTlsOptions })).rejects.toThrow(why)
})

it('has no node listener of its own, and none for others without leave', async () => {
  await serve()
  await expect(edge.listen({ port: 0, node: { names: [] } })).rejects.toThrow('a node listener is for the broker')
  await expect(edge.listen({ port: 0, host: '0.0.0.0' })).rejects.toThrow('can be reached by other machines')
})
