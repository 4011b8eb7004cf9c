import { describe, expect, test } from 'vitest'
import type { Message, Subscription } from '../src/index.js'
import { connected, failure, inBothVersions } from './rig.js'
import type { Peer } from './scripted-server.js'
import { settled } from './virtual-clock.js'

async function granted<T>(subscribing: Promise<T>, peer: Peer): Promise<T> {
  await peer.grant()
  return subscribing
}

inBothVersions((version) => {
  describe('what a handler returns', () => {
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: as query builders have it
      then: (done: (value: string) => void) => done('later'),
    }

    test.each<[string, unknown]>([
      ['a number', 5],
      ['0', 0],
      ['null', null],
      ['text', 'done'],
      ['an object', { ok: true }],
      // biome-ignore lint/suspicious/noThenProperty: a word like any other, where it is no function
      ['an object whose then is no function', { then: 5 }],
      ['a thenable', thenable],
      ['a promise of something', Promise.resolve(7)],
    ])('%s: the message is acknowledged and the next one comes', async (_, result) => {
      const { client, peer } = await connected()
      const seen: string[] = []
      const onMessage = (message: Message): unknown => {
        seen.push(message.text())
        return result
      }
      const subscription = await granted(client.subscribe('a', { qos: 1, onMessage }), peer)
      for (const packetId of [1, 2, 3]) peer.publish('a', `${packetId}`, { qos: 1, packetId })
      expect(await peer.rest()).toEqual(['puback 1', 'puback 2', 'puback 3'])
      expect(seen).toEqual(['1', '2', '3'])
      expect(subscription.buffered).toBe(0)
    })

    test('an arrow that pushes into a list is a handler', async () => {
      const { client, peer } = await connected()
      const list: string[] = []
      await granted(client.subscribe('a', { onMessage: (message) => list.push(message.text()) }), peer)
      for (const text of ['x', 'y']) peer.publish('a', text)
      await settled()
      expect(list).toEqual(['x', 'y'])
    })

    test.each<[string, () => unknown]>([
      [
        'throws',
        () => {
          throw new Error('database down')
        },
      ],
      ['rejects', () => Promise.reject(new Error('database down'))],
      [
        'gives a thenable that rejects',
        // biome-ignore lint/suspicious/noThenProperty: as query builders have it
        () => ({ then: (_: unknown, fail: (error: Error) => void) => fail(new Error('database down')) }),
      ],
    ])('one that %s ends its subscription, and the event tells which and why', async (_, onMessage) => {
      const { client, peer } = await connected()
      const told: unknown[] = []
      client.on('unsubscribed', (what) => told.push(what))
      const subscription = await granted(client.subscribe(['a', 'b/+id'], { qos: 1, onMessage }), peer)
      peer.publish('a', 'x', { qos: 1, packetId: 1 })
      await expect(subscription.closed).rejects.toThrow('database down')
      expect(told).toEqual([{ filters: ['a', 'b/+'], error: expect.objectContaining({ message: 'database down' }) }])
      expect(await peer.rest()).toEqual(['unsubscribe 2 a b/+'])
    })

    test('a refusal after a reconnection is told too', async () => {
      const { client, peer, clock, server } = await connected()
      const told: unknown[] = []
      client.on('unsubscribed', ({ filters, error }) => told.push([filters, (error as { code: string }).code]))
      await granted(client.subscribe('a', { onMessage: () => {} }), peer)
      peer.close()
      await clock.pass(1000)
      const next = await server.accept()
      await next.welcome()
      await next.grant(0x80)
      expect(told).toEqual([[['a'], 'subscription-refused']])
    })
  })

  describe('an acknowledgement belongs to its pull', () => {
    /** A server that has no more than `window` messages unacknowledged, of `count`. */
    async function serve(peer: Peer, count: number, window: number): Promise<() => Promise<number>> {
      let sent = 0
      let acknowledged = 0
      const feed = (): void => {
        while (sent < count && sent - acknowledged < window) {
          sent += 1
          peer.publish('a', `${sent}`, { qos: 1, packetId: sent })
        }
      }
      feed()
      return async () => {
        acknowledged += (await peer.rest()).length
        feed()
        await settled()
        return acknowledged
      }
    }

    test('two pulls at once take all, and all are acknowledged', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      const step = await serve(peer, 30, 5)
      const iterator = subscription[Symbol.asyncIterator]()
      const taken: string[] = []
      const pull = async (): Promise<void> => {
        for (let next = await iterator.next(); !next.done; next = await iterator.next()) taken.push(next.value.text())
      }
      const both = Promise.all([pull(), pull()])
      for (let round = 0; round < 40; round++) await step()
      expect(taken).toEqual(Array.from({ length: 30 }, (_, at) => `${at + 1}`))
      expect(await step()).toBe(30)
      await client.close({ timeoutMs: 0 })
      await both
    })

    test('a pair of pulls, then the next pair: each pair acknowledges the one before', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      const iterator = subscription[Symbol.asyncIterator]()
      for (const packetId of [1, 2, 3, 4]) peer.publish('a', '', { qos: 1, packetId })
      await Promise.all([iterator.next(), iterator.next()])
      expect(await peer.rest()).toEqual([])
      await Promise.all([iterator.next(), iterator.next()])
      expect(await peer.rest()).toEqual(['puback 1', 'puback 2'])
    })

    test('of two loops over one subscription none acknowledges what the other works on', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      const slow = subscription[Symbol.asyncIterator]()
      const quick = subscription[Symbol.asyncIterator]()
      for (const packetId of [1, 2, 3, 4]) peer.publish('a', `${packetId}`, { qos: 2, packetId })
      expect((await slow.next()).value.text()).toBe('1')
      for (const text of ['2', '3', '4']) expect((await quick.next()).value.text()).toBe(text)
      void quick.next()
      expect(await peer.rest()).toEqual([]) // in the order of arrival, so 1 is before them
      void slow.next()
      expect(await peer.rest()).toEqual(['pubrec 1', 'pubrec 2', 'pubrec 3', 'pubrec 4'])
    })

    test('a loop that is at work when another one leaves still acknowledges what it has finished', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      const working = subscription[Symbol.asyncIterator]()
      const leaving = subscription[Symbol.asyncIterator]()
      for (const packetId of [1, 2]) peer.publish('a', '', { qos: 1, packetId })
      await working.next()
      await leaving.next()
      void leaving.return!()
      expect(await peer.rest()).toEqual(['unsubscribe 2 a'])
      expect((await working.next()).done).toBe(true)
      expect(await peer.rest()).toEqual(['puback 1'])
    })

    test('a handler that unsubscribes has its message acknowledged when it is done', async () => {
      const { client, peer } = await connected()
      let subscription: Subscription | undefined
      let finish: () => void = () => {}
      const onMessage = (): Promise<void> => {
        subscription!.unsubscribe()
        return new Promise((resolve) => (finish = resolve))
      }
      subscription = await granted(client.subscribe('a', { qos: 1, onMessage }), peer)
      peer.publish('a', '', { qos: 1, packetId: 1 })
      expect(await peer.rest()).toEqual(['unsubscribe 2 a'])
      finish()
      expect(await peer.rest()).toEqual(['puback 1'])
    })

    test('a message that was left behind can still be acknowledged by hand', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a', { qos: 1 }), peer)
      peer.publish('a', '', { qos: 1, packetId: 1 })
      let kept: Message | undefined
      for await (const message of subscription) {
        kept = message
        break
      }
      expect(await peer.rest()).toEqual(['unsubscribe 2 a'])
      kept!.ack()
      kept!.ack()
      expect(await peer.rest()).toEqual(['puback 1'])
    })
  })

  describe('client.unsubscribe()', () => {
    test('ends what is subscribed to by that filter, names or not, and resolves with UNSUBACK', async () => {
      const { client, peer } = await connected()
      const one = await granted(client.subscribe('home/+room', { qos: 1 }), peer)
      const two = await granted(client.subscribe('home/+', { qos: 0 }), peer)
      let done = false
      const leaving = client.unsubscribe('home/+any').then(() => (done = true))
      const { packetId } = await peer.expect('unsubscribe', { filters: ['home/+'] })
      await Promise.all([one.closed, two.closed])
      expect(done).toBe(false)
      peer.unsubscribed(packetId)
      await leaving
    })

    test('a subscription to several filters goes on with the rest', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe(['a', 'b', 'c']), peer)
      void client.unsubscribe(['a', 'b'])
      await peer.expect('unsubscribe', { filters: ['a', 'b'] })
      expect([subscription.filters, subscription.granted]).toEqual([['c'], [{ filter: 'c', reasonCode: 0 }]])
      peer.publish('c', 'x')
      expect((await subscription[Symbol.asyncIterator]().next()).value.text()).toBe('x')
      void client.unsubscribe('c')
      await subscription.closed
    })

    test('what an earlier process subscribed to is ended as well', async () => {
      const { client, peer } = await connected({ clean: false }, true)
      const leaving = client.unsubscribe('old/#')
      const { packetId } = await peer.expect('unsubscribe', { filters: ['old/#'] })
      peer.unsubscribed(packetId, 0x11)
      await leaving
      await peer.expectNothing()
    })

    test('before the first connection it waits for it', async () => {
      const made = await connected({ clean: false }, true)
      made.peer.close()
      await settled()
      const leaving = made.client.unsubscribe('old/#')
      await made.clock.pass(1000)
      const next = await made.server.accept()
      await next.welcome({ sessionPresent: true })
      const { packetId } = await next.expect('unsubscribe', { filters: ['old/#'] })
      next.unsubscribed(packetId)
      await leaving
    })

    test('before SUBACK it ends the call that subscribes', async () => {
      const { client, peer } = await connected()
      const subscribing = failure(client.subscribe('a'))
      const { packetId } = await peer.expect('subscribe')
      const leaving = client.unsubscribe('a')
      expect(await subscribing).toMatchObject({ code: 'aborted' })
      peer.send({ type: 'suback', packetId, reasonCodes: [0] })
      peer.unsubscribed((await peer.expect('unsubscribe')).packetId)
      await leaving
    })

    test('an illegal filter is refused', async () => {
      const { client } = await connected()
      expect(await failure(client.unsubscribe('a#'))).toMatchObject({ code: 'invalid-filter' })
    })
  })

  describe('a message', () => {
    test('is read as JSON, as a Response of fetch is', async () => {
      const { client, peer } = await connected()
      const subscription = await granted(client.subscribe('a'), peer)
      peer.publish('a', '\ufeff{"on":true}')
      peer.publish('a', '{on}')
      const iterator = subscription[Symbol.asyncIterator]()
      expect((await iterator.next()).value.json()).toEqual({ on: true })
      const { value } = await iterator.next()
      expect(() => value.json()).toThrow(SyntaxError)
      expect(() => value.json()).toThrow(/^the message on 'a' is not JSON: /)
    })
  })

  test('connected tells whether the connection stands', async () => {
    const { client, peer, clock, server } = await connected()
    expect(client.connected).toBe(true)
    peer.close()
    await settled()
    expect(client.connected).toBe(false)
    await clock.pass(1000)
    await (await server.accept()).welcome()
    expect([client.connected, client.version]).toEqual([true, version])
    await client.close({ timeoutMs: 0 })
    expect(client.connected).toBe(false)
  })
})
