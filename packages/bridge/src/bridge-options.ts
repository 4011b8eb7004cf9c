import type { Logger } from '@godwit/broker'
import type { ConnectOptions, GivenServers } from '@godwit/client'
import type { BridgeTopic } from './topic-map.js'

/** Options of the client that a bridge's connection has too, with the same meaning and the same defaults. */
type OfTheClient = Pick<
  ConnectOptions,
  | 'attemptTimeoutMs'
  | 'authentication'
  | 'clock'
  | 'credentials'
  | 'dial'
  | 'fallback'
  | 'followRedirects'
  | 'headers'
  | 'keepAliveSeconds'
  | 'maxPacketBytes'
  | 'openStream'
  | 'password'
  | 'pingTimeoutMs'
  | 'properties'
  | 'tls'
  | 'topicAliasMaximum'
  | 'topicAliases'
  | 'username'
  | 'version'
>

/** Whether and where a bridge says that it stands: `1` while it does, `0` while it does not, retained. */
export interface StateTopic {
  /** Default `$SYS/broker/connection/CLIENTID/state` with the Client Identifier on the other side, as mosquitto's bridges have it. */
  readonly topic?: string
  /** True: on this broker alone. Default false: on the other one too, where a will says `0`. */
  readonly localOnly?: boolean
}

export interface BridgeOptions extends OfTheClient {
  /** In log lines, metrics and the default of `localClientId`. One broker has one bridge of a name. */
  readonly name: string
  /** The other broker: `mqtt://`, `mqtts://`, `ws://`, `wss://` or `unix://`. Several are tried in turn. */
  readonly url: GivenServers
  readonly topics: readonly BridgeTopic[]
  /** The Client Identifier over there. Default: the name of this machine, a dot, and `name`. */
  readonly clientId?: string
  /** The Client Identifier of the session inside this broker, where messages wait. Default `bridge/` and `name`. */
  readonly localClientId?: string
  /**
   * How long both sessions live while there is no connection: what waits for it then is lost. Seconds; default Infinity: for
   * ever; 0: nothing waits, on neither side.
   */
  readonly expirySeconds?: number
  /**
   * Messages at QoS 1 and 2 that may be on their way to the other broker, unacknowledged. 1 to 65,535. Default at 5.0: 10,000, and
   * never more than the other side's Receive Maximum; below 20.
   */
  readonly maxInflight?: number
  /**
   * How long to wait before the next attempt: a random time below `initialMs`, doubled each round, `maxMs` at most. Also after
   * what the client would take for final, such as a wrong password: then `maxMs`. Milliseconds, default 500 and 30,000.
   */
  readonly reconnect?: { readonly initialMs?: number; readonly maxMs?: number }
  /** Receive Maximum of this side (5.0): mosquitto does not always keep to it. 1 to 65,535, default 65,535. */
  readonly receiveMaximum?: number
  /** False: RETAIN is taken off what goes out. Default true. */
  readonly outgoingRetain?: boolean
  /** Below 5.0, tell the other broker that this is a bridge (`0x84`, as mosquitto's `try_private`). Default true. */
  readonly bridgeProtocol?: boolean
  /** False: it tells nobody. Default: mosquitto's topic, on both brokers. */
  readonly state?: StateTopic | false
  /** Where it tells what it does. Default: nowhere. */
  readonly log?: Logger
}
