import { createBroker } from '@godwit/broker'
import { expect, test } from 'vitest'
import type { InspectedBroker } from './inspected-broker.js'
import type { TopSnapshot } from './top-snapshot.js'
import { streamTop } from './top-stream.js'

const listed = <T>(...items: T[]) => ({
  count: async () => items.length,
  page: async () => ({ items, next: undefined }),
})

const none = { topics: [], leftOut: 0, tooHighBy: 0 }

test('a snapshot at once; nothing is watched any longer when the reader has left', async () => {
  await using real = await createBroker({ sysIntervalSeconds: 0 })
  let watching = 0
  const broker: InspectedBroker = {
    metrics: () => real.metrics(),
    clients: listed({ clientId: 'slow', outboxBytes: 7 }, { clientId: 'fast', outboxBytes: 0 }),
    sessions: listed({ clientId: 'away', connected: false, queued: 3 }),
    subscriptions: { count: async () => 5 },
    retained: { count: async () => 6, bytes: async () => 60 },
    trace: async () => ({ async stop() {} }),
    async watchTopics() {
      watching++
      return { top: async () => none, stop: async () => void watching-- }
    },
  }
  let leave = (): void => {}
  const snapshot = await new Promise<TopSnapshot>((resolve, reject) =>
    streamTop(broker, {
      send(...[first]) {
        resolve(first as TopSnapshot)
        return true
      },
      end: (answer) => reject(new Error(JSON.stringify(answer))),
      whenLeft(callback) {
        leave = callback
      },
    }),
  )
  expect(snapshot).toMatchObject({
    pid: process.pid,
    clients: 2,
    sessions: 1,
    subscriptions: 5,
    retained: 6,
    retainedBytes: 60,
    totals: { messagesIn: 0, connects: 0 },
    slowest: [{ clientId: 'slow', outboxBytes: 7 }],
    deepest: [{ clientId: 'away', connected: false, queued: 3 }],
    busiest: [],
  })
  expect(snapshot.memoryBytes).toBeGreaterThan(1_000_000)
  expect(watching).toBe(1)
  leave()
  expect(watching).toBe(0)
})

test('a broker that cannot be asked ends it, with the reason', async () => {
  await using real = await createBroker({ sysIntervalSeconds: 0 })
  const failing = {
    count: async () => 0,
    page: async () => {
      throw new Error('it is closed')
    },
  }
  const broker: InspectedBroker = {
    metrics: () => real.metrics(),
    clients: failing,
    sessions: failing,
    subscriptions: { count: async () => 0 },
    retained: { count: async () => 0, bytes: async () => 0 },
    trace: async () => ({ async stop() {} }),
    watchTopics: async () => ({ top: async () => none, async stop() {} }),
  }
  let leave = (): void => {}
  const end = await new Promise<object>((resolve) =>
    streamTop(broker, {
      send: () => true,
      end: resolve,
      whenLeft(callback) {
        leave = callback
      },
    }),
  )
  expect(end).toEqual({ error: 'there is no snapshot: Error: it is closed' })
  leave()
})
