import { createHmac, randomBytes } from 'node:crypto'
import type { MaybeAsync } from '../maybe-async.js'
import { networkOf } from '../network.js'
import { checkNames, type NamesOf } from '../option-names.js'
import type { Clock } from '../time/clock.js'
import { type Turn, Turns } from './turns.js'

export interface BackOffOptions {
  /**
   * Different wrong credentials an address may try before it has to wait. Default 5. So many of its attempts are judged at
   * once, less those that have failed, and one at a time afterwards; those beyond wait for their verdicts.
   */
  readonly afterFailures?: number
  /** Milliseconds of the first wait; each further failure doubles it. Default 1,000. */
  readonly firstMs?: number
  /** The longest wait, in ms. Default 60,000. */
  readonly mostMs?: number
  /** Milliseconds without a failure after which an address is forgotten. Default 600,000. */
  readonly forgetMs?: number
  /** Addresses remembered; the one that failed longest ago goes first. Default 10,000. */
  readonly mostAddresses?: number
  /** Attempts of one address that wait for the verdicts of others, while their clients do. Default 10,000. Beyond: `unavailable`. */
  readonly mostWaiting?: number
}

interface Failures {
  /** Digests of what was tried, the last few of them. */
  readonly tried: Set<string>
  count: number
  waitUntil: number
  forgetAt: number
}

const names: NamesOf<BackOffOptions> = {
  afterFailures: true,
  firstMs: true,
  mostMs: true,
  forgetMs: true,
  mostAddresses: true,
  mostWaiting: true,
}

/** Of one address; a guesser does not repeat itself sooner than that. */
const mostTried = 16

/**
 * Makes an address that keeps failing wait, longer each time. The same wrong credentials again count once: a device
 * with an old password, which tries for ever, shall not shut out those that share its address; a guesser tries others.
 */
export class BackOff {
  readonly #options: Required<BackOffOptions>
  readonly #clock: Clock
  readonly #secret = randomBytes(32)
  /** Those that failed last stand last. */
  readonly #byAddress = new Map<string, Failures>()
  readonly #turns: Turns

  constructor(options: BackOffOptions, clock: Clock) {
    checkNames(options, names, 'backOff')
    const { afterFailures = 5, firstMs = 1_000, mostMs = 60_000, forgetMs = 600_000, mostAddresses = 10_000 } = options
    const { mostWaiting = 10_000 } = options
    this.#options = { afterFailures, firstMs, mostMs, forgetMs, mostAddresses, mostWaiting }
    this.#clock = clock
    this.#turns = new Turns({
      mostWaiting,
      mustWait: (network) => this.#mustWait(network),
      atOnce: (network) => Math.max(1, afterFailures - this.#failuresOf(network)),
    })
  }

  /**
   * An attempt is to be judged: now, or when those before it have been, and `end` is called of its turn after
   * {@link failed}, if it failed. `undefined`: not now. Clients without an address, those of a Unix socket, are on this
   * machine: they never wait.
   */
  attempt(address: string, signal: AbortSignal | undefined): MaybeAsync<Turn | undefined> {
    return address === '' ? freeTurn : this.#turns.take(networkOf(address), signal)
  }

  /** Whether an address has to wait now. */
  mustWait(address: string): boolean {
    return address !== '' && this.#mustWait(networkOf(address))
  }

  #mustWait(network: string): boolean {
    return (this.#byAddress.get(network)?.waitUntil ?? 0) > this.#clock.monotonic()
  }

  #failuresOf(network: string): number {
    const known = this.#byAddress.get(network)
    return known && known.forgetAt > this.#clock.monotonic() ? known.count : 0
  }

  /** @returns for how many ms the address has to wait from now on, if this was one failure too many. */
  failed(address: string, username: string | undefined, password: Uint8Array | undefined): number | undefined {
    const { afterFailures, firstMs, mostMs, forgetMs, mostAddresses } = this.#options
    const network = networkOf(address)
    const now = this.#clock.monotonic()
    const before = this.#byAddress.get(network)
    this.#byAddress.delete(network)
    const failures =
      before && before.forgetAt > now ? before : { tried: new Set<string>(), count: 0, waitUntil: 0, forgetAt: 0 }
    const [longestAgo] = this.#byAddress.keys()
    if (this.#byAddress.size >= mostAddresses && longestAgo !== undefined) this.#byAddress.delete(longestAgo)
    this.#byAddress.set(network, failures)
    failures.forgetAt = now + forgetMs
    const digest = createHmac('sha256', this.#secret)
      .update(`${username?.length ?? '-'}:${username ?? ''}`)
      .update(password ?? '')
      .digest('base64')
    if (failures.tried.has(digest)) return undefined
    const [oldest] = failures.tried
    if (failures.tried.size >= mostTried && oldest !== undefined) failures.tried.delete(oldest)
    failures.tried.add(digest)
    failures.count++
    const over = failures.count - afterFailures
    if (over < 0 || address === '') return undefined
    const waitMs = Math.min(mostMs, firstMs * 2 ** Math.min(over, 30))
    failures.waitUntil = now + waitMs
    return waitMs
  }
}

/** Of whoever need not wait. */
export const freeTurn: Turn = { end: () => {} }
