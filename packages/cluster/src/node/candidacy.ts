import type { Clock } from '@godwit/broker'
import type { NodeNote } from '../log/log-server.js'
import type { Position } from '../log/position.js'
import type { Follower } from './follower.js'
import type { Lease } from './lease.js'
import type { NodeVoice } from './node-voice.js'

/** A node whose wall clock is further from the last owner's does not claim, in ms: what expires would go by another clock. */
const mostSkewMs = 5_000
/** For so long a node that is not preferred lets one that is claim first, in ms. */
const courtesyMs = 300
/** For so long all others let the node claim first that the owner has named, in ms. */
const heirMs = 1_500
/** So often a claim that a person wants is tried against an owner that lives, and writes before each. */
const mostRefusals = 10

interface CandidacyParts {
  readonly node: string
  readonly preferred: boolean
  readonly clock: Clock
  readonly voice: NodeVoice
  /** The other nodes that are there. */
  readonly others: () => readonly NodeNote[]
  /** Another node calls itself as this one does. */
  readonly isNameTaken: () => boolean
}

/** When a node that follows may claim the log, and when its turn has come. */
export class Candidacy {
  /** Automatic fail-over is off. */
  isFrozen = false
  #isForced = false
  #refusals = 0
  readonly #parts: CandidacyParts
  /** Until then, on the monotonic clock, others claim first: this node has just let go. */
  #restsUntil = Number.NEGATIVE_INFINITY
  #readySince: number | undefined

  constructor(parts: CandidacyParts) {
    this.#parts = parts
  }

  /** A person wants this node to claim, whatever clocks and the freeze say. */
  force(): void {
    this.#isForced = true
    this.#refusals = 0
  }

  /** Another has written before the claim did. What a person wants is tried again. */
  refused(): void {
    if (!this.#isForced || ++this.#refusals < mostRefusals) return
    this.#isForced = false
    this.#parts.voice.say(
      'warn',
      'the log was not claimed: its owner lives, and writes all the time; have it hand over instead',
    )
  }

  /** The log is claimed. */
  succeeded(): void {
    this.#isForced = false
  }

  /** This node has let go: for so long it lets others claim. */
  rest(ms: number): void {
    this.#restsUntil = this.#parts.clock.monotonic() + ms
  }

  /** The node follows the log anew: it is not known any more whether it may claim. */
  restart(): void {
    this.#readySince = undefined
  }

  /** Whether this node may claim: its copy has all of the log, and nobody writes it. */
  isDue(follower: Follower, lease: Lease, now: number): boolean {
    if (!follower.isCaughtUp || this.#parts.isNameTaken()) return false
    if (this.#isForced) return true
    if (!lease.isAnswered(now)) return false // a process that stood still knows what was so before, of a log that was let go too
    if (!this.#isFree(follower.applied, now) && !lease.isOver(now)) return false
    return !this.isFrozen && this.#areClocksRight(follower)
  }

  /** Whether the log was let go, and not by this node just now; or to this node. */
  #isFree(applied: Position | undefined, now: number): boolean {
    if (applied === undefined) return now >= this.#restsUntil
    return applied.released && (applied.heir === this.#parts.node || now >= this.#restsUntil)
  }

  /** @param isDue whether it may; asked again and again. */
  isItsTurn(isDue: boolean, applied: Position | undefined, now: number): boolean {
    this.#readySince = isDue ? (this.#readySince ?? now) : undefined
    return this.#readySince !== undefined && (this.#isForced || now - this.#readySince >= this.#courtesyMs(applied))
  }

  /** For how long this node lets others come first. */
  #courtesyMs(applied: Position | undefined): number {
    const { node, preferred, others } = this.#parts
    const { heir } = applied ?? {}
    if (heir !== undefined) return heir === node ? 0 : heirMs
    return preferred || !others().some((other) => other.preferred) ? 0 : courtesyMs
  }

  #areClocksRight({ skewMs, applied }: Follower): boolean {
    const { clock, voice } = this.#parts
    const ahead = (applied?.wall ?? 0) - clock.now()
    const apart = Math.max(Math.abs(skewMs ?? 0), ahead)
    if (apart <= mostSkewMs) return true
    voice.tell(
      `this machine's clock and the last owner's are ${Math.round(apart / 1000)} s apart: it claims nothing until they are set right`,
    )
    return false
  }
}
