import { reason } from '@godwit/protocol'
import type { Drops } from '../drops.js'
import type { Owner } from '../faults.js'
import type { Services } from '../handlers/context.js'
import type { Limits } from '../limits.js'
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'
import type { Peer } from '../transport/transport.js'

export const tooMuchWaits = 'too many bytes are waiting for authentication'

/** A transport whose client has not been let in yet: an arrival, later the connection. */
export interface OnProbation extends Owner {
  /** Ends in order. */
  end(why: string, reasonCode?: number): void
}

export interface ProbationParts {
  readonly services: Pick<Services, 'limits' | 'metrics'>
  readonly wheel: TimerWheel
  readonly unauthenticated: UnauthenticatedBytes
  /** All that are on probation. */
  readonly arriving: Set<OnProbation>
}

/** The time and the room that a connection has from its first byte until its client is in. */
export class Probation implements OnProbation {
  readonly clientId = undefined
  readonly peer: Peer
  readonly #parts: ProbationParts
  #who: OnProbation
  #isConnect = false
  #timer: WheelTimer
  /** Made when somebody is asked who the client is. */
  #gone: AbortController | undefined

  constructor(peer: Peer, parts: ProbationParts, who: OnProbation) {
    this.peer = peer
    this.#parts = parts
    this.#who = who
    const { wheel, services } = parts
    const { connectTimeoutMs } = services.limits
    const pausedBefore = wheel.pausedMs
    const onFirstDue = (): void => {
      // Time in which the broker did not run is given back: hooks have not run either.
      const lostMs = Math.min(wheel.pausedMs - pausedBefore, connectTimeoutMs)
      if (lostMs > 0) this.#timer = wheel.after(lostMs, () => this.#onDue(), this)
      else this.#onDue()
    }
    this.#timer = wheel.after(connectTimeoutMs, onFirstDue, this)
    parts.arriving.add(this)
  }

  #onDue(): void {
    this.#parts.services.metrics.connectTimeouts++
    this.end(this.#isConnect ? 'not authenticated in time' : 'no CONNECT in time', reason.unspecifiedError)
  }

  /** CONNECT is whole: it is the connection's from here on. */
  passTo(who: OnProbation): void {
    this.#who = who
    this.#isConnect = true
  }

  end(why: string, reasonCode?: number): void {
    this.#who.end(why, reasonCode)
  }

  onFault(): void {
    this.#who.onFault()
  }

  /** Notes how many of its bytes wait in memory. False: that is more than it may have, or than there is room for. */
  charge(bytes: number, most?: number): boolean {
    return this.#parts.unauthenticated.charge(this, bytes, most)
  }

  /** Aborted when the connection goes before the client is in. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController()
    return this.#gone.signal
  }

  /** The client was let in: it is on probation no more. */
  pass(): void {
    this.#timer.cancel()
    this.#parts.unauthenticated.release(this)
    this.#parts.arriving.delete(this)
  }

  /** The connection has ended before a client was let in. */
  fail(): void {
    this.pass()
    this.#gone?.abort()
  }
}

/**
 * Whether a connection without a client that ended so is worth no line at the usual level: `drops.ts` has told of the
 * refused, and whoever looks whether the port is open says nothing, and may leave by a reset.
 * @param error of the transport, if there was one.
 */
export function isUneventful(ending: string, error?: NodeJS.ErrnoException): boolean {
  if (error) return networkFailures.includes(error.code ?? '')
  return ending === 'connection refused' || ending === 'connection closed by the client'
}

/** Error codes of the network: they say nothing of what the other side did. */
const networkFailures = ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN']

/** Who is charged for bytes. */
interface Newcomer {
  readonly peer: { readonly address: string }
}

/** Bytes that wait for connections that have not shown who they are, all together bounded. */
export class UnauthenticatedBytes {
  readonly #limits: Pick<Limits, 'maxUnauthenticatedBytes'>
  readonly #drops: Pick<Drops, 'refused'>
  readonly #charged = new Map<Newcomer, number>()
  #bytes = 0

  constructor(limits: Pick<Limits, 'maxUnauthenticatedBytes'>, drops: Pick<Drops, 'refused'>) {
    this.#limits = limits
    this.#drops = drops
  }

  /**
   * Notes what has come over a connection and waits. False: that is more than there is room for, or than it may; it is counted as refused.
   */
  charge(connection: Newcomer, bytes: number, most: number = Number.POSITIVE_INFINITY): boolean {
    this.#bytes += bytes - (this.#charged.get(connection) ?? 0)
    if (bytes === 0) this.#charged.delete(connection)
    else this.#charged.set(connection, bytes)
    if (bytes <= most && this.#bytes <= this.#limits.maxUnauthenticatedBytes) return true
    this.#drops.refused('unauthenticated-bytes', connection.peer.address)
    return false
  }

  release(connection: Newcomer): void {
    this.#bytes -= this.#charged.get(connection) ?? 0
    this.#charged.delete(connection)
  }
}
