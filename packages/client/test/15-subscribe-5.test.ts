import { describe, expect, test } from 'vitest'
import type { Subscription } from '../src/index.js'
import { connected, failure } from './rig.js'
import type { Peer } from './scripted-server.js'
import { settled } from './virtual-clock.js'

async function granted<T>(subscribing: Promise<T>, peer: Peer, ...codes: number[]): Promise<T> {
  await peer.grant(...codes)
  return subscribing
}

/** What is buffered, as text. */
async function texts(subscription: Subscription): Promise<string[]> {
  const iterator = subscription[Symbol.asyncIterator]()
  const seen: string[] = []
  while (subscription.buffered > 0) seen.push((await iterator.next()).value.text())
  return seen
}

describe('MQTT 5.0', () => {
  describe('SUBSCRIBE', () => {
    test('carries options, identifier and user properties [MQTT-3.8.1-1] [MQTT-3.8.3-1] [MQTT-3.8.3-2]', async () => {
      const { client, peer } = await connected()
      const properties = { userProperties: [['a', 'b']] as const }
      void client.subscribe('t', { qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2, properties })
      await peer.expect('subscribe', {
        subscriptions: [{ filter: 't', qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 }],
        properties: { subscriptionIdentifiers: [1], ...properties },
      })
      expect(peer.written.at(-1)).toBe('82100001090b01260001610001620001742d')
    })

    test('a refusal says what the server says', async () => {
      const { client, peer } = await connected()
      const subscribing = client.subscribe('secret')
      const { packetId } = await peer.expect('subscribe')
      const properties = { reasonString: 'members only' }
      peer.send({ type: 'suback', packetId, reasonCodes: [0x87], properties })
      expect(await failure(subscribing)).toMatchObject({
        code: 'subscription-refused',
        message: "the server refused the subscription to 'secret' (Not authorized): members only",
        granted: [{ filter: 'secret', reasonCode: 0x87 }],
        properties,
      })
    })

    test('an UNSUBACK that refuses rejects, and is not asked for again', async () => {
      const { client, peer } = await connected()
      const duty = await granted(client.subscribe('duty'), peer)
      const leaving = duty.unsubscribe()
      const { packetId } = await peer.expect('unsubscribe', { filters: ['duty'] })
      const properties = { reasonString: 'stay' }
      peer.send({ type: 'unsuback', packetId, reasonCodes: [0x87], properties })
      expect(await failure(leaving)).toMatchObject({
        code: 'unsubscribe-refused',
        message: "the server refused to end the subscription to 'duty' (Not authorized): stay",
        answers: [{ filter: 'duty', reasonCode: 0x87 }],
        properties,
      })
      await peer.expectNothing()
      await duty.closed
    })

    test('several who want one filter: terms that suit all', async () => {
      const { client, peer } = await connected()
      await granted(client.subscribe('t', { noLocal: true, retainHandling: 2 }), peer)
      void client.subscribe('t', { qos: 1, retainAsPublished: true, retainHandling: 1 })
      await peer.expect('subscribe', {
        subscriptions: [{ filter: 't', qos: 1, noLocal: false, retainAsPublished: true, retainHandling: 1 }],
      })
    })

    test.each([
      ['noLocal on a shared subscription [MQTT-3.8.3-4]', '$share/g/t', { noLocal: true }, 'invalid-option'],
      [
        'a user property that is no text [MQTT-1.5.7-1]',
        't',
        { properties: { userProperties: [['a', '\ud800'] as const] } },
        'invalid-option',
      ],
      ['retainHandling 3', 't', { retainHandling: 3 as 0 }, 'invalid-option'],
      ['no share name [MQTT-4.8.2-1]', '$share//t', {}, 'invalid-filter'],
      ['a wildcard in a share name [MQTT-4.8.2-2]', '$share/a+/t', {}, 'invalid-filter'],
      ['a share name without a filter [MQTT-4.8.2-2]', '$share/a', {}, 'invalid-filter'],
      ['# in the middle [MQTT-4.7.1-1]', 'a/#/b', {}, 'invalid-filter'],
      ['+ beside text [MQTT-4.7.1-2]', 'a/+-', {}, 'invalid-filter'],
      ['an empty filter [MQTT-4.7.3-1]', '', {}, 'invalid-filter'],
      ['U+0000 [MQTT-4.7.3-2] [MQTT-1.5.4-2]', 'a\0', {}, 'invalid-filter'],
      ['a surrogate [MQTT-3.8.3-1] [MQTT-1.5.4-1] [MQTT-3.10.3-1]', 'a\ud800', {}, 'invalid-filter'],
      ['65,536 bytes [MQTT-4.7.3-3]', 'x'.repeat(65_536), {}, 'invalid-filter'],
    ])('%s is refused before anything is sent', async (_, filter, options, code) => {
      const { client, peer } = await connected()
      expect(await failure(client.subscribe(filter, options))).toMatchObject({ code })
      await peer.expectNothing()
    })

    test('no filter at all is refused before anything is sent [MQTT-3.8.3-2] [MQTT-3.10.3-2]', async () => {
      const { client, peer } = await connected()
      expect(await failure(client.subscribe([]))).toMatchObject({ code: 'invalid-filter' })
      await peer.expectNothing()
    })

    test('UNSUBSCRIBE has its flags and its filters, and its answer one code for each [MQTT-3.10.1-1] [MQTT-3.10.3-1] [MQTT-3.10.3-2] [MQTT-2.2.1-3]', async () => {
      const { client, peer } = await connected({ reconnect: false })
      const subscription = await granted(client.subscribe(['a', 'b']), peer)
      void subscription.unsubscribe().catch(() => {})
      await peer.expect('unsubscribe', { packetId: 2, filters: ['a', 'b'] })
      expect(peer.written.at(-1)).toBe('a209000200000161000162')
      peer.unsubscribed(2, 0)
      await peer.expect('disconnect', { reasonCode: 0x82 })
    })

    test('the reason of a refusal is in the words of the standard', async () => {
      const { client, peer } = await connected()
      const subscribing = failure(client.subscribe('t'))
      await peer.grant(0x87)
      expect(await subscribing).toMatchObject({
        message: "the server refused the subscription to 't' (Not authorized)",
      })
    })
  })

  describe("the server's limits", () => {
    test.each([
      [{ wildcardSubscriptionAvailable: false }, 'a/#', 0xa2],
      [{ wildcardSubscriptionAvailable: false }, '+', 0xa2],
      [{ sharedSubscriptionAvailable: false }, '$share/g/a', 0x9e],
    ])(
      '%j: %s is refused before anything is sent, and what is allowed is not',
      async (properties, filter, reasonCode) => {
        const { client, peer } = await connected({}, false, properties)
        expect(await failure(client.subscribe(filter))).toMatchObject({
          code: 'subscription-refused',
          granted: [{ filter, reasonCode }],
        })
        await peer.expectNothing()
        const subscription = await granted(client.subscribe([filter, 'a'], { partial: true }), peer)
        expect(subscription.granted).toContainEqual({ filter, reasonCode })
      },
    )

    test('SUBSCRIBE and UNSUBSCRIBE stay within Maximum Packet Size; a filter that cannot is refused [MQTT-3.2.2-15]', async () => {
      const { client, peer } = await connected({}, false, { maximumPacketSize: 30 })
      const filters = ['first/one', 'second/one', 'third/one']
      void client.subscribe(filters)
      await settled()
      const packets = peer.written.slice(1).join('').match(/82..0/g) ?? []
      expect(packets.length).toBe(3)
      for (const filter of filters) expect((await peer.grant()).subscriptions[0]!.filter).toBe(filter)
      expect(await failure(client.subscribe('x'.repeat(30)))).toMatchObject({ granted: [{ reasonCode: 0x95 }] })
      await peer.expectNothing()
    })

    test('no Subscription Identifiers where the server has none; messages then go by their topics', async () => {
      const { client, peer } = await connected({}, false, { subscriptionIdentifierAvailable: false })
      const subscribing = client.subscribe('a/#')
      expect((await peer.grant()).properties?.subscriptionIdentifiers).toBeUndefined()
      const subscription = await subscribing
      peer.publish('a/b', 'x')
      await settled()
      expect(await texts(subscription)).toEqual(['x'])
    })
  })

  describe('Subscription Identifiers', () => {
    test('one a call; each message goes to the subscriptions that are named, once', async () => {
      const { client, peer } = await connected()
      const all = client.subscribe(['a/#', 'b'])
      expect((await peer.grant()).properties?.subscriptionIdentifiers).toEqual([1])
      const one = client.subscribe('a/+x')
      expect((await peer.grant()).properties?.subscriptionIdentifiers).toEqual([2])
      for (const [text, subscriptionIdentifiers] of [
        ['first', [1]],
        ['second', [2]],
        ['both', [1, 2]],
      ] as const) {
        peer.publish('a/b', text, { properties: { subscriptionIdentifiers } })
      }
      await settled()
      expect(await texts(await all)).toEqual(['first', 'both'])
      expect(await texts(await one)).toEqual(['second', 'both'])
    })

    test('a filter that several want is one subscription at the server, and its messages go to all of them', async () => {
      const { client, peer } = await connected()
      const first = await granted(client.subscribe('t'), peer)
      const subscribing = client.subscribe('t')
      expect((await peer.grant()).properties?.subscriptionIdentifiers).toEqual([1])
      const second = await subscribing
      peer.publish('t', 'x', { properties: { subscriptionIdentifiers: [1] } })
      await settled()
      expect([await texts(first), await texts(second)]).toEqual([['x'], ['x']])
    })

    test('named wildcards work with a shared subscription', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('$share/g/home/+room'), peer)
      const plain = await granted(client.subscribe('home/#'), peer)
      peer.publish('home/attic', 'x', { properties: { subscriptionIdentifiers: [1] } })
      const { value } = await subscription[Symbol.asyncIterator]().next()
      expect(value.params).toEqual({ room: 'attic' })
      expect(plain.buffered).toBe(0)
    })

    test('one from an earlier life of the session is not known: the topic decides', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('t'), peer)
      peer.publish('t', 'x', { properties: { subscriptionIdentifiers: [77] } })
      await settled()
      expect(await texts(subscription)).toEqual(['x'])
    })

    test('after a lost session they are asked for again, the same ones', async () => {
      const made = await connected()
      await granted(made.client.subscribe('a'), made.peer)
      await granted(made.client.subscribe(['b', 'c']), made.peer)
      made.peer.close()
      await made.clock.pass(500)
      const next = await made.server.accept()
      await next.welcome()
      await next.expect('subscribe', { properties: { subscriptionIdentifiers: [1] } })
      const { subscriptions } = await next.expect('subscribe', { properties: { subscriptionIdentifiers: [2] } })
      expect(subscriptions.map(({ filter }) => filter)).toEqual(['b', 'c'])
    })
  })

  test('a message that nobody wants is acknowledged all the same [MQTT-4.5.0-2]', async () => {
    const { peer } = await connected()
    peer.publish('t', 'x', { qos: 1, packetId: 1 })
    peer.publish('t', 'y', { qos: 2, packetId: 2 })
    expect(await peer.rest()).toEqual(['puback 1', 'pubrec 2'])
  })
})
