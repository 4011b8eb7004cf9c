import type { Commit } from '../../commit.js'
import type { BodiesBuilder } from './bodies-record.js'
import type { GroupNumber, SessionNumber } from './keys.js'
import type { ShareBuilder, ShareReader } from './share-record.js'

/** What is known in memory of one share: until its commit is flushed, and while a connected session reads it. */
export class Share {
  readonly session: SessionNumber
  readonly first: number
  /** The commit that it is written by; of a share that an earlier process has written, 0. */
  readonly commit: Commit
  /** Numbers it covers, from the first. */
  count = 0
  /** Messages in it that are not done. */
  left = 0
  /** What is charged for it. */
  bytes = 0
  /** When something in it expires, in seconds; 0: nothing does. */
  due = 0
  groups: readonly GroupNumber[] = noGroups
  /** The record that an earlier commit has written, when this share goes on with that one. */
  onDisk: OnDisk | undefined
  /** What its commit will write; from then on it is read from the disk. */
  builder: ShareBuilder | undefined
  /** The bodies of the same commit. */
  bodies: BodiesBuilder | undefined
  /** As it was read from the disk, while that is remembered. */
  record: ShareReader | undefined
  /** Numbers that could not be read. */
  lost: Set<number> | undefined

  constructor(session: SessionNumber, first: number, commit: Commit) {
    this.session = session
    this.first = first
    this.commit = commit
  }

  /** The number behind its last. */
  get end(): number {
    return this.first + this.count
  }
}

const noGroups: readonly GroupNumber[] = []

/** A share as it was when it was opened again. */
interface OnDisk {
  /** The number behind its last. */
  readonly end: number
  readonly messages: number
  readonly bytes: number
  readonly due: number
}

/** The last share of a session that holds none in memory. */
export interface Tail {
  readonly first: number
  /** The number behind its last. */
  readonly end: number
  /** How large its record is, without table and trailer. */
  readonly size: number
  /** The commit that has written it last. */
  commit: Commit
}

/** What of a session's messages is not on disk: from which number on, and how much. */
export interface Unapplied {
  readonly first: number
  readonly messages: number
  readonly bytes: number
}

/** Size of a buffer that is cut into pieces for shares. */
const slabBytes = 262_144
/** Slabs kept to be used again: what two commits take. */
const mostSlabs = 16

/** Room that one commit took, to be given back when it is on disk. */
export interface Slabs {
  readonly taken: Uint8Array[]
  /** How far the last slab is given out. */
  end: number
}

/**
 * Gives out room for what a commit gathers, cut from large pieces: a buffer of its own for each share would cost more to make, and
 * to clear away, than to fill.
 */
export class SlabPool {
  readonly #free: Uint8Array[] = []

  /** For a commit that begins. */
  begin(): Slabs {
    return { taken: [], end: slabBytes }
  }

  take(slabs: Slabs, bytes: number): Uint8Array {
    if (bytes > slabBytes / 4) return new Uint8Array(bytes)
    if (slabs.end + bytes > slabBytes) {
      slabs.taken.push(this.#free.pop() ?? new Uint8Array(slabBytes))
      slabs.end = 0
    }
    const { end } = slabs
    slabs.end += bytes
    return slabs.taken[slabs.taken.length - 1]!.subarray(end, slabs.end)
  }

  /** The commit is on disk; what was read of it was copied. */
  giveBack(slabs: Slabs): void {
    for (const slab of slabs.taken) if (this.#free.length < mostSlabs) this.#free.push(slab)
  }
}
