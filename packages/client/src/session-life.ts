import type { Connect, PacketOf, ProtocolVersion } from '@godwit/protocol'
import type { Settings } from './settings.js'

/** Session Expiry Interval for "never" (section 3.1.2.11.2). */
const never = 0xffff_ffff

/** How seconds stand in a packet, where Infinity is "never". */
export function expiryInterval(seconds: number): number {
  return Math.min(seconds, never)
}

/** How long the session lives: whether the next connection resumes it, and whether it outlives the present one. */
export class SessionLife {
  readonly #settings: Settings
  /** After a connection; undefined before the first. */
  #expirySeconds: number | undefined
  #endedAt = 0

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** For the next CONNECT: Clean Start, or Clean Session below 5.0. */
  cleanStart(version: ProtocolVersion): boolean {
    const { clean, clock } = this.#settings
    if (version < 5 || this.#expirySeconds === undefined) return clean
    return clock.now() - this.#endedAt >= this.#expirySeconds * 1000
  }

  /** The session begins, or goes on. Answers whether it outlives its connection. */
  begin(connect: Connect, { properties }: PacketOf<'connack'>): boolean {
    const { clean, sessionExpirySeconds } = this.#settings
    if (connect.version < 5) return !clean
    // The server's word counts (section 3.2.2.3.2).
    const interval = properties?.sessionExpiryInterval ?? expiryInterval(sessionExpirySeconds)
    this.#expirySeconds = interval === never ? Infinity : interval
    return interval > 0
  }

  /** CONNECT asked for a session that outlives its connection, at 5.0. */
  get outlivesConnection(): boolean {
    return this.#settings.sessionExpirySeconds > 0
  }

  /** The connection has gone. */
  end(): void {
    this.#endedAt = this.#settings.clock.now()
  }
}
