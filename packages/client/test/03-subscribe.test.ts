import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Message, Subscription } from '../src/index.js'
import { connected, failure, inBothVersions } from './rig.js'
import type { Peer } from './scripted-server.js'
import { settled } from './virtual-clock.js'

/** The texts of the next messages. */
async function take(subscription: Subscription, count: number): Promise<string[]> {
  const iterator = subscription[Symbol.asyncIterator]()
  const texts: string[] = []
  while (texts.length < count) texts.push((await iterator.next()).value.text())
  return texts
}

async function granted<T>(subscribing: Promise<T>, peer: Peer, ...codes: number[]): Promise<T> {
  await peer.grant(...codes)
  return subscribing
}

inBothVersions(() => {
  describe('subscribe()', () => {
    test('resolves with SUBACK and tells what was granted', async () => {
      const { client, peer } = await connected()
      const subscribing = client.subscribe(['a/+', 'b/#'], { qos: 2 })
      const packet = await peer.grant(1, 2)
      expect(packet.subscriptions).toEqual([
        expect.objectContaining({ filter: 'a/+', qos: 2 }),
        expect.objectContaining({ filter: 'b/#', qos: 2 }),
      ])
      const subscription = await subscribing
      expect(subscription.granted).toEqual([
        { filter: 'a/+', reasonCode: 1 },
        { filter: 'b/#', reasonCode: 2 },
      ])
    })

    test('named wildcards never leave this side and give typed params', async () => {
      const { client, peer } = await connected()
      const subscribing = client.subscribe('home/+room/#path')
      expect((await peer.grant()).subscriptions[0]).toMatchObject({ filter: 'home/+/#' })
      const subscription = await subscribing
      expectTypeOf(subscription).toEqualTypeOf<Subscription<'home/+room/#path'>>()
      peer.publish('home/kitchen/lamp/1', 'on')
      for await (const message of subscription) {
        expectTypeOf(message.params.room).toEqualTypeOf<string>()
        expect(message.params).toEqual({ room: 'kitchen', path: 'lamp/1' })
        break
      }
    })

    test('a message carries what its PUBLISH said, and its own payload', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      peer.publish('a', 'h\u00e9', { qos: 1, packetId: 7, retain: true, dup: true })
      const { value } = await subscription[Symbol.asyncIterator]().next()
      expect(value).toMatchObject({ topic: 'a', qos: 1, packetId: 7, retain: true, dup: true, properties: undefined })
      expect([value.text(), value.payload]).toEqual(['h\u00e9', Uint8Array.of(0x68, 0xc3, 0xa9)])
      expect(value.payload.buffer.byteLength).toBe(3)
    })

    test('a refusal rejects with the code of each filter and leaves nothing behind', async () => {
      const { client, peer } = await connected()
      const subscribing = failure(client.subscribe(['ok', 'no']))
      await peer.grant(0, 0x80)
      expect(await subscribing).toMatchObject({
        code: 'subscription-refused',
        message: "the server refused the subscription to 'no' (Unspecified error)",
        granted: [
          { filter: 'ok', reasonCode: 0 },
          { filter: 'no', reasonCode: 0x80 },
        ],
      })
      await peer.expect('unsubscribe', { filters: ['ok'] })
    })

    test('with partial: true some may be refused, but not all', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe(['ok', 'no'], { partial: true }), peer, 0, 0x80)
      expect(subscription.granted[1]).toEqual({ filter: 'no', reasonCode: 0x80 })
      const refused = failure(client.subscribe(['x', 'y'], { partial: true }))
      await peer.grant(0x80, 0x80)
      expect(await refused).toMatchObject({ code: 'subscription-refused' })
    })

    test.each(['', 'a#', 'a/#/b', '+a+', '$share//a'])('an illegal filter sends nothing: %j', async (filter) => {
      const { client, peer } = await connected()
      expect(await failure(client.subscribe(filter))).toMatchObject({ code: 'invalid-filter' })
      await peer.expectNothing()
    })

    test('timeoutMs takes it back', async () => {
      const { client, peer, clock } = await connected()
      const subscribing = failure(client.subscribe('a', { timeoutMs: 100 }))
      await peer.expect('subscribe')
      await clock.pass(100)
      expect(await subscribing).toMatchObject({ code: 'timeout' })
      peer.send({ type: 'suback', packetId: 1, reasonCodes: [0] })
      await peer.expect('unsubscribe', { filters: ['a'] })
    })

    test('a SUBACK with too few codes is a violation', async () => {
      const { client, peer } = await connected({ reconnect: false })
      const subscribing = failure(client.subscribe(['a', 'b']))
      await peer.expect('subscribe')
      peer.send({ type: 'suback', packetId: 1, reasonCodes: [0] })
      expect(await subscribing).toMatchObject({ code: 'client-closed', cause: { code: 'protocol-error' } })
    })
  })

  describe('one message, several subscriptions', () => {
    test('each that matches gets it; the acknowledgement waits for both', async () => {
      const { client, peer } = await connected()
      const first = await granted(client.subscribe('a/#', { qos: 1, ack: 'manual' }), peer)
      const second = await granted(client.subscribe('a/b', { qos: 1, ack: 'manual' }), peer)
      peer.publish('a/b', 'x', { qos: 1, packetId: 1 })
      const one = (await first[Symbol.asyncIterator]().next()).value
      const two = (await second[Symbol.asyncIterator]().next()).value
      one.ack()
      one.ack()
      await peer.expectNothing()
      two.ack()
      await peer.expect('puback', { packetId: 1 })
    })

    test('the same filter twice: the server is told the higher QoS, and unsubscribed after the last', async () => {
      const { client, peer } = await connected()
      const first = await granted(client.subscribe('a', { qos: 2 }), peer)
      const subscribing = client.subscribe('a', { qos: 0 })
      expect((await peer.grant()).subscriptions[0]!.qos).toBe(2)
      const second = await subscribing
      await first.unsubscribe()
      await peer.expectNothing()
      const leaving = second.unsubscribe()
      const { packetId } = await peer.expect('unsubscribe', { filters: ['a'] })
      peer.send({ type: 'unsuback', packetId, reasonCodes: [0] })
      await leaving
    })

    test('messages of a shared subscription reach it', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('$share/group/a/+id'), peer)
      expect(subscription.filters).toEqual(['$share/group/a/+'])
      peer.publish('a/7', 'x')
      expect(await take(subscription, 1)).toEqual(['x'])
    })

    test('a message nobody wants is acknowledged and reported', async () => {
      const { client, peer } = await connected()
      const unclaimed: Message[] = []
      client.on('unclaimed', (message) => unclaimed.push(message))
      peer.publish('stray', 'x', { qos: 1, packetId: 3 })
      await peer.expect('puback', { packetId: 3 })
      expect(unclaimed.map((message) => message.topic)).toEqual(['stray'])
    })
  })

  describe('a message is acknowledged after its consumer has taken it', () => {
    test('for await: by the next pull, at QoS 1 and 2', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 2 }), peer)
      const iterator = subscription[Symbol.asyncIterator]()
      peer.publish('a', 'x', { qos: 1, packetId: 1 })
      peer.publish('a', 'y', { qos: 2, packetId: 2 })
      await iterator.next()
      await peer.expectNothing()
      await iterator.next()
      await peer.expect('puback', { packetId: 1 })
      await peer.expectNothing()
      void iterator.next()
      await peer.expect('pubrec', { packetId: 2 })
      peer.send({ type: 'pubrel', packetId: 2 })
      await peer.expect('pubcomp', { packetId: 2 })
    })

    test('for await: not when the loop body throws', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      peer.publish('a', 'x', { qos: 1, packetId: 1 })
      peer.publish('a', 'never taken', { qos: 2, packetId: 2 })
      const consuming = async () => {
        for await (const message of subscription) throw new Error(`cannot store ${message.text()}`)
      }
      await expect(consuming()).rejects.toThrow('cannot store x')
      expect(await peer.rest()).toEqual(['pubrec 2', 'unsubscribe 2 a'])
    })

    test('message.ack() before leaving the loop says that it is done', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      peer.publish('a', 'x', { qos: 1, packetId: 1 })
      for await (const message of subscription) {
        message.ack()
        break
      }
      expect(await peer.rest()).toEqual(['puback 1', 'unsubscribe 2 a'])
    })

    test('what a loop left behind does not hold up the acknowledgements of others', async () => {
      const { client, peer } = await connected()
      const left = await granted(client.subscribe('left', { qos: 1 }), peer)
      await granted(client.subscribe('other', { qos: 1, onMessage: () => {} }), peer)
      peer.publish('left', 'x', { qos: 1, packetId: 1 })
      for await (const _ of left) break
      await peer.expect('unsubscribe')
      peer.publish('other', 'y', { qos: 1, packetId: 2 })
      expect(await peer.rest()).toEqual(['puback 1', 'puback 2'])
    })

    test('a handler: when its promise has settled, one message at a time', async () => {
      const { client, peer } = await connected()
      const finish: (() => void)[] = []
      const seen: string[] = []
      const onMessage = (message: Message): Promise<void> => {
        seen.push(message.text())
        return new Promise((resolve) => finish.push(resolve))
      }
      await granted(client.subscribe('a', { qos: 1, onMessage }), peer)
      peer.publish('a', 'x', { qos: 1, packetId: 1 })
      peer.publish('a', 'y', { qos: 1, packetId: 2 })
      await peer.expectNothing()
      expect(seen).toEqual(['x'])
      finish[0]!()
      await peer.expect('puback', { packetId: 1 })
      expect(seen).toEqual(['x', 'y'])
    })

    test.each([
      [
        'throws',
        () => {
          throw new Error('database down')
        },
      ],
      ['rejects', () => Promise.reject(new Error('database down'))],
    ])('a handler that %s acknowledges nothing and ends the subscription with its error', async (_, onMessage) => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1, onMessage }), peer)
      peer.publish('a', 'x', { qos: 1, packetId: 1 })
      await expect(subscription.closed).rejects.toThrow('database down')
      expect(await peer.rest()).toEqual(['unsubscribe 2 a'])
    })

    test('by hand, in any order: they still leave in the order of arrival', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 2, ack: 'manual' }), peer)
      for (const [at, qos] of ([1, 2, 1, 2] as const).entries()) peer.publish('a', '', { qos, packetId: at + 1 })
      const iterator = subscription[Symbol.asyncIterator]()
      const messages: Message[] = []
      while (messages.length < 4) messages.push((await iterator.next()).value)
      messages[3]!.ack()
      messages[2]!.ack()
      await peer.expectNothing()
      messages[0]!.ack()
      expect(await peer.rest()).toEqual(['puback 1', 'puback 3'])
      messages[1]!.ack()
      expect(await peer.rest()).toEqual(['pubrec 2', 'pubrec 4'])
    })
  })

  describe('the end of a subscription', () => {
    test('unsubscribe() ends the iterators at once, resolves with UNSUBACK, and may be repeated', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      const pull = subscription[Symbol.asyncIterator]().next()
      let finished = 0
      void subscription.unsubscribe().then(() => finished++)
      void subscription.unsubscribe().then(() => finished++)
      expect(await pull).toEqual({ done: true, value: undefined })
      const { packetId } = await peer.expect('unsubscribe', { filters: ['a'] })
      peer.publish('a', 'late', { qos: 1, packetId: 9 })
      await peer.expect('puback', { packetId: 9 })
      expect(finished).toBe(0)
      peer.send({ type: 'unsuback', packetId, reasonCodes: [0] })
      await settled()
      expect(finished).toBe(2)
      await subscription.closed
      await peer.expectNothing()
    })

    test('await using unsubscribes', async () => {
      const { client, peer } = await connected()
      const using = async () => {
        await using subscription = await client.subscribe('a')
        return subscription.filters
      }
      const used = using()
      await peer.grant()
      const { packetId } = await peer.expect('unsubscribe')
      peer.send({ type: 'unsuback', packetId, reasonCodes: [0] })
      expect(await used).toEqual(['a'])
    })

    test('when the client ends with an error, what came before it is still given, then the error', async () => {
      const { client, peer } = await connected({ reconnect: false })
      const subscription = await granted(client.subscribe('a'), peer)
      peer.publish('a', 'last words')
      await settled()
      peer.close()
      await settled()
      const iterator = subscription[Symbol.asyncIterator]()
      expect((await iterator.next()).value.text()).toBe('last words')
      await expect(iterator.next()).rejects.toMatchObject({ code: 'connection-closed' })
      expect((await iterator.next()).done).toBe(true)
    })
  })

  describe('slow consumers', () => {
    test('stop the intake at maxBuffered instead of filling the memory, and start it again', async () => {
      const { client, peer } = await connected({ maxBuffered: 3 })
      const subscription = await granted(client.subscribe('a'), peer)
      for (const text of ['1', '2', '3', '4']) peer.publish('a', text)
      await settled()
      expect([subscription.buffered, peer.paused]).toEqual([3, true])
      expect(await take(subscription, 4)).toEqual(['1', '2', '3', '4'])
      expect(peer.paused).toBe(false)
    })

    test('a consumer that awaits publish() in its loop does not wait for ever behind its own backlog', async () => {
      const { client, peer } = await connected({ maxBuffered: 1 })
      const subscription = await granted(client.subscribe('a'), peer)
      peer.publish('a', '1')
      peer.publish('a', '2')
      await settled()
      const iterator = subscription[Symbol.asyncIterator]()
      await iterator.next()
      peer.publish('a', '3')
      await settled()
      expect(peer.paused).toBe(true)
      const publishing = client.publish('b', 'x', { qos: 1 })
      await peer.expect('publish')
      peer.send({ type: 'puback', packetId: 2 })
      await publishing
    })
  })
})
