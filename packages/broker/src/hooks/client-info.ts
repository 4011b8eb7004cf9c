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

/**
 * An answer to "may this client come in": `true`, or why not. `false` = not authorized (3.1.1: return code 5);
 * `bad-credentials` = malformed user name or password (4); `unavailable` = cannot be told now (3).
 */
export type Admission = boolean | 'bad-credentials' | 'unavailable'
