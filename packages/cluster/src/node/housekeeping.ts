import type { Clock } from '@godwit/broker'
import { type LogServer, LogSilent, type LogState, type NodeNote, type SnapshotNote } from '../log/log-server.js'
import { pause } from '../pause.js'
import type { NodeVoice } from './node-voice.js'
import type { Premises } from './premises.js'

export interface HousekeepingSettings {
  /** How often it is looked whether there is something to do, in ms. Default 5,000. */
  readonly everyMs: number
  /** Frames after which another snapshot is made. Default 200,000. */
  readonly snapshotEveryFrames: number
  /** Bytes of the log after which another is made, if that is less than a quarter of what the stream takes. Default 1 GiB. */
  readonly snapshotEveryBytes: number
}

export interface HousekeepingParts {
  readonly server: LogServer
  readonly premises: Premises
  readonly clock: Clock
  readonly settings: Partial<HousekeepingSettings>
  /** Told how full the log is. */
  readonly onState?: (state: LogState) => void
}

/** Others tell of themselves more often than that, or are not there, in ms. */
const presentMs = 30_000
/** Snapshots that are kept: should the newer one not be readable, there is another, and the log from there on. */
const kept = 2

/** Keeps the log short: snapshots, made by a replica where there is one, and what is before the older of two goes. */
export class Housekeeping {
  /** How often, in a row, another node had told of itself under this one's name. */
  othersWithName = 0
  /** The other nodes that are there, as they told last. */
  others: readonly NodeNote[] = []
  #telling: Promise<void> = Promise.resolve()
  protected readonly parts: HousekeepingParts

  constructor(parts: HousekeepingParts) {
    this.parts = parts
  }

  /** Looks again and again until this node ends; what fails is told. @param own what this node tells of itself, then. */
  async run(own: () => NodeNote, voice: NodeVoice, isClosing: () => boolean): Promise<void> {
    while (!isClosing()) {
      try {
        await this.look(own())
        if (this.othersWithName > 1) {
          const name = JSON.stringify(own().node)
          voice.tell(`another node calls itself ${name}: give one of them another name (cluster.node)`)
        }
      } catch (error) {
        if (!(error instanceof LogSilent)) voice.say('warn', `the cluster: ${(error as Error).message}`)
      }
      await pause(this.parts.clock, this.parts.settings.everyMs ?? 5_000)
    }
  }

  /** @param own what this node tells of itself. @throws LogSilent, or why there is no snapshot. */
  async look(own: NodeNote): Promise<void> {
    const { server } = this.parts
    await this.tell(own)
    await this.seek(own)
    if (own.role !== 'owner' && own.role !== 'following') return
    const [state, snapshots] = [await server.state(), await server.snapshots()]
    this.parts.onState?.(state)
    if (this.#isDue(own, state, snapshots[0]) && this.#isOurs(own)) await this.make()
    await this.#tidy(await server.snapshots())
  }

  /** Which others are there now. @throws LogSilent */
  async seek(own: NodeNote): Promise<void> {
    this.others = othersIn(await this.parts.server.notes(), own)
  }

  #isDue({ applied }: NodeNote, { first, last, bytes, maxBytes }: LogState, newest: SnapshotNote | undefined): boolean {
    const { snapshotEveryFrames = 200_000, snapshotEveryBytes = 1_073_741_824 } = this.parts.settings
    const since = applied - (newest?.sequence ?? first - 1)
    if (since <= 0 || applied > last) return false // ahead of the log: it has lost what it had
    const most = maxBytes > 0 ? Math.min(snapshotEveryBytes, maxBytes / 4) : snapshotEveryBytes
    const bytesSince = (bytes * since) / Math.max(1, last - first + 1)
    return since >= snapshotEveryFrames || bytesSince >= most
  }

  /** A replica makes it; the owner only where there is none. */
  #isOurs(own: NodeNote): boolean {
    return own.role === 'following' || !this.others.some(({ role }) => role === 'following')
  }

  /** Tells the others of this node. @throws LogSilent */
  tell(own: NodeNote): Promise<void> {
    const telling = async (): Promise<void> => {
      this.othersWithName = (await this.parts.server.note(own)) ? 0 : this.othersWithName + 1
    }
    this.#telling = this.#telling.then(telling, telling)
    return this.#telling
  }

  /** Makes a snapshot. */
  async make(): Promise<void> {
    const { server, premises } = this.parts
    const snapshot = await premises.snapshot()
    try {
      await server.putSnapshot(snapshot.file, snapshot.sequence)
    } finally {
      await snapshot.discard()
    }
  }

  async #tidy(snapshots: readonly SnapshotNote[]): Promise<void> {
    const { server } = this.parts
    const before = await this.trimPoint(snapshots)
    if (before !== undefined && (await server.state()).first < before) await server.trim(before)
    for (const old of snapshots.slice(kept)) await server.deleteSnapshot(old)
  }

  /** What is before this frame goes; that one stays, for a copy from there looks for it. */
  protected async trimPoint(snapshots: readonly SnapshotNote[]): Promise<number | undefined> {
    return snapshots[kept - 1]?.sequence
  }
}

/** Of what nodes have told, what is new and of another. */
export function othersIn(notes: readonly NodeNote[], { node, at }: Pick<NodeNote, 'node' | 'at'>): readonly NodeNote[] {
  return notes.filter((note) => note.node !== node && at - note.at < presentMs)
}
