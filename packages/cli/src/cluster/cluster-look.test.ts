import type { LogState, NodeNote, NodeStatus, SnapshotNote } from '@godwit/cluster'
import { LogSilent } from '@godwit/cluster'
import { describe, expect, it } from 'vitest'
import { EventLoopDelay } from '../monitoring/event-loop-delay.js'
import { ClusterLook } from './cluster-look.js'
import { shownOfNode } from './cluster-pages.js'
import { clusterTopics } from './cluster-topics.js'

const note = (node: string, role: string, applied: number, at = Date.now()): NodeNote => ({
  ...{ node, role, applied, at },
  ...{ epoch: 3, version: '1.0.0', frameVersion: 1, preferred: false },
})
const own: NodeStatus = {
  node: 'a',
  role: 'owner',
  epoch: 3,
  owner: { node: 'a' },
  applied: 1_100,
  last: 1_100,
  frozen: false,
  preferred: false,
  silentMs: 0,
  isFull: false,
  counters: {
    ...{ framesWritten: 5, bytesWritten: 500, framesRead: 0, bytesRead: 0 },
    ...{ claims: 1, fenced: 2, diverged: 0 },
  },
}

/** Node a, and what the servers say when they are asked. */
class Stage {
  notes: readonly NodeNote[] = [note('a', 'starting', 0), note('b', 'following', 1_000)]
  state: LogState = { first: 101, last: 1_100, bytes: 200_000, maxBytes: 0 }
  snapshots: readonly SnapshotNote[] = []
  status: NodeStatus = own
  isSilent = false
  readonly #answer = async <T>(found: T): Promise<T> => {
    if (this.isSilent) throw new LogSilent('nobody answers')
    return found
  }
  readonly look: ClusterLook

  constructor() {
    const stage = this
    this.look = new ClusterLook({
      name: 'plant',
      server: {
        notes: () => this.#answer(this.notes),
        state: () => this.#answer(this.state),
        snapshots: () => this.#answer(this.snapshots),
      },
      node: {
        get status() {
          return stage.status
        },
        note: () => note('a', stage.status.role, stage.status.applied),
      },
    })
  }

  get metrics(): Promise<string> {
    const node = { status: this.status }
    const delay = new EventLoopDelay()
    const nobody = () => undefined
    return shownOfNode({ node, holdMs: 1, broker: nobody, serving: nobody, edge: undefined, look: this.look, delay })
      .text()
      .finally(() => delay.stop())
  }
}

describe('what a node knows of its cluster', () => {
  it('is itself as it is now, and the others as they told: how far behind, in bytes by the mean of the frames', async () => {
    const stage = new Stage()
    await stage.look.look()
    const { nodes, log, owner } = stage.look.view
    expect([owner, log.last, log.most]).toEqual(['a', 1_100, null])
    expect(nodes.map(({ node, role, behindFrames, behindBytes }) => [node, role, behindFrames, behindBytes])).toEqual([
      ['a', 'owner', 0, 0],
      ['b', 'following', 100, 20_000],
    ])
  })

  it('stays while nobody answers, and says that nothing is acknowledged', async () => {
    const stage = new Stage()
    await stage.look.look()
    stage.isSilent = true
    stage.status = { ...own, silentMs: 1_500 }
    await stage.look.look()
    const { held, silentSeconds, nodes } = stage.look.view
    expect([held, silentSeconds, nodes.length]).toEqual(['silent', 1.5, 2])
    stage.status = { ...own, isFull: true }
    expect(stage.look.view.held).toBe('full')
  })

  it('has snapshots, looked at seldom unless they are asked for', async () => {
    const stage = new Stage()
    await stage.look.look()
    stage.snapshots = [{ name: 's', sequence: 900, bytes: 7, createdAt: '' }]
    await stage.look.look()
    expect(stage.look.view.snapshots).toEqual([])
    await stage.look.look(true)
    expect(stage.look.view.snapshots).toEqual([{ frame: 900, bytes: 7, createdAt: null }])
  })

  it('is in the metrics, without nodes that were taken out of the cluster', async () => {
    const stage = new Stage()
    stage.notes = [...stage.notes, note('old', 'following', 3, Date.now() - 3_600_000)]
    await stage.look.look()
    const text = await stage.metrics
    for (const line of [
      'godwit_cluster_role{role="owner"} 1',
      'godwit_cluster_role{role="following"} 0',
      'godwit_cluster_lag_frames{node="b"} 100',
      'godwit_cluster_lag_bytes{node="b"} 20000',
      'godwit_cluster_held 0',
      'godwit_cluster_fenced_total 2',
      'godwit_cluster_log_bytes 200000',
    ])
      expect(text.split('\n')).toContain(line)
    expect(text).not.toContain('node="old"')
    expect(stage.look.view.nodes.map(({ node }) => node)).toContain('old')
  })

  it('is told under $SYS', async () => {
    const stage = new Stage()
    await stage.look.look()
    expect(clusterTopics(stage.look.view)).toEqual({
      'cluster/name': 'plant',
      'cluster/owner': 'a',
      'cluster/epoch': 3,
      'cluster/held': 'no',
      'cluster/fenced': 2,
      'cluster/log/bytes': 200_000,
      'cluster/nodes/a/role': 'owner',
      'cluster/nodes/a/behind/frames': 0,
      'cluster/nodes/a/behind/bytes': 0,
      'cluster/nodes/b/role': 'following',
      'cluster/nodes/b/behind/frames': 100,
      'cluster/nodes/b/behind/bytes': 20_000,
    })
  })
})
