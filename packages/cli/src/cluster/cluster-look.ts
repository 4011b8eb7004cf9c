import type { ClusterNodeView, ClusterView } from '@godwit/admin/parts'
import {
  type ClusterNode,
  type LogServer,
  LogSilent,
  type LogState,
  type NodeNote,
  type SnapshotNote,
} from '@godwit/cluster'

interface ClusterLookParts {
  /** Of the cluster. */
  readonly name: string
  readonly server: Pick<LogServer, 'notes' | 'state' | 'snapshots'>
  readonly node: Pick<ClusterNode, 'status' | 'note'>
}

/** As often as nodes tell of themselves. */
const everyMs = 5_000
/** Snapshots are made seldom, and a list of them costs the servers more. */
const snapshotsEveryMs = 60_000
/** Nodes that have not told of themselves for so long are not there. */
const presentMs = 60_000

/**
 * What a node knows of its cluster: of itself as it is now, of the others and of the log as they were when it looked last. What is
 * shown of a cluster, wherever, is made from this.
 */
export class ClusterLook {
  readonly #parts: ClusterLookParts
  #notes: readonly NodeNote[] = []
  #state: LogState | undefined
  #snapshots: readonly SnapshotNote[] = []
  #snapshotsAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ClusterLookParts) {
    this.#parts = parts
  }

  /** Looks, and again and again until it is closed. */
  start(): void {
    void this.look().finally(() => {
      this.#timer = setTimeout(() => this.start(), everyMs).unref()
    })
  }

  /** @param all snapshots too, however lately they were looked at. Where nobody answers, all stays as it was. */
  async look(all = false): Promise<void> {
    const { server } = this.#parts
    try {
      this.#notes = await server.notes()
      this.#state = await server.state()
      if (!all && performance.now() - this.#snapshotsAt < snapshotsEveryMs) return
      this.#snapshots = await server.snapshots()
      this.#snapshotsAt = performance.now()
    } catch (error) {
      if (!(error instanceof LogSilent)) throw error
    }
  }

  get view(): ClusterView {
    const { name, node } = this.#parts
    const own = node.note()
    const { status } = node
    const { role, epoch, owner, frozen, silentMs, isFull, problem, counters } = status
    const others = this.#notes.filter((note) => note.node !== own.node)
    const notes = [...others, own].sort((one, other) => (one.node < other.node ? -1 : 1))
    const { first = 1, last: told = 0, bytes = 0, maxBytes = 0 } = this.#state ?? {}
    const last = Math.max(status.last ?? told, ...notes.map(({ applied }) => applied))
    const frameBytes = bytes / Math.max(1, told - first + 1)
    return {
      cluster: name,
      node: own.node,
      role,
      epoch,
      owner: owner?.node ?? null,
      frozen,
      held: silentMs > 0 ? 'silent' : isFull ? 'full' : null,
      silentSeconds: silentMs / 1_000,
      problem: problem ?? null,
      counters: { ...counters },
      log: { last, bytes, most: maxBytes > 0 ? maxBytes : null },
      nodes: notes.map((note) => shownOf(note, last, frameBytes)),
      snapshots: this.#snapshots.map(({ sequence, bytes: size, createdAt }) => ({
        frame: sequence,
        bytes: size,
        createdAt: createdAt || null,
      })),
    }
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}

function shownOf(note: NodeNote, last: number, frameBytes: number): ClusterNodeView {
  const { node, role, epoch, applied, version, preferred, at } = note
  const { address = null, console = null, problem = null } = note
  const behindFrames = Math.max(0, last - applied)
  return {
    ...{ node, role, epoch, applied, version, address, console, preferred, problem, behindFrames },
    behindBytes: Math.round(behindFrames * frameBytes),
    toldAt: new Date(at).toISOString(),
  }
}

/** Whether a node has told of itself lately, by the clock of whoever looks. One that was taken out of the cluster does so no more. */
export function isPresent({ toldAt }: ClusterNodeView, now: number = Date.now()): boolean {
  return now - Date.parse(toldAt) < presentMs
}
