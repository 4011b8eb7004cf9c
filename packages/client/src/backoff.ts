import type { Clock } from './clock.js'
import type { ServerAddress } from './server-address.js'

export interface BackoffSettings {
  readonly initialMs: number
  readonly maxMs: number
  readonly stableMs: number
}

/**
 * Which server is next, and when. The servers of a round are tried without a wait between them; a round in which all
 * failed is followed by a wait with full jitter, twice as long at most as the one before.
 */
export class Backoff {
  readonly #settings: BackoffSettings
  readonly #servers: readonly ServerAddress[]
  readonly #clock: Clock
  #index = 0
  #failures = 0

  constructor(settings: BackoffSettings, servers: readonly ServerAddress[], clock: Clock) {
    this.#settings = settings
    this.#servers = servers
    this.#clock = clock
  }

  get server(): ServerAddress {
    return this.#servers[this.#index]!
  }

  /**
   * The attempt failed, or its connection ended after `connectedMs`. Gives the milliseconds to wait for the next one.
   */
  next(connectedMs: number): number {
    if (connectedMs >= this.#settings.stableMs) {
      // The session is with this server, so it comes first; the jitter keeps its clients from returning all at once.
      this.#failures = 0
      return this.#clock.random() * Math.min(this.#settings.maxMs, this.#settings.initialMs)
    }
    this.#failures += 1
    this.#index = (this.#index + 1) % this.#servers.length
    if (this.#failures % this.#servers.length !== 0) return 0
    const rounds = this.#failures / this.#servers.length
    return this.#clock.random() * Math.min(this.#settings.maxMs, this.#settings.initialMs * 2 ** (rounds - 1))
  }
}
