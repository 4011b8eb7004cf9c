import type { OwnerNote } from '../log/position.js'

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
