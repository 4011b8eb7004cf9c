import { reason } from '@godwit/protocol'
import { describe, expect, test } from 'vitest'
import { connect } from '../src/index.js'
import { connected, failure, rig } from './rig.js'
import { settled } from './virtual-clock.js'

describe('MQTT 5.0', () => {
  describe('CONNECT', () => {
    test('carries the options as properties', async () => {
      const { server, options } = rig({
        sessionExpirySeconds: 60,
        receiveMaximum: 20,
        maxPacketBytes: 1000,
        topicAliasMaximum: 3,
        requestResponseInformation: true,
        requestProblemInformation: false,
        properties: {
          userProperties: [
            ['a', '1'],
            ['a', '2'],
          ],
        },
        will: { topic: 'gone', payload: 'bye', delaySeconds: 5, properties: { contentType: 'text/plain' } },
      })
      void connect('mqtt://broker', options)
      expect(await (await server.accept()).welcome()).toMatchObject({
        version: 5,
        cleanStart: false,
        properties: {
          sessionExpiryInterval: 60,
          receiveMaximum: 20,
          maximumPacketSize: 1000,
          topicAliasMaximum: 3,
          requestResponseInformation: true,
          requestProblemInformation: false,
          userProperties: [
            ['a', '1'],
            ['a', '2'],
          ],
        },
        will: { topic: 'gone', properties: { willDelayInterval: 5, contentType: 'text/plain' } },
      })
    })

    test('a will with properties, topic, payload, then user name and password, in that order [MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] [MQTT-3.1.3-1] [MQTT-3.1.3-3] [MQTT-3.1.3-11] [MQTT-3.1.3-12] [MQTT-3.1.0-1]', async () => {
      const { server, options } = rig({
        topicAliasMaximum: 0,
        receiveMaximum: 65_535,
        keepAliveSeconds: 10,
        username: 'u',
        password: 'p',
        will: { topic: 'w', payload: 'x', qos: 1, retain: true, delaySeconds: 1 },
      })
      void connect('mqtt://broker', options)
      const peer = await server.accept()
      await peer.welcome()
      const words = {
        header: '1024',
        nameAndLevel: '00044d51545405',
        flags: 'ee',
        keepAlive: '000a',
        noProperties: '00',
        clientId: '00026d65',
        willProperties: '051800000001',
        willTopic: '000177',
        willPayload: '000178',
        username: '000175',
        password: '000170',
      }
      const bytes = Object.values(words).join('')
      expect(peer.written[0]).toBe(bytes.replace(/^1024/, `10${(bytes.length / 2 - 2).toString(16)}`))
    })

    test('nothing that was not asked for: no will, no will QoS and retain, no user name, no password, property length 0 [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT-2.2.2-1] [MQTT-2.1.3-1]', async () => {
      const { server, options } = rig({ topicAliasMaximum: 0, receiveMaximum: 65_535 })
      void connect('mqtt://broker', options)
      const peer = await server.accept()
      await peer.welcome()
      expect(peer.written[0]).toBe('100f00044d5154540502003c0000026d65')
    })

    test('a password without a user name [MQTT-3.1.2-19]', async () => {
      const { server, options } = rig({ password: 'p' })
      void connect('mqtt://broker', options)
      const packet = await (await server.accept()).welcome()
      expect([packet.username, packet.password]).toEqual([undefined, new TextEncoder().encode('p')])
    })

    test.each([
      ['client id', { clientId: '\ud800' }],
      ['client id', { clientId: 'a\0b' }],
      ['user name', { username: '\udfff' }],
      ['will topic', { will: { topic: 'a\ud800', payload: '' } }],
      ['will QoS', { will: { topic: 'a', payload: '', qos: 3 as 0 } }],
      ['user property', { properties: { userProperties: [['a', '\ud800'] as const] } }],
      ['will content type', { will: { topic: 'a', payload: '', properties: { contentType: '\ud800' } } }],
      ['will response topic', { will: { topic: 'a', payload: '', properties: { responseTopic: 'a/#' } } }],
    ])(
      'a bad %s is refused before anything is sent [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] [MQTT-3.1.2-12] [MQTT-3.1.3-4] [MQTT-3.1.3-11] [MQTT-3.1.3-12]',
      async (_, extra) => {
        const { server, options } = rig(extra)
        expect(await failure(connect('mqtt://broker', options))).toMatchObject({ name: 'InvalidArgumentError' })
        expect(server.count).toBe(0)
      },
    )
  })

  describe('CONNACK', () => {
    test('what it said is in client.server and in the event', async () => {
      const { client } = await connected({}, false, { receiveMaximum: 10, serverKeepAlive: 5 })
      expect(client.server).toEqual({
        sessionPresent: false,
        server: 'mqtt://broker',
        version: 5,
        properties: { receiveMaximum: 10, serverKeepAlive: 5 },
      })
    })

    test('Server Keep Alive replaces what was asked for [MQTT-3.1.2-20] [MQTT-3.1.2-21] [MQTT-3.2.2-21]', async () => {
      const { peer, clock } = await connected({ keepAliveSeconds: 60 }, false, { serverKeepAlive: 10 })
      await clock.pass(9000)
      await peer.expect('pingreq')
    })

    test('the Assigned Client Identifier is taken over, for reconnections too [MQTT-3.1.3-2]', async () => {
      const { client, peer, clock, server } = await connected({ clientId: '', sessionExpirySeconds: 60 }, false, {
        assignedClientIdentifier: 'yours',
      })
      expect(client.clientId).toBe('yours')
      peer.close()
      await clock.pass(500)
      expect((await (await server.accept()).welcome()).clientId).toBe('yours')
    })

    test.each([
      [0x80, false],
      [0x87, true],
      [0x88, false],
      [0x8a, true],
      [0x97, false],
      [0x9f, false],
    ])('reason %i ends the attempt; final: %s [MQTT-4.13.2-1]', async (reasonCode, permanent) => {
      const { server, options } = rig({ reconnect: false })
      const connecting = failure(connect('mqtt://broker', options))
      const peer = await server.accept()
      await peer.welcome({ reasonCode, properties: { reasonString: 'so there' } })
      expect(await connecting).toMatchObject({ code: 'server-refused', reasonCode, permanent })
      expect(((await connecting) as Error).message).toMatch(/ \(so there\)$/)
      expect(peer.ended).toBe(true)
    })

    test('a session where Clean Start asked for none closes the connection [MQTT-3.2.2-4]', async () => {
      const { server, options } = rig({ reconnect: false, clean: true })
      const connecting = failure(connect('mqtt://broker', options))
      const peer = await server.accept()
      await peer.welcome({ sessionPresent: true })
      expect(await connecting).toMatchObject({ code: 'protocol-error' })
      expect(peer.ended).toBe(true)
    })

    test('reserved CONNACK flags are malformed [MQTT-2.1.3-1]', async () => {
      const { server, options } = rig({ reconnect: false })
      const connecting = failure(connect('mqtt://broker', options))
      const peer = await server.accept()
      peer.open()
      await peer.expect('connect')
      peer.sendBytes(Uint8Array.of(0x20, 3, 2, 0, 0))
      expect(await connecting).toMatchObject({ code: 'protocol-error' })
    })
  })

  describe('Session Expiry', () => {
    async function reconnects(options: object, offlineMs: number, properties = {}) {
      const made = await connected(
        { reconnect: { initialMs: offlineMs, maxMs: offlineMs }, ...options },
        false,
        properties,
      )
      const sent = failure(made.client.publish('t', 'x', { qos: 2 }))
      await made.peer.expect('publish')
      made.peer.close()
      await made.clock.pass(offlineMs)
      const next = await made.server.accept()
      next.open()
      return { next, sent, connect: await next.expect('connect') }
    }

    test.each([
      [{ clean: false }, 0xffff_ffff],
      [{ sessionExpirySeconds: Infinity }, 0xffff_ffff],
      [{ sessionExpirySeconds: 0xffff_ffff }, 0xffff_ffff],
      [{ sessionExpirySeconds: 30 }, 30],
      [{}, undefined],
    ])('%j asks for %s', async (options, sessionExpiryInterval) => {
      const { server, options: all } = rig(options)
      void connect('mqtt://broker', all)
      expect((await (await server.accept()).welcome()).properties?.sessionExpiryInterval).toBe(sessionExpiryInterval)
    })

    test('within it the session goes on [MQTT-3.1.2-23] [MQTT-4.1.0-1] [MQTT-4.4.0-1]', async () => {
      const { next, connect: packet } = await reconnects({ sessionExpirySeconds: 30 }, 29_000)
      expect(packet.cleanStart).toBe(false)
      next.send({ type: 'connack', sessionPresent: true, reasonCode: 0 })
      await next.expect('publish', { dup: true, packetId: 1 })
    })

    test('after it nothing of the old state is used again: Clean Start, and the doubt is told [MQTT-3.1.2-4] [MQTT-3.2.2-5]', async () => {
      const { next, sent, connect: packet } = await reconnects({ sessionExpirySeconds: 30 }, 30_000)
      expect(packet.cleanStart).toBe(true)
      next.send({ type: 'connack', sessionPresent: false, reasonCode: 0 })
      expect(await sent).toMatchObject({ code: 'session-lost' })
      expect(await next.rest()).toEqual([])
    })

    test("the server's Session Expiry Interval counts, not the one asked for", async () => {
      const { connect: packet } = await reconnects({ sessionExpirySeconds: 30 }, 10_000, { sessionExpiryInterval: 10 })
      expect(packet.cleanStart).toBe(true)
    })

    test('a session kept for ever under a made-up id would be lost: it needs a clientId', async () => {
      const error = { code: 'invalid-option', message: expect.stringContaining('needs a clientId') }
      expect(await failure(connect('mqtt://broker', { clean: false }))).toMatchObject(error)
    })

    test('clean: true with an expiry starts anew once and resumes after that [MQTT-3.1.2-4]', async () => {
      const { server, options, clock } = rig({ clean: true, sessionExpirySeconds: 60 })
      void connect('mqtt://broker', options)
      const peer = await server.accept()
      expect((await peer.welcome()).cleanStart).toBe(true)
      peer.close()
      await clock.pass(500)
      expect((await (await server.accept()).welcome()).cleanStart).toBe(false)
    })
  })

  describe('DISCONNECT', () => {
    test('close() may ask for the will, and change the expiry [MQTT-3.14.2-1] [MQTT-3.14.4-1] [MQTT-3.14.4-2]', async () => {
      const { client, peer } = await connected({ sessionExpirySeconds: 60 })
      await client.close({
        reasonCode: 0x04,
        sessionExpirySeconds: 0,
        properties: { userProperties: [['why', 'tea']] },
      })
      await peer.expect('disconnect', {
        reasonCode: 0x04,
        properties: { sessionExpiryInterval: 0, userProperties: [['why', 'tea']] },
      })
      await peer.expectNothing()
      expect(peer.ended).toBe(true)
    })

    test('what cannot be written is not said: close() never rejects', async () => {
      const { client, peer } = await connected()
      await client.close({ properties: { reasonString: '\ud800' } })
      expect(await peer.expect('disconnect')).toEqual({ type: 'disconnect' })
    })

    test('an expiry where CONNECT had none is left out', async () => {
      const { client, peer } = await connected()
      await client.close({ sessionExpirySeconds: 60 })
      expect(await peer.expect('disconnect')).toEqual({ type: 'disconnect' })
    })

    test("its properties give way to the server's Maximum Packet Size [MQTT-3.14.2-3] [MQTT-3.14.2-4]", async () => {
      const { client, peer } = await connected({}, false, { maximumPacketSize: 20 })
      await client.close({
        reasonCode: 0x04,
        properties: { reasonString: 'x'.repeat(20), userProperties: [['a', 'b'.repeat(20)]] },
      })
      expect(await peer.expect('disconnect')).toEqual({ type: 'disconnect', reasonCode: 0x04 })
    })

    test.each([
      [reason.sessionTakenOver, true, 'Session taken over'],
      [reason.serverShuttingDown, false, 'Server shutting down'],
      [reason.administrativeAction, false, 'Administrative action'],
      [reason.keepAliveTimeout, false, 'Keep Alive timeout'],
      [reason.notAuthorized, false, 'Not authorized'],
    ])('of the server, reason %i: final %s [MQTT-4.13.2-1]', async (reasonCode, permanent, words) => {
      const { client, peer } = await connected()
      const told = new Promise((resolve) => client.on('disconnect', resolve))
      peer.send({ type: 'disconnect', reasonCode, properties: { reasonString: 'bye' } })
      const message = `mqtt://broker: the server ended the connection: ${words} (bye)`
      const error = { code: 'server-disconnected', reasonCode, permanent, message }
      expect(await told).toMatchObject({ error, retryInMs: permanent ? undefined : 500 })
      await settled()
      expect([peer.ended, client.state]).toEqual([true, permanent ? 'closed' : 'waiting'])
    })

    test.each([
      ['e100', 'flags [MQTT-3.14.1-1]'],
      ['e00110', 'a reason code of another packet [MQTT-3.14.2-1]'],
      ['f100', 'flags of AUTH [MQTT-3.15.1-1]'],
      ['e00700051100000001', 'a Session Expiry Interval'],
    ])('malformed or forbidden, %s: %s', async (hex) => {
      const { client, peer } = await connected({ reconnect: false })
      const ended = new Promise<unknown>((resolve) => client.on('close', resolve))
      peer.sendBytes(Buffer.from(hex, 'hex'))
      expect(await ended).toMatchObject({ error: { code: 'protocol-error' } })
    })
  })
})
