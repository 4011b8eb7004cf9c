import { describe, expect, test } from 'vitest'
import { textWidth } from './columns.js'
import { topScreen } from './top-screen.js'
import type { TopSnapshot } from './top-snapshot.js'

const before: TopSnapshot = {
  version: '1.2.3',
  pid: 4711,
  at: 1_000_000,
  elapsedMs: 1_000_000,
  uptimeSeconds: 93_783,
  clients: 1_234,
  sessions: 1_500,
  subscriptions: 20_000,
  retained: 300,
  retainedBytes: 1_258_291,
  totals: {
    messagesIn: 1_000_000,
    messagesOut: 2_000_000,
    bytesIn: 50_000_000,
    bytesOut: 100_000_000,
    dropped: 7,
    connects: 2_000,
    refused: 0,
    cpuMs: 1_000,
  },
  memoryBytes: 128 * 1_048_576,
  eventLoopDelayMs: { mean: 1.23, max: 14.2 },
  slowest: [],
  deepest: [],
  busiest: [],
}
const now: TopSnapshot = {
  ...before,
  at: 1_002_000,
  elapsedMs: 1_002_000,
  totals: {
    messagesIn: 1_024_690,
    messagesOut: 2_246_912,
    bytesIn: 52_097_152,
    bytesOut: 120_971_520,
    dropped: 10,
    connects: 2_006,
    refused: 1,
    cpuMs: 1_460,
  },
  slowest: [
    { clientId: 'dashboard', outboxBytes: 1_258_291 },
    { clientId: 'x\u001b[2J', outboxBytes: 10 },
  ],
  deepest: [
    { clientId: 'logger', connected: false, queued: 100_000 },
    { clientId: 'a-client-with-quite-a-long-identifier', connected: false, queued: 3 },
  ],
  busiest: [
    { topic: 'home/kitchen/temperature', messages: 10_000.4, bytes: 1_048_576 },
    { topic: '温度/一', messages: 2.25, bytes: 22.5 },
  ],
}

test('80 columns and 24 rows', () => {
  const screen = topScreen(before, now, { columns: 80, rows: 24 })
  expect(`\n${screen.join('\n')}\n`).toBe(`
godwit 1.2.3   process 4711   up 1 d 02:03:03
1,234 clients, 1,500 sessions, 20,000 subscriptions, 300 retained (1.2 MiB)
CPU 23 %, memory 128.0 MiB, event loop late by 1.2 ms, at worst 14 ms

                    in/s         out/s                in               out
messages          12,345       123,456         1,024,690         2,246,912
bytes            1.0 MiB      10.0 MiB          49.7 MiB         115.4 MiB
10 messages dropped (1.5/s), 2,006 connects (3/s), 1 refused (0.5/s)

SLOWEST CONSUMERS               UNSENT   DEEPEST QUEUES                MESSAGES
dashboard                      1.2 MiB   logger (offline)               100,000
"x\\u001b[2J"                      10 B   a-client-with-q… (offline)           3

BUSIEST TOPICS                                           MESSAGES/S      BYTES/S
home/kitchen/temperature                                     10,000      1.0 MiB
"温度/一"                                                       2.3         23 B
`)
})

test('40 columns', () => {
  expect(`\n${topScreen(before, now, { columns: 40, rows: 30 }).join('\n')}\n`).toBe(`
godwit 1.2.3   up 1 d 02:03:03
1,234 clients, 1,500 sessions, 20,000
subscriptions, 300 retained (1.2 MiB)
CPU 23 %, memory 128.0 MiB, event loop
late by 1.2 ms, at worst 14 ms

                   in/s        out/s
messages         12,345      123,456
bytes           1.0 MiB     10.0 MiB
10 messages dropped (1.5/s), 2,006
connects (3/s), 1 refused (0.5/s)

SLOWEST CONSUMERS                 UNSENT
dashboard                        1.2 MiB
"x\\u001b[2J"                        10 B

DEEPEST QUEUES                  MESSAGES
logger (offline)                 100,000
a-client-with-qui… (offline)           3

BUSIEST TOPICS     MESSAGES/S    BYTES/S
home/kitchen/temp…     10,000    1.0 MiB
"温度/一"                 2.3       23 B
`)
})

test('what is not known yet', () => {
  const { slowest: _, deepest: __, ...unknown } = now
  expect(topScreen(before, unknown, { columns: 80, rows: 24 })).toContain(
    'looking …                                looking …',
  )
})

describe('it fits', () => {
  const many = <T>(item: T): T[] => Array.from({ length: 20 }, () => item)
  const busy: TopSnapshot = {
    ...now,
    slowest: many(now.slowest![0]!),
    deepest: many(now.deepest![1]!),
    busiest: many(now.busiest[1]!),
  }

  test.each([
    [80, 24],
    [200, 60],
    [40, 10],
    [10, 3],
    [1, 1],
  ])('%i columns and %i rows', (columns, rows) => {
    for (const snapshot of [now, busy]) {
      const screen = topScreen(before, snapshot, { columns, rows })
      expect(screen.length).toBeLessThanOrEqual(rows)
      expect(Math.max(...screen.map(textWidth))).toBeLessThanOrEqual(columns)
    }
  })

  test('and nothing of it is left empty while there is more to show', () => {
    expect(topScreen(before, busy, { columns: 80, rows: 24 })).toHaveLength(24)
  })
})
