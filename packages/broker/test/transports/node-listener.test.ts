import { once } from 'node:events'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ListenOptions, Peer } from '../../src/index.js'
import { nodeHeader, parseNodeHeader } from '../../src/transport/node-header.js'
import { NodeNames } from '../../src/transport/node-names.js'
import { settled } from '../rig.js'
import { Authority, type Pair } from './certificates.js'
import { greet, lastWords, openTcp, type StartedBroker, startBroker } from './started-broker.js'

const certificate = {
  subject: 'CN=meter-7, O=Example',
  commonName: 'meter-7',
  altNames: ['DNS:meter-7', 'email:m@example.org'],
  fingerprint: 'AB:CD',
}
const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
const meter: Peer = { transport: 'wss', address: '192.0.2.7', port: 56_324, listener: 'wss', tls, certificate }

const signature = '0d0a0d0a000d0a515549540a'
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

/** A header of the PROXY protocol with this in its field, or with these fields. */
function headerWith(value: unknown, type = 0xe0): Buffer {
  const text = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  const head = bytes(`${signature} 21 00 0000 ${type.toString(16)} 0000`)
  head.writeUInt16BE(3 + text.length, 14)
  head.writeUInt16BE(text.length, 17)
  return Buffer.concat([head, text])
}

describe('what a node says of a client', () => {
  it.each<[string, Peer]>([
    ['IPv4', meter],
    ['IPv6', { transport: 'tcp', address: '2001:db8::7', port: 1 }],
    ['IPv6, with zeros at its end', { transport: 'tcp', address: '2001:db8:1:2:3:4::', port: 1 }],
    ['a Unix socket', { transport: 'unix', address: '', listener: '/run/godwit.sock' }],
    ['a certificate without a Common Name', { ...meter, certificate: { ...certificate, commonName: undefined } }],
  ])('is read as it was said, however it is cut: %s', (_name, peer) => {
    const header = nodeHeader(peer)!
    for (let length = 1; length < header.length; length++) {
      expect(parseNodeHeader(header.subarray(0, length)).state).toBe('incomplete')
    }
    expect(parseNodeHeader(Buffer.concat([header, Buffer.from('MQTT')]))).toMatchObject({
      state: 'whole',
      length: header.length,
      peer,
    })
  })

  it('leaves out the zone of an address, which is a name of its own machine', () => {
    const header = nodeHeader({ transport: 'tcp', address: 'fe80::1%eth0', port: 1 })!
    expect(parseNodeHeader(header)).toMatchObject({ peer: { address: 'fe80::1' } })
  })

  it('is not said where it would be more than is read', () => {
    const altNames = Array.from({ length: 1_000 }, (_, at) => `DNS:${at}.meters.example`)
    expect(nodeHeader({ ...meter, certificate: { ...certificate, altNames } })).toBeUndefined()
  })

  it('may have fields of a later version', () => {
    const later = headerWith({ transport: 'tcp', weight: 7 })
    const [head, field] = [later.subarray(0, 16), later.subarray(16)]
    const both = Buffer.concat([head, bytes('e5 0002 0000'), field])
    both.writeUInt16BE(both.length - 16, 14)
    expect(parseNodeHeader(both)).toMatchObject({ peer: { transport: 'tcp', address: '' } })
  })

  it.each([
    ['MQTT', bytes('100c00044d5154540402003c0000')],
    ['version 1', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n')],
    ['no field', bytes(`${signature} 21 11 000c c0000207 c6336401 dc04 075b`)],
    ['LOCAL', bytes(`${signature} 20 00 0000`)],
    ['another field', headerWith({ transport: 'tcp' }, 0xe1)],
    ['a field longer than the header', bytes(`${signature} 21 00 0003 e0 ffff`)],
    ['the beginning of a field', bytes(`${signature} 21 00 0002 e0 00`)],
    ['no JSON', headerWith('{')],
    ['a list', headerWith([])],
    ['no transport', headerWith({})],
    ['a transport of another form', headerWith({ transport: 'TCP 7' })],
    ['a number for a name', headerWith({ transport: 'tcp', listener: 7 })],
    ['half of what TLS agreed on', headerWith({ transport: 'tls', tls: { protocol: 'TLSv1.3' } })],
    ['half a certificate', headerWith({ transport: 'tls', certificate: { subject: 'CN=a' } })],
    [
      'a certificate with a number among its names',
      headerWith({ ...meter, certificate: { ...certificate, altNames: [1] } }),
    ],
    ['65,535 bytes of fields', bytes(`${signature} 21 00 ffff`)],
  ])('is refused: %s', (_name, header) => {
    expect(parseNodeHeader(header).state).toBe('broken')
  })
})

it('a node is known by its name, and by no wildcard', () => {
  const names = new NodeNames(['b.plant', '*.plant'])
  const of = (commonName: string | undefined, ...altNames: string[]): boolean => names.has({ commonName, altNames })
  expect([of('b.plant'), of('B.Plant'), of(undefined, 'DNS:b.plant'), of('x', 'email:x@plant', 'DNS:b.plant')]).toEqual(
    [true, true, true, true],
  )
  expect([of(undefined), of('c.plant'), of('x.b.plant'), of(undefined, 'email:b.plant')]).toEqual([
    false,
    false,
    false,
    false,
  ])
})

let ca: Authority
let server: Pair
let node: Pair
let started: StartedBroker
beforeAll(async () => {
  ca = await Authority.create('Plant CA')
  server = await ca.issue('a.plant')
  node = await ca.issue('b.plant')
})
beforeEach(async () => {
  started = await startBroker()
})
afterEach(() => started.broker.close())

/** What differs from a node listener as it should be. */
type Otherwise = { readonly [K in keyof ListenOptions]?: ListenOptions[K] | undefined }

async function listen(options: Otherwise = {}): Promise<number> {
  const secure = { port: 0, tls: { ...server, ca: ca.cert }, node: { names: ['b.plant'] } }
  const { port } = await started.broker.listen({ ...secure, ...options } as ListenOptions)
  return port
}

async function open(port: number, pair?: Pair): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'a.plant', ca: ca.cert, ...pair })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

const refusals = (): string[] => started.log.filter((line) => line.startsWith('warn connection refused before MQTT'))

it('a client that a node passes on is as if it had come in here', async () => {
  const socket = await open(await listen(), node)
  socket.write(nodeHeader(meter)!) // CONNECT is in the same chunk, or the next
  const client = await greet(socket, 'meter')
  client.send({ type: 'pingreq' })
  expect(await client.next()).toEqual(['pingresp'])
  expect(started.clients).toMatchObject([{ address: '192.0.2.7', listener: 'wss', certificate }])
  const [shown] = (await started.broker.clients.page()).items
  expect(shown).toMatchObject({ transport: 'wss', address: '192.0.2.7', tls, listener: 'wss' })
  expect(started.log.join()).toContain('"address":"192.0.2.7"')
})

it('counts for the limits of its own address, and a node for none', async () => {
  await started.broker.close()
  started = await startBroker({ limits: { maxConnectionsPerAddress: 1 } })
  const port = await listen()
  for (const [address, last] of [
    ['192.0.2.7', ''],
    ['192.0.2.8', ''],
    ['192.0.2.7', 'refused'],
  ] as const) {
    const socket = await open(port, node)
    socket.write(nodeHeader({ ...meter, address })!)
    if (last === '') await greet(socket, address)
    else expect(await lastWords(socket)).toBe('')
  }
  expect((await started.broker.metrics()).refused['connections-of-address']).toBe(1)
})

it.each<[string, () => Promise<Pair | undefined>, RegExp]>([
  ['no certificate', async () => undefined, /the client showed no certificate/],
  ['one of another CA', async () => (await Authority.create('Other CA')).issue('b.plant'), /is not trusted/],
  ['the name of no node', () => ca.issue('meter-7'), /its certificate has none of the names of the nodes/],
])('a stranger does not come in: %s', async (_name, pair, why) => {
  const port = await listen()
  const socket = connectTls({ port, servername: 'a.plant', ca: ca.cert, ...(await pair()) }).on('error', () => {})
  socket.write(nodeHeader(meter)!)
  expect(await lastWords(socket)).toBe('')
  expect(refusals()).toEqual([expect.stringMatching(why)])
  expect((await started.broker.metrics()).handshakesRefused).toMatchObject({ tls: 1, 'proxy-header': 0 })
  expect(started.clients).toEqual([])
})

it.each<[string, Buffer, RegExp]>([
  ['MQTT at once', bytes('100c00044d5154540402003c0000'), /it does not begin with a PROXY header of version 2/],
  ['a header that tells of no client', bytes(`${signature} 20 00 0000`), /does not say what client/],
  ['a header without an end', bytes(`${signature} 21 00 ffff`), /has more than 16384 bytes/],
  ['a client of another listener', nodeHeader({ ...meter, listener: 'mqtts' })!, /a listener that this node has not/],
])('a node is refused in one line that says: %s', async (_name, said, why) => {
  const socket = await open(await listen({ node: { names: ['b.plant'], listeners: ['wss'] } }), node)
  socket.write(said)
  expect(await lastWords(socket)).toBe('')
  expect(refusals()).toEqual([expect.stringMatching(why)])
  expect((await started.broker.metrics()).handshakesRefused['proxy-header']).toBe(1)
})

it('a node that says half of it is waited for no longer than for a handshake', async () => {
  const socket = await open(await listen({ handshakeTimeoutMs: 200 }), node)
  socket.write(nodeHeader(meter)!.subarray(0, 20))
  expect(await lastWords(socket)).toBe('')
  expect((await started.broker.metrics()).handshakesRefused['too-slow']).toBe(1)
})

it('a node that only looks whether somebody is there writes no line', async () => {
  const socket = await openTcp(await listen())
  socket.end().resume()
  await once(socket, 'close')
  await settled()
  expect(refusals()).toEqual([])
})

it('on this machine it does without TLS', async () => {
  const socket = await openTcp(await listen({ tls: undefined, node: { names: [] } }))
  socket.write(nodeHeader(meter)!)
  await greet(socket)
  expect(started.clients).toMatchObject([{ address: '192.0.2.7', certificate }])
})

it.each<[string, Otherwise, RegExp]>([
  ['no TLS for other machines', { tls: undefined, host: '0.0.0.0' }, /needs tls with cert, key and ca/],
  ['no CA', { tls: { cert: 'c', key: 'k' } }, /needs tls.ca: who signs the certificates of nodes/],
  ['no certificate asked for', { tls: { cert: 'c', key: 'k', ca: 'a', requestCert: false } }, /requestCert is false/],
  ['no names', { node: { names: [] } }, /node.names is empty/],
  ['a wildcard', { node: { names: ['*.plant'] } }, /has "\*\.plant"; it takes whole names/],
  ['WebSocket', { websocket: {} }, /websocket is not for a node listener/],
  ['a name', { name: 'x' }, /name is not for a node listener/],
  ['a word it does not know', { node: { names: ['a'], name: 'x' } as never }, /name/],
])('is not opened so: %s', async (_name, options, why) => {
  await expect(listen(options)).rejects.toThrow(why)
})
