import type { ProtocolVersion, QoS } from '@godwit/protocol'
import type { Clock } from './clock.js'
import type { Credentials } from './credentials.js'
import type { OpenStream } from './socket.js'
import type { ClientStore } from './state/store.js'

/** What every call that waits for the server takes. */
export interface CallOptions {
  /** Rejects the call with InterruptedError 'aborted'. */
  readonly signal?: AbortSignal
  /** Rejects the call with InterruptedError 'timeout' after this many milliseconds. Default and 0: no limit. */
  readonly timeoutMs?: number
}

/** The message the server publishes when this client goes without DISCONNECT (section 3.1.2.5). */
export interface WillOptions {
  readonly topic: string
  readonly payload: string | Uint8Array
  /** Default 0. */
  readonly qos?: QoS
  /** Default false. */
  readonly retain?: boolean
}

/**
 * Exponential backoff with full jitter: a random time between 0 and min(maxMs, initialMs · 2ⁿ) after n failed rounds.
 */
export interface ReconnectOptions {
  /** Milliseconds. Default 500. */
  readonly initialMs?: number
  /** Milliseconds. Default 30,000. */
  readonly maxMs?: number
  /** A connection that lasted this many milliseconds sets n back to 0. Default 10,000. */
  readonly stableMs?: number
}

/**
 * What waits for a connection or for room in the in-flight window. A publication beyond a limit is rejected
 * ('queue-full').
 */
export interface OfflineQueueOptions {
  /** Default 100,000. 0: nothing waits. */
  readonly maxMessages?: number
  /** Payload and topic bytes. Default 67,108,864 (64 MiB). 0: nothing waits. */
  readonly maxBytes?: number
  /**
   * QoS 0 while there is no connection. 'drop' (the default): rejected with PublishError 'not-connected', and what was
   * waiting when the connection ended with 'connection-lost'. 'queue': kept like QoS 1 and 2.
   */
  readonly qos0?: 'drop' | 'queue'
}

export interface ConnectOptions extends Credentials {
  /** Default: 'godwit' and 16 random letters and digits. Needed when `clean` is false [MQTT-3.1.3-7]. */
  readonly clientId?: string
  /**
   * Clean Session (3.1.1) or Clean Start (5.0). True: the server starts without earlier state. False: the session (its
   * subscriptions, and QoS 1 and 2 messages in both directions) outlives the connection. Default: true unless
   * `sessionExpirySeconds` is above 0.
   */
  readonly clean?: boolean
  /** How long the server shall keep the session. Default 0. Below 5.0 any value above 0 only means `clean: false`. */
  readonly sessionExpirySeconds?: number
  /**
   * At least every this many seconds something is sent, PINGREQ if nothing else (section 3.1.2.10). Default 60; 0: off,
   * a dead peer is then noticed by TCP only. Whole seconds up to 65,535.
   */
  readonly keepAliveSeconds?: number
  /** How long PINGRESP, or anything else, may take after PINGREQ. Milliseconds, default 10,000. */
  readonly pingTimeoutMs?: number
  /** Called before each attempt; overrides `username` and `password`. A rejection counts as a failed attempt. */
  readonly credentials?: () => Credentials | Promise<Credentials>
  readonly will?: WillOptions
  /** 4 = MQTT 3.1.1 (the default), 3 = MQTT 3.1. 5 is not supported yet: InvalidArgumentError 'unsupported-version'. */
  readonly version?: ProtocolVersion
  /** False: the first failure or loss ends the client. */
  readonly reconnect?: ReconnectOptions | false
  /** How long connect() keeps trying before it rejects. Milliseconds, default 30,000; 0: no limit. */
  readonly connectTimeoutMs?: number
  /** How long one attempt may take, from opening the socket to CONNACK. Milliseconds, default 10,000. */
  readonly attemptTimeoutMs?: number
  /** True: connect() resolves at once and the client connects in the background. Default false. */
  readonly background?: boolean
  /** Ends connect(), not the connection made by it. */
  readonly signal?: AbortSignal
  /**
   * QoS 1 and 2 publications sent and not yet completed; what is beyond waits. 1 to 65,535. Default 20: below MQTT 5.0
   * a server cannot say how many it takes, and mosquitto closes the connection at the 21st of QoS 2.
   */
  readonly maxInflight?: number
  readonly offlineQueue?: OfflineQueueOptions
  /**
   * Messages that wait for slow consumers before the client stops reading from the server. It reads on while a call
   * waits for an answer, which would otherwise never come. Default 10,000. A consumer that waits for a message of
   * another subscription (a reply, say) needs more than it can ever have waiting.
   */
  readonly maxBuffered?: number
  /**
   * A resumed session may deliver before this program has subscribed. Such messages wait this long, unacknowledged,
   * for a subscription that matches them. Milliseconds, default 5,000; 0: not at all.
   */
  readonly holdUnclaimedMs?: number
  /** The largest packet taken from the server, in bytes. Default 268,435,460: the most MQTT can express. */
  readonly maxPacketBytes?: number
  /** True: neither the connection nor a timer keeps the process alive; only an attempt to connect does. Default false. */
  readonly unref?: boolean
  /**
   * Where QoS 1 and 2 state is kept. Default: `memoryStore()`, which lives as long as the process. `fileStore(path)` of
   * `@godwit/client/file-store` survives it (Node).
   */
  readonly store?: ClientStore
  /** Opens the byte stream to a server. Default: TCP. */
  readonly openStream?: OpenStream
  /** Time and chance. Default: the system's. */
  readonly clock?: Clock
}
