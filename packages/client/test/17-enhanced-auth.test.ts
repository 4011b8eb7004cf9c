import { describe, expect, test } from 'vitest'
import { type Authentication, connect } from '../src/index.js'
import { connected, failure, rig } from './rig.js'
import { settled } from './virtual-clock.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const auth = (data: string, authenticationMethod = 'ECHO') => ({
  authenticationMethod,
  authenticationData: bytes(data),
})

/** Answers every challenge with it, in upper case. */
function echo(overrides: Partial<Authentication> = {}): Authentication {
  return {
    method: 'ECHO',
    start: () => bytes('hello'),
    continue: async (data) => bytes(new TextDecoder().decode(data).toUpperCase()),
    ...overrides,
  }
}

describe('MQTT 5.0', () => {
  describe('the exchange of CONNECT', () => {
    test('challenges are answered until CONNACK; nothing else is sent before it [MQTT-3.1.2-30] [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-3.15.1-1] [MQTT-3.15.2-1] [MQTT-3.15.2-2] [MQTT-3.15.2-3]', async () => {
      const proofs: string[] = []
      const { server, options } = rig({
        authentication: echo({ success: (data) => void proofs.push(new TextDecoder().decode(data)) }),
        background: true,
      })
      const client = await connect('mqtt://broker', options)
      void client.publish('t', 'x', { qos: 1 }).catch(() => {})
      const peer = await server.accept()
      peer.open()
      await peer.expect('connect', { properties: expect.objectContaining(auth('hello')) })
      for (const challenge of ['one', 'two']) {
        peer.send({ type: 'auth', reasonCode: 0x18, properties: auth(challenge) })
        await peer.expect('auth', { reasonCode: 0x18, properties: auth(challenge.toUpperCase()) })
      }
      await peer.expectNothing()
      peer.send({ type: 'connack', sessionPresent: false, reasonCode: 0, properties: auth('proof') })
      await peer.expect('publish')
      expect(proofs).toEqual(['proof'])
    })

    test('what comes while the proof is checked waits for it', async () => {
      let proven = (): void => {}
      const { server, options } = rig({
        authentication: echo({ success: () => new Promise((resolve) => (proven = resolve)) }),
      })
      const connecting = connect('mqtt://broker', options)
      const peer = await server.accept()
      await peer.welcome({ properties: auth('proof') })
      peer.publish('t', 'early', { qos: 1, packetId: 1 })
      await peer.expectNothing()
      proven()
      await connecting
      await peer.expect('puback')
    })

    test.each([
      ['start', echo({ start: () => Promise.reject(new Error('no card')) })],
      [
        'continue',
        echo({
          continue: () => {
            throw new Error('no card')
          },
        }),
      ],
      ['success', echo({ success: () => Promise.reject(new Error('no card')) })],
    ])('a failure in %s ends the attempt with its error', async (_, authentication) => {
      const { server, options, clock } = rig({ authentication, reconnect: false })
      const connecting = failure(connect('mqtt://broker', options))
      await settled()
      if (server.count > 0) {
        const peer = await server.accept()
        peer.open()
        await peer.expect('connect')
        peer.send({ type: 'auth', reasonCode: 0x18, properties: auth('x') })
        await settled()
        peer.send({ type: 'connack', sessionPresent: false, reasonCode: 0, properties: auth('x') })
      }
      expect(await connecting).toMatchObject({
        code: 'authentication-failed',
        message: 'mqtt://broker: authentication failed: no card',
      })
      expect(clock.pending).toBe(0)
    })

    test.each([
      ['AUTH with another method', { type: 'auth', reasonCode: 0x18, properties: auth('x', 'OTHER') } as const],
      ['AUTH with none', { type: 'auth', reasonCode: 0x18 } as const],
      ['AUTH with success before CONNACK', { type: 'auth', reasonCode: 0, properties: auth('x') } as const],
      ['CONNACK with another method', { type: 'connack', sessionPresent: false, reasonCode: 0 } as const],
    ])('%s is a protocol error [MQTT-4.12.0-5]', async (_, packet) => {
      const { server, options } = rig({ authentication: echo(), reconnect: false })
      const connecting = failure(connect('mqtt://broker', options))
      const peer = await server.accept()
      peer.open()
      await peer.expect('connect')
      peer.send(packet)
      expect(await connecting).toMatchObject({ code: 'protocol-error' })
    })

    test('there is no fallback to 3.1.1, which has no such exchange', async () => {
      const { server, options } = rig({ authentication: echo() })
      const connecting = failure(connect('mqtt://broker', options))
      await (await server.accept()).welcome({ reasonCode: 0x84 })
      expect(await connecting).toMatchObject({ code: 'server-refused', reasonCode: 0x84 })
    })

    test('without authentication the client sends no AUTH [MQTT-4.12.0-7]', async () => {
      const { client, peer } = await connected()
      expect(await failure(client.reauthenticate())).toMatchObject({ code: 'invalid-option' })
      await peer.expectNothing()
    })
  })

  describe('reauthenticate()', () => {
    async function authenticated(overrides: Partial<Authentication> = {}) {
      return connected({ authentication: echo(overrides) }, false, auth('proof'))
    }

    test('AUTH 0x19 with the method of CONNECT, challenges, and AUTH 0x00 [MQTT-4.12.1-1] [MQTT-4.12.0-5]', async () => {
      const { client, peer } = await authenticated()
      let done = false
      const again = client.reauthenticate().then(() => (done = true))
      await peer.expect('auth', { reasonCode: 0x19, properties: auth('hello') })
      expect(await failure(client.reauthenticate())).toMatchObject({ code: 'invalid-option' })
      peer.send({ type: 'auth', reasonCode: 0x18, properties: auth('once more') })
      await peer.expect('auth', { reasonCode: 0x18, properties: auth('ONCE MORE') })
      expect(done).toBe(false)
      void client.publish('t', 'meanwhile')
      await peer.expect('publish')
      peer.send({ type: 'auth', reasonCode: 0, properties: auth('ok') })
      await again
    })

    test('a server that refuses ends the connection, and the promise says why [MQTT-4.12.1-2]', async () => {
      const { client, peer } = await authenticated()
      const again = failure(client.reauthenticate())
      await peer.expect('auth')
      peer.send({ type: 'disconnect', reasonCode: 0x87 })
      expect(await again).toMatchObject({ code: 'server-disconnected', reasonCode: 0x87 })
      expect(peer.ended).toBe(true)
    })

    test('a failure on this side closes the connection, too [MQTT-4.12.1-2]', async () => {
      const { client, peer } = await authenticated({ continue: () => Promise.reject(new Error('no card')) })
      const again = failure(client.reauthenticate())
      await peer.expect('auth')
      peer.send({ type: 'auth', reasonCode: 0x18, properties: auth('x') })
      expect(await again).toMatchObject({ code: 'authentication-failed' })
      expect(peer.ended).toBe(true)
    })

    test('close() ends one that waits', async () => {
      const { client, peer } = await authenticated()
      const again = failure(client.reauthenticate())
      await peer.expect('auth')
      await client.close()
      expect(await again).toMatchObject({ code: 'client-closed' })
    })

    test('AUTH that nobody asked for is a protocol error', async () => {
      const { peer } = await authenticated()
      peer.send({ type: 'auth', reasonCode: 0x18, properties: auth('x') })
      await peer.expect('disconnect', { reasonCode: 0x82 })
    })
  })
})
