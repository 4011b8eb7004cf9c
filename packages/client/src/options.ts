import type { PropertiesOf, ProtocolVersion, QoS } from '@godwit/protocol'
import type { Clock } from './clock.js'
import type { Credentials } from './credentials.js'
import type { Authentication } from './enhanced-auth.js'
import type { GivenProperties } from './given-properties.js'
import type { Payload } from './payload.js'
import type { ServerAddress } from './server-address.js'
import type { DialedSocket, OpenStream } from './socket.js'
import type { ClientStore } from './state/store.js'
import type { TlsOptions } from './tls-options.js'

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
  readonly payload: Payload
  /** Default 0. */
  readonly qos?: QoS
  /** Default false. */
  readonly retain?: boolean
  /**
   * 5.0: how long the server waits before it publishes the will; a client that is back by then cancels it (section
   * 3.1.3.2.2). Seconds, default and 0: at once.
   */
  readonly delaySeconds?: number
  /** Of the message that is published (5.0). */
  readonly properties?: Omit<GivenProperties<'will'>, 'willDelayInterval'>
}

/**
 * Exponential backoff with full jitter: a random time between 0 and min(maxMs, initialMs · 2ⁿ) after n failed rounds.
 * In a page the client does not wait any longer once the browser says that there is a network again (the event `online`).
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
  /**
   * Default: 'godwit' and 16 random letters and digits. '': the server chooses one (5.0, Assigned Client Identifier;
   * `client.clientId` tells it). Needed for a session that is kept for ever; below 5.0, and not '', for any that is kept
   * [MQTT-3.1.3-7].
   */
  readonly clientId?: string
  /**
   * Clean Session (3.1.1) or Clean Start (5.0). True: the server starts without earlier state. False: the session (its
   * subscriptions, and QoS 1 and 2 messages in both directions) outlives the connection. Default: true unless
   * `sessionExpirySeconds` is above 0. With true and a `sessionExpirySeconds` above 0, at 5.0, the first connection
   * starts anew and the later ones resume.
   */
  readonly clean?: boolean
  /**
   * How long the server shall keep the session after a connection (Session Expiry Interval). Infinity: for ever.
   * Default 0, with `clean: false` Infinity. Below 5.0 any value above 0 only means `clean: false`. State of this
   * client that is older than that is not used again: QoS 2 publications in mid-handshake end as 'session-lost'.
   */
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
  /** 5 = MQTT 5.0 (the default), 4 = MQTT 3.1.1, 3 = MQTT 3.1. `client.version` tells what is spoken. */
  readonly version?: ProtocolVersion
  /**
   * True (the default): a server that refuses 5.0, in whichever form, is asked at once at 3.1.1, and so from then on.
   * One that closes without an answer to CONNECT, too, unless it does the same at 3.1.1, or another of the servers has
   * taken 5.0. Never with `authentication`, which 3.1.1 does not have.
   */
  readonly fallback?: boolean
  /** For CONNECT (5.0): name and value pairs; what they mean is between you and the server. */
  readonly properties?: Pick<PropertiesOf<'connect'>, 'userProperties'>
  /** An exchange of AUTH packets instead of, or beside, user name and password (5.0, section 4.12). */
  readonly authentication?: Authentication
  /**
   * True (the default): when the server names another one (0x9C Use another server, 0x9D Server moved, with a Server
   * Reference) the client goes there at once, at most 5 times in a row. The first word of the reference is read, as a
   * URL, `host:port` or `host`; user name and password go along. When an attempt there fails, the given servers are
   * tried again.
   */
  readonly followRedirects?: boolean
  /** False: the first failure or loss ends the client. */
  readonly reconnect?: ReconnectOptions | false
  /** How long connect() keeps trying before it rejects. Milliseconds, default 30,000; 0: no limit. */
  readonly connectTimeoutMs?: number
  /**
   * When connect() has waited so long it says once what it waits for, as a warning of the process (`GodwitWarning`, on stderr) or
   * on the page's console. Milliseconds, default 2,000; 0: never. With `background` it does not wait, and says nothing.
   */
  readonly warnAfterMs?: number
  /** How long one attempt may take, from opening the socket to CONNACK. Milliseconds, default 10,000. */
  readonly attemptTimeoutMs?: number
  /** True: connect() resolves at once and the client connects in the background. Default false. */
  readonly background?: boolean
  /** Ends connect(), not the connection made by it. */
  readonly signal?: AbortSignal
  /**
   * QoS 1 and 2 publications sent and not yet completed; what is beyond waits. 1 to 65,535. Default at 5.0: 1,000, and
   * never more than the server's Receive Maximum. Default below: 20, since a server cannot say there how many it takes,
   * and mosquitto closes the connection at the 21st of QoS 2.
   */
  readonly maxInflight?: number
  /**
   * Receive Maximum (5.0): QoS 1 and 2 messages that the server may have sent and this program not have acknowledged.
   * One more ends the connection (0x93). 1 to 65,535, default 1,000.
   */
  readonly receiveMaximum?: number
  /** Topic aliases the server may use (5.0). 0 to 65,535, default 10; 0: none. */
  readonly topicAliasMaximum?: number
  /**
   * True (the default): topics of this client are replaced by aliases, as many as the server takes, first come, first
   * served on each connection (5.0).
   */
  readonly topicAliases?: boolean
  /** Asks the server for the prefix of response topics (Response Information, 5.0). Default false. */
  readonly requestResponseInformation?: boolean
  /** False: the server shall leave out reason strings and user properties where nothing has failed. Default true. */
  readonly requestProblemInformation?: boolean
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
  /**
   * The largest packet taken from the server, in bytes; a larger one ends the connection (0x95). At 5.0 the server is
   * told (Maximum Packet Size). Default 268,435,460: the most MQTT can express.
   */
  readonly maxPacketBytes?: number
  /** True: neither the connection nor a timer keeps the process alive; only an attempt to connect does. Default false. */
  readonly unref?: boolean
  /**
   * Where QoS 1 and 2 state is kept. Default: `memoryStore()`, which lives as long as the process. `fileStore(path)` of
   * `@godwit/client/file-store` survives it (Node), and so does `indexedDbStore(name)` of
   * `@godwit/client/indexeddb-store` (browsers).
   */
  readonly store?: ClientStore
  /** For `mqtts:` and `wss:` in Node. Not with a URL that is not encrypted: it would promise what is not kept. */
  readonly tls?: TlsOptions
  /** HTTP headers of a WebSocket's opening handshake (`ws:` and `wss:` in Node): Authorization, Cookie or the like. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Makes the connection that MQTT, TLS or the WebSocket runs over, instead of a TCP connection to `host` and `port`: through a
   * proxy, say (Node). It gives a connected socket of `node:net`; what it rejects with counts as a failed attempt. What the
   * attempt's time ends is destroyed when it comes. Not with a Unix domain socket, nor with `openStream`.
   */
  readonly dial?: (server: ServerAddress) => Promise<DialedSocket>
  /** Opens the byte stream to a server. Default: as its URL says. With it there is neither `tls` nor `headers`. */
  readonly openStream?: OpenStream
  /** Time and chance. Default: the system's. */
  readonly clock?: Clock
}
