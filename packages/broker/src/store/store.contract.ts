import { encodeUtf8 } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import type { Commit } from '../commit.js'
import { Message } from '../message.js'
import { plainGrant } from '../router/subscriber.js'
import { begin, flushed, found, idle, longest, messageOf, resume } from './deliveries.contract.js'
import { metricsContract } from './metrics.contract.js'
import type { RecoveredSession } from './store.js'
import type { OpenedStore, StoreKind } from './store-kind.contract.js'

/** What every store promises; what only a lasting one can keep is asked of those. */
export function storeContract(name: string, start: () => StoreKind): void {
  describe(name, () => {
    it('has nothing at first', async () => {
      const { store, recovered } = await start().open()
      expect(recovered).toEqual({ sessions: [], groups: [], retained: [], wills: [], queued: 0, clock: undefined })
      expect(store.flushed).toBe(store.latest)
      expect(store.full).toBe(false)
      await store.close()
    })

    it('keeps a queue in order: put, get, release, delete', async () => {
      const { store } = await start().open()
      const session = begin(store, 'c')
      for (const text of ['a', 'b', 'c', 'd']) session.put(messageOf(text, 2))
      expect(session.texts()).toEqual(['a', 'b', 'c', 'd'])
      expect(session.stored.queue.bytes).toBe(4 * (1 + 't'.length + 100))
      session.finish(2)
      expect(session.texts()).toEqual(['a', 'c', 'd'])
      await flushed(store, session.release(1))
      for (const number of [1, 3, 4]) session.finish(number)
      expect(session.texts()).toEqual([])
      await idle(store)
      expect(session.stored.queue.bytes).toBe(0)
      await store.close()
    })

    it('shows what is in a queue to somebody who looks, in order, and nothing changes by that', async () => {
      const { store } = await start().open()
      const session = begin(store, 'c')
      for (let n = 1; n <= 200; n++) session.put(messageOf(`m${n}`))
      session.finish(1)
      const looked = (): string[] => {
        const found: string[] = []
        for (let at = 1; at < session.tail; ) {
          const { entries, next } = session.stored.queue.peek(at, session.tail)
          for (const [number, { message }] of entries) found.push(`${number} ${Buffer.from(message.payload)}`)
          at = next
        }
        return found
      }
      const all = Array.from({ length: 199 }, (_, n) => `${n + 2} m${n + 2}`)
      expect(looked()).toEqual(all)
      await idle(store)
      expect(looked()).toEqual(all)
      session.stored.queue.rest()
      expect(looked()).toEqual(all)
      expect(session.texts()).toHaveLength(199)
      await store.close()
    })

    metricsContract(start)

    it('gives back each message as it was put: topic, payload, both QoS, both RETAIN flags', async () => {
      const { store } = await start().open()
      const session = begin(store, 'c')
      const entries = [
        { message: Message.of('t/ü', encodeUtf8('a'), 2, true), qos: 1, retain: false },
        { message: Message.of('t', new Uint8Array(0), 1), qos: 1, retain: true },
        { message: Message.of('t', Uint8Array.of(0, 1, 2, 255), 2), qos: 2, retain: true },
      ] as const
      for (const entry of entries) session.stored.queue.put(session.tail++, entry)
      for (const [at, entry] of entries.entries()) {
        const { message, qos, retain } = session.stored.queue.get(at + 1)!
        expect([qos, retain]).toEqual([entry.qos, entry.retain])
        expect([message.topic, message.qos, message.retain]).toEqual([
          entry.message.topic,
          entry.message.qos,
          entry.message.retain,
        ])
        expect([...message.payload]).toEqual([...entry.message.payload])
      }
      await store.close()
    })

    it('takes a payload out of the chunk it came in', async () => {
      const { store } = await start().open()
      const session = begin(store, 'c')
      const chunk = Buffer.from('--payload--')
      const source = { topic: 't', qos: 1, retain: false, bytes: chunk, payloadStart: 2, payloadEnd: 9 } as const
      const commit = session.put(new Message(source, 'p'))
      chunk.fill('x')
      expect(session.texts()).toEqual(['payload'])
      await flushed(store, commit)
      expect(session.texts()).toEqual(['payload'])
      await store.close()
    })

    it('keeps what was read as it is while other messages come', async () => {
      const { store } = await start().open()
      const session = begin(store, 'c')
      session.put(messageOf('first'))
      const held = session.stored.queue.get(1)!.message
      for (let round = 0; round < 5; round++) {
        await flushed(store, session.put(messageOf(`${round}`.repeat(10_000))))
        session.finish(session.tail - 1)
      }
      expect(Buffer.from(held.payload).toString()).toBe('first')
      await store.close()
    })

    it('flushes every commit it named, and says so in rising order', async () => {
      const { store } = await start().open()
      const session = begin(store, 'c')
      const heard: Commit[] = []
      store.onFlushed = () => heard.push(store.flushed)
      const commits: Commit[] = []
      for (let turn = 0; turn < 20; turn++) {
        commits.push(session.put(messageOf(`${turn}`)))
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(commits).toEqual([...commits].sort((a, b) => a - b))
      expect(store.latest).toBeGreaterThanOrEqual(commits.at(-1)!)
      while (store.flushed < commits.at(-1)!) await new Promise((resolve) => setImmediate(resolve))
      expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b))
      await store.close()
    })

    it('does not wait for later writes', async () => {
      const { store } = await start().open()
      const session = begin(store, 'c')
      const first = session.put(messageOf('a'))
      let writing = true
      const load = () => {
        if (!writing) return
        session.put(messageOf('more'))
        setImmediate(load)
      }
      load()
      await flushed(store, first)
      writing = false
      expect(store.flushed).toBeGreaterThanOrEqual(first)
      await store.close()
    })

    it('takes names of 65,535 bytes', async () => {
      const { store } = await start().open()
      const session = begin(store, longest('client'))
      const topic = longest('topic')
      session.stored.setSubscription(longest('filter'), plainGrant(1), false)
      store.setRetained(topic, messageOf('r', 1, topic))
      session.put(messageOf('m', 1, topic))
      await idle(store)
      expect(session.stored.queue.get(1)!.message.topic).toBe(topic)
      await store.close()
    })

    if (start().lasting) lastingContract(start)
    else it.skip('what is written is there after it was closed (this store lives as long as the process)', () => {})
  })
}

function lastingContract(start: () => StoreKind): void {
  /** Runs the steps, each on what the one before it left. */
  async function inTurns(...steps: ((opened: OpenedStore) => void | Promise<void>)[]): Promise<void> {
    const kind = start()
    for (const step of steps) {
      const opened = await kind.open()
      await step(opened)
      await opened.store.close()
    }
  }

  it('finds sessions again: in use, not in use, never ending, ended', () =>
    inTurns(
      ({ store }) => {
        for (const clientId of ['used', 'left', 'for ever', 'gone']) begin(store, clientId)
        begin(store, '').stored.disconnected(7)
      },
      ({ store, recovered }) => {
        expect(recovered.sessions.map(({ clientId }) => clientId).sort()).toEqual([
          '',
          'for ever',
          'gone',
          'left',
          'used',
        ])
        found(recovered, 'left').stored.disconnected(1_900_000_000_000)
        found(recovered, 'for ever').stored.disconnected(Number.POSITIVE_INFINITY)
        found(recovered, 'gone').stored.delete()
        expect(begin(store, 'new')).toBeDefined()
      },
      ({ recovered }) => {
        const expiries = Object.fromEntries(recovered.sessions.map(({ clientId, expiresAt }) => [clientId, expiresAt]))
        expect(expiries).toEqual({
          '': 7,
          used: undefined,
          left: 1_900_000_000_000,
          'for ever': Number.POSITIVE_INFINITY,
          new: undefined,
        })
      },
    ))

  it('keeps sessions apart that come after one another', () =>
    inTurns(
      ({ store }) => void begin(store, 'a').put(messageOf('for a')),
      ({ recovered }) => void found(recovered, 'a').stored.delete(),
      ({ store }) => {
        const [b, c] = [begin(store, 'b'), begin(store, 'c')]
        b.put(messageOf('for b'))
        c.put(messageOf('for c'))
        b.stored.setSubscription('b/#', plainGrant(1), false)
      },
      ({ recovered }) => {
        expect(recovered.queued).toBe(2)
        expect(resume(recovered, 'b').texts()).toEqual(['for b'])
        expect(resume(recovered, 'c').texts()).toEqual(['for c'])
        expect(found(recovered, 'c').subscriptions).toEqual([])
      },
    ))

  it('finds for which subscriptions not all that is retained has been sent', () =>
    inTurns(
      ({ store }) => {
        const { stored } = begin(store, 'c')
        for (const filter of ['a', 'b', 'c']) stored.setSubscription(filter, plainGrant(1), filter !== 'c')
      },
      ({ recovered }) => {
        const { stored, subscriptions, owed } = found(recovered, 'c')
        expect(owed.toSorted()).toEqual(['a', 'b'])
        expect(subscriptions.every(([, grant]) => !('owed' in grant))).toBe(true)
        stored.setSubscription('a', plainGrant(1), false)
      },
      ({ recovered }) => expect(found(recovered, 'c').owed).toEqual(['b']),
    ))

  it('finds subscriptions as they were last', () =>
    inTurns(
      ({ store }) => {
        const { stored } = begin(store, 'c')
        begin(store, 'd').stored.setSubscription('a/+', plainGrant(0), false)
        for (const [filter, qos] of [
          ['a/+', 1],
          ['b', 2],
          ['b', 0],
          ['c/#', 2],
          [longest('f'), 1],
        ] as const) {
          stored.setSubscription(filter, plainGrant(qos), false)
        }
        stored.deleteSubscription('c/#')
      },
      ({ recovered }) => {
        const { stored, subscriptions } = found(recovered, 'c')
        expect(qosOf(subscriptions)).toEqual(
          new Map([
            ['a/+', 1],
            ['b', 0],
            [longest('f'), 1],
          ]),
        )
        stored.deleteSubscription(longest('f'))
      },
      ({ recovered }) => {
        expect(qosOf(found(recovered, 'c').subscriptions)).toEqual(
          new Map([
            ['a/+', 1],
            ['b', 0],
          ]),
        )
        expect(found(recovered, 'd').subscriptions).toEqual([['a/+', plainGrant(0)]])
      },
    ))

  it('finds pages of what came under packet ids as they were when the commit was made', () =>
    inTurns(
      async ({ store }) => {
        const { stored } = begin(store, 'c')
        const [low, high] = [new Uint8Array(128).fill(1), new Uint8Array(128)]
        stored.setReceived(0, low)
        stored.setReceived(63, high)
        stored.setReceived(191, new Uint8Array(2048).fill(7))
        high[127] = 0x80 // still of this commit
        await idle(store)
        stored.setReceived(0, low.fill(0))
      },
      ({ recovered }) => {
        const { received } = found(recovered, 'c')
        const { stored } = resume(recovered, 'c')
        expect(received.map(([page, { length }]) => [page, length])).toEqual([
          [63, 128],
          [191, 2048],
        ])
        expect(received[0]![1][127]).toBe(0x80)
        stored.setReceived(63, received[0]![1].fill(0))
        stored.setReceived(191, new Uint8Array(0))
      },
      ({ recovered }) => expect(found(recovered, 'c').received).toEqual([]),
    ))

  it('finds retained messages and wills as they were last', () =>
    inTurns(
      ({ store }) => {
        const topic = longest('topic')
        for (const text of ['old', 'new']) store.setRetained(topic, messageOf(text, 1, topic))
        const timed = messageOf('x'.repeat(300_000), 2, 'big')
        timed.publishedAt = 1_900_000_000
        store.setRetained('big', timed)
        store.setRetained('gone', messageOf('g', 1, 'gone'))
        store.setRetained('gone', undefined)
        const will = { topic: 'w', payload: encodeUtf8('dead'), qos: 2, retain: true } as const
        for (const clientId of ['a', 'b', longest('c')]) store.setWill(clientId, will)
        store.setWill('b', undefined)
      },
      ({ store, recovered }) => {
        const retained = recovered.retained.map(({ topic, qos, retain, payload, publishedAt }) => [
          topic.length,
          qos,
          retain,
          payload.length,
          publishedAt,
        ])
        expect(retained.sort()).toEqual([
          [3, 2, false, 300_000, 1_900_000_000],
          [longest('topic').length, 1, false, 3, 0],
        ])
        expect(recovered.wills.map(({ clientId }) => clientId).sort()).toEqual(['a', longest('c')])
        const { topic, payload, qos, retain } = recovered.wills[0]!.will
        expect([topic, Buffer.from(payload).toString(), qos, retain]).toEqual(['w', 'dead', 2, true])
        for (const { clientId } of recovered.wills) store.setWill(clientId, undefined)
        for (const message of recovered.retained) store.setRetained(message.topic, undefined)
      },
      ({ recovered }) => expect([recovered.wills, recovered.retained]).toEqual([[], []]),
    ))

  it('finds a queue again, and where its deliveries stood, after every step', () =>
    inTurns(
      async ({ store }) => {
        const session = begin(store, 'c')
        for (const text of ['a', 'b', 'c']) session.put(messageOf(text, 2))
        await idle(store)
        for (const text of ['d', 'e']) session.put(messageOf(text, 2))
      },
      ({ recovered }) => {
        expect(recovered.queued).toBe(5)
        const session = resume(recovered, 'c')
        expect(session.texts()).toEqual(['a', 'b', 'c', 'd', 'e'])
        for (let sent = 0; sent < 4; sent++) session.send()
        session.finish(2)
        session.release(3)
        session.put(messageOf('f'))
      },
      ({ recovered }) => {
        const session = resume(recovered, 'c')
        const { head, next, tail, handshakes } = found(recovered, 'c').outgoing
        expect([head, next, tail, ...handshakes]).toEqual([1, 5, 7, 1, 0, 3, 1])
        expect(session.stored.queue.bytes).toBe(6 * (1 + 't'.length + 100)) // a share counts until its last message is done
        expect(session.texts()).toEqual(['a', 'c', 'd', 'e', 'f'])
        for (const number of [1, 3]) session.finish(number)
        expect(session.stored.queue.bytes).toBe(3 * (1 + 't'.length + 100))
      },
      ({ recovered }) => {
        const session = resume(recovered, 'c')
        expect(session.texts()).toEqual(['d', 'e', 'f'])
        for (const number of [4, 5, 6]) session.finish(number)
      },
      ({ recovered }) => {
        const session = resume(recovered, 'c')
        expect([recovered.queued, session.texts(), session.stored.queue.bytes]).toEqual([0, [], 0])
        session.put(messageOf('g'))
      },
      ({ recovered }) => expect(resume(recovered, 'c').texts()).toEqual(['g']),
    ))
}

function qosOf(subscriptions: RecoveredSession['subscriptions']): Map<string, number> {
  return new Map(subscriptions.map(([filter, { qos }]) => [filter, qos]))
}
