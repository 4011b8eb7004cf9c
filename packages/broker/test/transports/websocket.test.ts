import { once } from 'node:events'
import { encode } from '@godwit/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { BrokerOptions, Listener, WebSocketOptions } from '../../src/index.js'
import { connectPacket, publishPacket } from '../test-client.js'
import { Authority } from './certificates.js'
import { fragmentHeader, frameHeader, upgraded, upgradeHeaders } from './raw-websocket.js'
import { lastWords, openTcp, type StartedBroker, startBroker } from './started-broker.js'

const connectBytes = Buffer.from(encode(connectPacket('c'), 4))
const connack = '20020000'

let started: StartedBroker
let listener: Listener

async function start(websocket: WebSocketOptions = {}, options: BrokerOptions = {}): Promise<void> {
  started = await startBroker(options)
  listener = await started.broker.listen({ port: 0, websocket, handshakeTimeoutMs: 300 })
}

beforeEach(() => start())
afterEach(() => started.broker.close())

async function open(protocols: string[] = ['mqtt']): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/mqtt`, protocols)
  await once(socket, 'open')
  return socket
}

/** The bytes that come until there are so many. */
async function take(socket: WebSocket, bytes: number): Promise<string> {
  let hex = ''
  while (hex.length < bytes * 2) {
    const [data] = (await once(socket, 'message')) as [Buffer]
    hex += data.toString('hex')
  }
  return hex
}

/** What an upgrade is answered. */
async function upgrade(headers: readonly string[], path = '/mqtt'): Promise<string> {
  const socket = await openTcp(listener.port)
  socket.write(`GET ${path} HTTP/1.1\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return first.toString().split('\r\n', 1)[0]!.slice('HTTP/1.1 '.length)
}

it.each(['mqtt', 'mqttv3.1'])('serves MQTT as subprotocol %s (3.1.1 and 5.0 [MQTT-6.0.0-4])', async (name) => {
  const socket = await open(['other', name])
  expect(socket.protocol).toBe(name)
  socket.send(connectBytes)
  expect(await take(socket, 4)).toBe(connack)
})

it('frames end where they like: a byte each, and several packets in one (3.1.1 and 5.0 [MQTT-6.0.0-2])', async () => {
  const socket = await open()
  for (const byte of connectBytes) socket.send(Buffer.of(byte))
  expect(await take(socket, 4)).toBe(connack)
  socket.send(Buffer.from('c000c000c000', 'hex'))
  expect(await take(socket, 6)).toBe('d000d000d000')
})

it('ws-fragmented: one CONNECT in three fragments of one message', async () => {
  const socket = await open()
  socket.send(connectBytes.subarray(0, 3), { fin: false })
  socket.send(connectBytes.subarray(3, 7), { fin: false })
  socket.send(connectBytes.subarray(7))
  expect(await take(socket, 4)).toBe(connack)
})

it('ws-text-frame: CONNECT in a text frame closes with 1003 (3.1.1 and 5.0 [MQTT-6.0.0-1])', async () => {
  const socket = await open()
  socket.send(connectBytes, { binary: false })
  expect((await once(socket, 'close'))[0]).toBe(1003)
  expect(started.clients).toEqual([])
})

it('ws-huge-frame-header: a frame of 2^62 bytes closes, and nothing is allocated for it', async () => {
  const socket = await openTcp(listener.port)
  await upgraded(socket)
  const before = process.memoryUsage().arrayBuffers
  socket.write(Buffer.from('82ff400000000000000000000000', 'hex'))
  await lastWords(socket)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
})

it('a message beyond the largest packet closes with 1009', async () => {
  await started.broker.close()
  await start({}, { limits: { maxPacketBytes: 1000 } })
  const socket = await open()
  socket.send(Buffer.alloc(1001))
  expect((await once(socket, 'close'))[0]).toBe(1009)
})

describe('a message larger than a CONNECT may be', () => {
  const limits = { maxConnectBytes: 10_000, maxPacketBytes: 1_000_000 }
  const large = Buffer.alloc(500_000)
  const publish = encode(publishPacket('a', large, 1), 4)

  it('before the client is in, is cut off while it comes, however it is cut, and counted', async () => {
    await started.broker.close()
    await start({}, { limits })
    const sockets = [await upgraded(await openTcp(listener.port)), await upgraded(await openTcp(listener.port))]
    const ends = sockets.map(lastWords)
    sockets[0]!.write(Buffer.concat([frameHeader(large.length), large]))
    for (const isFurther of [false, true, true, true]) {
      sockets[1]!.write(Buffer.concat([fragmentHeader(3_000, isFurther), large.subarray(0, 3_000)]))
    }
    expect(await Promise.all(ends)).toEqual(['', ''])
    expect((await started.broker.metrics()).refused['unauthenticated-bytes']).toBe(2)
  })

  it('is taken from one who is in, and from one whose CONNECT is being looked at', async () => {
    await started.broker.close()
    let answer = (_admitted: boolean): void => {}
    const hook = { authenticate: () => new Promise<boolean>((resolve) => (answer = resolve)) }
    await start({}, { limits, hooks: [hook] })
    const socket = await open()
    socket.send(connectBytes)
    socket.send(publish)
    const acknowledged = take(socket, 8)
    ;(await upgraded(await openTcp(listener.port))).destroy() // by then the broker has all of it
    answer(true)
    expect(await acknowledged).toBe(`${connack}40020001`)
    socket.send(publish)
    expect(await take(socket, 4)).toBe('40020001')
  })
})

it('answers a ping', async () => {
  const socket = await open()
  socket.ping('hello')
  expect(String((await once(socket, 'pong'))[0])).toBe('hello')
})

it('a client that closes has left: its will is published', async () => {
  const will = new Promise((resolve) => void started.broker.subscribe('will', (message) => resolve(message.text())))
  const socket = await open()
  socket.send(encode(connectPacket('c', { will: { topic: 'will', payload: 'gone' } }), 4))
  await take(socket, 4)
  socket.close()
  expect(await will).toBe('gone')
  await once(socket, 'close')
})

it('DISCONNECT ends it with a closing frame', async () => {
  const socket = await open()
  socket.send(Buffer.concat([connectBytes, Buffer.from('e000', 'hex')]))
  expect((await once(socket, 'close'))[0]).toBe(1000)
})

it.each([
  ['mqtt is not offered', upgradeHeaders('localhost').slice(0, -1), '/mqtt', '400 Bad Request'],
  [
    'another is offered',
    [...upgradeHeaders('localhost').slice(0, -1), 'Sec-WebSocket-Protocol: soap'],
    '/mqtt',
    '400 Bad Request',
  ],
  ['the path is another', upgradeHeaders('localhost'), '/', '404 Not Found'],
  ['a web page asks', upgradeHeaders('localhost', 'Origin: https://evil.example'), '/mqtt', '403 Forbidden'],
  ['the name is rebound to this machine', upgradeHeaders('evil.example:80'), '/mqtt', '403 Forbidden'],
  ['it is no upgrade', ['Host: localhost'], '/mqtt', '426 Upgrade Required'],
  [
    'headers are too large',
    [...upgradeHeaders('localhost'), `X: ${'x'.repeat(10_000)}`],
    '/mqtt',
    '431 Request Header Fields Too Large',
  ],
])('refuses and counts when %s', async (_name, headers, path, status) => {
  expect(await upgrade(headers, path)).toBe(status)
  expect(started.clients).toEqual([])
})

it('takes what is asked for by loopback names, and pages that are allowed', async () => {
  await started.broker.close()
  await start({ origins: ['https://app.example'] })
  const switching = '101 Switching Protocols'
  for (const host of ['localhost:1', '127.0.0.1', '[::1]:80'])
    expect(await upgrade(upgradeHeaders(host))).toBe(switching)
  expect(await upgrade(upgradeHeaders('localhost', 'Origin: https://app.example'))).toBe(switching)
  expect(await upgrade(upgradeHeaders('localhost', 'Origin: https://evil.example'))).toBe('403 Forbidden')
})

it('who dawdles with the upgrade is closed in time', async () => {
  const socket = await openTcp(listener.port)
  socket.write('GET /mqtt HTTP/1.1\r\nHost: loc')
  expect(await lastWords(socket)).toBe('')
  expect((await started.broker.metrics()).handshakesRefused['too-slow']).toBe(1)
})

it('serves secure WebSocket', async () => {
  const ca = await Authority.create('Test CA')
  const { port } = await started.broker.listen({ port: 0, websocket: {}, tls: await ca.issue('localhost') })
  const socket = new WebSocket(`wss://localhost:${port}/mqtt`, ['mqtt'], { ca: ca.cert })
  await once(socket, 'open')
  socket.send(connectBytes)
  expect(await take(socket, 4)).toBe(connack)
})
