import { connect as connectSocket, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Broker, createBroker, type LocalMessage } from '../src/index.js'
import { PendingHook } from './pending-hook.js'
import { settled } from './rig.js'
import { SteppedStore } from './stepped-store.js'
import { type ConnectOptions, connectPacket, publishPacket, TestClient } from './test-client.js'

const port = 19_610
let broker: Broker

beforeEach(async () => {
  broker = await createBroker({ sysIntervalSeconds: 0 })
  await broker.listen({ port })
})

afterEach(() => broker.close())

interface TcpClient extends TestClient {
  readonly socket: Socket
}

async function open(clientId = '', at = port): Promise<TcpClient> {
  const socket = connectSocket({ host: '127.0.0.1', port: at, noDelay: true })
  await new Promise((resolve, reject) => void socket.once('connect', resolve).once('error', reject))
  return Object.assign(new TestClient(socket, clientId, settled).read(), { socket })
}

async function connect(clientId: string, options: ConnectOptions = {}): Promise<TcpClient> {
  const client = await open(clientId)
  client.send(connectPacket(clientId, options))
  expect(await client.next()).toEqual(['connack 0'])
  return client
}

/** The next message to this filter. */
function next(filter: string): Promise<LocalMessage> {
  return new Promise((resolve) => {
    const subscription = broker.subscribe(filter, (message) => {
      subscription.unsubscribe()
      resolve(message)
    })
  })
}

it('a client that half-closes is answered what it asked before, and its will is published', async () => {
  const will = next('will')
  const client = await open()
  client.send(connectPacket('c', { will: { topic: 'will', payload: 'gone' } }), publishPacket('a', 'x', 1), {
    type: 'pingreq',
  })
  client.end()
  await client.ended()
  expect(await client.next(3)).toEqual(['connack 0', 'puback 1', 'pingresp'])
  expect((await will).text()).toBe('gone')
})

it('a client that half-closes is answered what waits for the disk, then the end comes', async () => {
  const store = new SteppedStore()
  const slow = await createBroker({ sysIntervalSeconds: 0, store })
  await slow.listen({ port: port + 1 })
  const left = new Promise<void>((resolve) => void slow.subscribe('will', () => resolve()))
  const client = await open('', port + 1)
  const will = { topic: 'will', payload: 'gone' }
  client.send(connectPacket('c', { cleanStart: false, will }), publishPacket('a', 'x', 2, 1), { type: 'pingreq' })
  client.end()
  while (store.latest === store.flushed) await settled()
  await settled()
  expect([await client.heard(), client.closed]).toEqual([[], false])
  store.flush()
  expect(await client.next()).toEqual(['connack 0'])
  while (store.latest === store.flushed) await settled()
  store.flush()
  await left
  store.flush()
  await client.ended()
  expect((await client.next(2)).sort()).toEqual(['pingresp', 'pubrec 1'])
  await slow.close()
})

it('a client that half-closes is answered also what waits for a hook', async () => {
  const pending = new PendingHook<boolean>()
  const careful = await createBroker({ sysIntervalSeconds: 0, hooks: [{ authorize: pending.ask }] })
  await careful.listen({ port: port + 1 })
  const client = await open('', port + 1)
  client.send(connectPacket('c'), publishPacket('a', 'x', 1), { type: 'pingreq' })
  expect(await client.next()).toEqual(['connack 0'])
  client.end()
  await settled()
  pending.answer(true)
  await client.ended()
  expect(await client.next(2)).toEqual(['puback 1', 'pingresp'])
  await careful.close()
})

it('a reset in the middle of a PUBLISH: the message is not published, the will is', async () => {
  broker.subscribe('a', () => expect.unreachable())
  const will = next('will')
  const client = await connect('c', { will: { topic: 'will', payload: 'gone' } })
  client.sendHex('30 20 0001 61 68616c66') // 32 bytes announced, 7 sent
  client.socket.resetAndDestroy()
  expect((await will).text()).toBe('gone')
})

it('200 clients at once are served', async () => {
  const clients = await Promise.all(Array.from({ length: 200 }, (_, at) => connect(`c${at}`)))
  for (const client of clients) client.subscribe('all', 1)
  expect(await Promise.all(clients.map((client) => client.next()))).toEqual(clients.map(() => ['suback 1 [1]']))
  for (const [at, client] of clients.entries()) client.publish(`own/${at}`, 'x', 1, 9)
  expect(await Promise.all(clients.map((client) => client.next()))).toEqual(clients.map(() => ['puback 9']))
  broker.publish('all', 'hello', { qos: 1 })
  const hellos = await Promise.all(clients.map((client) => client.next()))
  expect(hellos).toEqual(clients.map(() => ['publish all "hello" qos 1 id 1']))
})

it.each([0, 1, 2] as const)('a megabyte reaches three subscribers at QoS %i intact', async (qos) => {
  const payload = new Uint8Array(1_000_000)
  for (let at = 0; at < payload.length; at++) payload[at] = (at * 31 + (at >> 10)) & 0xff
  const subscribers = await Promise.all(['s1', 's2', 's3'].map((id) => connect(id)))
  const arrived = subscribers.map((client) => {
    const chunks: Buffer[] = []
    client.socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    return chunks
  })
  for (const client of subscribers) client.subscribe('large', qos)
  for (const client of subscribers) expect(await client.next()).toEqual([`suback 1 [${qos}]`])
  const publisher = await connect('p')
  publisher.publish('large', payload, qos, 1)
  const line = `publish large <1000000 bytes>${qos > 0 ? ` qos ${qos} id 1` : ''}`
  for (const client of subscribers) expect(await client.next()).toEqual([line])
  for (const chunks of arrived) {
    const bytes = Buffer.concat(chunks)
    expect(bytes.subarray(bytes.length - payload.length).equals(payload)).toBe(true)
  }
  if (qos > 0) expect(await publisher.next()).toEqual([qos === 1 ? 'puback 1' : 'pubrec 1'])
})

it('a client that does not read does not keep close() from ending', async () => {
  const client = await connect('deaf')
  client.subscribe('a')
  expect(await client.next()).toEqual(['suback 1 [0]'])
  client.stopReading()
  for (let n = 0; n < 100; n++) broker.publish('a', new Uint8Array(100_000))
  await broker.close()
  client.drop()
})

it('what was sent right before the broker closes arrives, then the end', async () => {
  const client = await connect('c')
  client.subscribe('a')
  expect(await client.next()).toEqual(['suback 1 [0]'])
  broker.publish('a', 'last words')
  const closing = broker.close()
  await client.ended()
  expect(await client.next()).toEqual(['publish a "last words"'])
  await closing
})

it('CONNACK that refuses arrives before the end, though the client has sent more than was read', async () => {
  const client = await open()
  client.send(connectPacket('', { cleanStart: false }), publishPacket('a', new Uint8Array(500_000)))
  await client.ended()
  expect(await client.next()).toEqual(['connack 85'])
})
