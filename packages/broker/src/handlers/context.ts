import type { Connect, Packet, ProtocolVersion, ReceivedPublish } from '@godwit/protocol'
import type { Basics } from '../basics.js'
import type { Commit } from '../commit.js'
import type { ClientInfo } from '../hooks/client-info.js'
import type { AuthenticationExchange } from '../hooks/extended-authentication.js'
import type { HookRunner } from '../hooks/hook-runner.js'
import type { MaybeAsync } from '../maybe-async.js'
import type { Offered } from '../offer.js'
import type { BrokerOptions } from '../options.js'
import type { Router } from '../router/router.js'
import type { Registry } from '../session/registry.js'
import type { Session, SessionUser } from '../session/session.js'
import type { Peer } from '../transport/transport.js'

/** Whose packets they are. */
export interface Traced {
  readonly peer: Peer
  /** `undefined` before it is in. */
  readonly client: ClientInfo | undefined
}

/** Shows packets to whoever asked for them. */
interface PacketTracing {
  readonly isOn: boolean
  /** @param topic of a PUBLISH, which itself may have but an alias of it. */
  received(from: Traced, packet: Packet, topic?: string): void
}

/** What all connections of a broker share. */
export interface Services
  extends Pick<
    Basics,
    'limits' | 'features' | 'offer' | 'store' | 'accounts' | 'metrics' | 'drops' | 'faults' | 'slices' | 'log' | 'time'
  > {
  readonly hooks: HookRunner
  readonly router: Router
  readonly registry: Registry
  readonly tracing: PacketTracing
  readonly responseInformation: BrokerOptions['responseInformation']
  /** See `Broker.id`. */
  readonly brokerId: string
}

/** What a handler wants sent to the client it serves. */
export interface Reply {
  readonly packet: Packet
  /** The packet leaves when this commit is flushed; 0: it waits for nothing. */
  readonly commit: Commit
  /** It promises nothing, so that whoever says it need not be who still serves: it waits for no barrier. */
  readonly refuses?: boolean
  /** Called once the packet is on its way: what must come after it. */
  readonly sent?: () => void
  /** The connection ends after the packet. */
  readonly close?: boolean
}

/** An extended authentication under way (5.0, section 4.12). */
export interface Authenticating {
  readonly method: string
  /** `undefined` between two exchanges, once the client is in. */
  readonly exchange: AuthenticationExchange | undefined
  readonly connect: Connect
  readonly client: ClientInfo
}

/** A handler's answer: nothing, a reply, or, only when a hook is asynchronous, a promise of it. */
export type Answer = MaybeAsync<Reply | undefined>

/** All that a handler sees of its connection. */
export interface Context extends SessionUser {
  readonly services: Services
  /** Where the client comes from. */
  readonly peer: Peer
  /** True once the connection is gone: what a handler does after waiting for a hook would come too late. */
  readonly closed: boolean
  /** Aborted when the connection goes before its client is in; `undefined` once it is. */
  readonly signal: AbortSignal | undefined
  readonly version: ProtocolVersion
  /** What CONNACK says it may do, as that was when its CONNECT came. */
  readonly offered: Offered
  /** Whether the client takes reasons in words: Request Problem Information of 5.0 [MQTT-3.1.2-29]. */
  readonly wantsReasons: boolean
  /** Whether CONNECT has been accepted: from then on there are a client and a session. */
  readonly accepted: boolean
  /** The extended authentication this client has chosen. */
  authenticating: Authenticating | undefined
  readonly client: ClientInfo
  /** It is a bridge: marks of messages are believed of it, and given to it. */
  readonly isBridge: boolean
  readonly session: Session
  /** CONNECT is accepted: from here on the session is this connection's. */
  accept(client: ClientInfo, session: Session, connect: Connect, keepAliveSeconds: number): void
  /** CONNACK is out: deliveries may flow. */
  startDelivery(): void
  /** DISCONNECT has come: nothing more is handled, and the connection ends once what was answered before is out. */
  leave(): void
  /** The topic of a PUBLISH, which at 5.0 may be given by an alias. */
  topicOf(packet: ReceivedPublish): string
  /** Counts a PUBLISH and its payload. False: the client publishes too fast. Asked only where that is refused. */
  readonly publishRate: { allows(bytes: number): boolean }
  /** Whether publications of this client wait for room on the disk: those behind them wait too. */
  readonly holdsPublications: boolean
  /** Has a publication wait for room. False: that is more than one connection may have waiting. */
  holdPublication(bytes: number, route: () => Answer): boolean
  /** A QoS 1 or 2 message is being received. @throws MqttError 0x93 beyond the Receive Maximum. */
  receiving(): void
}
