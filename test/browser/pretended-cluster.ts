// A broker whose API says that it is a node of a cluster: what the console makes of it is seen without three servers.
import type { Page } from 'playwright-core'
import type { ClusterFacts, ClusterNode } from '../../packages/console/src/page/answers.js'

export interface PretendedCluster {
  /** How often another node was to take over. */
  readonly handedOver: number
  /** From now on it is so. */
  is(facts: Partial<ClusterFacts>): void
  node(name: string, role: string, more?: Partial<ClusterNode>): ClusterNode
  /** From now on the server fails over it. */
  fails(): void
  end(): Promise<void>
}

const paths = { broker: '**/api/v1/broker', cluster: '**/api/v1/cluster', handover: '**/api/v1/cluster/handover' }

/** @returns the cluster `plant`, of a that serves and b that follows. */
export async function pretendCluster(page: Page): Promise<PretendedCluster> {
  const node = (name: string, role: string, more: Partial<ClusterNode> = {}): ClusterNode => ({
    ...{ node: name, role, behindFrames: 0, behindBytes: 0, version: '0.1.0', problem: null },
    address: `${name}.plant:1884`,
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
  let isFailing = false
  await page.route(paths.broker, async (route) => {
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
    fails() {
      isFailing = true
    },
    async end() {
      for (const path of Object.values(paths)) await page.unroute(path)
    },
  }
}
