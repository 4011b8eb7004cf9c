import type { QoS } from '@godwit/protocol'
import type { MaybeAsync } from '../maybe-async.js'
import type { Admission, ClientInfo } from './client-info.js'
import type { AuthenticationMethod } from './extended-authentication.js'

export interface AuthenticateRequest extends ClientInfo {
  /** As it came: MQTT says nothing of its form. `toString()` is its text, where it is UTF-8. */
  readonly password: Buffer | undefined
  /** Aborted when the client has gone, or its time is over, before the answer is there: nobody waits for it any more. */
  readonly signal?: AbortSignal
}

export interface AuthorizeRequest {
  readonly action: 'publish' | 'subscribe'
  readonly client: ClientInfo
  /** The Topic Name, or for `subscribe` the Topic Filter. */
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
}

/** A message as hooks and in-process listeners see it. */
export interface PublishedMessage {
  readonly topic: string
  /** `toString()` is its text, where it is UTF-8. */
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  /** Client Identifier of the publisher; empty for the broker itself. */
  readonly publisher: string
}

/**
 * The broker's hooks: implement what you want, leave out the rest. Answers may be promises; a connection then handles
 * its next packet when the answer is there, in order. A hook that throws refuses what it was asked.
 */
export interface Hooks {
  /** Used in log lines. */
  readonly name?: string
  /** Decides on a CONNECT, and may say who the client is. With several hooks, all must agree. */
  authenticate?(request: AuthenticateRequest): MaybeAsync<Admission>
  /** Extended authentication (5.0, section 4.12): the methods a client may name in CONNECT. For such a client `authenticate` is not asked. */
  readonly authenticationMethods?: Readonly<Record<string, AuthenticationMethod>>
  /** Decides on a PUBLISH (also of the will) and on each filter of a SUBSCRIBE. With several hooks, all must agree. */
  authorize?(request: AuthorizeRequest): MaybeAsync<boolean>
  /**
   * Decides on each message that is about to be sent to a client, retained and queued ones too; asked at once, so it
   * answers at once. With several hooks, all must agree. Refused: dropped for this client, counted as `receive-denied`.
   */
  authorizeDelivery?(topic: string, client: ClientInfo): boolean
  /** Sees each message of a client before it is routed, and holds its acknowledgement: when it throws, the message goes nowhere and the connection is closed. */
  onPublish?(message: PublishedMessage, client: ClientInfo): MaybeAsync<void>
  /** A client was accepted. */
  onConnect?(client: ClientInfo): void
  /** Its connection is gone. */
  onDisconnect?(client: ClientInfo, reason: string): void
}
