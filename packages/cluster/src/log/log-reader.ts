import type { Write } from '@godwit/broker/store/lmdb'
import { decodeFrame, type Frame, isLastPart } from '../frame/frame.js'
import { decodeWrites } from '../frame/writes.js'
import type { StoredFrame } from './log-server.js'
import { isSamePlace, type Position, positionOf } from './position.js'

/** This copy and the log have parted: it must not be followed any further. A person decides what becomes of it. */
export class Diverged extends Error {}

/** The log does not reach back to where this copy is. */
export class Trimmed extends Error {}

/** The log begins anew with data that a person has brought in: what this copy has beside it is given up, and kept aside. */
export class BegunAnew extends Trimmed {
  constructor(sequence: number) {
    super(`the log begins anew at frame ${sequence}, with data that was brought in`)
  }
}

/** What a copy takes up in one step: a frame, or all parts of one commit together. */
export interface Entry {
  readonly frame: Frame
  readonly writes: readonly Write[]
  /** How far a copy has come once it has taken this up. */
  readonly position: Position
}

/**
 * Looks at each frame before it gets into a copy: it must follow on the one before it and be of the epoch that is current. The first it
 * is shown is the one that the copy has already, and must be that one.
 */
export class LogReader {
  /** The last entry that was given out, or the copy's. */
  #position: Position | undefined
  /** Sequence of the last frame seen, parts included. */
  #previous: number
  #isKnown: boolean
  /** Parts of a commit that is not whole yet. */
  #run: Frame[] = []

  /** @param position of the copy; `undefined`: it is empty. */
  constructor(position: Position | undefined) {
    this.#position = position
    this.#previous = position?.sequence ?? 0
    this.#isKnown = position === undefined
  }

  get position(): Position | undefined {
    return this.#position
  }

  /** The sequence of the last frame it was shown: parts of what is not whole included. */
  get seen(): number {
    return this.#previous
  }

  /** The sequence to read from. */
  get from(): number {
    return this.#position?.sequence ?? 1
  }

  /**
   * Takes the next frame; answers what is whole with it.
   * @throws Diverged, Trimmed, NewerFrame
   */
  take({ sequence, bytes }: StoredFrame): Entry | undefined {
    const frame = this.decoded(sequence, bytes)
    const position = positionOf(sequence, frame, bytes, this.#position)
    const begins = position.owner.imported && frame.kind === 'claim'
    if (!this.#isKnown && begins && sequence > this.#position!.sequence) throw new BegunAnew(sequence)
    if (!this.#isKnown) return this.#recognise(position)
    this.ensureFollows(sequence, frame)
    if (begins && this.#position) throw new BegunAnew(sequence)
    if (begins) throw new Trimmed('the log begins with data that was brought in')
    this.#previous = sequence
    const run = this.gather(frame)
    if (!run) return undefined
    this.#position = position
    const writes = frame.kind === 'commit' ? decodeWrites(run.map(({ body }) => body)) : []
    return { frame, writes, position }
  }

  /** All parts of what is whole with this frame. What an owner left unfinished ends with the next one's claim. */
  protected gather(frame: Frame): readonly Frame[] | undefined {
    this.#run = frame.part === 0 ? [frame] : [...this.#run, frame]
    if (!isLastPart(frame)) return undefined
    const run = this.#run
    this.#run = []
    return run
  }

  /** @throws Diverged, NewerFrame */
  protected decoded(_sequence: number, bytes: Uint8Array): Frame {
    return decodeFrame(bytes)
  }

  /** The first frame that is shown must be the last one that the copy has. */
  #recognise(found: Position): undefined {
    const position = this.#position!
    if (found.sequence > position.sequence) {
      throw new Trimmed(`the log begins at ${found.sequence}, and this copy ends at ${position.sequence}`)
    }
    this.ensureSame(position, found)
    this.#isKnown = true
  }

  /** @throws Diverged */
  protected ensureSame(position: Position, found: Position): void {
    if (isSamePlace(position, found)) return
    throw new Diverged(`frame ${position.sequence} of the log is not the one this copy has`)
  }

  /** @throws Diverged, Trimmed */
  protected ensureFollows(sequence: number, { kind, epoch, instance, commit, after, part }: Frame): void {
    const previous = this.#previous
    if (this.#position === undefined && previous === 0 && sequence > 1) {
      throw new Trimmed(`the log begins at ${sequence}, and this copy is empty`)
    }
    if (after !== previous)
      throw new Diverged(`frame ${sequence} follows on ${after}, and this copy has come to ${previous}`)
    const begun = this.#run.at(-1)
    const current = begun ?? this.#position
    const isInOrder =
      kind === 'claim'
        ? epoch > (current?.epoch ?? 0)
        : current !== undefined && epoch === current.epoch && instance === current.instance
    if (!isInOrder) {
      throw new Diverged(`frame ${sequence} is of epoch ${epoch}, and ${current?.epoch ?? 'none'} is current`)
    }
    if (part > 0 && !(begun?.commit === commit && begun.part === part - 1)) {
      throw new Diverged(`frame ${sequence} is part ${part} of what has not begun`)
    }
  }
}
