// What lies between the two connections of a client is little, and ends go through as they are.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { encode } from '@godwit/protocol'
import { afterEach, expect, it } from 'vitest'
import { settled } from '../rig.js'
import { connectPacket, subscribePacket, TestClient } from '../test-client.js'
import { openTcp } from '../transports/started-broker.js'
import { type EdgeRig, startEdge, startEdgeRig, until } from './edge-rig.js'

let rig: EdgeRig | undefined
afterEach(async () => {
  await rig?.close()
  rig = undefined
})

const most = 65_536

it('a client that takes nothing is a slow one for the node that serves, and little of it lies here', async () => {
  rig = await startEdgeRig({ broker: { limits: { maxOutboxBytes: 1_000_000 } } })
  const { broker, edge } = rig
  const socket = await openTcp(rig.port)
  socket.write(Buffer.concat([encode(connectPacket('slow'), 4), encode(subscribePacket([{ filter: 'a', qos: 0 }]), 4)]))
  await until(async () => (await broker.subscriptions.count()) === 1)
  const payload = new Uint8Array(100_000)
  let seen = 0
  while ((await broker.metrics()).dropped['slow-consumer'] === 0) {
    void broker.publish('a', payload)
    await settled()
    seen = Math.max(seen, (await edge.metrics()).forward.bufferedBytes)
  }
  expect(seen).toBeGreaterThan(0)
  expect(seen).toBeLessThanOrEqual(most)
  socket.destroy()
  await until(async () => (await broker.clients.count()) === 0)
  expect((await edge.metrics()).forward).toMatchObject({ clients: 0, bufferedBytes: 0 })
})

it('a node that takes nothing stops the client, and little of what it says lies here', async () => {
  const held: Socket[] = []
  const owner = createServer({ pauseOnConnect: true }, (socket) => void held.push(socket.on('error', () => {})))
  owner.listen(0, '127.0.0.1')
  await once(owner, 'listening')
  const { edge } = await startEdge()
  edge.setOwner({ host: '127.0.0.1', port: (owner.address() as AddressInfo).port, claim: '1' })
  const { port } = await edge.listen({ port: 0 })
  const socket = await openTcp(port)
  socket.write(encode(connectPacket('c'), 4))
  const part = new Uint8Array(1_000_000)
  for (let taken = -1; taken !== socket.bytesWritten - socket.writableLength; ) {
    taken = socket.bytesWritten - socket.writableLength
    socket.write(part)
    for (let turn = 0; turn < 20; turn++) await settled()
  }
  const { bufferedBytes } = (await edge.metrics()).forward
  expect(bufferedBytes).toBeGreaterThan(0)
  expect(bufferedBytes).toBeLessThanOrEqual(most)
  socket.destroy()
  for (const each of held) each.destroy()
  await edge.close()
  owner.close()
})

it('a megabyte in each size of piece goes both ways as it is', async () => {
  rig = await startEdgeRig()
  const client = await rig.connect('c')
  client.subscribe('a', 1)
  await client.next()
  const payload = Uint8Array.from({ length: 1_000_000 }, (_, at) => at % 251)
  let got: Uint8Array | undefined
  rig.broker.subscribe('a', ({ payload: bytes }) => {
    got = bytes
  })
  client.publish('a', payload, 1)
  expect(await client.next(2)).toEqual(expect.arrayContaining(['puback 1', 'publish a <1000000 bytes> qos 1 id 1']))
  expect(Buffer.compare(got!, payload)).toBe(0)
})

it('a client that has ended its side still hears what it is owed', async () => {
  rig = await startEdgeRig()
  const client = await rig.open('c')
  client.send(connectPacket('c')).publish('a', 'last words', 1).end()
  expect(await client.next(2)).toEqual(['connack 0', 'puback 1'])
  await client.ended()
})

it('a client that ends its side right behind CONNECT leaves its will', async () => {
  rig = await startEdgeRig()
  const heard: string[] = []
  rig.broker.subscribe('will', (message) => void heard.push(message.text()))
  const client = await rig.open('c')
  client.send(connectPacket('c', { will: { topic: 'will', payload: 'gone' } })).end()
  await client.ended()
  await until(() => heard.length > 0)
  expect(heard).toEqual(['gone'])
})

it('a reset of the client is a reset at the node that serves', async () => {
  rig = await startEdgeRig()
  const { broker, log, port } = rig
  const heard: string[] = []
  broker.subscribe('will', (message) => void heard.push(message.text()))
  const socket = await openTcp(port)
  const client = new TestClient(socket, 'c', settled).read()
  client.send(connectPacket('c', { will: { topic: 'will', payload: 'gone' } }))
  await client.next()
  socket.resetAndDestroy()
  await until(async () => (await broker.clients.count()) === 0)
  expect(heard).toEqual(['gone'])
  expect(log.at(-1)).toMatch(/info client gone .*connection failed: read ECONNRESET/)
})

it('a client that takes its time for CONNECT is cut off here, and one that speaks no MQTT', async () => {
  rig = await startEdgeRig({ edge: { limits: { connectTimeoutMs: 100 } } })
  const [slow, stranger] = [await rig.open(), await rig.open()]
  slow.sendHex('10')
  stranger.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await Promise.all([slow.ended(), stranger.ended()])
  expect(await rig.edge.metrics()).toMatchObject({ connectTimeouts: 1, protocolErrors: 1, forward: { connections: 0 } })
  expect(rig.edgeLog.join('\n')).toContain('it speaks HTTP; this port speaks MQTT only')
})

it('limits for who comes in are changed while it runs, all that are given or none', async () => {
  const made = await startEdgeRig({ edge: { limits: { maxConnections: 1 } } }, 5)
  rig = made
  const first = await rig.connect('first')
  await (await rig.open()).ended()
  rig.edge.reconfigure({ limits: { maxConnections: 2, maxConnectBytes: 50 } })
  await rig.connect('second')
  first.drop()
  await until(async () => (await made.edge.metrics()).forward.clients === 1)
  const long = await rig.open()
  long.send(connectPacket('x'.repeat(100), { version: 5 }))
  await long.ended()
  expect(() => made.edge.reconfigure({ limits: { maxConnections: 3, maxConnectBytes: 0 } })).toThrow('maxConnectBytes')
  expect(() => made.edge.reconfigure({ holdMs: 1 } as object)).toThrow('reconfigure has no holdMs')
  rig.edge.reconfigure({ limits: { maxConnectBytes: 500 } })
  await rig.connect('x'.repeat(100))
  await (await rig.open()).ended() // still two
})
