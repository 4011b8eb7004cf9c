import { expect, test } from 'vitest'
import type { BrokerFacts, ClusterFacts, ClusterNode, Counters, Unreached } from './answers.js'
import type { Look } from './live.js'

// The page's modules look at the browser when they are loaded.
const storage = { getItem: () => null, setItem() {}, removeItem() {} }
Object.assign(globalThis, {
  location: { hash: '', href: 'http://localhost/' },
  localStorage: storage,
  addEventListener() {},
  matchMedia: () => ({ matches: false, addEventListener() {} }),
  document: { hidden: false, documentElement: { dataset: {} } },
})
const { attentionTo } = await import('./attention.js')
const { looks } = await import('./live.js')
const { points } = await import('./news.js')

const now = Date.parse('2026-11-30T12:00:00Z')
const histogram = { bounds: [], counts: [], count: 0, sum: 0 }

const broker: BrokerFacts = {
  version: '1',
  startedAt: '2026-11-30T00:00:00Z',
  uptimeSeconds: 1,
  listeners: [],
  ready: true,
  notReadyBecause: [],
  recovered: { sessions: 0, retained: 0, wills: 0, queued: 0 },
  clients: 0,
  sessions: 0,
  subscriptions: 0,
  retained: 0,
  retainedBytes: 0,
  waiting: { bytes: 0, most: 100 },
  stored: { bytes: 0, most: null },
  tlsExpiresAt: null,
  cluster: null,
  unreached: [],
}
const counters: Counters = {
  at: '2026-11-30T12:00:00Z',
  plain: {},
  publishReceivedByQos: [0, 0, 0],
  publishSentByQos: [0, 0, 0],
  dropped: {},
  refused: {},
  handshakesRefused: {},
  subscriptionsRefused: {},
  queued: { messages: 0, bytes: 0 },
  commits: { latency: histogram, failures: 0, failing: null },
  store: { liveBytes: 0, fileBytes: 0, freeBytes: 0, reserveBytes: 0, isLow: false, damagedRecords: 0 },
}

const unreached = (since: string): Unreached => ({ what: 'bridge', name: 'cloud', since, problem: 'nobody answers' })

function look(at: number, more: { broker?: Partial<BrokerFacts>; counters?: Partial<Counters> } = {}): Look {
  return { at, broker: { ...broker, ...more.broker }, counters: { ...counters, ...more.counters } }
}

/** What is told of the last of these looks. */
function told(...all: readonly Look[]): string[] {
  looks.value = all
  return attentionTo(all.at(-1)!, now).map(({ id, isBad }) => (isBad ? `${id}!` : id))
}

test('of a broker that is well nothing is told', () => {
  expect(told(look(now))).toEqual([])
})

test.each<[string[], Parameters<typeof look>[1]]>([
  [['not-ready!'], { broker: { ready: false, notReadyBecause: ['the disk is full'] } }],
  [['failing!'], { counters: { commits: { latency: histogram, failures: 1, failing: 'no space left' } } }],
  [['low!'], { counters: { store: { ...counters.store, isLow: true } } }],
  [['damaged!'], { counters: { store: { ...counters.store, damagedRecords: 1 } } }],
  [['internal!'], { counters: { plain: { internalErrors: 1 } } }],
  [['waiting'], { broker: { waiting: { bytes: 81, most: 100 } } }],
  [['certificate'], { broker: { tlsExpiresAt: '2026-12-05T00:00:00Z' } }],
  [['expired!'], { broker: { tlsExpiresAt: '2026-11-29T00:00:00Z' } }],
  [[], { broker: { tlsExpiresAt: '2027-06-01T00:00:00Z' } }],
  [['bridge cloud'], { broker: { unreached: [unreached('2026-11-30T11:58:00Z')] } }],
  [[], { broker: { unreached: [unreached('2026-11-30T11:59:55Z')] } }], // it has just been lost
])('%j', (ids, more) => {
  expect(told(look(now, more))).toEqual(ids)
})

const node = (name: string, role: string, more: object = {}): ClusterNode => ({
  node: name,
  role,
  behindFrames: 0,
  behindBytes: 0,
  version: '1',
  address: null,
  console: null,
  problem: null,
  toldAt: '2026-11-30T11:59:58Z',
  ...more,
})

test.each<[string[], Partial<ClusterFacts>]>([
  [[], {}],
  [['silent!'], { held: 'silent', silentSeconds: 20 }],
  [['full!'], { held: 'full' }],
  [['diverged b!', 'no-heir'], { nodes: [node('a', 'owner'), node('b', 'diverged')] }],
  [['behind b'], { nodes: [node('a', 'owner'), node('b', 'following', { behindFrames: 20_000 })] }],
  [['no-heir'], { nodes: [node('a', 'owner'), node('b', 'following', { toldAt: '2026-11-30T11:00:00Z' })] }],
])('of a cluster: %j', (ids, more) => {
  const cluster = { held: null, nodes: [node('a', 'owner'), node('b', 'following')], ...more } as ClusterFacts
  expect(told({ ...look(now), cluster })).toEqual(ids)
})

test('of drops, refusals and a slow disk what was in the last minute', () => {
  const before = { dropped: { 'queue-full': 5 }, refused: { connections: 1 } }
  const slow = { failures: 0, failing: null, latency: { ...histogram, count: 10, sum: 9 } }
  expect(told(look(now - 90_000), look(now - 50_000, { counters: before }), look(now, { counters: before }))).toEqual(
    [],
  )
  const after = { dropped: { 'queue-full': 6 }, refused: { connections: 2 }, commits: slow }
  expect(told(look(now - 50_000, { counters: before }), look(now, { counters: after }))).toEqual([
    'dropping',
    'refusing',
    'slow',
  ])
})

test('of an event loop that has been late for half a minute, not of one that was late once', () => {
  const second = (at: number, eventLoopSeconds: number) => ({
    at: new Date(now + at * 1_000).toISOString(),
    eventLoopSeconds,
  })
  points.value = Array.from({ length: 30 }, (_, at) => second(at, at === 29 ? 2 : 0.01))
  expect(told(look(now))).toEqual([])
  points.value = Array.from({ length: 30 }, (_, at) => second(at, 0.5))
  expect(told(look(now))).toEqual(['late'])
  points.value = []
})
