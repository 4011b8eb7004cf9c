import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TlsOptions } from '../../src/index.js'
import { altNamesOf } from '../../src/transport/tls.js'
import { warningOf } from '../../src/transport/tls-expiry.js'
import { Authority, type Pair } from './certificates.js'
import { greet, lastWords, openTcp, type StartedBroker, startBroker } from './started-broker.js'

let ca: Authority
let otherCa: Authority
let server: Pair
let started: StartedBroker
let folder: string

beforeAll(async () => {
  ca = await Authority.create('Test CA')
  otherCa = await Authority.create('Other CA')
  server = await ca.issue('localhost')
})
beforeEach(async () => {
  started = await startBroker()
  folder = await mkdtemp(join(tmpdir(), 'godwit-tls-'))
})
afterEach(async () => {
  await started.broker.close()
  await rm(folder, { recursive: true })
})

async function listen(options: Partial<TlsOptions> = {}): Promise<number> {
  const { port } = await started.broker.listen({ port: 0, tls: { cert: server.cert, key: server.key, ...options } })
  return port
}

async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert, ...options })
  await once(socket, 'secureConnect')
  return socket.on('error', () => {})
}

/** A client certificate is judged after the client's part of TLS 1.3 is over: what it hears is the end, not a CONNACK. */
async function refused(port: number, pair?: Pair): Promise<void> {
  const socket = connectTls({ port, servername: 'localhost', ca: ca.cert, cert: pair?.cert, key: pair?.key })
  socket.on('error', () => {})
  let heard = ''
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
  })
  await new Promise((closed) => void socket.on('close', closed)) // an alert is an error, and then the end
  expect(heard).toBe('')
  expect(started.clients).toEqual([])
}

it('serves MQTT over TLS', async () => {
  const client = await greet(await open(await listen()))
  client.send({ type: 'pingreq' })
  expect(await client.next()).toEqual(['pingresp'])
  const [shown] = (await started.broker.clients.page()).items
  expect(shown).toMatchObject({
    transport: 'tls',
    tls: { protocol: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_AES/) },
  })
  expect((await started.broker.metrics()).tlsExpiresAt).toBeGreaterThan(Date.now() + 89 * 86_400_000)
})

it('a client that trusts another CA does not come in, and is counted', async () => {
  const port = await listen()
  await expect(open(port, { ca: otherCa.cert })).rejects.toThrow()
})

/** What the log says of handshakes that came to nothing. */
const whys = (): string[] =>
  started.log.flatMap((line) => /^warn connection refused before MQTT .*"why":"(.*)"}$/.exec(line)?.slice(1) ?? [])

it.each([
  ['none', async () => undefined, 'the client showed no certificate (peer did not return a certificate)'],
  ['one of another CA', () => otherCa.issue('meter'), /^the client's certificate is not trusted \(\w+\)$/],
  ['one that has expired', () => ca.issue('meter', { days: -1 }), "the client's certificate has expired"],
])('where a client certificate is asked for, %s is refused, and the log says why', async (_name, pair, why) => {
  const port = await listen({ ca: ca.cert, requestCert: true })
  await refused(port, await pair())
  expect((await started.broker.metrics()).handshakesRefused.tls).toBe(1)
  expect(whys()).toEqual([typeof why === 'string' ? why : expect.stringMatching(why)])
})

it('several CAs, each in a file of its own, sign client certificates', async () => {
  const files = [join(folder, 'one-ca.pem'), join(folder, 'other-ca.pem')]
  await writeFile(files[0]!, ca.cert)
  await writeFile(files[1]!, otherCa.cert)
  const port = await listen({ ca: files, requestCert: true })
  const third = await Authority.create('Third CA')
  await refused(port, await third.issue('meter'))
  for (const authority of [ca, otherCa]) {
    const client = await greet(await open(port, await authority.issue('meter')))
    client.send({ type: 'pingreq' })
    expect(await client.next()).toEqual(['pingresp'])
  }
})

it('a revoked client certificate is refused from the reload of the CRL on', async () => {
  const [meter, stolen] = [await ca.issue('meter'), await ca.issue('stolen')]
  const crl = join(folder, 'crl.pem')
  await writeFile(crl, await ca.revoke())
  const listener = await started.broker.listen({
    port: 0,
    tls: { ...server, ca: ca.cert, crl, requestCert: true },
  })
  const before = await greet(await open(listener.port, { cert: stolen.cert, key: stolen.key }), 'stolen')
  await writeFile(crl, await ca.revoke(stolen))
  await listener.reload()
  started.clients.length = 0
  await refused(listener.port, stolen)
  expect(whys()).toEqual(["the client's certificate is revoked"])
  await greet(await open(listener.port, { cert: meter.cert, key: meter.key }), 'meter')
  before.send({ type: 'pingreq' })
  expect(await before.next()).toEqual(['pingresp'])
})

it('hooks see whose certificate it is', async () => {
  const port = await listen({ ca: ca.cert, requestCert: true })
  const meter = await ca.issue('meter', { email: 'meter@example.org' })
  const socket = await open(port, { cert: meter.cert, key: meter.key })
  await greet(socket)
  expect(started.clients[0]?.certificate).toEqual({
    subject: 'CN=meter',
    commonName: 'meter',
    altNames: ['DNS:meter', 'email:meter@example.org'],
    fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
  })
})

it('a name with a comma in it is one name', () => {
  expect(altNamesOf('DNS:a, DNS:"b, DNS:c", email:d@e')).toEqual(['DNS:a', 'DNS:b, DNS:c', 'email:d@e'])
})

it('a certificate replaced on disk is served within 5 s, under load, and nobody loses a message', async () => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const put = async ({ cert: newCert, key: newKey }: Pair): Promise<void> => {
    await Promise.all([writeFile(`${cert}.new`, newCert), writeFile(`${key}.new`, newKey)])
    await Promise.all([rename(`${cert}.new`, cert), rename(`${key}.new`, key)])
  }
  await put(server)
  const port = await listen({ cert, key })
  const publisher = await greet(await open(port), 'p')
  const heard: string[] = []
  started.broker.subscribe('load', (message) => void heard.push(message.text()))
  const renewed = await ca.issue('localhost')
  await put(renewed)
  const replacedAt = Date.now()
  let sent = 0
  for (let served = ''; served !== renewed.serialNumber; ) {
    publisher.publish('load', String(++sent), 1, sent)
    expect(await publisher.next()).toEqual([`puback ${sent}`])
    const socket = await open(port)
    served = (socket.getPeerX509Certificate()?.serialNumber ?? '').toLowerCase()
    socket.destroy()
    expect(Date.now() - replacedAt).toBeLessThan(5000)
  }
  publisher.publish('load', String(++sent), 1, sent)
  expect(await publisher.next()).toEqual([`puback ${sent}`])
  expect(heard).toEqual(Array.from({ length: sent }, (_, at) => String(at + 1)))
})

it('a broken new file changes nothing, and the log says why', async () => {
  const cert = join(folder, 'cert.pem')
  await writeFile(cert, server.cert)
  const listener = await started.broker.listen({ port: 0, tls: { cert, key: server.key } })
  await writeFile(cert, (await ca.issue('localhost')).cert) // its key is another
  await expect(listener.reload()).rejects.toThrow('is not the key of the certificate in tls.cert')
  expect(started.log.some((line) => line.startsWith('error') && line.includes('stays in force'))).toBe(true)
  await greet(await open(listener.port))
  expect(await readFile(cert, 'utf8')).not.toBe(server.cert)
})

it('files that cannot be used are told before anybody listens', async () => {
  await expect(listen({ cert: join(folder, 'none.pem') })).rejects.toThrow('cannot read tls.cert')
  await expect(listen({ requestCert: true })).rejects.toThrow('needs tls.ca')
})

describe('options of TLS', () => {
  it('minVersion: an older one is refused', async () => {
    const port = await listen({ minVersion: 'TLSv1.3' })
    await expect(open(port, { maxVersion: 'TLSv1.2' })).rejects.toThrow()
    expect((await started.broker.metrics()).handshakesRefused.tls).toBe(1)
    expect((await open(port)).getProtocol()).toBe('TLSv1.3')
  })

  it('minVersion: 1.2 by default, so no older one', async () => {
    const port = await listen()
    expect((await open(port, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2')
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await expect(open(port, old)).rejects.toThrow()
  })

  it('alpn: the first of ours that the client offers; none of them, and it is refused; no ALPN, and it is served', async () => {
    const port = await listen({ alpn: ['mqtt', 'x-old'] })
    expect((await open(port, { ALPNProtocols: ['x-old', 'mqtt'] })).alpnProtocol).toBe('mqtt')
    expect((await open(port, { ALPNProtocols: ['x-old'] })).alpnProtocol).toBe('x-old')
    await expect(open(port, { ALPNProtocols: ['http/1.1'] })).rejects.toThrow(/no application protocol/)
    await greet(await open(port))
  })

  it('passphrase: opens the key, and a wrong one is told before anybody listens', async () => {
    for (const type of ['pkcs8', 'sec1'] as const) {
      const key = createPrivateKey(server.key)
        .export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' })
        .toString()
      await greet(await open(await listen({ key, passphrase: 'sesame' })))
      await expect(listen({ key })).rejects.toThrow('tls.key is encrypted; give tls.passphrase')
      // Of many wrong ones some leave what looks like a key for a while: the answer is the same.
      for (let n = 0; n < 600; n++) {
        await expect(listen({ key, passphrase: `wrong ${n}` })).rejects.toThrow(
          'tls.key is not opened by tls.passphrase',
        )
      }
    }
  })
})

it('a certificate that ends soon is named in the log', async () => {
  const cert = join(folder, 'soon.pem')
  const soon = await ca.issue('localhost', { days: 5 })
  await writeFile(cert, soon.cert)
  await listen({ cert, key: soon.key })
  expect(started.log.filter((line) => line.includes('expires within 7 days'))).toEqual([
    expect.stringContaining(`"file":${JSON.stringify(cert)}`),
  ])
})

it('warns 30, 7 and 1 day before the end, and after it', () => {
  const end = Date.parse('2030-01-31T00:00:00Z')
  const at = (date: string): number | undefined => warningOf(end, Date.parse(`2030-01-${date}T12:00:00Z`))
  expect([warningOf(end, end - 31 * 86_400_000), at('02'), at('25'), at('30'), at('31')]).toEqual([
    undefined,
    30,
    7,
    1,
    0,
  ])
})

/** The long form of the next test: `GODWIT_TEST_HALF_OPEN=10000`. */
const halfOpen = Number(process.env.GODWIT_TEST_HALF_OPEN ?? 30)

it('who dawdles in the handshake is closed in time, and only so many may be at it', async () => {
  const { port } = await started.broker.listen({
    port: 0,
    tls: server,
    handshakeTimeoutMs: Math.max(300, halfOpen),
    maxHandshakes: 20,
  })
  const ends = Array.from({ length: halfOpen }, async () => lastWords(await openTcp(port)))
  expect(await Promise.all(ends)).toEqual(ends.map(() => ''))
  expect((await started.broker.metrics()).handshakesRefused).toMatchObject({
    'too-many': halfOpen - 20,
    'too-slow': 20,
  })
  await greet(await open(port))
}, 60_000)

it('what is no TLS is refused, and each kind of refusal has a line of its own', async () => {
  const port = await listen({ ca: ca.cert, requestCert: true })
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\x10\x0c\0\x04MQTT\x04\x02\0<\0\0']) {
    const socket = await openTcp(port)
    socket.write(bytes, 'latin1')
    await lastWords(socket)
  }
  await refused(port)
  expect((await started.broker.metrics()).handshakesRefused.tls).toBe(3)
  expect(whys()).toEqual([
    'what came is no TLS (http request)',
    expect.stringMatching(/^what came is no TLS \([a-z ]+\)$/),
    'the client showed no certificate (peer did not return a certificate)',
  ])
})
