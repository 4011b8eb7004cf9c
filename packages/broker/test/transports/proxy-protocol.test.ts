import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parseProxyHeader, proxies } from '../../src/transport/proxy-protocol.js'
import { Authority } from './certificates.js'
import { greet, lastWords, openTcp, type StartedBroker, startBroker } from './started-broker.js'

const v1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n'
const v2 = `0d0a0d0a000d0a515549540a 21 11 000c c0000207 c6336401 dc04 075b`
const v2of6 = `0d0a0d0a000d0a515549540a 21 21 0024 20010db8000000000000000000000007 20010db8000000000000000000000001 dc04 075b`
const v2ofMapped = `0d0a0d0a000d0a515549540a 21 21 0024 ${'00'.repeat(10)}ffffc0000207 ${'00'.repeat(10)}ffffc6336401 dc04 075b`
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const signature = '0d0a0d0a000d0a515549540a'

let started: StartedBroker
beforeEach(async () => {
  started = await startBroker()
})
afterEach(() => started.broker.close())

it.each([
  ['version 1', Buffer.from(v1), { address: '192.0.2.7', port: 56324 }],
  ['version 1, IPv6', Buffer.from('PROXY TCP6 2001:db8::7 ::1 1 2\r\n'), { address: '2001:db8::7', port: 1 }],
  ['version 1, unknown', Buffer.from('PROXY UNKNOWN whatever\r\n'), {}],
  ['version 2', bytes(v2), { address: '192.0.2.7', port: 56324 }],
  ['version 2, IPv6', bytes(v2of6), { address: '2001:db8::7', port: 56324 }],
  [
    'version 1, IPv4 as IPv6',
    Buffer.from('PROXY TCP6 ::FFFF:192.0.2.7 ::1 1 2\r\n'),
    { address: '192.0.2.7', port: 1 },
  ],
  [
    'version 1, the long form',
    Buffer.from('PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 1 2\r\n'),
    { address: '2001:db8::7', port: 1 },
  ],
  ['version 2, IPv4 as IPv6', bytes(v2ofMapped), { address: '192.0.2.7', port: 56324 }],
  ['version 2, LOCAL', bytes(`${signature} 20 00 0000`), {}],
  ['version 2, a Unix socket', bytes(`${signature} 21 31 0002 0000`), {}],
])('reads %s, however it is cut', (_name, header, source) => {
  for (let length = 1; length < header.length; length++) {
    expect(parseProxyHeader(header.subarray(0, length))).toEqual({ state: 'incomplete' })
  }
  const whole = { state: 'whole', length: header.length, source }
  expect(parseProxyHeader(header)).toMatchObject(whole)
  expect(parseProxyHeader(Buffer.concat([header, Buffer.from('MQTT')]))).toMatchObject(whole)
})

it.each([
  ['MQTT', bytes('100c00044d5154540402')],
  ['a line without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(100)}`)],
  ['a name for an address', Buffer.from('PROXY TCP4 localhost 198.51.100.1 1 2\r\n')],
  ['IPv6 as TCP4', Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n')],
  ['a port beyond 65535', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n')],
  ['something after the ports', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.8 1 2 3\r\n')],
  ['version 3', bytes(`${signature} 31 11 000c`)],
  ['an unknown command', bytes(`${signature} 22 11 000c`)],
  ['too few bytes for its addresses', bytes(`${signature} 21 11 000b`)],
  ['65535 bytes of fields', bytes(`${signature} 21 11 ffff`)],
])('refuses %s', (_name, header) => {
  expect(parseProxyHeader(header).state).toBe('broken')
})

it('knows who is a proxy, and says what is no network', () => {
  const isProxy = proxies(['10.0.0.0/8', '::1', '192.0.2.1'])
  const asked = ['10.1.2.3', '::ffff:10.1.2.3', '11.0.0.1', '::1', '::2', '192.0.2.1', '192.0.2.2', '']
  expect(asked.map(isProxy)).toEqual([true, true, false, true, false, true, false, false])
  for (const wrong of ['10.0.0.0/33', 'example.org', '10.0.0.0/8/8', '10.0.0.0/']) {
    expect(() => proxies([wrong])).toThrow('it takes addresses and networks')
  }
})

it.each([
  ['version 1', Buffer.from(v1)],
  ['version 2', bytes(v2)],
])('the client of a proxy has its own address: %s', async (_name, header) => {
  const { port } = await started.broker.listen({ port: 0, proxyProtocol: { from: ['127.0.0.0/8'] } })
  const socket = await openTcp(port)
  socket.write(header) // CONNECT is in the same chunk, or the next
  const client = await greet(socket)
  client.send({ type: 'pingreq' })
  expect(await client.next()).toEqual(['pingresp'])
  expect(started.clients[0]?.address).toBe('192.0.2.7')
})

it('the header comes before TLS', async () => {
  const ca = await Authority.create('Test CA')
  const tls = await ca.issue('localhost')
  const { port } = await started.broker.listen({ port: 0, tls, proxyProtocol: { from: ['127.0.0.1'] } })
  const socket = await openTcp(port)
  socket.write(v1)
  const secure = connectTls({ socket, ca: ca.cert, servername: 'localhost' })
  await once(secure, 'secureConnect')
  await greet(secure)
  expect(started.clients[0]?.address).toBe('192.0.2.7')
})

it('a proxy that sends no header is refused and counted; so is one that takes its time, but not one that says nothing', async () => {
  const { port } = await started.broker.listen({
    port: 0,
    proxyProtocol: { from: ['127.0.0.1'] },
    handshakeTimeoutMs: 300,
  })
  const [silent, wrong, slow] = [await openTcp(port), await openTcp(port), await openTcp(port)]
  silent.end()
  wrong.write(bytes('100c00044d5154540402003c0000'))
  slow.write('PROXY ')
  expect(await Promise.all([silent, wrong, slow].map(lastWords))).toEqual(['', '', ''])
  expect((await started.broker.metrics()).handshakesRefused).toMatchObject({ 'proxy-header': 1, 'too-slow': 1 })
})

it('who is no proxy cannot say that it comes from elsewhere', async () => {
  const { port } = await started.broker.listen({ port: 0, proxyProtocol: { from: ['10.0.0.0/8'] } })
  const socket = await openTcp(port)
  socket.write(v1.repeat(2)) // read as MQTT it begins as a PUBREC of 84 bytes
  expect(await lastWords(socket)).toBe('')
  await greet(await openTcp(port))
  expect(started.clients.map(({ address }) => address)).toEqual(['127.0.0.1'])
})

it('clients of IPv4 that a proxy names in the form of IPv6 are counted each for itself', async () => {
  await started.broker.close()
  started = await startBroker({ limits: { maxConnectionsPerAddress: 1 } })
  const { broker } = started
  const { port } = await broker.listen({ port: 0, proxyProtocol: { from: ['127.0.0.1'] } })
  for (const last of ['07', '08', '09']) {
    const socket = await openTcp(port)
    socket.write(bytes(v2ofMapped.replace('c0000207', `c00002${last}`)))
    await greet(socket, `of ${last}`)
  }
  expect(started.clients.map(({ address }) => address)).toEqual(['192.0.2.7', '192.0.2.8', '192.0.2.9'])
  expect((await broker.metrics()).connectionsRefused).toBe(0)
})

it('a socket that listens for IPv4 and IPv6 shows clients of IPv4 as what they are', async () => {
  const { port } = await started.broker.listen({ host: '::', port: 0, allowAnonymous: true })
  await greet(await openTcp(port))
  expect(started.clients[0]?.address).toBe('127.0.0.1')
})
