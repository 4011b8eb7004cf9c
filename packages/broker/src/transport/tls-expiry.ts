import { X509Certificate } from 'node:crypto'
import type { Logger } from '../log.js'
import type { Metrics } from '../metrics.js'

const dayMs = 86_400_000
const warnDays = [1, 7, 30] as const
const lookMs = 3_600_000

/** Epoch ms at which the first certificate of a PEM file expires. */
export function expiryOf(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo)
}

/** The narrowest of the days before expiry at which one is warned that has been reached; 0: it is over. */
export function warningOf(expiresAt: number, now: number): number | undefined {
  if (now >= expiresAt) return 0
  return warnDays.find((days) => now >= expiresAt - days * dayMs)
}

/** Certificates in use per broker: the earliest end is its metric. */
const ends = new WeakMap<Metrics, Map<TlsExpiry, number>>()

/** Warns of one listener's certificate 30, 7 and 1 day before it expires, and keeps the metric. */
export class TlsExpiry {
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #file: string | undefined
  readonly #timer: NodeJS.Timeout
  #expiresAt = Number.POSITIVE_INFINITY
  #warned: number | undefined

  /** @param file the certificate's, if it has one: of several listeners the log says whose it is. */
  constructor(metrics: Metrics, log: Logger, file: string | undefined) {
    this.#metrics = metrics
    this.#log = log
    this.#file = file
    this.#timer = setInterval(() => this.#look(), lookMs).unref()
  }

  /** A certificate is in force from now on. */
  set(expiresAt: number): void {
    this.#expiresAt = expiresAt
    this.#warned = undefined
    this.#tell((all) => all.set(this, expiresAt))
    this.#look()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#tell((all) => all.delete(this))
  }

  #tell(change: (all: Map<TlsExpiry, number>) => void): void {
    const all = ends.get(this.#metrics) ?? new Map<TlsExpiry, number>()
    ends.set(this.#metrics, all)
    change(all)
    this.#metrics.tlsExpiresAt = all.size > 0 ? Math.min(...all.values()) : undefined
  }

  #look(): void {
    const days = warningOf(this.#expiresAt, Date.now())
    if (days === undefined || days === this.#warned) return
    this.#warned = days
    const fields = {
      ...(this.#file !== undefined && { file: this.#file }),
      expires: new Date(this.#expiresAt).toISOString(),
    }
    if (days === 0) this.#log.log('error', 'the TLS certificate has expired; put a new one in its place', fields)
    else {
      const soon = days === 1 ? 'a day' : `${days} days`
      this.#log.log('warn', `the TLS certificate expires within ${soon}; put a new one in its place`, fields)
    }
  }
}
