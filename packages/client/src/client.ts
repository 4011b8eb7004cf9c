import type { PropertiesOf, QoS } from '@godwit/protocol'
import type { AnyClientError, PublishError } from './errors.js'
import type { Message } from './message.js'
import type { CallOptions } from './options.js'
import type { SubscribeOptions, Subscription } from './subscription.js'

/**
 * - `connecting`: an attempt is being made
 * - `connected`: CONNACK has come
 * - `waiting`: between two attempts
 * - `closing`: close() is telling the server
 * - `closed`: the end; there is no way back
 */
export type ClientState = 'connecting' | 'connected' | 'waiting' | 'closing' | 'closed'

export interface PublishOptions extends CallOptions {
  /** Default 0. */
  readonly qos?: QoS
  /** Default false. An empty payload with retain clears the retained message. */
  readonly retain?: boolean
}

export interface PublishResult {
  readonly qos: QoS
  /** Undefined at QoS 0. */
  readonly packetId: number | undefined
  /** 0 below MQTT 5.0. */
  readonly reasonCode: number
  /** MQTT 5.0 only. */
  readonly properties: PropertiesOf<'puback'> | undefined
}

/** The end of a publication whose promise is gone with the process that published it. */
export interface RecoveredPublication {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 1 | 2
  readonly retain: boolean
  /**
   * Undefined: complete, with PUBACK or PUBCOMP. Otherwise 'session-lost': the server forgot the session in the middle
   * of a QoS 2 handshake. Those that end so before there is a listener wait for the first one.
   */
  readonly error: PublishError | undefined
}

export interface ClientEvents {
  state: ClientState
  /** CONNACK accepted the connection. `server` is its URL without user name and password. */
  connect: { readonly sessionPresent: boolean; readonly server: string }
  /** An attempt failed or a connection ended. `retryInMs` is undefined when there will be no other attempt. */
  disconnect: { readonly error: AnyClientError; readonly retryInMs: number | undefined }
  /** A message came that no subscription of this client wanted. It has been acknowledged. */
  unclaimed: Message
  /** A publication that the store had from an earlier process has ended. */
  recovered: RecoveredPublication
  /** The client has ended: by close() when there is no error. */
  close: { readonly error: AnyClientError | undefined }
}

export interface Client extends AsyncDisposable {
  readonly state: ClientState
  readonly clientId: string
  /** Publications accepted and not yet sent, those of an earlier process included. */
  readonly queued: number
  /** QoS 1 and 2 publications sent and not yet completed, those of an earlier process included. */
  readonly inflight: number
  /**
   * Publishes. QoS 0 resolves when the message has been handed to the connection; QoS 1 with PUBACK; QoS 2 with
   * PUBCOMP. While offline QoS 1 and 2 wait for the next connection; see `offlineQueue` for the limits and for QoS 0.
   * All messages leave in the order of the calls. The payload must not be changed before the promise settles.
   *
   * `signal` and `timeoutMs` reject the promise; a message not sent by then never will be, one already sent completes.
   *
   * Rejects with PublishError, InterruptedError, or InvalidArgumentError 'invalid-topic'.
   */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<PublishResult>
  /**
   * Resolves when a further publication would be sent at once: connected, with room in the in-flight window and in the
   * send buffer. Awaiting it before each publish() gives an ordered stream with backpressure and full pipelining.
   */
  ready(options?: CallOptions): Promise<void>
  /**
   * Subscribes; resolves with SUBACK. Wildcards may be named: `home/+room/temperature` gives typed
   * `message.params.room`, `logs/#path` names the rest.
   *
   * Below MQTT 5.0 a server may send one copy of a message for each subscription that matches it, and a message does
   * not say for which. Where subscriptions of one client overlap, each of them gets each copy.
   *
   * Rejects with SubscriptionRefusedError, InterruptedError, or InvalidArgumentError 'invalid-filter'.
   */
  subscribe<const F extends string>(filter: F | readonly F[], options?: SubscribeOptions<F>): Promise<Subscription<F>>
  /** Listens; the function returned stops it. */
  on<E extends keyof ClientEvents>(event: E, listener: (detail: ClientEvents[E]) => void): () => void
  /**
   * Ends the client. When connected it waits up to `timeoutMs` (default 2,000; 0: not at all) for what was published to
   * complete, sends DISCONNECT, and gives the last bytes as long again (at least a second) to leave. Whatever still
   * waits is rejected with InterruptedError 'client-closed'; at QoS 1 and 2 the store has it still, and the next client
   * that is given the store sends it. Never rejects, always settles; repeating it gives the same
   * promise.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}
