import { encode } from '@godwit/protocol'
import { describe, expect, test } from 'vitest'
import type { ConnectOptions, Message } from '../src/index.js'
import { type Connected, connected } from './rig.js'
import { settled } from './virtual-clock.js'

interface Listening extends Connected {
  readonly messages: Message[]
  /** How the client ended, if it has. */
  readonly ended: Promise<unknown>
}

/** A client that has subscribed to everything and acknowledges by hand. */
async function listening(options: ConnectOptions = {}): Promise<Listening> {
  const made = await connected({ reconnect: false, ...options })
  const messages: Message[] = []
  const subscribing = made.client.subscribe('#', {
    qos: 2,
    ack: 'manual',
    onMessage: (message) => void messages.push(message),
  })
  await made.peer.grant()
  await subscribing
  return { ...made, messages, ended: new Promise((resolve) => made.client.on('close', resolve)) }
}

describe('MQTT 5.0', () => {
  test('what a PUBLISH says beside its payload is in message.properties', async () => {
    const { peer, messages } = await listening()
    const properties = {
      payloadFormatIndicator: 1 as const,
      messageExpiryInterval: 9,
      contentType: 'c\ufeff',
      responseTopic: 'r',
      correlationData: Uint8Array.of(1),
      userProperties: [['b', '1'] as const, ['a', '2'] as const],
    }
    peer.publish('t', 'x', { properties })
    await settled()
    expect(messages[0]!.properties).toEqual(properties)
  })

  describe('Receive Maximum of this side', () => {
    test.each([1, 2] as const)(
      'QoS %i: exactly N are taken, N + 1 is answered with DISCONNECT 0x93 [MQTT-4.9.0-2] [MQTT-4.13.2-1]',
      async (qos) => {
        const { peer, messages, ended } = await listening({ receiveMaximum: 3 })
        for (const packetId of [1, 2, 3]) peer.publish('t', `${packetId}`, { qos, packetId })
        await peer.expectNothing()
        expect(messages.length).toBe(3)
        peer.publish('t', '4', { qos, packetId: 4 })
        await peer.expect('disconnect', { reasonCode: 0x93 })
        expect(await ended).toMatchObject({ error: { code: 'protocol-error' } })
        expect([peer.ended, messages.length]).toEqual([true, 3])
      },
    )

    test('PUBACK makes room again; PUBREC does not, PUBCOMP does [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT-2.2.1-5]', async () => {
      const { peer, messages } = await listening({ receiveMaximum: 2 })
      peer.publish('t', '1', { qos: 1, packetId: 1 })
      peer.publish('t', '2', { qos: 2, packetId: 2 })
      await settled()
      messages[0]!.ack()
      messages[1]!.ack()
      await peer.expect('puback', { packetId: 1 })
      await peer.expect('pubrec', { packetId: 2 })
      peer.publish('t', '3', { qos: 1, packetId: 3 })
      await peer.expectNothing()
      peer.send({ type: 'pubrel', packetId: 2 })
      expect(await peer.expect('pubcomp')).toEqual({ type: 'pubcomp', packetId: 2 })
      peer.publish('t', '4', { qos: 1, packetId: 4 })
      await peer.expectNothing()
      peer.publish('t', '5', { qos: 1, packetId: 5 })
      await peer.expect('disconnect', { reasonCode: 0x93 })
    })

    test('QoS 0 does not count', async () => {
      const { peer, messages } = await listening({ receiveMaximum: 1 })
      for (const text of ['a', 'b', 'c']) peer.publish('t', text)
      await settled()
      expect(messages.length).toBe(3)
    })
  })

  describe('Maximum Packet Size of this side', () => {
    test('exactly N bytes are taken, N + 1 are answered with DISCONNECT 0x95', async () => {
      const { peer, messages, ended } = await listening({ maxPacketBytes: 30 })
      peer.publish('t', 'x'.repeat(24))
      await settled()
      expect(messages[0]!.payload.length + 6).toBe(30)
      peer.publish('t', 'x'.repeat(25))
      await peer.expect('disconnect', { reasonCode: 0x95 })
      expect(await ended).toMatchObject({ error: { code: 'protocol-error' } })
    })
  })

  describe('what the server may not send costs it the connection, with the reason', () => {
    test.each([
      ['both QoS bits [MQTT-3.3.1-4]', '3606000174000100', 0x81],
      ['DUP at QoS 0 [MQTT-3.3.1-2]', '3805000174000078', 0x81],
      ['a topic that is not UTF-8 [MQTT-3.3.2-1] [MQTT-1.5.4-1]', '30050001ff0078', 0x81],
      ['a surrogate in a topic [MQTT-1.5.4-1]', '30070003eda0800078', 0x81],
      ['U+0000 in a topic [MQTT-1.5.4-2] [MQTT-4.7.3-2]', '30050001000078', 0x81],
      ['a wildcard in a topic [MQTT-3.3.2-2] [MQTT-4.7.0-1]', '300500012b0078', 0x90],
      ['an empty topic without alias [MQTT-4.7.3-1]', '300400000078', 0x82],
      ['a packet identifier 0', '320700017400000078', 0x81],
      ['a padded length [MQTT-1.5.5-1]', '308580000001740078', 0x81],
      ['a bad user property [MQTT-1.5.7-1]', '300a00017406260001ff0000', 0x81],
      ['a response topic with a wildcard [MQTT-3.3.2-14]', '3009000174040800012378', 0x82],
      ['a content type that is not UTF-8 [MQTT-3.3.2-19]', '300900017404030001ff78', 0x81],
      ['a property of another packet', '3009000174051100000001', 0x81],
      ['topic alias 0 [MQTT-3.3.2-8]', '30080001740323000078', 0x94],
      ['a second CONNACK', '2003000000', 0x82],
      ['AUTH without an authentication', 'f000', 0x82],
      ['PINGREQ', 'c000', 0x82],
      ['reserved flags [MQTT-2.1.3-1]', 'd100', 0x81],
      ['PUBACK flags [MQTT-2.1.3-1]', '41020001', 0x81],
    ])('%s', async (_, hex, reasonCode) => {
      const { peer, ended } = await listening()
      peer.sendBytes(Buffer.from(hex, 'hex'))
      const disconnect = await peer.expect('disconnect')
      expect(disconnect.reasonCode).toBe(reasonCode)
      expect(disconnect.properties?.reasonString).toBeTypeOf('string')
      expect(await ended).toMatchObject({ error: { code: 'protocol-error' } })
      expect(peer.ended).toBe(true)
    })

    test('nothing is sent after that DISCONNECT, and nothing read [MQTT-3.14.4-1] [MQTT-3.14.4-2]', async () => {
      const { client, peer, messages } = await listening()
      peer.sendBytes(Uint8Array.of(0xc0, 0))
      peer.publish('t', 'late')
      void client.publish('t', 'x').catch(() => {})
      await peer.expect('disconnect')
      expect(await peer.rest()).toEqual([])
      expect(messages).toEqual([])
    })

    test('a server that does not close its side then is left after a second', async () => {
      const made = await connected()
      made.peer.stream.end = () => {}
      made.peer.sendBytes(Uint8Array.of(0xc0, 0))
      await settled()
      expect(made.peer.ended).toBe(false)
      await made.clock.pass(1000)
      expect(made.peer.ended).toBe(true)
    })

    test("the reason string gives way to the server's Maximum Packet Size [MQTT-3.14.2-3]", async () => {
      const { peer } = await connected({ reconnect: false }, false, { maximumPacketSize: 10 })
      peer.sendBytes(Uint8Array.of(0xc0, 0))
      expect(await peer.expect('disconnect')).toEqual({ type: 'disconnect', reasonCode: 0x82 })
    })
  })

  describe('strings', () => {
    test('U+FEFF is kept where it stands [MQTT-1.5.4-3]', async () => {
      const { client, peer, messages } = await listening()
      peer.publish('\ufefft', 'x')
      await settled()
      expect(messages[0]!.topic).toBe('\ufefft')
      await client.publish('\ufefft', 'x')
      await peer.expect('publish', { topic: '\ufefft' })
    })
  })

  describe('topic aliases of the server', () => {
    test('stand for their topics, up to the maximum announced, and are not shown [MQTT-3.3.2-10]', async () => {
      const { peer, messages } = await listening({ topicAliasMaximum: 2 })
      for (const [topic, topicAlias] of [
        ['a', 1],
        ['b', 2],
        ['', 1],
        ['', 2],
        ['c', 1],
        ['', 1],
      ] as const) {
        peer.publish(topic, 'x', { properties: { topicAlias, contentType: 'k' } })
      }
      await settled()
      expect(messages.map(({ topic }) => topic)).toEqual(['a', 'b', 'a', 'b', 'c', 'c'])
      expect(messages[2]!.properties).toEqual({ contentType: 'k' })
      expect(messages[2]!.text()).toBe('x')
    })

    test.each([
      ['above the maximum', 'a', 3, 0x94],
      ['that stands for nothing yet', '', 1, 0x82],
    ])('one %s ends the connection', async (_, topic, topicAlias, reasonCode) => {
      const { peer } = await listening({ topicAliasMaximum: 2 })
      peer.publish(topic, 'x', { properties: { topicAlias } })
      await peer.expect('disconnect', { reasonCode })
    })

    test('they die with the connection [MQTT-3.3.2-7]', async () => {
      const made = await connected()
      made.peer.publish('a', 'x', { properties: { topicAlias: 1 } })
      await settled()
      made.peer.close()
      await made.clock.pass(500)
      const next = await made.server.accept()
      await next.welcome()
      next.publish('', 'x', { properties: { topicAlias: 1 } })
      await next.expect('disconnect', { reasonCode: 0x82 })
    })
  })

  describe('handshakes of received messages', () => {
    test('after PUBACK the same identifier means a new message, whatever DUP says [MQTT-4.3.2-5]', async () => {
      const { peer, messages } = await listening()
      for (const text of ['a', 'b']) {
        peer.publish('t', text, { qos: 1, packetId: 1, dup: true })
        await settled()
        messages.at(-1)!.ack()
        await peer.expect('puback', { packetId: 1 })
      }
      expect(messages.map((message) => message.text())).toEqual(['a', 'b'])
    })

    test('until PUBREL a QoS 2 identifier is the same message, after PUBCOMP a new one [MQTT-4.3.3-10] [MQTT-4.3.3-12]', async () => {
      const { peer, messages } = await listening()
      peer.publish('t', 'a', { qos: 2, packetId: 1 })
      await settled()
      messages[0]!.ack()
      await peer.expect('pubrec', { packetId: 1 })
      peer.publish('t', 'a', { qos: 2, packetId: 1, dup: true })
      await peer.expect('pubrec', { packetId: 1 })
      peer.send({ type: 'pubrel', packetId: 1 })
      await peer.expect('pubcomp', { packetId: 1 })
      peer.publish('t', 'b', { qos: 2, packetId: 1 })
      await settled()
      expect(messages.map((message) => message.text())).toEqual(['a', 'b'])
    })

    test('acknowledgements follow the order of the messages, whatever the order of ack() [MQTT-4.6.0-2] [MQTT-4.6.0-3]', async () => {
      const { peer, messages } = await listening()
      for (const packetId of [1, 2, 3, 4]) peer.publish('t', '', { qos: packetId % 2 === 1 ? 1 : 2, packetId })
      await settled()
      for (const message of messages.toReversed()) message.ack()
      const sent = await peer.rest()
      expect(sent.filter((words) => words.startsWith('puback'))).toEqual(['puback 1', 'puback 3'])
      expect(sent.filter((words) => words.startsWith('pubrec'))).toEqual(['pubrec 2', 'pubrec 4'])
    })

    test('acknowledgements are bare: no properties that could exceed a limit [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3]', async () => {
      const { client, peer, messages } = await listening()
      peer.publish('t', 'a', { qos: 1, packetId: 1 })
      peer.publish('t', 'b', { qos: 2, packetId: 2 })
      await settled()
      for (const message of messages) message.ack()
      void client.publish('t', 'c', { qos: 2 })
      await peer.expect('puback')
      await peer.expect('pubrec')
      const { packetId } = await peer.expect('publish')
      peer.send({ type: 'pubrel', packetId: 2 }, { type: 'pubrec', packetId: packetId! })
      await peer.expect('pubcomp')
      await peer.expect('pubrel')
      const sent = peer.written.slice(2).join('')
      for (const [type, id] of [
        ['puback', 1],
        ['pubrec', 2],
        ['pubcomp', 2],
        ['pubrel', packetId!],
      ] as const) {
        expect(sent).toContain(Buffer.from(encode({ type, packetId: id }, 4)).toString('hex'))
      }
    })
  })
})
