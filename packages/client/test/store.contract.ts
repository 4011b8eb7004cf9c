import { describe, expect, test } from 'vitest'
import type { ClientStore, StoredPublish } from '../src/index.js'

/** A publication with everything at its simplest. */
export function publication(sequence: number, fields: Partial<StoredPublish> = {}): StoredPublish {
  const payload = new TextEncoder().encode(`message ${sequence}`)
  const simplest = { topic: 'a/b', payload, qos: 1, retain: false, properties: undefined, expiresAt: Infinity } as const
  return { sequence, ...simplest, packetId: 0, released: 0, ...fields }
}

/** What every store must do. `open` gives a new, empty one; closed and loaded again it has what it had. */
export function storeContract(name: string, open: () => ClientStore | Promise<ClientStore>): void {
  /** What a store has that was changed so, before and after it was closed. */
  async function after(...changes: ((store: ClientStore) => void)[]): ReturnType<ClientStore['load']> {
    const store = await open()
    await store.load()
    for (const change of changes) {
      change(store)
      await store.flush()
    }
    await store.close()
    const session = await store.load()
    await store.close()
    return session
  }

  describe(`${name} as a store`, () => {
    test('begins empty', async () => {
      expect(await after()).toEqual({ outgoing: [], received: [] })
    })

    test('gives back what it was given, in the order of sequence', async () => {
      const all = [3, 1, 2].map((sequence) => publication(sequence))
      const { outgoing } = await after(...all.map((publish) => (store: ClientStore) => store.putOutgoing(publish)))
      expect(outgoing).toEqual([1, 2, 3].map((sequence) => publication(sequence)))
    })

    test.each([
      ['QoS 2, retained, no payload', { qos: 2, retain: true, payload: new Uint8Array() }],
      ['a topic of 65,535 bytes', { topic: `${'ü'.repeat(32_767)}x` }],
      ['a topic with a control character', { topic: 'a\u0001b' }],
      ['a payload of 100,000 bytes', { payload: new Uint8Array(100_000).map((_, at) => at) }],
      ['properties', { properties: { contentType: 'text/plain', userProperties: [['a', 'b']] } }],
      ['an end of its time', { properties: { messageExpiryInterval: 9 }, expiresAt: 1_700_000_009_000 }],
      ['the highest numbers', { packetId: 65_535, released: 2 ** 40 + 1 }],
    ] as [string, Partial<StoredPublish>][])('keeps %s', async (_, fields) => {
      const publish = publication(2 ** 33 + 5, fields)
      const { outgoing } = await after((store) => store.putOutgoing(publish))
      expect(outgoing).toEqual([publish])
    })

    test.each([
      ['in one flush', (first: () => void, second: () => void) => [[first, second]]],
      ['in two', (first: () => void, second: () => void) => [[first], [second]]],
    ])('a later state takes the place of an earlier one: %s', async (_, split) => {
      const store = await open()
      await store.load()
      const first = (): void => {
        store.putOutgoing(publication(1, { qos: 2 }))
        store.putOutgoing(publication(2))
        store.putOutgoing(publication(3))
        store.putReceived(7)
        store.putReceived(8)
      }
      const second = (): void => {
        store.putOutgoing(publication(1, { qos: 2, packetId: 5 }))
        store.putOutgoing(publication(1, { qos: 2, packetId: 5, released: 1 }))
        store.removeOutgoing(2)
        store.putOutgoing(publication(3, { topic: 'another' }))
        store.removeReceived(7)
      }
      for (const changes of split(first, second)) {
        for (const change of changes) change()
        await store.flush()
      }
      await store.close()
      expect(await store.load()).toEqual({
        outgoing: [publication(1, { qos: 2, packetId: 5, released: 1 }), publication(3, { topic: 'another' })],
        received: [8],
      })
      await store.close()
    })

    test('a removal of what it does not have is harmless', async () => {
      const session = await after((store) => {
        store.removeOutgoing(1)
        store.removeReceived(1)
      })
      expect(session).toEqual({ outgoing: [], received: [] })
    })

    test('close() flushes', async () => {
      const store = await open()
      await store.load()
      store.putOutgoing(publication(1))
      await store.close()
      expect((await store.load()).outgoing).toEqual([publication(1)])
      await store.close()
    })

    test('flush() has nothing to do when nothing has changed', async () => {
      const store = await open()
      await store.load()
      store.putReceived(1)
      await store.flush()
      expect(store.flush()).toBeUndefined()
      await store.close()
    })
  })
}
