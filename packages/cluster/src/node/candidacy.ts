import type { Clock } from '@godwit/broker'
import type { NodeNote } from '../log/log-server.js'
import type { Position } from '../log/position.js'
import type { Follower } from './follower.js'
import type { Lease } from './lease.js'
import type { NodeVoice } from './node-voice.js'

/** Wall clocks that are further apart let nobody claim: what expires would go by another clock, in ms. */
const mostSkewMs = 5_000
/** Who is not preferred lets who is come first, in ms. */
const courtesyMs = 300
/** Whom the owner has named comes first, in ms. */
const heirMs = 1_500

export interface CandidacyParts {
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
  /** A person wants it to, whatever clocks and the freeze say. */
  isForced = false
  readonly #parts: CandidacyParts
  /** It has just let go: somebody else comes first, on the monotonic clock. */
  #restsUntil = Number.NEGATIVE_INFINITY
  #readySince: number | undefined

  constructor(parts: CandidacyParts) {
    this.#parts = parts
  }

  /** Another should come first for so long. */
  rest(ms: number): void {
    this.#restsUntil = this.#parts.clock.monotonic() + ms
  }

  /** It follows anew. */
  restart(): void {
    this.#readySince = undefined
  }

  /** All there is is in this copy, and nobody writes. */
  isDue(follower: Follower, lease: Lease, now: number): boolean {
    if (!follower.isCaughtUp || this.#parts.isNameTaken()) return false
    if (this.isForced) return true
    const isFree = (follower.applied === undefined || follower.applied.released) && now >= this.#restsUntil
    if (!isFree && !lease.isOver(now)) return false
    return !this.isFrozen && this.#areClocksRight(follower)
  }

  /** @param isDue whether it may; asked again and again. */
  isItsTurn(isDue: boolean, applied: Position | undefined, now: number): boolean {
    this.#readySince = isDue ? (this.#readySince ?? now) : undefined
    return this.#readySince !== undefined && (this.isForced || now - this.#readySince >= this.#courtesyMs(applied))
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
