import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { encode } from '@godwit/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Broker, createBroker, type ListenOptions } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { settled } from '../rig.js'
import { connectPacket, subscribePacket } from '../test-client.js'
import { Authority, type Pair } from './certificates.js'
import { frameHeader, upgraded } from './raw-websocket.js'

/** Of both, the kernel holds less: the second also while its buffers have not grown. */
const messageBytes = 96_000_000
const partBytes = 12_000_000

let ca: Authority
let tls: Pair
beforeAll(async () => {
  ca = await Authority.create('Test CA')
  tls = await ca.issue('localhost')
})

const clock = new VirtualClock()
let broker: Broker
beforeAll(async () => {
  broker = await createBroker({ clock, sysIntervalSeconds: 0, limits: { maxOutboxBytes: 1_000_000 } })
})
afterAll(() => broker.close())

async function pass(ms: number): Promise<void> {
  clock.advance(ms)
  await settled()
}

/** Takes so many bytes off a socket that is read by hand. */
async function take(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; ) {
    const chunk = socket.read() as Buffer | null
    if (chunk) left -= chunk.length
    else await once(socket, 'readable')
  }
}

const greeting = Buffer.concat([
  encode(connectPacket('slow'), 4),
  encode(subscribePacket([{ filter: 'large', qos: 0 }]), 4),
])
const connackAndSuback = 9

it.each<[string, () => ListenOptions, (port: number) => Promise<Socket>]>([
  ['TCP', () => ({ port: 0 }), async (port) => connectTcp(port, '127.0.0.1')],
  [
    'TLS',
    () => ({ port: 0, tls }),
    async (port) => connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert }),
  ],
  [
    'WebSocket',
    () => ({ port: 0, websocket: {} }),
    async (port) => {
      const socket = await upgraded(connectTcp(port, '127.0.0.1'))
      socket.write(frameHeader(greeting.length))
      return socket
    },
  ],
])(
  'over %s, who takes a part of one large write in time stays, and who takes nothing is disconnected',
  async (_, options, open) => {
    const { port } = await broker.listen(options())
    const ended = async (): Promise<number> => (await broker.metrics()).drainTimeouts
    const before = await ended()
    const socket = await open(port)
    socket.on('error', () => {}).write(greeting)
    await take(socket, connackAndSuback)
    await broker.publish('large', new Uint8Array(messageBytes))
    await broker.publish('large', 'one too many')
    await pass(59_000)
    await take(socket, partBytes)
    await pass(2_000)
    expect((await ended()) - before).toBe(0)
    await pass(61_000) // in which the kernel may still take some of its own accord
    await pass(61_000)
    expect((await ended()) - before).toBe(1)
    socket.destroy()
  },
)
