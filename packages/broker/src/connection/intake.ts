import { type Packet, type ProtocolVersion, reason } from '@godwit/protocol'
import type { Account, Accounts } from '../accounts.js'
import { type Commit, isSafe } from '../commit.js'
import { MqttError } from '../errors.js'
import type { Owner } from '../faults.js'
import type { Services } from '../handlers/context.js'
import type { Limits } from '../limits.js'
import type { Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'
import type { TimerWheel } from '../time/timer-wheel.js'
import { type Rate, rateOf, TokenBucket } from '../time/token-bucket.js'
import type { Transport } from '../transport/transport.js'
import type { Commits } from './commits.js'
import { KeepAlive } from './keep-alive.js'

/** What all intakes of a broker share. */
export interface IntakeParts {
  readonly services: Pick<Services, 'features' | 'metrics' | 'faults'>
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly accounts: Pick<Accounts, 'waiting'>
  readonly publishRates: PublishRates
  readonly store: Pick<Store, 'full' | 'latest' | 'gathered'>
  readonly outbox: { readonly commits: Commits }
}

/** Why a client is not read from. */
export const because = {
  /** A handler waits for a hook. */
  hook: 1,
  /** What was answered has to go out first. */
  replies: 2,
  /** What came in one chunk was a lot: the others have their turn. */
  turn: 4,
  /** More waits for its socket than even replies should. */
  outbox: 8,
  /** It has more waiting for the disk than one may. */
  store: 16,
  /** It publishes faster than it may. */
  rate: 32,
  /** It is gone. */
  over: 64,
  /** Its packet has come in part, and there is too much of that. */
  partial: 128,
} as const

export type Because = (typeof because)[keyof typeof because]

/** While there is one of these reasons, packets that have come already are not handled either. */
const unhandled = because.hook | because.replies | because.turn | because.over

/**
 * Whether a client is read from, and whether it is heard at all. Each reason not to read comes and goes by itself; while there is none,
 * its transport flows.
 */
export class Intake {
  readonly keepAlive: KeepAlive
  readonly #transport: Transport
  readonly #parts: IntakeParts
  /** Made with the first publication. */
  #publishRate: PublishRate | undefined
  /** Bytes of this client's packets that wait for the disk. */
  readonly #unflushed = new Unflushed()
  readonly #owner: Owner
  #reasons = 0

  /** @param owner whose it is: a failure of what it does by itself ends that. */
  constructor(transport: Transport, parts: IntakeParts, owner: Owner) {
    this.#transport = transport
    this.#parts = parts
    this.#owner = owner
    this.keepAlive = new KeepAlive(parts.clock, parts.wheel)
  }

  get publishRate(): PublishRate {
    this.#publishRate ??= new PublishRate(this.#parts.publishRates, this.#parts.clock)
    return this.#publishRate
  }

  /** Whether packets are handled. */
  get handles(): boolean {
    return (this.#reasons & unhandled) === 0
  }

  has(reason: Because): boolean {
    return (this.#reasons & reason) !== 0
  }

  /** Reads nothing more until this reason is gone, and all others. */
  stop(reason: Because): void {
    if (this.#reasons === 0) {
      this.keepAlive.listening = false
      this.#transport.pause()
    }
    this.#reasons |= reason
  }

  /** This reason is gone. */
  go(reason: Because): void {
    if (!this.has(reason)) return
    this.#reasons &= ~reason
    if (this.#reasons !== 0) return
    this.keepAlive.listening = true
    this.#transport.resume()
  }

  /** Counts what a chunk has brought: a client that publishes faster than it may is read from later. */
  spend(messages: number, bytes: number): void {
    const { features, metrics } = this.#parts.services
    if (features.publishBeyondRate === 'refuse' || !this.publishRate.spend(messages, bytes, this.#onPaid)) return
    metrics.publishersSlowed++
    this.stop(because.rate)
  }

  readonly #onPaid = (): void => {
    try {
      this.go(because.rate)
    } catch (error) {
      this.#parts.services.faults.contain(error, this.#owner, 'its connection')
    }
  }

  /**
   * Counts the bytes that the client's packets have added to the coming commit. A client that is faster than the disk is not read from
   * until that commit is flushed: when more of it waits than one may have, or when it adds to what is too much for all.
   * @param gatheredBefore what the store had gathered before its packets were handled.
   * @param replyBytes memory of its replies that wait for commits.
   */
  stored(gatheredBefore: number, replyBytes: number): void {
    const { store, accounts, outbox } = this.#parts
    const grown = store.gathered - gatheredBefore
    if (grown > 0) this.#unflushed.add(store.latest, grown)
    else if (replyBytes === 0) return
    if (this.has(because.store)) return
    const isOver = this.#unflushed.waiting(outbox.commits.flushed) + replyBytes > mostWaitingBytes(accounts.waiting)
    if (!isOver && !(store.full && grown > 0)) return
    this.stop(because.store)
    outbox.commits.after(store.latest, () => this.go(because.store), this.#owner)
  }

  end(): void {
    this.#reasons |= because.over
    this.keepAlive.stop()
    this.#publishRate?.stop()
  }
}

/** The part of `limits.maxWaitingBytes` that one connection may fill: the commits of all others wait behind what it has. */
const partOfWaiting = 1 / 16
const leastPartBytes = 65_536

/** What one connection may have waiting of `limits.maxWaitingBytes`. */
export function mostWaitingBytes(waiting: Account): number {
  return Math.max(leastPartBytes, waiting.most * partOfWaiting)
}

/** Counts the bytes that one connection's packets have added to commits that are not flushed yet. */
class Unflushed {
  /** Commits that are not flushed, oldest first; in the second list the bytes that each has of this connection. */
  readonly #commits: Commit[] = []
  readonly #bytes: number[] = []

  /** Packets of this connection were handled; what they made is part of `commit` at the latest. */
  add(commit: Commit, bytes: number): void {
    const last = this.#commits.length - 1
    if (this.#commits[last] === commit) this.#bytes[last]! += bytes
    else {
      this.#commits.push(commit)
      this.#bytes.push(bytes)
    }
  }

  /** Bytes that are not on disk. */
  waiting(flushed: Commit): number {
    while (this.#commits.length > 0 && isSafe(this.#commits[0]!, flushed)) {
      this.#commits.shift()
      this.#bytes.shift()
    }
    let bytes = 0
    for (const one of this.#bytes) bytes += one
    return bytes
  }
}

/** How fast each client may publish. */
interface PublishRates {
  readonly messages: Rate
  readonly bytes: Rate
}

/** As the limits say whenever it is asked. */
export function publishRates(limits: Pick<Limits, 'maxPublishesPerSecond' | 'maxPublishBytesPerSecond'>): PublishRates {
  return {
    messages: rateOf(() => limits.maxPublishesPerSecond, savedUpSeconds),
    bytes: rateOf(() => limits.maxPublishBytesPerSecond, savedUpSeconds),
  }
}

const savedUpSeconds = 1

/** How fast one client publishes. When it is too fast, it is not read from for a while, or what is too much is refused. */
export class PublishRate {
  readonly #clock: Clock
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket
  #cancel: (() => void) | undefined

  constructor({ messages, bytes }: PublishRates, clock: Clock) {
    const now = clock.monotonic()
    this.#clock = clock
    this.#messages = new TokenBucket(messages, now)
    this.#bytes = new TokenBucket(bytes, now)
  }

  /** Counts what a chunk has brought. True: that is too fast for now; `onPaid` follows when it has been waited for. */
  spend(messages: number, bytes: number, onPaid: () => void): boolean {
    const enoughMessages = this.#messages.spend(messages)
    const enoughBytes = this.#bytes.spend(bytes)
    if ((enoughMessages && enoughBytes) || this.#cancel) return false
    const now = this.#clock.monotonic()
    const ms = Math.max(this.#messages.debtMs(now), this.#bytes.debtMs(now))
    if (ms === 0) return false
    this.#cancel = this.#clock.timeout(Math.min(ms, mostMs), () => {
      this.#cancel = undefined
      if (!this.spend(0, 0, onPaid)) onPaid()
    })
    return true
  }

  /** Counts one message, unless those before it were too much for now: then it is to be refused. */
  allows(bytes: number): boolean {
    const now = this.#clock.monotonic()
    if (!this.#messages.holdsOne(now) || !this.#bytes.holdsOne(now)) return false
    this.#messages.spend(1)
    this.#bytes.spend(bytes)
    return true
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}

/** The longest that a timer of Node runs. */
const mostMs = 2_147_483_647

/** QoS 1 and 2 messages of a client that are not yet acknowledged (5.0, section 4.9). */
export class ReceiveQuota {
  readonly #most: number
  #receiving = 0

  constructor(receiveMaximum: number) {
    this.#most = receiveMaximum
  }

  /** @throws MqttError 0x93 beyond the Receive Maximum, which only a client of 5.0 can know. */
  received(version: ProtocolVersion): void {
    if (++this.#receiving <= this.#most || version < 5) return
    throw new MqttError(reason.receiveMaximumExceeded, `more than ${this.#most} messages at once`)
  }

  /** Once a message has been acknowledged the client may send another. */
  answered(packet: Packet): void {
    const { type } = packet
    const isLast = type === 'puback' || type === 'pubcomp' || (type === 'pubrec' && (packet.reasonCode ?? 0) >= 0x80)
    if (isLast && this.#receiving > 0) this.#receiving--
  }
}
