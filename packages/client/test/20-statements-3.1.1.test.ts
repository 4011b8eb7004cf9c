import { describe, expect, test } from 'vitest'
import { connect, type Message, memoryStore } from '../src/index.js'
import { connected, failure, rig } from './rig.js'
import { settled } from './virtual-clock.js'

const version = 4

/** CONNECT as the client writes it, in hex. */
async function connectBytes(options: object): Promise<string> {
  const { server, options: all } = rig({ version, ...options })
  void connect('mqtt://broker', all)
  const peer = await server.accept()
  await peer.welcome()
  return peer.written[0]!
}

async function listening(options = {}) {
  const made = await connected({ version, reconnect: false, ...options })
  const messages: Message[] = []
  const onMessage = (message: Message): void => void messages.push(message)
  const subscribing = made.client.subscribe('#', { qos: 2, ack: 'manual', onMessage })
  await made.peer.grant()
  await subscribing
  return { ...made, messages, ended: new Promise((resolve) => made.client.on('close', resolve)) }
}

describe('MQTT 3.1.1', () => {
  test('CONNECT with a will, user name and password [MQTT-3.1.0-1] [MQTT-3.1.2-9] [MQTT-3.1.2-19] [MQTT-3.1.2-21] [MQTT-3.1.3-1] [MQTT-3.1.3-3] [MQTT-3.1.3-4] [MQTT-3.1.3-10] [MQTT-3.1.3-11]', async () => {
    const will = { topic: 'w', payload: 'x', qos: 1 as const, retain: true }
    expect(await connectBytes({ username: 'u', password: 'p', will, keepAliveSeconds: 10 })).toBe(
      '101a00044d51545404ee000a00026d65000177000178000175000170',
    )
  })

  test('CONNECT with nothing that was not asked for [MQTT-2.2.2-1] [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15] [MQTT-3.1.2-18] [MQTT-3.1.2-20]', async () => {
    expect(await connectBytes({})).toBe('100e00044d5154540402003c00026d65')
  })

  test.each([
    ['a password without a user name [MQTT-3.1.2-22]', { password: 'p' }],
    ['an empty client id with a session that is kept [MQTT-3.1.3-7]', { clientId: '', clean: false }],
    ['a client id that is not UTF-8 [MQTT-3.1.3-4] [MQTT-1.5.3-1]', { clientId: '\ud800' }],
    ['a client id with U+0000 [MQTT-1.5.3-2]', { clientId: '\0' }],
    ['a user name that is not UTF-8 [MQTT-3.1.3-11] [MQTT-1.5.3-1]', { username: '\ud800' }],
    ['a will topic that is not UTF-8 [MQTT-3.1.3-10]', { will: { topic: '\ud800', payload: '' } }],
    ['Will QoS 3 [MQTT-3.1.2-14]', { will: { topic: 'a', payload: '', qos: 3 as 0 } }],
  ])('%s is refused before anything is sent', async (_, extra) => {
    const { server, options } = rig({ version, ...extra })
    expect(await failure(connect('mqtt://broker', options))).toMatchObject({ name: 'InvalidArgumentError' })
    expect(server.count).toBe(0)
  })

  test('Clean Session 1 never uses a session again, not even one that the server calls present [MQTT-3.1.2-6]', async () => {
    const { client, peer, server, clock } = await connected({ version, clean: true })
    const publishing = failure(client.publish('t', 'x', { qos: 2 }))
    await peer.expect('publish')
    peer.close()
    await clock.pass(500)
    const next = await server.accept()
    expect((await next.welcome({ sessionPresent: true })).cleanStart).toBe(true)
    expect(await publishing).toMatchObject({ code: 'session-lost' })
    await next.expectNothing()
  })

  test('Clean Session 0: what is unfinished goes again with its identifiers, in order [MQTT-3.1.2-4] [MQTT-3.1.3-2] [MQTT-2.3.1-3] [MQTT-3.3.1-1] [MQTT-4.1.0-1] [MQTT-4.1.0-2] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-4.6.0-4]', async () => {
    const { client, peer, server, clock } = await connected({ version, clean: false })
    for (const [text, qos] of [
      ['a', 2],
      ['b', 2],
      ['c', 1],
      ['d', 2],
    ] as const)
      void client.publish('t', text, { qos })
    expect(await peer.rest()).toEqual(['publish 1 a', 'publish 2 b', 'publish 3 c', 'publish 4 d'])
    peer.send({ type: 'pubrec', packetId: 2 }, { type: 'pubrec', packetId: 1 })
    expect(await peer.rest()).toEqual(['pubrel 2', 'pubrel 1'])
    peer.close()
    await clock.pass(500)
    const next = await server.accept()
    expect(await next.welcome({ sessionPresent: true })).toMatchObject({ cleanStart: false, clientId: 'me' })
    expect(await next.rest()).toEqual(['pubrel 2', 'pubrel 1', 'publish 3 c dup', 'publish 4 d dup'])
    void client.publish('t', 'e', { qos: 1 })
    expect(await next.rest()).toEqual(['publish 5 e'])
  })

  test('identifiers: none at QoS 0, free ones otherwise, SUBSCRIBE and UNSUBSCRIBE included [MQTT-2.3.1-1] [MQTT-2.3.1-2] [MQTT-2.3.1-5] [MQTT-3.3.1-2] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.10.3-1] [MQTT-3.10.3-2] [MQTT-4.3.1-1]', async () => {
    const { client, peer } = await connected({ version })
    void client.publish('t', 'x', { qos: 1 })
    void client.publish('t', 'y')
    await peer.rest()
    const subscribing = client.subscribe('s')
    await peer.grant()
    void (await subscribing).unsubscribe().catch(() => {})
    await peer.rest()
    expect(peer.written.slice(1).join('')).toBe('32060001740001783004000174798206000200017300a2050003000173')
  })

  test('Keep Alive: PINGREQ when nothing else was sent [MQTT-3.1.2-23]', async () => {
    const { peer, clock } = await connected({ version, keepAliveSeconds: 10 })
    await clock.pass(9000)
    await peer.expect('pingreq')
  })

  test('messages are answered by their QoS, with their identifiers, in their order [MQTT-2.3.1-6] [MQTT-3.3.4-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2] [MQTT-4.5.0-2] [MQTT-4.6.0-2] [MQTT-4.6.0-3]', async () => {
    const { peer, messages } = await listening()
    for (const [packetId, qos] of [
      [1, 1],
      [2, 2],
      [3, 1],
      [4, 2],
    ] as const)
      peer.publish('t', '', { qos, packetId })
    peer.publish('t', '')
    await settled()
    for (const message of messages.toReversed()) message.ack()
    const sent = await peer.rest()
    expect(sent.filter((words) => words.startsWith('puback'))).toEqual(['puback 1', 'puback 3'])
    expect(sent.filter((words) => words.startsWith('pubrec'))).toEqual(['pubrec 2', 'pubrec 4'])
    peer.publish('t', 'again', { qos: 2, packetId: 2, dup: true })
    peer.send({ type: 'pubrel', packetId: 2 })
    expect(await peer.rest()).toEqual(['pubrec 2', 'pubcomp 2'])
    expect(messages.length).toBe(5)
    peer.publish('t', 'new', { qos: 1, packetId: 1, dup: true })
    await settled()
    expect(messages.length).toBe(6)
  })

  test.each([
    ['both QoS bits [MQTT-3.3.1-4]', '3606000174000178'],
    ['DUP at QoS 0 [MQTT-3.3.1-2]', '380400017478'],
    ['a topic that is not UTF-8 [MQTT-3.3.2-1] [MQTT-1.5.3-1]', '30040001ff78'],
    ['U+0000 in a topic [MQTT-1.5.3-2] [MQTT-4.7.3-2]', '300400010078'],
    ['a wildcard in a topic [MQTT-3.3.2-2] [MQTT-4.7.1-1]', '300400012378'],
    ['an empty topic [MQTT-4.7.3-1]', '3003000078'],
    ['PUBREL with other flags [MQTT-3.6.1-1] [MQTT-2.2.2-1] [MQTT-2.2.2-2]', '60020001'],
    ['a packet of clients', 'c000'],
  ])('%s closes the connection, without a word [MQTT-4.8.0-1]', async (_, hex) => {
    const { peer, ended } = await listening()
    peer.sendBytes(Buffer.from(hex, 'hex'))
    expect(await ended).toMatchObject({ error: { code: 'protocol-error' } })
    expect(peer.ended).toBe(true)
    await peer.expectNothing()
  })

  test('an error of this side while a message is handled closes the connection [MQTT-4.8.0-2]', async () => {
    const store = { ...memoryStore(), flush: () => Promise.reject(new Error('disk full')) }
    const { server, options } = rig({ version, store, background: true })
    const client = await connect('mqtt://broker', options)
    const told = new Promise((resolve) => client.on('disconnect', resolve))
    const first = await server.accept()
    first.open()
    expect(await told).toMatchObject({ error: { code: 'store-failed' } })
    expect(first.ended).toBe(true)
  })

  test('U+FEFF stays where it stands [MQTT-1.5.3-3]', async () => {
    const { client, peer, messages } = await listening()
    peer.publish('\ufefft', 'x')
    await settled()
    expect(messages[0]!.topic).toBe('\ufefft')
    await client.publish('\ufefft', 'x')
    await peer.expect('publish', { topic: '\ufefft' })
  })

  test.each([
    ['none at all [MQTT-3.8.3-3]', []],
    ['an empty one [MQTT-4.7.3-1]', ''],
    ['# before the end [MQTT-4.7.1-2]', 'a/#/b'],
    ['# beside text [MQTT-4.7.1-2]', 'a#'],
    ['+ beside text [MQTT-4.7.1-3]', 'a+'],
    ['U+0000 [MQTT-4.7.3-2] [MQTT-1.5.3-2]', 'a\0'],
    ['not UTF-8 [MQTT-3.8.3-1] [MQTT-3.10.3-1]', '\ud800'],
    ['65,536 bytes [MQTT-4.7.3-3]', 'x'.repeat(65_536)],
  ])('a filter that is %s is refused before anything is sent', async (_, filter) => {
    const { client, peer } = await connected({ version })
    expect(await failure(client.subscribe(filter))).toMatchObject({ code: 'invalid-filter' })
    await peer.expectNothing()
  })

  test('DISCONNECT is the last packet, and the client closes [MQTT-3.14.4-1] [MQTT-3.14.4-2]', async () => {
    const { client, peer } = await connected({ version })
    await client.close({ reasonCode: 0x04, sessionExpirySeconds: 9 })
    expect(peer.written.at(-1)).toBe('e000')
    expect(peer.ended).toBe(true)
  })
})
