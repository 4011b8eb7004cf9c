import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { Listener, TlsOptions } from '../../src/index.js'
import { Authority, type Pair } from './certificates.js'
import { greet, type StartedBroker, startBroker } from './started-broker.js'

let ca: Authority
let server: Pair
let meter: Pair
let started: StartedBroker
let folder: string

beforeAll(async () => {
  ca = await Authority.create('Test CA')
  server = await ca.issue('localhost')
  meter = await ca.issue('meter')
})
beforeEach(async () => {
  started = await startBroker()
  folder = await mkdtemp(join(tmpdir(), 'godwit-tls-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await started.broker.close()
  await rm(folder, { recursive: true })
})

function listen(options: Partial<TlsOptions> = {}): Promise<Listener> {
  return started.broker.listen({ port: 0, tls: { cert: server.cert, key: server.key, ...options } })
}

/** Connects; answers the socket and what its next connection may begin with. */
async function visit(port: number, options: ConnectionOptions = {}): Promise<{ socket: TLSSocket; session: Buffer }> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert, ...options })
  socket.on('error', () => {})
  const session = once(socket, 'session') as Promise<[Buffer]>
  await once(socket, 'secureConnect')
  if (!socket.isSessionReused()) await session.then(() => nextTurn()) // Node writes nothing from within that event
  return { socket, session: socket.getSession()! }
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const

it.each(versions)('%s: who comes again goes on with its session, and is who it was', async (maxVersion) => {
  const { port } = await listen({ ca: ca.cert, requestCert: true })
  const identity = { cert: meter.cert, key: meter.key, maxVersion }
  const first = await visit(port, identity)
  await greet(first.socket, 'first')
  const again = await visit(port, { ...identity, session: first.session })
  await greet(again.socket, 'again')
  expect([first.socket, again.socket].map((socket) => socket.isSessionReused())).toEqual([false, true])
  expect(started.clients.map((client) => client.certificate?.commonName)).toEqual(['meter', 'meter'])
})

it.each(versions)('%s: sessionSeconds 0: everybody does the whole handshake', async (maxVersion) => {
  const { port } = await listen({ sessionSeconds: 0 })
  const first = connectTls({ port, servername: 'localhost', ca: ca.cert, maxVersion })
  await once(first, 'secureConnect')
  await greet(first, 'first')
  const again = await visitOnce(port, { maxVersion, session: first.getSession()! })
  expect(again.isSessionReused()).toBe(false)
})

it.each([-1, 1.5, 604_801])('sessionSeconds %s is refused', async (sessionSeconds) => {
  await expect(listen({ sessionSeconds })).rejects.toThrow(
    `tls.sessionSeconds is ${sessionSeconds}; it takes a whole number from 0 to 604800 (a week)`,
  )
})

it('keys change after half a day, and what was made with those before is no use', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const { port } = await listen()
  const first = await visit(port)
  expect((await visitOnce(port, { session: first.session })).isSessionReused()).toBe(true)
  vi.advanceTimersByTime(43_200_000)
  expect((await visitOnce(port, { session: first.session })).isSessionReused()).toBe(false)
})

it('a reload that finds the same files leaves sessions as they are; one that finds others ends them', async () => {
  const crl = join(folder, 'crl.pem')
  await writeFile(crl, await ca.revoke())
  const listener = await listen({ ca: ca.cert, crl, requestCert: true })
  const identity = { cert: meter.cert, key: meter.key }
  const { session } = await visit(listener.port, identity)
  await listener.reload()
  expect((await visitOnce(listener.port, { ...identity, session })).isSessionReused()).toBe(true)

  const stolen = await ca.issue('stolen')
  const before = await visit(listener.port, { cert: stolen.cert, key: stolen.key })
  await writeFile(crl, await ca.revoke(stolen))
  await listener.reload()
  const thief = connectTls({
    port: listener.port,
    servername: 'localhost',
    ca: ca.cert,
    ...{ cert: stolen.cert, key: stolen.key, session: before.session },
  }).on('error', () => {})
  await once(thief, 'close')
  expect(started.clients).toEqual([])
  expect(started.log.join()).toContain("the client's certificate is revoked")
})

it.each(versions)('%s: a certificate that has expired since does not come in by its session', async (maxVersion) => {
  const { port } = await listen({ ca: ca.cert, requestCert: true })
  const identity = { cert: meter.cert, key: meter.key, maxVersion }
  const { session } = await visit(port, identity)
  const later = Date.now() + 91 * 86_400_000
  vi.spyOn(Date, 'now').mockReturnValue(later)
  const again = connectTls({ port, servername: 'localhost', ca: ca.cert, ...identity, session }).on('error', () => {})
  await once(again, 'close')
  expect(started.clients).toEqual([])
  expect((await started.broker.metrics()).handshakesRefused.tls).toBe(1)
  expect(started.log.join()).toContain("the client's certificate has expired")
})

async function visitOnce(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert, ...options })
  await once(
    socket.on('error', () => {}),
    'secureConnect',
  )
  return socket
}
