import { describe, expect, test } from 'vitest'
import { type ClientState, connect, isPermanent } from '../src/index.js'
import { connected, failure, inBothVersions, rig } from './rig.js'
import { settled, VirtualClock } from './virtual-clock.js'

/** An authentication that is never begun. */
const nobody = { method: 'NONE', start: () => undefined, continue: () => undefined }

inBothVersions((version) => {
  describe('CONNECT carries the options', () => {
    test('with everything', async () => {
      const { server, options } = rig({
        clean: false,
        keepAliveSeconds: 30,
        username: 'ada',
        password: 'secret',
        will: { topic: 'gone', payload: 'bye', qos: 1, retain: true },
      })
      const connecting = connect('mqtt://broker', options)
      const connectPacket = await (await server.accept()).welcome()
      expect(connectPacket).toMatchObject({
        version,
        clientId: 'me',
        cleanStart: false,
        keepAliveSeconds: 30,
        username: 'ada',
        password: new TextEncoder().encode('secret'),
        will: { topic: 'gone', payload: new TextEncoder().encode('bye'), qos: 1, retain: true },
      })
      await connecting
    })

    test('a client id is made up for a clean session: 22 letters and digits', async () => {
      const { server } = rig()
      void connect('mqtt://broker', { clock: new VirtualClock(Math.random), openStream: server.openStream })
      const packet = await (await server.accept()).welcome()
      expect(packet.clientId).toMatch(/^godwit[0-9a-z]{16}$/)
      expect(packet.cleanStart).toBe(true)
    })

    test('sessionExpirySeconds above 0 asks for a session that is kept', async () => {
      const { server, options } = rig({ sessionExpirySeconds: 60 })
      void connect('mqtt://broker', options)
      expect((await (await server.accept()).welcome()).cleanStart).toBe(false)
    })

    test('user name and password may stand in the URL', async () => {
      const { server, options } = rig()
      void connect('mqtt://ada:p%40ss@broker:1884/', options)
      const peer = await server.accept()
      expect(peer.url).toBe('mqtt://broker:1884/')
      expect(await peer.welcome()).toMatchObject({ username: 'ada', password: new TextEncoder().encode('p@ss') })
    })
  })

  describe('options that can never work are refused before anything is sent', () => {
    test.each([
      ['http://broker', {}, 'unsupported-scheme', /mqtt:\/\/host/],
      ['localhost:1883', {}, 'unsupported-scheme', /mqtt:\/\/host/],
      ['broker', {}, 'invalid-option', /not a URL/],
      ['mqtt://ada:pass@broker:99999', {}, 'invalid-option', /^'mqtt:\/\/broker:99999' is not a URL/],
      ['mqtt://ada:100%@broker', {}, 'invalid-option', /^'mqtt:\/\/broker': '%' .* '%25'/],
      ['mqtt://broker/topic', {}, 'invalid-option', /nothing may follow the port/],
      ['mqtt://broker', { clean: false, clientId: '', version: 4 as const }, 'invalid-option', /needs a clientId/],
      ['mqtt://broker', { keepAliveSeconds: 65_536 }, 'invalid-option', /keepAliveSeconds/],
      ['mqtt://broker', { maxInflight: 0 }, 'invalid-option', /maxInflight/],
      ['mqtt://broker', { password: 'x', version: 4 as const }, 'invalid-option', /user name/],
      ['mqtt://broker', { receiveMaximum: 0 }, 'invalid-option', /receiveMaximum/],
      ['mqtt://broker', { sessionExpirySeconds: -1 }, 'invalid-option', /sessionExpirySeconds/],
      ['mqtt://broker', { authentication: nobody, version: 4 as const }, 'unsupported-version', /needs MQTT 5.0/],
      ['mqtt://broker', { will: { topic: 'a/#', payload: '' } }, 'invalid-topic', /a\/#/],
    ])('%s %j', async (url, extra, code, message) => {
      const { server, options } = rig(extra)
      const error = await failure(connect(url, options))
      expect(error).toMatchObject({ code, permanent: true, message: expect.stringMatching(message) })
      expect(server.count).toBe(0)
    })
  })

  describe('what the server may answer', () => {
    test.each([
      [0x84, 'Unsupported Protocol Version'],
      [0x85, 'Client Identifier not valid'],
      [0x86, 'Bad User Name or Password'],
      [0x87, 'Not authorized'],
    ])('connect() rejects instead of hanging when the refusal is permanent: %i %s', async (reasonCode, words) => {
      const { server, options } = rig({ fallback: false })
      const connecting = failure(connect('mqtt://broker', options))
      await (await server.accept()).welcome({ reasonCode })
      const error = await connecting
      expect(error).toMatchObject({
        code: 'server-refused',
        reasonCode,
        message: `mqtt://broker: the server refused the connection: ${words}`,
      })
      expect(isPermanent(error)).toBe(true)
      expect(server.count).toBe(1)
    })

    test('"Server unavailable" is temporary: it is tried again', async () => {
      const { server, options, clock } = rig()
      const connecting = connect('mqtt://broker', options)
      await (await server.accept()).welcome({ reasonCode: 0x88 })
      await clock.pass(500)
      await (await server.accept()).welcome()
      expect((await connecting).state).toBe('connected')
    })

    test('anything before CONNACK is a violation', async () => {
      const { server, options } = rig({ reconnect: false })
      const connecting = failure(connect('mqtt://broker', options))
      const peer = await server.accept()
      peer.open()
      peer.send({ type: 'pingresp' })
      expect(await connecting).toMatchObject({ code: 'protocol-error', permanent: false })
      expect(peer.ended).toBe(true)
    })

    test('bytes that are not MQTT end the connection with the reason', async () => {
      const { peer, client } = await connected({ reconnect: false })
      const ended = new Promise((resolve) => client.on('close', resolve))
      peer.sendBytes(Uint8Array.of(0x00, 0x00))
      expect(await ended).toMatchObject({ error: { code: 'protocol-error' } })
      expect(peer.ended).toBe(true)
    })

    test('a packet only clients may send ends the connection', async () => {
      const { peer, client } = await connected({ reconnect: false })
      const ended = new Promise((resolve) => client.on('close', resolve))
      peer.send({ type: 'pingreq' })
      expect(await ended).toMatchObject({ error: { code: 'protocol-error' } })
    })
  })

  describe('connect() always settles', () => {
    test('with reconnect: false the first failure rejects', async () => {
      const { server, options } = rig({ reconnect: false })
      const connecting = failure(connect('mqtt://broker', options))
      ;(await server.accept()).close(new Error('connect ECONNREFUSED'))
      expect(await connecting).toMatchObject({ code: 'network-error', message: 'mqtt://broker: connect ECONNREFUSED' })
    })

    test('after connectTimeoutMs, naming the last failure', async () => {
      const { server, options, clock } = rig({ connectTimeoutMs: 1000 })
      const connecting = failure(connect('mqtt://broker', options))
      ;(await server.accept()).close(new Error('connect ECONNREFUSED'))
      await clock.pass(1000)
      expect(await connecting).toMatchObject({
        code: 'connect-timeout',
        message: 'mqtt://broker: no connection within 1000 ms; last failure: mqtt://broker: connect ECONNREFUSED',
      })
      expect(clock.pending).toBe(0)
    })

    test('a server that accepts the socket and stays silent costs one attempt, not for ever', async () => {
      const { server, options, clock } = rig({ attemptTimeoutMs: 3000 })
      const connecting = connect('mqtt://broker', options)
      const silent = await server.accept()
      silent.open()
      await clock.pass(3000)
      expect(silent.ended).toBe(true)
      await clock.pass(500)
      await (await server.accept()).welcome()
      await connecting
    })

    test('an AbortSignal ends it, and the attempt with it', async () => {
      const abort = new AbortController()
      const { server, options, clock } = rig({ signal: abort.signal })
      const connecting = failure(connect('mqtt://broker', options))
      const peer = await server.accept()
      abort.abort(new Error('changed my mind'))
      expect(await connecting).toMatchObject({ code: 'aborted', cause: { message: 'changed my mind' } })
      await settled()
      expect(peer.ended).toBe(true)
      expect(clock.pending).toBe(0)
    })

    test('an AbortSignal that has fired already opens nothing', async () => {
      const { server, options } = rig({ signal: AbortSignal.abort() })
      expect(await failure(connect('mqtt://broker', options))).toMatchObject({ code: 'aborted' })
      expect(server.count).toBe(0)
    })

    test('in the background it resolves at once and the states follow', async () => {
      const { server, options } = rig({ background: true })
      const client = await connect('mqtt://broker', options)
      const states: ClientState[] = [client.state]
      client.on('state', (state) => states.push(state))
      await (await server.accept()).welcome()
      await client.close()
      expect(states).toEqual(['connecting', 'connected', 'closing', 'closed'])
    })
  })

  describe('credentials()', () => {
    test('is asked before each attempt and may be asynchronous: tokens that expire are replaced', async () => {
      let count = 0
      const { server, options, clock } = rig({
        credentials: async () => ({ username: 'ada', password: `token ${++count}` }),
      })
      void connect('mqtt://broker', options)
      const first = await server.accept()
      expect((await first.welcome()).password).toEqual(new TextEncoder().encode('token 1'))
      first.close()
      await clock.pass(500)
      expect((await (await server.accept()).welcome()).password).toEqual(new TextEncoder().encode('token 2'))
    })

    test('a rejection is a failed attempt, not the end', async () => {
      let count = 0
      const { server, options, clock } = rig({
        credentials: async () => {
          if (++count === 1) throw new Error('token service down')
          return {}
        },
      })
      const connecting = connect('mqtt://broker', options)
      await clock.pass(500)
      await (await server.accept()).welcome()
      await connecting
    })

    test('one that never answers costs one attempt', async () => {
      const { options, clock } = rig({ credentials: () => new Promise(() => {}), reconnect: false })
      const connecting = failure(connect('mqtt://broker', options))
      await clock.pass(10_000)
      expect(await connecting).toMatchObject({ code: 'attempt-timeout' })
    })
  })
})
