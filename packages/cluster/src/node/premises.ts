import type { Copy } from '@godwit/broker/store/lmdb'
import type { ReplicatedLog } from './replicated-log.js'

/** The copy of a node, as far as following the log goes. */
export type FollowingCopy = Pick<Copy, 'isEmpty' | 'position' | 'apply' | 'close'>

/** A broker that has taken up what the copy holds, and serves nobody yet. */
export interface LoadedBroker {
  /** The log is this node's: clients are let in. */
  serve(): Promise<void>
  /** Ends in order: clients are told, what was acknowledged is written. */
  stop(): Promise<void>
  /** Ends at once: another serves, or this one never will. */
  abandon(): Promise<void>
}

export interface SnapshotFile {
  readonly file: string
  /** Of the last frame that is in it for certain, on disk: what a copy has in memory may be further. */
  readonly sequence: number
  discard(): Promise<void>
}

/** Where a node has its copy, and what runs on it. */
export interface Premises {
  /** The copy, to follow with. Closed before a broker is loaded, or a snapshot is put in its place. */
  open(): Promise<FollowingCopy>
  load(log: ReplicatedLog): Promise<LoadedBroker>
  /** A file with all that the copy holds and how far it has come, at least to where it is now. */
  snapshot(): Promise<SnapshotFile>
  /** Puts a snapshot in the copy's place. */
  replace(fetch: (file: string) => Promise<void>): Promise<void>
  /** Keeps the copy aside, and begins with an empty one. */
  setAside(): Promise<string>
}
