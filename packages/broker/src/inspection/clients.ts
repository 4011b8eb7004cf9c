import type { ProtocolVersion } from '@godwit/protocol'
import type { ClientCertificate } from '../client-certificate.js'
import type { Registry } from '../session/registry.js'
import type { Session, SessionUser } from '../session/session.js'
import type { Slices } from '../time/slices.js'
import type { TlsAgreement } from '../transport/transport.js'
import { Listing } from './page.js'

/** A client that is connected, as it is now. */
export interface ClientView {
  readonly clientId: string
  readonly username: string | undefined
  /** Empty where there is none. */
  readonly address: string
  /** `tcp`, `tls`, `ws`, `wss`, `unix`, `memory`, `stream`; `inside`: a session of the program around the broker. */
  readonly transport: string
  /** The `name` of the listener it came to, where that has one. */
  readonly listener: string | undefined
  readonly version: ProtocolVersion
  /** Epoch ms, to the second. */
  readonly connectedAt: number
  /** The Keep Alive in force; 0: none. */
  readonly keepAliveSeconds: number
  readonly cleanStart: boolean
  readonly subscriptions: number
  /** Messages sent at QoS 1 and 2 and not yet acknowledged. */
  readonly inflight: number
  /** Messages that wait for room. */
  readonly queued: number
  /** Bytes that wait for its socket. */
  readonly outboxBytes: number
  /** A bridge that has marked itself by its Protocol Level. */
  readonly bridge: boolean
  /** What its TLS handshake has agreed on; without TLS, `undefined`. */
  readonly tls: TlsAgreement | undefined
  /** What it has shown in the TLS handshake, where it was asked to. */
  readonly certificate: ClientCertificate | undefined
}

/** The clients that are connected. What is asked wrongly rejects. */
export class Clients extends Listing<ClientView> {
  readonly #registry: Registry

  constructor(registry: Registry, slices: Slices) {
    const view = (clientId: string): ClientView | undefined => {
      const session = registry.get(clientId)
      return session?.user && viewOf(session, session.user)
    }
    super({ names: (from) => registry.names.from(from), view }, slices)
    this.#registry = registry
  }

  async count(): Promise<number> {
    return this.#registry.count - this.#registry.offline
  }
}

function viewOf({ clientId, subscriptions, delivery }: Session, { facts }: SessionUser): ClientView {
  const { client, peer, connectedAt, keepAliveSeconds, outboxBytes } = facts
  const { username, address, listener, version, cleanStart, bridge = false, certificate } = client
  return {
    clientId,
    username,
    address,
    transport: peer.transport,
    listener,
    version,
    connectedAt,
    keepAliveSeconds,
    cleanStart,
    subscriptions: subscriptions.size,
    inflight: delivery.window.inflight,
    queued: delivery.waiting,
    outboxBytes,
    bridge,
    tls: peer.tls,
    certificate,
  }
}
