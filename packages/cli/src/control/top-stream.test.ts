import { createBroker } from '@godwit/broker'
import { expect, test } from 'vitest'
import type { InspectedBroker } from './inspected-broker.js'
import type { TopSnapshot } from './top-snapshot.js'
import { streamTop } from './top-stream.js'

const page = <T>(...items: T[]) => ({ count: items.length, list: () => ({ items, next: undefined }) })

test('a snapshot at once; nothing is watched any longer when the reader has left', async () => {
  await using real = await createBroker({ sysIntervalSeconds: 0 })
  let watching = 0
  const broker: InspectedBroker = {
    metrics: real.metrics,
    clients: page({ clientId: 'slow', outboxBytes: 7 }, { clientId: 'fast', outboxBytes: 0 }),
    sessions: page({ clientId: 'away', connected: false, queued: 3 }),
    subscriptions: { count: 5 },
    retained: { count: 6, bytes: 60 },
    trace: () => ({ stop() {} }),
    watchTopics() {
      watching++
      return { top: () => [], stop: () => void watching-- }
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
    count: 0,
    list: () => {
      throw new Error('it is closed')
    },
  }
  const broker: InspectedBroker = {
    metrics: real.metrics,
    clients: failing,
    sessions: failing,
    subscriptions: { count: 0 },
    retained: { count: 0, bytes: 0 },
    trace: () => ({ stop() {} }),
    watchTopics: () => ({ top: () => [], stop() {} }),
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
