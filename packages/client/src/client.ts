import type { PropertiesOf, ProtocolVersion, QoS } from '@godwit/protocol'
import type { AnyClientError, PublishError } from './errors.js'
import type { GivenProperties } from './given-properties.js'
import type { Message } from './message.js'
import type { CallOptions } from './options.js'
import type { Payload } from './payload.js'
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
  /** 5.0; a server spoken to at 3.1.1 does not get them. Topic aliases are the client's own affair. */
  readonly properties?: PublishProperties
}

/**
 * What an application may say with a PUBLISH (section 3.3.2.3). The Message Expiry Interval counts from the call: what waits
 * meanwhile, for a connection or in a store, is sent with what is left of it, and rejects with `expired` when nothing is.
 */
export type PublishProperties = Omit<GivenProperties<'publish'>, 'topicAlias' | 'subscriptionIdentifiers'>

export interface RequestOptions extends CallOptions {
  /** Of the request. Default 1. */
  readonly qos?: QoS
  /** Response Topic and Correlation Data are the client's own affair. */
  readonly properties?: Omit<PublishProperties, 'responseTopic' | 'correlationData'>
  /** How long the response may take. Milliseconds, default 30,000; 0: no limit. */
  readonly timeoutMs?: number
}

/** What answers one request: a payload alone (undefined is an empty one), or with what a response may say besides. */
export type Response = Payload | undefined | ResponseMessage

export interface ResponseMessage {
  /** Default: empty. */
  readonly payload?: Payload
  /** Where the response goes and whose it is the request says. */
  readonly properties?: Omit<PublishProperties, 'responseTopic' | 'correlationData'>
}

export type ResponseHandler<F extends string> = (message: Message<F>) => Response | PromiseLike<Response>

export interface RespondOptions extends CallOptions {
  /** The highest QoS of requests; a response has the QoS of its request. Default 1. */
  readonly qos?: QoS
}

export interface CloseOptions {
  /** How long to wait for what was published. Milliseconds, default 2,000; 0: not at all. */
  readonly timeoutMs?: number
  /** 0x04: the server shall publish the will all the same (5.0). Default 0: it shall not. */
  readonly reasonCode?: 0x00 | 0x04
  /**
   * A new Session Expiry Interval (5.0); 0 ends the session now, Infinity keeps it for ever. Left out when CONNECT said
   * 0, where the standard allows no other value.
   */
  readonly sessionExpirySeconds?: number
  /** For DISCONNECT (5.0). */
  readonly properties?: Pick<PropertiesOf<'disconnect'>, 'reasonString' | 'userProperties'>
}

/** What CONNACK said. */
export interface ServerInfo {
  /** The server has the session of an earlier connection still. */
  readonly sessionPresent: boolean
  /** Its URL without user name and password. */
  readonly server: string
  /** What is spoken with it. */
  readonly version: ProtocolVersion
  /** The server's limits and more (section 3.2.2.3); undefined below 5.0. */
  readonly properties: PropertiesOf<'connack'> | undefined
}

export interface PublishResult {
  readonly qos: QoS
  /** Undefined at QoS 0. */
  readonly packetId: number | undefined
  /**
   * Of PUBACK or, at QoS 2, PUBREC. 0 below MQTT 5.0; 0x10: nobody has subscribed to that topic. 0x80 and above are a
   * PublishError.
   */
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
   * Undefined: complete, with PUBACK or PUBCOMP. Otherwise the server refused it, or 'session-lost': it forgot the
   * session in the middle of a QoS 2 handshake. Those that end so before there is a listener wait for the first one.
   */
  readonly error: PublishError | undefined
}

export interface ClientEvents {
  state: ClientState
  /** CONNACK accepted the connection. */
  connect: ServerInfo
  /**
   * An attempt failed or a connection ended. `retryInMs` is undefined when there will be no other attempt. A fallback
   * to 3.1.1, and a redirect by CONNACK, are steps of one attempt.
   */
  disconnect: { readonly error: AnyClientError; readonly retryInMs: number | undefined }
  /** A message came that no subscription of this client wanted. It has been acknowledged. */
  unclaimed: Message
  /** The handler of respond() failed, or its response could not be published: nobody was answered. */
  unanswered: { readonly message: Message; readonly error: unknown }
  /**
   * A publication was not completed: its promise rejects with the same error. For programs that do not look at each
   * promise; those that wait for them need not listen.
   */
  unpublished: { readonly topic: string; readonly error: AnyClientError }
  /**
   * A subscription has ended with an error, or did not come about: its handler threw, or the server refused it, at once or
   * when it was asked again after a reconnection. The promise of subscribe(), or `closed`, rejects with the same error.
   * Not told when the client itself ends: that is `close`.
   */
  unsubscribed: { readonly filters: readonly string[]; readonly error: unknown }
  /** A publication that the store had from an earlier process has ended. */
  recovered: RecoveredPublication
  /** The client has ended: by close() when there is no error. */
  close: { readonly error: AnyClientError | undefined }
}

/**
 * Every call gives a promise, and what is wrong with its arguments is a rejection, too. A rejection that nobody looks at
 * does not end the process: the events `unpublished` and `unsubscribed` tell of what was lost.
 */
export interface Client extends AsyncDisposable {
  readonly state: ClientState
  /** Whether the connection stands: `state` is `connected`. */
  readonly connected: boolean
  /** As asked for, or as the server assigned it (5.0). */
  readonly clientId: string
  /** The version spoken, after a fallback if there was one; before the first CONNACK the one asked for. */
  readonly version: ProtocolVersion
  /** What the latest CONNACK said; undefined before the first. */
  readonly server: ServerInfo | undefined
  /** Publications accepted and not yet sent, those of an earlier process included. */
  readonly queued: number
  /** QoS 1 and 2 publications sent and not yet completed, those of an earlier process included. */
  readonly inflight: number
  /**
   * Publishes. QoS 0 resolves when the message has been handed to the connection; QoS 1 with PUBACK; QoS 2 with
   * PUBCOMP. While offline QoS 1 and 2 wait for the next connection; see `offlineQueue` for the limits and for QoS 0.
   * All messages leave in the order of the calls. A payload of bytes, in whichever view, is sent as it lies in memory; it
   * must not be changed before the promise settles.
   *
   * `signal` and `timeoutMs` reject the promise; a message not sent by then never will be, one already sent completes.
   *
   * Rejects with PublishError, InterruptedError, or InvalidArgumentError.
   */
  publish(topic: string, payload: Payload, options?: PublishOptions): Promise<PublishResult>
  /**
   * Resolves when a further publication would be sent at once: connected, with room in the in-flight window and in the
   * send buffer. Awaiting it before each publish() gives an ordered stream with backpressure and full pipelining.
   */
  ready(options?: CallOptions): Promise<void>
  /**
   * Subscribes; resolves with SUBACK. Wildcards may be named: `home/+room/temperature` gives typed
   * `message.params.room`, `logs/#path` names the rest.
   *
   * At MQTT 5.0 each message goes to the subscriptions that the server names (Subscription Identifier). Below, and where
   * the server names none, it goes to all that match: a server may send a copy for each subscription, and where
   * subscriptions of one client overlap each of them gets each copy.
   *
   * Rejects with SubscriptionRefusedError, InterruptedError, or InvalidArgumentError.
   */
  subscribe<const F extends string>(filter: F | readonly F[], options?: SubscribeOptions<F>): Promise<Subscription<F>>
  /**
   * Ends every subscription of this client to these filters (names of wildcards make no difference); one that has other
   * filters too goes on with those. Resolves with UNSUBACK. The server is asked also when this client has no such
   * subscription: a session that is kept may have it from an earlier process.
   *
   * Rejects with UnsubscribeRefusedError, InterruptedError, or InvalidArgumentError.
   */
  unsubscribe(filter: string | readonly string[], options?: CallOptions): Promise<void>
  /**
   * Publishes a request and resolves with the response (5.0, section 4.10). Its Response Topic is
   * `<Response Information>/<clientId>` when the server gave Response Information (ask for it with
   * `requestResponseInformation`), otherwise `godwit/response/<clientId>`, the client id written as in a URL; one
   * subscription to it, at QoS 1, serves all requests. Which request is answered the Correlation Data tells: 16 random
   * bytes.
   *
   * Rejects as publish() and subscribe(), with InterruptedError 'timeout' when nobody answers, and with
   * InvalidArgumentError 'unsupported-version' below 5.0.
   */
  request(topic: string, payload: Payload, options?: RequestOptions): Promise<Message>
  /**
   * Answers requests, one at a time, in their order (5.0): what the handler returns is published to the request's
   * Response Topic with its Correlation Data and its QoS. A request is acknowledged when the handler has finished.
   * Messages without a Response Topic are no requests and are left alone. A handler that throws answers nothing; the
   * event `unanswered` tells, and the next request is handled.
   *
   * Rejects as subscribe(), and with InvalidArgumentError 'unsupported-version' below 5.0.
   */
  respond<const F extends string>(
    filter: F | readonly F[],
    handler: ResponseHandler<F>,
    options?: RespondOptions,
  ): Promise<Subscription<F>>
  /**
   * Authenticates again on the connection that stands, with `authentication` (section 4.12.1). Resolves when the server
   * agrees; when it does not it ends the connection, and the promise rejects with that error. Rejects with
   * InvalidArgumentError 'invalid-option' without `authentication`, below 5.0, or not connected.
   */
  reauthenticate(): Promise<void>
  /**
   * Listens; the function returned stops it.
   * @throws InvalidArgumentError 'invalid-option' for an event that does not exist.
   */
  on<E extends keyof ClientEvents>(event: E, listener: (detail: ClientEvents[E]) => void): () => void
  /**
   * Ends the client. When connected it waits up to `timeoutMs` for what was published to complete, sends DISCONNECT, and gives the last bytes as long again (at least a second) to leave. Whatever still
   * waits is rejected with InterruptedError 'client-closed'; at QoS 1 and 2 the store has it still, and the next client
   * that is given the store sends it. Always settles, and rejects only with InvalidArgumentError, for an option that does
   * not exist: the client is closed all the same. Repeating it is harmless.
   */
  close(options?: CloseOptions): Promise<void>
}
