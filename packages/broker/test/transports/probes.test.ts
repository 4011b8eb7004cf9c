// Whoever only looks whether a port is open says nothing, and no line at the usual level says that it was there.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ListenOptions } from '../../src/index.js'
import { settled } from '../rig.js'
import { Authority, type Pair } from './certificates.js'
import { openTcp, type StartedBroker, startBroker } from './started-broker.js'

let ca: Authority
let pair: Pair
let started: StartedBroker
beforeAll(async () => {
  ca = await Authority.create('Test CA')
  pair = await ca.issue('localhost')
})
beforeEach(async () => {
  started = await startBroker({ limits: { maxConnections: 1_000 } }) // fewer than any system's limit of open files
})
afterEach(() => started.broker.close())

const shown = (): string[] => started.log.filter((line) => !line.startsWith('debug'))

/** Opens a listener, lets one in that says this, if anything, and ends so; answers once the broker has no connection more. */
async function visit(options: ListenOptions, says: string | undefined, leave: (socket: Socket) => void): Promise<void> {
  const listener = await started.broker.listen({ port: 0, ...options } as ListenOptions)
  const socket = await openTcp(listener.port)
  if (says !== undefined) socket.write(Buffer.from(says, 'latin1'))
  await pause(20) // the broker has accepted it: there is no event that says so
  leave(socket)
  if (!socket.closed) await once(socket, 'close')
  await listener.close() // settles when its last connection is gone
  await settled() // and the broker has been told
}

const ends: Readonly<Record<string, (socket: Socket) => void>> = {
  FIN: (socket: Socket) => void socket.end().resume(),
  RST: (socket: Socket) => void socket.resetAndDestroy(),
}
const from = ['127.0.0.1']
const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n'
const local = '\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00'

describe.each(Object.entries(ends))('a probe that ends with %s', (_name, leave) => {
  it.each<[string, () => ListenOptions, string | undefined]>([
    ['TCP', () => ({}), undefined],
    ['WebSocket', () => ({ websocket: {} }), undefined],
    ['TLS', () => ({ tls: pair }), undefined],
    ['WebSocket with TLS', () => ({ tls: pair, websocket: {} }), undefined],
    ['a proxy that says nothing', () => ({ proxyProtocol: { from } }), undefined],
    ['a proxy that says for whom', () => ({ proxyProtocol: { from } }), header],
    ['a proxy that looks for itself', () => ({ proxyProtocol: { from } }), local],
    ['TLS, a proxy that says nothing', () => ({ tls: pair, proxyProtocol: { from } }), undefined],
    ['TLS, a proxy that says for whom', () => ({ tls: pair, proxyProtocol: { from } }), header],
    ['WebSocket, a proxy that looks for itself', () => ({ websocket: {}, proxyProtocol: { from } }), local],
  ])('writes no line: %s', async (_kind, options, says) => {
    await visit(options(), says, leave)
    expect(shown()).toEqual([])
    expect(Object.values((await started.broker.metrics()).handshakesRefused)).toEqual([0, 0, 0, 0, 0])
  })

  it('after TLS writes none', async () => {
    const { port, close } = await started.broker.listen({ port: 0, tls: pair })
    const socket = await openTcp(port)
    const secure = connectTls({ socket, ca: ca.cert, servername: 'localhost' }).on('error', () => {})
    await once(secure, 'secureConnect')
    await pause(20) // at TLS 1.3 the client is done before the server is
    leave(socket)
    await close()
    await settled()
    expect(shown()).toEqual([])
  })

  it('in the middle of what comes before MQTT is told, with the address', async () => {
    await visit({ tls: pair }, '\x16\x03\x01', leave)
    await visit({ tls: pair, proxyProtocol: { from } }, `${header}\x16\x03\x01`, leave)
    await visit({ proxyProtocol: { from } }, header.slice(0, 20), leave)
    expect(shown()).toEqual([
      'warn connection refused before MQTT {"address":"127.0.0.1","reason":"tls","why":"it was closed in the handshake"}',
      'warn connection refused before MQTT {"address":"127.0.0.1","reason":"proxy-header","why":"it ended before its PROXY header did"}',
    ])
    expect((await started.broker.metrics()).handshakesRefused).toMatchObject({ tls: 2, 'proxy-header': 1 })
  })
})

it('a handshake behind a proxy that comes to nothing is told with the address of its client', async () => {
  await visit({ tls: pair, proxyProtocol: { from } }, `${header}no TLS`, ends.FIN!)
  expect(shown()).toEqual([
    expect.stringMatching(/^warn .*"address":"192.0.2.7","reason":"tls","why":"what came is no TLS/),
  ])
})

it('a client that is gone before it was accepted is none of a Unix socket, and writes no line', async () => {
  const { port } = await started.broker.listen({ port: 0 })
  const socket = await openTcp(port)
  socket.resetAndDestroy() // in the same turn in which the broker would accept it
  await pause(20)
  expect(shown()).toEqual([])
  expect(started.log.join()).not.toContain('"address":""')
})

it('a client of MQTT at a listener for WebSocket is told of', async () => {
  await visit({ websocket: {} }, '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00', ends.FIN!)
  expect(shown()).toEqual([
    'warn connection refused before MQTT {"address":"127.0.0.1","reason":"upgrade","why":"what came is no HTTP request"}',
  ])
})
