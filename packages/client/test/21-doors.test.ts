// TLS and Unix domain sockets, against servers of this test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CertificateError, connect, type TlsOptions } from '../src/index.js'
import { Authority, type Pair } from './certificates.js'
import { Door, peerOn, welcoming } from './doors.js'
import { failure } from './rig.js'
import type { Peer } from './scripted-server.js'

const once = { reconnect: false } as const
let authority: Authority
let server: Pair
let ca: string

beforeAll(async () => {
  authority = await Authority.create()
  server = await authority.issue('localhost')
  ca = authority.cert
})

describe('over TLS', () => {
  test.each(['mqtts', 'ssl', 'tls'])(
    '%s: messages pass, on the name and the protocol that were asked for',
    async (scheme) => {
      let seen: TLSSocket | undefined
      let peer: Peer | undefined
      await using door = await Door.tls({ ...server, ALPNProtocols: ['mqtt'] }, (socket) => {
        seen = socket as TLSSocket
        peer = peerOn(socket)
        void peer.welcome()
      })
      await using client = await connect(door.url.replace('mqtts', scheme), { ...once, tls: { ca, alpn: 'mqtt' } })
      expect(seen).toMatchObject({ servername: 'localhost', alpnProtocol: 'mqtt' })
      const published = client.publish('a', 'x', { qos: 1 })
      const { packetId } = await peer!.expect('publish', { topic: 'a' })
      peer!.send({ type: 'puback', packetId: packetId!, reasonCode: 0 })
      expect(await published).toMatchObject({ reasonCode: 0 })
    },
  )

  test('PEM may be bytes, and the authority one of several', async () => {
    const others = [await Authority.create('another'), authority].map(({ cert }) => new TextEncoder().encode(cert))
    await using door = await Door.tls(server, welcoming)
    await using client = await connect(door.url, { ...once, tls: { ca: others } })
    expect(client.state).toBe('connected')
  })

  test('the certificate of the client is shown to the server', async () => {
    let subject: unknown
    const demanding = { ...server, ca, requestCert: true, rejectUnauthorized: true }
    await using door = await Door.tls(demanding, (socket) => {
      subject = (socket as TLSSocket).getPeerCertificate().subject
      welcoming(socket)
    })
    await using _client = await connect(door.url, { ...once, tls: { ca, ...(await authority.issue('sensor')) } })
    expect(subject).toEqual({ CN: 'sensor' })
  })

  describe('a certificate that fails a check ends the client at once, in words', () => {
    test.each<[string, () => Promise<Pair>, TlsOptions, CertificateError['code'], RegExp]>([
      [
        'signed by nobody we know',
        async () => (await Authority.create()).issue('localhost'),
        {},
        'certificate-untrusted',
        /is not trusted \(.*(signature|certificate).*\); give that of the authority which signed it in 'tls\.ca'$/,
      ],
      [
        'expired',
        () => authority.issue('localhost', -3, -1),
        {},
        'certificate-expired',
        /is no longer valid \(certificate has expired\); the server needs a new one/,
      ],
      [
        'of tomorrow',
        () => authority.issue('localhost', 1, 3),
        {},
        'certificate-not-yet-valid',
        /is not valid yet \(.*\); check the clock/,
      ],
      [
        'for another name',
        () => authority.issue('broker.example'),
        {},
        'certificate-wrong-name',
        /is for another name \(.*DNS:broker\.example\); connect by a name that it has, or give that in 'tls\.servername'$/,
      ],
      [
        'not for the name that we ask for',
        () => authority.issue('localhost'),
        { servername: 'broker.example' },
        'certificate-wrong-name',
        /DNS:localhost/,
      ],
    ])('%s', async (_, issue, tls, code, words) => {
      let connections = 0
      await using door = await Door.tls(await issue(), () => connections++)
      // With reconnections, so that one would be seen.
      const error = await failure(connect(door.url, { reconnect: { initialMs: 1 }, tls: { ca, ...tls } }))
      expect(error).toBeInstanceOf(CertificateError)
      expect(error).toMatchObject({ code, permanent: true, server: door.url, message: expect.stringMatching(words) })
      expect((error as Error).message.startsWith(`${door.url}: the server's certificate `)).toBe(true)
      expect(connections).toBeLessThanOrEqual(1)
    })

    test.each([
      ['unknown_ca', 48, /unknown ca/],
      ['certificate_required', 116, /certificate required/],
      ['certificate_expired', 45, /certificate expired/],
    ])('the server says %s of ours', async (_, alert, words) => {
      await using door = await Door.tcp((socket) => {
        socket.once('data', () => socket.end(Uint8Array.of(0x15, 3, 3, 0, 2, 2, alert)))
      })
      const url = door.url.replace('mqtt', 'mqtts')
      const error = await failure(connect(url, { reconnect: { initialMs: 1 }, tls: { ca } }))
      expect(error).toMatchObject({ code: 'certificate-refused', permanent: true })
      expect((error as Error).message).toMatch(words)
      expect((error as Error).message).toMatch(/give one that it knows in 'tls\.cert'/)
    })
  })

  test('a client that has been connected ends when the certificate has become a wrong one', async () => {
    const stranger = await (await Authority.create()).issue('localhost')
    let first: TLSSocket | undefined
    await using door = await Door.tls(server, (socket) => {
      first ??= socket as TLSSocket
      welcoming(socket)
    })
    await using client = await connect(door.url, { reconnect: { initialMs: 1, stableMs: 0 }, tls: { ca } })
    const ended = new Promise((resolve) => client.on('close', resolve))
    door.setCertificate(stranger)
    first!.destroy()
    expect(await ended).toMatchObject({ error: { code: 'certificate-untrusted' } })
  })

  test('rejectUnauthorized: false takes any certificate, checkServername: false any name of a trusted one', async () => {
    const strange = await (await Authority.create()).issue('broker.example')
    await using anybody = await Door.tls(strange, welcoming)
    await using _any = await connect(anybody.url, { ...once, tls: { rejectUnauthorized: false } })
    const unsigned = await failure(connect(anybody.url, { ...once, tls: { ca, checkServername: false } }))
    expect(unsigned).toMatchObject({ code: 'certificate-untrusted' })
    await using other = await Door.tls(await authority.issue('broker.example'), welcoming)
    await using _other = await connect(other.url, { ...once, tls: { ca, checkServername: false } })
  })

  test('a server that does not speak TLS is told, and is no matter of certificates', async () => {
    await using door = await Door.tcp((socket) => socket.end(Uint8Array.of(0x20, 2, 0, 0, 0, 0, 0, 0)))
    const url = door.url.replace('mqtt', 'mqtts')
    const error = await failure(connect(url, { ...once, tls: { ca } }))
    expect(error).toMatchObject({
      code: 'network-error',
      permanent: false,
      message: `${url}: the server does not speak TLS at this port`,
    })
  })

  test('nor is one that hangs up', async () => {
    await using door = await Door.tcp((socket) => socket.once('data', () => socket.end()))
    const error = await failure(connect(door.url.replace('mqtt', 'mqtts'), { ...once, tls: { ca } }))
    expect(error).toMatchObject({
      code: 'network-error',
      permanent: false,
      message: expect.stringContaining('closed the connection in the TLS handshake'),
    })
  })

  test('a port where nobody listens is a network error, as without TLS', async () => {
    const door = await Door.tcp(() => {})
    await door[Symbol.asyncDispose]()
    const error = await failure(connect(door.url.replace('mqtt', 'mqtts'), { ...once, tls: { ca } }))
    expect(error).toMatchObject({ code: 'network-error', permanent: false, cause: { code: 'ECONNREFUSED' } })
  })

  test.each([
    [() => ({ tls: {} }), 'mqtt://localhost', /'tls' is given, but mqtt:\/\/localhost is not encrypted: use mqtts/],
    [() => ({ tls: {} }), 'ws://localhost', /not encrypted/],
    [() => ({ tls: { ca: 'nonsense' } }), 'mqtts://localhost', /^'tls\.ca' has no certificate in PEM form$/],
    [() => ({ tls: { cert: server.cert } }), 'mqtts://localhost', /^'tls\.cert' and 'tls\.key' belong together/],
    [() => ({ tls: { cert: 'x', key: server.key } }), 'mqtts://localhost', /^'tls\.cert' has no certificate/],
    [() => ({ tls: { cert: server.cert, key: 'x' } }), 'mqtts://localhost', /^'tls\.key' has no key in PEM form/],
    [() => ({ headers: { a: 'b' } }), 'mqtts://localhost', /^'headers' are for WebSockets: use ws/],
    [() => ({ tls: {}, openStream: () => ({}) as never }), 'mqtts://localhost', /do not go with 'openStream'/],
  ])('options of no use are refused before anything is sent: %#', async (options, url, words) => {
    const error = await failure(connect(url, { ...once, ...options() }))
    expect(error).toMatchObject({ code: 'invalid-option', permanent: true, message: expect.stringMatching(words) })
  })

  test('a key of another certificate, too', async () => {
    const { key } = await authority.issue('other')
    const error = await failure(connect('mqtts://localhost', { ...once, tls: { cert: server.cert, key } }))
    expect(error).toMatchObject({ code: 'invalid-option', message: "'tls.key' is not the key of 'tls.cert'" })
  })
})

describe('over a Unix domain socket', () => {
  const home = mkdtempSync(join(tmpdir(), 'godwit-client-'))
  afterAll(() => rmSync(home, { recursive: true }))

  test('a client connects, and says so', async () => {
    await using door = await Door.unix(join(home, 'mqtt.sock'), welcoming)
    await using client = await connect(door.url, once)
    expect(client.server).toMatchObject({ server: door.url })
  })

  test('a path with characters that a URL keeps for itself', async () => {
    const path = join(home, 'a #?b.sock')
    await using _door = await Door.unix(path, welcoming)
    await using client = await connect(`unix://${path.split('/').map(encodeURIComponent).join('/')}`, once)
    expect(client.state).toBe('connected')
  })

  test('no such socket is a network error', async () => {
    const error = await failure(connect(`unix://${home}/none`, once))
    expect(error).toMatchObject({ code: 'network-error', cause: { code: 'ENOENT' }, server: `unix://${home}/none` })
  })
})
