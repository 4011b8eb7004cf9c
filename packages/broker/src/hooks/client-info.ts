import type { ProtocolVersion } from '@godwit/protocol'
import type { ClientCertificate } from '../client-certificate.js'

/** What a token, a certificate or a service says of a client; access rules see it as `${claim.NAME}`. */
export type Claims = Readonly<Record<string, unknown>>

/** Who a client has shown to be, where that is more than its CONNECT says. */
export interface Identity {
  /** The user name in force from now on. Left out: the one in CONNECT. */
  readonly username?: string
  readonly claims?: Claims
  /** Epoch ms at which this stops being true. Left out: never. */
  readonly expiresAt?: number
}

/** What is known of a client, from its CONNECT and from what it has shown. */
export interface ClientInfo {
  readonly clientId: string
  /** That of its {@link identity}, if this has one, else that of CONNECT. */
  readonly username: string | undefined
  /** What a hook has found out of it by `admittedAs`. */
  readonly identity?: Identity
  /** The address it comes from; empty where there is none. */
  readonly address: string
  /** The `name` of the listener it came to, where that has one. */
  readonly listener?: string
  readonly version: ProtocolVersion
  /** True of a bridge that has marked itself by its Protocol Level; see `bridgeProtocol`. */
  readonly bridge?: boolean
  readonly cleanStart: boolean
  /** Its certificate, where the listener asks for one; verified. */
  readonly certificate?: ClientCertificate
}

/** Another server a client is sent to (5.0, section 4.11). */
export interface Redirection {
  /** The Server Reference: the standard leaves its form open, and suggests `host:port`, several with spaces between. */
  readonly redirectTo: string
  /** For good (0x9D, Server moved) or only now (0x9C, Use another server). Default false. */
  readonly permanently?: boolean
}

/** A yes that says who it is. Hooks that are asked later see it in the client. */
export interface AdmittedAs {
  readonly admittedAs: Identity
}

/**
 * An answer to "may this client come in": `true`, `admittedAs` somebody, or why not. `false` = not authorized (3.1.1: return code 5);
 * `bad-credentials` = malformed user name or password (4); `unavailable` = cannot be told now (3); another server
 * (3.1.1, which cannot be told of one: 3).
 */
export type Admission = boolean | 'bad-credentials' | 'unavailable' | Redirection | AdmittedAs
