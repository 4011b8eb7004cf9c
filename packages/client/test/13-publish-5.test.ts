import type { PropertiesOf } from '@godwit/protocol'
import { describe, expect, test } from 'vitest'
import type { PublishOptions } from '../src/index.js'
import { connected, failure } from './rig.js'
import type { Peer } from './scripted-server.js'
import { settled } from './virtual-clock.js'

const plain = { topicAliases: false }

describe('MQTT 5.0', () => {
  describe('a message that expires', () => {
    const expiring = { qos: 1, properties: { messageExpiryInterval: 10 } } as const

    async function offline(options = {}) {
      const made = await connected({ clean: false, ...options })
      made.peer.close()
      await settled()
      const back = async (): Promise<Peer> => {
        const peer = await made.server.accept()
        await peer.welcome({ sessionPresent: true })
        return peer
      }
      return { ...made, back }
    }

    test('is sent with what is left when it had to wait', async () => {
      const { client, clock, back } = await offline()
      void client.publish('t', 'x', expiring)
      await clock.sleep(3200)
      const peer = await back()
      await peer.expect('publish', { properties: { messageExpiryInterval: 7 } })
    })

    test.each([3_600_000, -3_600_000])('counts time, whatever somebody sets the clock to: %i ms', async (setMs) => {
      const { client, clock, back } = await offline()
      const late = failure(client.publish('t', 'late', expiring))
      void client.publish('t', 'in time', { qos: 1, properties: { messageExpiryInterval: 60 } })
      clock.setMs = setMs
      await clock.sleep(11_000)
      const peer = await back()
      expect(await late).toMatchObject({ code: 'expired' })
      await peer.expect('publish', { properties: { messageExpiryInterval: 49 } })
    })

    test('rejects when its time is over before it could be sent, and those behind it go', async () => {
      const { client, clock, back } = await offline()
      const late = failure(client.publish('t', 'late', expiring))
      void client.publish('t', 'next', { qos: 1 })
      await clock.sleep(10_001)
      const peer = await back()
      await peer.expect('publish', { payload: new TextEncoder().encode('next') })
      expect(await late).toMatchObject({ code: 'expired', topic: 't', permanent: false })
      expect(client.queued).toBe(0)
    })

    test('goes again once it was sent, however late: the handshake has begun', async () => {
      const { client, peer, clock, server } = await connected({ clean: false })
      void client.publish('t', 'x', expiring)
      await peer.expect('publish', { properties: { messageExpiryInterval: 10 } })
      peer.close()
      await settled()
      await clock.sleep(60_000)
      const next = await server.accept()
      await next.welcome({ sessionPresent: true })
      await next.expect('publish', { dup: true, properties: { messageExpiryInterval: 1 } })
    })

    test('with an interval of 0 it is for now or never', async () => {
      const { client, peer } = await connected()
      void client.publish('t', 'x', { properties: { messageExpiryInterval: 0 } })
      await peer.expect('publish', { properties: { messageExpiryInterval: 0 } })
    })
  })

  describe('handshakes', () => {
    test('QoS 1: unacknowledged, and repeated, until its PUBACK [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.2-3] [MQTT-4.4.0-1] [MQTT-3.3.1-1]', async () => {
      const { client, peer, server, clock } = await connected({ clean: false })
      const publishing = client.publish('t', 'x', { qos: 1 })
      await peer.expect('publish', { qos: 1, packetId: 1, dup: false })
      peer.close()
      await clock.pass(500)
      const next = await server.accept()
      await next.welcome({ sessionPresent: true })
      await next.expect('publish', { qos: 1, packetId: 1, dup: true })
      next.send({ type: 'puback', packetId: 1 })
      await publishing
      expect(client.inflight).toBe(0)
    })

    test('QoS 2: PUBLISH until PUBREC, PUBREL until PUBCOMP, never PUBLISH again; expiry changes nothing [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.3.3-7] [MQTT-4.3.3-13] [MQTT-2.2.1-5]', async () => {
      const made = await connected({ clean: false })
      const { client, clock, server } = made
      const publishing = client.publish('t', 'x', { qos: 2, properties: { messageExpiryInterval: 1 } })
      let peer = made.peer
      const again = async (): Promise<void> => {
        peer.close()
        await clock.pass(5000)
        peer = await server.accept()
        await peer.welcome({ sessionPresent: true })
      }
      await peer.expect('publish', { qos: 2, packetId: 1, dup: false })
      await again()
      await peer.expect('publish', { qos: 2, packetId: 1, dup: true })
      peer.send({ type: 'pubrec', packetId: 1 })
      await peer.expect('pubrel', { packetId: 1 })
      await again()
      expect(await peer.rest()).toEqual(['pubrel 1'])
      peer.send({ type: 'pubcomp', packetId: 1 })
      expect(await publishing).toMatchObject({ packetId: 1, reasonCode: 0 })
    })

    test('PUBRELs follow the order of the PUBRECs [MQTT-4.6.0-4]', async () => {
      const { client, peer } = await connected()
      for (const text of ['a', 'b', 'c']) void client.publish('t', text, { qos: 2 })
      await peer.rest()
      for (const packetId of [2, 3, 1]) peer.send({ type: 'pubrec', packetId })
      expect(await peer.rest()).toEqual(['pubrel 2', 'pubrel 3', 'pubrel 1'])
    })

    test('a topic with a wildcard, without a character, or with U+0000 is refused [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3] [MQTT-1.5.4-1]', async () => {
      const { client, peer } = await connected()
      for (const topic of ['a/+', '#', '', 'a\0', '\ud800', 'x'.repeat(65_536)]) {
        expect(await failure(client.publish(topic, 'x'))).toMatchObject({ code: 'invalid-topic' })
      }
      await peer.expectNothing()
    })
  })

  describe('PUBLISH', () => {
    test('properties go out in the order of the table, user properties in the order given [MQTT-3.3.2-1] [MQTT-3.3.2-13] [MQTT-3.3.2-14] [MQTT-3.3.2-19] [MQTT-4.3.2-2]', async () => {
      const { client, peer } = await connected()
      const properties = {
        payloadFormatIndicator: 1 as const,
        messageExpiryInterval: 60,
        contentType: 'c',
        responseTopic: 'r',
        correlationData: Uint8Array.of(7),
        userProperties: [
          ['b', '1'],
          ['a', '2'],
        ] as const,
      }
      void client.publish('t', 'x', { qos: 1, properties })
      await peer.expect('publish', { topic: 't', packetId: 1, dup: false, properties })
      const bytes = '0101' + '020000003c' + '03000163' + '08000172' + '09000107' + '2600016200013126000161000132'
      expect(peer.written.at(-1)).toBe(`3228${'000174'}${'0001'}${'21'}${bytes}78`)
    })

    test('at QoS 0 there is no packet identifier, and DUP is 0 [MQTT-2.2.1-2] [MQTT-3.3.1-2] [MQTT-4.3.1-1] [MQTT-2.2.2-1]', async () => {
      const { client, peer } = await connected()
      await client.publish('t', 'x')
      await settled()
      expect(peer.written.at(-1)).toBe('30050001740078')
    })

    test.each([
      ['a response topic with a wildcard [MQTT-3.3.2-14]', { responseTopic: 'a/+' }],
      ['a response topic that is no text [MQTT-3.3.2-13]', { responseTopic: '\ud800' }],
      ['a content type that is no text [MQTT-3.3.2-19]', { contentType: '\ud800' }],
      ['a user property that is no text [MQTT-1.5.7-1]', { userProperties: [['a', '\0']] }],
      ['a topic alias', { topicAlias: 1 }],
      ['a Subscription Identifier [MQTT-3.3.4-6]', { subscriptionIdentifiers: [1] }],
      ['a number out of range', { messageExpiryInterval: -1 }],
    ])('%s is refused before anything is sent', async (_, properties) => {
      const { client, peer } = await connected()
      const publishing = client.publish('a', 'x', { qos: 1, properties: properties as PropertiesOf<'publish'> })
      expect(await failure(publishing)).toMatchObject({ code: 'invalid-option' })
      await peer.expectNothing()
      expect(client.queued).toBe(0)
    })

    test('at 3.1.1 properties stay behind', async () => {
      const { client, peer } = await connected({ version: 4 })
      await client.publish('t', 'x', { properties: { contentType: 'c' } })
      await settled()
      expect(peer.written.at(-1)).toBe('300400017478')
    })
  })

  describe('reason codes of PUBACK, PUBREC and PUBCOMP', () => {
    test('a success of its own kind is in the result', async () => {
      const { client, peer } = await connected()
      const publishing = client.publish('t', 'x', { qos: 1 })
      await peer.expect('publish')
      const properties = { userProperties: [['a', 'b']] as const }
      peer.send({ type: 'puback', packetId: 1, reasonCode: 0x10, properties })
      expect(await publishing).toEqual({ qos: 1, packetId: 1, reasonCode: 0x10, properties })
    })

    test('at QoS 2 the result is what PUBREC said of the message', async () => {
      const { client, peer } = await connected()
      const publishing = client.publish('t', 'x', { qos: 2 })
      await peer.expect('publish')
      peer.send({ type: 'pubrec', packetId: 1, reasonCode: 0x10 })
      await peer.expect('pubrel', { packetId: 1 })
      peer.send({ type: 'pubcomp', packetId: 1 })
      expect(await publishing).toMatchObject({ qos: 2, packetId: 1, reasonCode: 0x10 })
    })

    test.each([
      [1, 'puback'],
      [2, 'pubrec'],
    ] as const)(
      'QoS %i: a refusal ends the message, says why, and frees its identifier [MQTT-4.4.0-2] [MQTT-4.3.3-9]',
      async (qos, type) => {
        const { client, peer } = await connected({ maxInflight: 1 })
        const publishing = failure(client.publish('t', 'x', { qos }))
        void client.publish('t', 'y', { qos })
        await peer.expect('publish', { packetId: 1 })
        peer.send({ type, packetId: 1, reasonCode: 0x87, properties: { reasonString: 'not you' } })
        expect(await publishing).toMatchObject({
          code: 'refused',
          reasonCode: 0x87,
          topic: 't',
          message: "publish to 't': the server refused it: Not authorized (not you)",
        })
        expect(await peer.rest()).toEqual(['publish 2 y'])
      },
    )

    test.each([
      ['4003000192', 'PUBACK [MQTT-3.4.2-1]'],
      ['5003000192', 'PUBREC [MQTT-3.5.2-1]'],
      ['6203000187', 'PUBREL [MQTT-3.6.2-1]'],
      ['7003000187', 'PUBCOMP [MQTT-3.7.2-1]'],
      ['60020001', 'PUBREL with other flags [MQTT-3.6.1-1]'],
    ])('%s: a reason code of another packet is malformed: %s', async (hex) => {
      const { client, peer } = await connected({ reconnect: false })
      void client.publish('t', 'x', { qos: 1 }).catch(() => {})
      await peer.expect('publish')
      const ended = new Promise((resolve) => client.on('close', resolve))
      peer.sendBytes(Buffer.from(hex, 'hex'))
      expect(await ended).toMatchObject({ error: { code: 'protocol-error' } })
      const { reasonCode } = await peer.expect('disconnect')
      expect([0x81, 0x82]).toContain(reasonCode)
    })

    test.each([
      [1, 'pubrec'],
      [1, 'pubcomp'],
      [2, 'puback'],
      [2, 'pubcomp'],
    ] as const)('QoS %i answered with %s is a protocol error', async (qos, type) => {
      const { client, peer } = await connected({ reconnect: false })
      void client.publish('t', 'x', { qos }).catch(() => {})
      await peer.expect('publish')
      peer.send({ type, packetId: 1 })
      await peer.expect('disconnect', { reasonCode: 0x82 })
    })

    test('an unknown PUBREC gets PUBREL, an unknown PUBREL gets PUBCOMP, both saying so [MQTT-4.3.3-4] [MQTT-4.3.3-11]', async () => {
      const { peer } = await connected()
      peer.send({ type: 'pubrec', packetId: 9 }, { type: 'pubrel', packetId: 8 })
      await peer.expect('pubrel', { packetId: 9, reasonCode: 0x92 })
      await peer.expect('pubcomp', { packetId: 8, reasonCode: 0x92 })
    })
  })

  describe("the server's limits", () => {
    test.each<[string, PropertiesOf<'connack'>, PublishOptions, object]>([
      [
        'QoS above Maximum QoS [MQTT-3.2.2-11]',
        { maximumQos: 1 },
        { qos: 2 },
        { code: 'qos-not-supported', reasonCode: 0x9b },
      ],
      ['QoS above Maximum QoS 0 [MQTT-3.2.2-11]', { maximumQos: 0 }, { qos: 1 }, { code: 'qos-not-supported' }],
      [
        'RETAIN [MQTT-3.2.2-14]',
        { retainAvailable: false },
        { retain: true },
        { code: 'retain-not-supported', reasonCode: 0x9a },
      ],
    ])('%s is refused before anything is sent', async (_, properties, options, error) => {
      const { client, peer } = await connected({}, false, properties)
      expect(await failure(client.publish('a', 'x', options))).toMatchObject(error)
      await peer.expectNothing()
      await client.publish('a', 'x')
      await peer.expect('publish')
    })

    test('a PUBLISH of exactly Maximum Packet Size goes, one byte more does not [MQTT-3.2.2-15]', async () => {
      const { client, peer } = await connected({}, false, { maximumPacketSize: 20, topicAliasMaximum: 5 })
      await client.publish('t', 'x'.repeat(14))
      await settled()
      expect(peer.written.at(-1)!.length / 2).toBe(20)
      expect(await failure(client.publish('t', 'x'.repeat(15)))).toMatchObject({
        code: 'packet-too-large',
        reasonCode: 0x95,
        message: "publish to 't': a packet of 21 bytes; the server takes 20 at most",
      })
      expect(peer.written.length).toBe(2)
    })

    test('what was queued before the server told its limits is held to them, too', async () => {
      const made = await connected()
      made.peer.close()
      await settled()
      const tooMuch = failure(made.client.publish('t', 'a', { qos: 2 }))
      const fine = made.client.publish('t', 'b', { qos: 1 })
      await made.clock.pass(500)
      const next = await made.server.accept()
      await next.welcome({ properties: { maximumQos: 1 } })
      expect(await tooMuch).toMatchObject({ code: 'qos-not-supported' })
      const { packetId } = await next.expect('publish', { qos: 1 })
      next.send({ type: 'puback', packetId: packetId! })
      await fine
    })

    test('exactly Receive Maximum publications are under way, and nothing else waits for them [MQTT-3.3.4-7] [MQTT-3.3.4-8] [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.9.0-3] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT-2.2.1-3]', async () => {
      const { client, peer } = await connected({ ...plain }, false, { receiveMaximum: 3 })
      for (const [text, qos] of [
        ['a', 1],
        ['b', 2],
        ['c', 1],
        ['d', 2],
        ['e', 1],
      ] as const)
        void client.publish('t', text, { qos })
      expect(await peer.rest()).toEqual(['publish 1 a', 'publish 2 b', 'publish 3 c'])
      void client.subscribe('s')
      expect(await peer.rest()).toEqual(['subscribe 4 s'])
      peer.send({ type: 'pubrec', packetId: 2 })
      expect(await peer.rest()).toEqual(['pubrel 2'])
      peer.send({ type: 'pubcomp', packetId: 2 })
      expect(await peer.rest()).toEqual(['publish 5 d'])
      peer.send({ type: 'puback', packetId: 1 })
      expect(await peer.rest()).toEqual(['publish 6 e'])
    })

    test('repetitions count against Receive Maximum, too, and keep their order [MQTT-4.9.0-2] [MQTT-4.6.0-1] [MQTT-3.3.1-1]', async () => {
      const made = await connected({ ...plain, clean: false }, true, { receiveMaximum: 5 })
      for (const text of ['a', 'b', 'c']) void made.client.publish('t', text, { qos: 1 })
      await made.peer.rest()
      made.peer.close()
      await made.clock.pass(500)
      const next = await made.server.accept()
      await next.welcome({ sessionPresent: true, properties: { receiveMaximum: 2 } })
      expect(await next.rest()).toEqual(['publish 1 a dup', 'publish 2 b dup'])
      next.send({ type: 'puback', packetId: 1 })
      expect(await next.rest()).toEqual(['publish 3 c dup'])
    })

    test('the window is 1,000 where neither side says', async () => {
      const { client, peer } = await connected()
      for (let at = 0; at < 1001; at++) void client.publish('t', '', { qos: 1 })
      expect((await peer.rest()).length).toBe(1000)
    })
  })

  describe('topic aliases outward', () => {
    test('first come, first served, up to the maximum, from 1 [MQTT-3.2.2-17] [MQTT-3.3.2-8] [MQTT-3.3.2-9]', async () => {
      const { client, peer } = await connected({}, false, { topicAliasMaximum: 2 })
      for (const topic of ['a', 'b', 'c', 'a', 'c', 'b']) await client.publish(topic, '')
      const seen: unknown[] = []
      for (let at = 0; at < 6; at++) {
        const { topic, properties } = await peer.expect('publish')
        seen.push([topic, properties?.topicAlias])
      }
      expect(seen).toEqual([
        ['a', 1],
        ['b', 2],
        ['c', undefined],
        ['', 1],
        ['c', undefined],
        ['', 2],
      ])
    })

    test('none when the server gives none, or the option is off [MQTT-3.2.2-18]', async () => {
      for (const [options, properties] of [
        [{}, {}],
        [plain, { topicAliasMaximum: 5 }],
      ] as const) {
        const { client, peer } = await connected(options, false, properties)
        await client.publish('a', '')
        await client.publish('a', '')
        for (let at = 0; at < 2; at++)
          expect(await peer.expect('publish', { topic: 'a' })).not.toHaveProperty('properties.topicAlias')
      }
    })

    test('they die with the connection: what goes again goes with its topic [MQTT-3.3.2-7]', async () => {
      const made = await connected({ clean: false }, true, { topicAliasMaximum: 2 })
      void made.client.publish('a', '', { qos: 1 })
      void made.client.publish('a', '', { qos: 1 })
      await made.peer.expect('publish', { topic: 'a' })
      await made.peer.expect('publish', { topic: '' })
      made.peer.close()
      await made.clock.pass(500)
      const next = await made.server.accept()
      await next.welcome({ sessionPresent: true })
      await next.expect('publish', { topic: 'a', dup: true, packetId: 1 })
      await next.expect('publish', { topic: 'a', dup: true, packetId: 2 })
    })
  })
})
