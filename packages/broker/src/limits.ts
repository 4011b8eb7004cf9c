import { BrokerError } from './errors.js'
import { checkNames, type NamesOf } from './option-names.js'

/**
 * Every bound the broker keeps, with its unit. All are finite by default: what a client can make the broker hold,
 * it can make every client hold.
 */
export interface Limits {
  /** Connections, those that have not said CONNECT included. Default 100,000. The next is closed without a word, and counted. */
  readonly maxConnections: number
  /** Connections from one address (of IPv6: from its /64). Default 10,000. The next: as above. This machine's own addresses, and transports that have none, are free of it. */
  readonly maxConnectionsPerAddress: number
  /** CONNECT packets in a second, from all addresses but this machine's; twice as many may come at once after a quiet time. Default 5,000. Beyond: 0x9F (return code 3). */
  readonly maxConnectsPerSecond: number
  /** The same from one address. Default 1,000. */
  readonly maxConnectsPerSecondPerAddress: number
  /** Milliseconds the event loop may be late, on average over some seconds, before who comes newly has to wait; those present are served. 0 = however late. Default 1,000. */
  readonly overloadDelayMs: number
  /** Milliseconds a CONNECT waits for that to be over before it gets 0x89 (return code 3); 0 = it does not wait. Default 5,000. */
  readonly overloadWaitMs: number
  /** Largest packet taken from a client, in bytes, fixed header included. Default 2,000,000. Larger: the connection is closed. */
  readonly maxPacketBytes: number
  /** Largest CONNECT, in bytes: it is read before anybody has shown who they are. Default 262,144. */
  readonly maxConnectBytes: number
  /** Bytes held for all connections that are not yet authenticated together. Default 67,108,864. */
  readonly maxUnauthenticatedBytes: number
  /** Milliseconds from accept to a whole CONNECT, whatever trickles in. Default 10,000. */
  readonly connectTimeoutMs: number
  /** QoS 1 and 2 messages sent to one client and not yet acknowledged, 1 to 65,535. Default 256. */
  readonly maxInflight: number
  /** Messages that wait for one session. Default 100,000. Full: the new message is dropped and counted. */
  readonly maxQueuedMessages: number
  /** Bytes that wait for one session: topics, properties, payloads, and some 100 an entry. Default 268,435,456. Full: the new message is dropped and counted. */
  readonly maxQueuedBytes: number
  /** Bytes waiting for one client's socket above which QoS 0 messages to it are dropped and QoS 1 and 2 wait. Default 4,194,304. */
  readonly maxOutboxBytes: number
  /** Milliseconds in which a client with more than `maxOutboxBytes` waiting must have taken something, or it is disconnected; 0 = for ever. Default 60,000. It is the kernel that takes it, when a third of its buffer is free again, which may be 1.5 MB: a slow client that reads that much in this time stays. */
  readonly drainTimeoutMs: number
  /** Seconds a session outlives its connection when the client cannot say (3.1.1, Clean Session 0); 4,294,967,295 = never expires. Default 2,592,000 (30 days). */
  readonly sessionExpirySeconds: number
  /** Longest Session Expiry Interval granted to a client of 5.0, in seconds; a higher one is lowered, and CONNACK says so. Default 2,592,000 (30 days). */
  readonly maxSessionExpirySeconds: number
  /** QoS 1 and 2 messages a client of 5.0 may have unacknowledged towards the broker (Receive Maximum), 1 to 65,535. Default 1,024. Beyond: disconnected. */
  readonly receiveMaximum: number
  /** Topic Aliases a client of 5.0 may use towards the broker; 0 = none. Default 32. */
  readonly topicAliasMaximum: number
  /** Longest Keep Alive, in seconds; 0 = any, none included. Default 0. A CONNECT beyond it is refused at 3.1.1 (return code 2) and told the broker's own at 5.0. */
  readonly maxKeepAliveSeconds: number
  /** Publications taken from one client in a second; it may have saved up one second's. Default 10,000,000: more than one core takes. Beyond: it is read from later, or, with the feature `publishBeyondRate: refuse`, refused. */
  readonly maxPublishesPerSecond: number
  /** Their payload bytes. Default 1,073,741,824. Beyond: as above. */
  readonly maxPublishBytesPerSecond: number
  /** Longest Topic Name or Topic Filter, in bytes of UTF-8. Default 65,535. Longer: the connection is closed. */
  readonly maxTopicBytes: number
  /** Levels of a Topic Name or Topic Filter. Default 128. Deeper: the connection is closed. */
  readonly maxTopicLevels: number
  /** Sessions, with and without a connection. Default 1,000,000. A client that would need one more gets 0x97 (return code 3). */
  readonly maxSessions: number
  /** Subscriptions of one session. Default 10,000. Beyond: refused in SUBACK. */
  readonly maxSubscriptionsPerSession: number
  /** Longest Client Identifier, in bytes of UTF-8. Default 65,535. Longer: return code 2. */
  readonly maxClientIdBytes: number
  /** Retained messages; 0 = none are kept. Default 1,000,000. Full: a new topic's message is delivered but not retained, and counted. */
  readonly maxRetainedMessages: number
  /** Bytes of all retained messages: topics, properties, payloads, and some 100 an entry. Default 1,073,741,824. Full: as above. */
  readonly maxRetainedBytes: number
  /** Bytes that are not yet committed or not yet answered, of all clients: messages, records of sessions, subscriptions and wills, acknowledgements, replies held back, packets that have come in part. Default 16,777,216. Beyond: whoever adds to them is not read from until a commit is over; one connection may have a sixteenth of it. Packets in part may take half of it: beyond that one client after the other sends the rest of its own. */
  readonly maxWaitingBytes: number
  /** Bytes that are kept, in memory or on disk: queues of sessions and shared groups, retained messages, records of sessions, subscriptions and wills, all together. Default 4,294,967,296; of a store in memory at most a quarter of the machine's memory, unless it is set. Full: new messages are dropped, not retained, and counted; new sessions and subscriptions get 0x97 (below 5.0: return code 3, 0x80). */
  readonly maxStoredBytes: number
  /** Bytes of the data folder's disk that stay free. Default 268,435,456, or `diskReservePercent` of the disk where that is less; 0 = none. Below: publications that need the disk wait, then get 0x97 (below 5.0: the connection is closed); new sessions and subscriptions that outlive their connection are refused; retained messages at QoS 0 are not kept. What makes room goes on. */
  readonly diskReserveBytes: number
  /** Percent of the data folder's disk that stay free, if that is less than `diskReserveBytes`. Default 5; 0 = none. */
  readonly diskReservePercent: number
  /** Wills an earlier process left that are published in a second, at most. Default 1,000. Those above wait for the next second. */
  readonly willsAfterRestartPerSecond: number
}

export const defaultLimits: Limits = {
  maxConnections: 100_000,
  maxConnectionsPerAddress: 10_000,
  maxConnectsPerSecond: 5_000,
  maxConnectsPerSecondPerAddress: 1_000,
  overloadDelayMs: 1_000,
  overloadWaitMs: 5_000,
  maxPacketBytes: 2_000_000,
  maxConnectBytes: 262_144,
  maxUnauthenticatedBytes: 67_108_864,
  connectTimeoutMs: 10_000,
  maxInflight: 256,
  maxQueuedMessages: 100_000,
  maxQueuedBytes: 268_435_456,
  maxOutboxBytes: 4_194_304,
  drainTimeoutMs: 60_000,
  sessionExpirySeconds: 2_592_000,
  maxSessionExpirySeconds: 2_592_000,
  receiveMaximum: 1_024,
  topicAliasMaximum: 32,
  maxKeepAliveSeconds: 0,
  maxPublishesPerSecond: 10_000_000,
  maxPublishBytesPerSecond: 1_073_741_824,
  maxTopicBytes: 65_535,
  maxTopicLevels: 128,
  maxSessions: 1_000_000,
  maxSubscriptionsPerSession: 10_000,
  maxClientIdBytes: 65_535,
  maxRetainedMessages: 1_000_000,
  maxRetainedBytes: 1_073_741_824,
  maxWaitingBytes: 16_777_216,
  maxStoredBytes: 4_294_967_296,
  diskReserveBytes: 268_435_456,
  diskReservePercent: 5,
  willsAfterRestartPerSecond: 1_000,
}

/** From when on a limit holds that is changed while a broker runs: a lower one never throws away what is held, it refuses what is new. */
export type LimitEffect =
  /** For everybody, from the next time that somebody asks for more. */
  | 'at once'
  /** For connections and sessions that begin from then on; those present keep what was said or granted when they began. */
  | 'new connections'

export const limitEffects: { readonly [Name in keyof Limits]: LimitEffect } = {
  maxConnections: 'at once',
  maxConnectionsPerAddress: 'at once',
  maxConnectsPerSecond: 'at once',
  maxConnectsPerSecondPerAddress: 'at once',
  overloadDelayMs: 'at once',
  overloadWaitMs: 'at once',
  maxPacketBytes: 'new connections',
  maxConnectBytes: 'new connections',
  maxUnauthenticatedBytes: 'at once',
  connectTimeoutMs: 'new connections',
  maxInflight: 'new connections',
  maxQueuedMessages: 'at once',
  maxQueuedBytes: 'at once',
  maxOutboxBytes: 'at once',
  drainTimeoutMs: 'at once',
  sessionExpirySeconds: 'new connections',
  maxSessionExpirySeconds: 'new connections',
  receiveMaximum: 'new connections',
  topicAliasMaximum: 'new connections',
  maxKeepAliveSeconds: 'new connections',
  maxPublishesPerSecond: 'at once',
  maxPublishBytesPerSecond: 'at once',
  maxTopicBytes: 'at once',
  maxTopicLevels: 'at once',
  maxSessions: 'at once',
  maxSubscriptionsPerSession: 'at once',
  maxClientIdBytes: 'at once',
  maxRetainedMessages: 'at once',
  maxRetainedBytes: 'at once',
  maxWaitingBytes: 'at once',
  maxStoredBytes: 'at once',
  diskReserveBytes: 'at once',
  diskReservePercent: 'at once',
  willsAfterRestartPerSecond: 'at once',
}

export const limitNames: NamesOf<Limits> = Object.fromEntries(
  Object.keys(defaultLimits).map((name) => [name, true]),
) as NamesOf<Limits>

/** The Session Expiry Interval that means "never" (5.0, section 3.1.2.11.2). */
export const neverExpires = 0xffff_ffff

/** Where a limit may be 0, and where its ceiling is not simply "any safe integer". */
const ranges: { readonly [K in keyof Limits]?: readonly [least: number, most: number] } = {
  maxPacketBytes: [16, 268_435_460],
  maxConnectBytes: [16, 268_435_460],
  maxInflight: [1, 65_535],
  overloadDelayMs: [0, Number.MAX_SAFE_INTEGER],
  overloadWaitMs: [0, Number.MAX_SAFE_INTEGER],
  drainTimeoutMs: [0, Number.MAX_SAFE_INTEGER],
  sessionExpirySeconds: [0, neverExpires],
  maxSessionExpirySeconds: [0, neverExpires],
  receiveMaximum: [1, 65_535],
  topicAliasMaximum: [0, 65_535],
  maxKeepAliveSeconds: [0, 65_535],
  maxTopicBytes: [1, 65_535],
  maxClientIdBytes: [23, 65_535], // [MQTT-3.1.3-5]: 1 to 23 bytes are always acceptable
  maxRetainedMessages: [0, Number.MAX_SAFE_INTEGER],
  maxRetainedBytes: [0, Number.MAX_SAFE_INTEGER],
  maxWaitingBytes: [65_536, Number.MAX_SAFE_INTEGER],
  diskReserveBytes: [0, Number.MAX_SAFE_INTEGER],
  diskReservePercent: [0, 90],
}

/** The least and the most that a limit may be. */
export function limitRange(name: keyof Limits): readonly [least: number, most: number] {
  return ranges[name] ?? [1, Number.MAX_SAFE_INTEGER]
}

/**
 * Fills in the defaults and checks every value once.
 * @throws BrokerError `invalid-option`, naming the limit and its range.
 */
export function checkLimits(given: Partial<Limits> = {}): Limits {
  checkNames(given, limitNames, 'limits')
  for (const [name, value] of Object.entries(given)) {
    const [least, most] = limitRange(name as keyof Limits)
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new BrokerError(
        'invalid-option',
        `limits.${name} is ${value}; it takes a whole number from ${least} to ${most}`,
      )
    }
  }
  return { ...defaultLimits, ...given }
}
