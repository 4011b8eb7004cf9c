import { version } from '@godwit/broker'
import { frameVersion } from '../frame/frame.js'
import type { NodeNote } from '../log/log-server.js'
import type { LogWriter } from '../log/log-writer.js'
import type { OwnerNote, Position } from '../log/position.js'
import type { Follower } from './follower.js'
import type { ReplicatedLog } from './replicated-log.js'

/**
 * What a node does: reads the log (`following`), takes up its copy to claim the log (`claiming`), serves (`owner`), or has a copy that
 * has parted from the log (`diverged`), until a person decides.
 */
export type NodeRole = 'starting' | 'following' | 'claiming' | 'owner' | 'diverged' | 'closed'

/** A node as it is now. */
export interface NodeStatus {
  readonly node: string
  readonly role: NodeRole
  readonly epoch: number
  /** Who owns the log, as far as this node has read; left out: nobody has yet. */
  readonly owner?: OwnerNote
  /** The last frame in its copy. */
  readonly applied: number
  /** When that was written, by the wall clock of who wrote it, in ms since 1970; left out: there is none. */
  readonly appliedAt?: number
  /** The last frame of the log, as its leader said last; left out: it has not. */
  readonly last?: number
  readonly frozen: boolean
  readonly preferred: boolean
  /** How long no frame of this owner has been answered, in ms; 0: all is well. */
  readonly silentMs: number
  /** The log has no room for commits: nothing is acknowledged until it is trimmed. */
  readonly isFull: boolean
  /** What hinders it, in words. */
  readonly problem?: string
  /** Counters since the start. */
  readonly counters: NodeCounters
}

export interface NodeCounters {
  /** Frames written as owner, and read as replica; their bytes. */
  framesWritten: number
  bytesWritten: number
  framesRead: number
  bytesRead: number
  /** Times that it has become owner, was replaced, and has parted from the log. */
  claims: number
  fenced: number
  diverged: number
}

/** What a node knows of itself: it follows, or it writes, or neither yet. */
interface Known extends Pick<NodeStatus, 'node' | 'role' | 'frozen' | 'preferred' | 'isFull' | 'counters'> {
  readonly problem: string | undefined
  /** Of its copy, when that was opened. */
  readonly position: Position | undefined
  readonly follower: Pick<Follower, 'applied' | 'last' | 'frames' | 'bytes'> | undefined
  readonly ownLog: Pick<ReplicatedLog, 'applied' | 'isSettled'> | undefined
  readonly writer: Pick<LogWriter, 'written' | 'silentSince'> | undefined
}

/** @param now on the monotonic clock, in ms. */
export function statusOf({ position: opened, follower, ownLog, writer, ...known }: Known, now: number): NodeStatus {
  const position = follower?.applied ?? later(ownLog?.applied, opened)
  const written = ownLog?.isSettled ? writer?.written : undefined // heartbeats are in no table
  const last = follower?.last ?? writer?.written
  const owner = position?.owner.node ? position.owner : undefined
  const { node, role, frozen, preferred, isFull, problem, counters } = known
  return {
    ...{ node, role, frozen, preferred, isFull },
    epoch: position?.epoch ?? 0,
    ...(owner && { owner }),
    applied: written ?? position?.sequence ?? 0,
    ...(position && { appliedAt: position.wall }),
    ...(last !== undefined && { last }),
    silentMs: writer?.silentSince === undefined ? 0 : Math.max(1, now - writer.silentSince),
    ...(problem !== undefined && { problem }),
    counters: {
      ...counters,
      framesRead: counters.framesRead + (follower?.frames ?? 0),
      bytesRead: counters.bytesRead + (follower?.bytes ?? 0),
    },
  }
}

/** An owner's claim is in no table, and what is in them may be older. */
function later(one: Position | undefined, other: Position | undefined): Position | undefined {
  return (one?.sequence ?? 0) > (other?.sequence ?? 0) ? one : other
}

/**
 * What a node tells the others of itself.
 * @param at epoch ms.
 */
export function noteOf(
  { node, role, epoch, applied, preferred, frozen, problem }: NodeStatus,
  { address, console }: { readonly address?: string | undefined; readonly console?: string | undefined },
  at: number,
): NodeNote {
  return {
    ...{ node, role, epoch, applied, version, frameVersion, preferred, at },
    ...(frozen && { frozen }),
    ...(address !== undefined && { address }),
    ...(console !== undefined && { console }),
    ...(problem !== undefined && { problem }),
  }
}

/** Roles in which a node has a copy that is good, as far as it knows. */
const good: ReadonlySet<string> = new Set<NodeRole>(['following', 'claiming', 'owner'])

/** Whether a node has told that it has a copy that it uses, and that nothing hinders it. */
export function isWell({ role, problem }: Pick<NodeNote, 'role' | 'problem'>): boolean {
  return good.has(role) && problem === undefined
}

export const roleInWords: Readonly<Record<Exclude<NodeRole, 'closed'>, string>> = {
  starting: 'starting',
  following: 'following',
  claiming: 'claiming the log',
  owner: 'the owner: it serves',
  diverged: 'parted from the log; see "godwit cluster recover"',
}
