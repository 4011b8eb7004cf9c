import type { ProtocolVersion } from '@godwit/protocol'

/** What is known of a client from its CONNECT. */
export interface ClientInfo {
  readonly clientId: string
  readonly username: string | undefined
  /** The address it comes from; empty where there is none. */
  readonly address: string
  readonly version: ProtocolVersion
  readonly cleanStart: boolean
}

/** Another server a client is sent to (5.0, section 4.11). */
export interface Redirection {
  /** The Server Reference: the standard leaves its form open, and suggests `host:port`, several with spaces between. */
  readonly redirectTo: string
  /** For good (0x9D, Server moved) or only now (0x9C, Use another server). Default false. */
  readonly permanently?: boolean
}

/**
 * An answer to "may this client come in": `true`, or why not. `false` = not authorized (3.1.1: return code 5);
 * `bad-credentials` = malformed user name or password (4); `unavailable` = cannot be told now (3); another server
 * (3.1.1, which cannot be told of one: 3).
 */
export type Admission = boolean | 'bad-credentials' | 'unavailable' | Redirection
