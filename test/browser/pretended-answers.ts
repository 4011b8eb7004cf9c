// A broker whose API says that it is a node of a cluster, or has bridges: what the console makes of it is seen without all those servers.
import type { Page } from 'playwright-core'
import type { Bridge, ClusterFacts, ClusterNode, Plugin } from '../../packages/console/src/page/answers.js'

export interface PretendedCluster {
  /** How often another node was to take over. */
  readonly handedOver: number
  /** From now on it is so. */
  is(facts: Partial<ClusterFacts>): void
  node(name: string, role: string, more?: Partial<ClusterNode>): ClusterNode
  /** From now on the server is that of b, which follows. */
  follows(): void
  /** From now on the server fails over it. */
  fails(): void
  end(): Promise<void>
}

const paths = {
  broker: '**/api/v1/broker',
  counters: '**/api/v1/counters',
  cluster: '**/api/v1/cluster',
  handover: '**/api/v1/cluster/handover',
}

/** @returns the cluster `plant`, of a that serves and b that follows. */
export async function pretendCluster(page: Page): Promise<PretendedCluster> {
  const node = (name: string, role: string, more: Partial<ClusterNode> = {}): ClusterNode => ({
    ...{ node: name, role, behindFrames: 0, behindBytes: 0, version: '0.1.0', problem: null },
    address: `${name}.plant:1884`,
    console: name === 'a' ? 'https://a.plant/' : null,
    toldAt: new Date().toISOString(),
    ...more,
  })
  const toldAt = new Date(Date.now() - 3_600_000).toISOString()
  let facts: ClusterFacts = {
    ...{ cluster: 'plant', node: 'a', role: 'owner', owner: 'a', epoch: 7 },
    ...{ frozen: false, held: null, silentSeconds: 0, problem: null },
    counters: { claims: 2, fenced: 1, framesWritten: 1_204_331, bytesWritten: 812_000_000 },
    log: { last: 4_812_220, bytes: 640_000_000, most: 4_294_967_296 },
    acknowledged: { half: 0.004, most: 0.02 },
    nodes: [
      node('a', 'owner'),
      node('b', 'following', { behindFrames: 3, behindBytes: 1_920 }),
      node('old', 'following', { behindFrames: 812_220, behindBytes: 540_000_000, toldAt }),
    ],
    snapshots: [{ frame: 4_800_000, bytes: 210_000_000, createdAt: new Date(Date.now() - 7_200_000).toISOString() }],
  }
  let handedOver = 0
  let [isFailing, isFollowing] = [false, false]
  const elsewhere = { detail: 'node b follows, and node a serves: ask it at https://a.plant/', code: 'not-serving' }
  await page.route(paths.counters, (route) =>
    isFollowing ? route.fulfill({ status: 503, json: elsewhere }) : route.continue(),
  )
  await page.route(paths.broker, async (route) => {
    if (isFollowing) return route.fulfill({ status: 503, json: elsewhere })
    const response = await route.fetch()
    await route.fulfill({ json: { ...(await response.json()), cluster: facts.cluster } })
  })
  await page.route(paths.cluster, (route) =>
    isFailing
      ? route.fulfill({ status: 500, json: { detail: 'the server failed over this request', code: 'failed' } })
      : route.fulfill({ json: facts }),
  )
  await page.route(paths.handover, async (route) => {
    handedOver++
    await route.fulfill({ status: 202, json: {} })
  })
  return {
    node,
    get handedOver() {
      return handedOver
    },
    is(more) {
      facts = { ...facts, ...more }
    },
    follows() {
      isFollowing = true
      facts = { ...facts, node: 'b', role: 'following' }
    },
    fails() {
      isFailing = true
    },
    async end() {
      for (const path of Object.values(paths)) await page.unroute(path)
    },
  }
}

/** A bridge that is connected, one that is not, and a plugin that cannot reach its database. */
export async function pretendConnections(page: Page): Promise<{ end(): Promise<void> }> {
  const ago = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString()
  const away: Bridge = {
    ...{ name: 'site-2', connected: false, since: ago(200), server: null, version: null },
    ...{ problem: 'connect ECONNREFUSED 10.0.3.7:8883', queued: 1_322 },
    ...{ out: 20_411, in: 0, connections: 4, lostSessions: 0, dropped: { expired: 2, 'too-large': 0, loop: 1 } },
  }
  const cloud: Bridge = {
    ...away,
    ...{ name: 'cloud', connected: true, since: ago(90_000), server: 'mqtts://broker.example:8883', version: '5.0' },
    ...{ problem: null, queued: 2, out: 1_204_331, in: 412, dropped: {} },
  }
  const influx: Plugin = {
    ...{ name: 'influx', module: '@godwit/plugin-influx', since: ago(90_000), authenticates: false },
    counts: { written: 88_120, batches: 412, failed: 7, refused: 0 },
    outlets: [
      {
        ...{ clientId: 'plugin-influx', problem: 'connect ECONNREFUSED 127.0.0.1:8086', since: ago(65) },
        ...{ queued: 3_910, written: 88_120, failed: 7, refused: 0 },
      },
    ],
  }
  const rules: Plugin = { ...influx, name: 'house-rules', module: './house-rules.mjs', counts: {}, outlets: [] }
  const answers = {
    '**/api/v1/bridges': { bridges: [cloud, away] },
    '**/api/v1/plugins': { plugins: [{ ...rules, authenticates: true }, influx] },
  }
  for (const [path, json] of Object.entries(answers)) await page.route(path, (route) => route.fulfill({ json }))
  return {
    async end() {
      for (const path of Object.keys(answers)) await page.unroute(path)
    },
  }
}
