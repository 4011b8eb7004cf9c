/** Why a message did not go where its sender or subscriber might have expected it. */
export type DropReason =
  /** QoS 0 to a client whose socket takes nothing more, or to a session inside the process that is not read. */
  | 'slow-consumer'
  /** The session's queue is full. */
  | 'queue-full'
  /** QoS 0 to a session without a connection, as the standard allows (section 4.3.1). */
  | 'offline-qos0'
  /** Larger than the client takes. */
  | 'too-large'
  /** Its Message Expiry Interval ran out before it was sent. */
  | 'expired'
  /** A publisher that may not publish there. */
  | 'not-authorized'
  /** A subscriber that may not receive it. */
  | 'receive-denied'
  /** A client publishing under `$SYS`, which is the broker's. */
  | 'system-topic'
  /** Delivered, but not retained: the bound on retained messages was reached. */
  | 'retained-full'
  /** At QoS 2 to a member of a shared group whose session ended before it had it: nobody else may get it. */
  | 'shared-member-gone'
  /** An in-process subscriber that does not keep up. */
  | 'slow-listener'
  /** Its Payload Format Indicator says UTF-8, and it is not. */
  | 'payload-format'
  /** From a client that publishes faster than it may, where that is refused. */
  | 'publish-rate'
  /** A will of an earlier process, where those are not wanted. */
  | 'will-after-restart'
  /** As much is kept as `limits.maxStoredBytes` lets. */
  | 'storage-full'
  /** The disk is down to its reserve, and the publisher could not wait any longer. */
  | 'disk-reserve'
  /** What makes a cluster's commits safe has been silent for longer than a publisher should wait. */
  | 'log-silent'
  /** What the disk has of it is not what was written. */
  | 'damaged'

/** Why a connection was closed before its first byte of MQTT. */
export type HandshakeRefusal =
  /** Too many others were not done yet. */
  | 'too-many'
  /** It was not done in time. */
  | 'too-slow'
  /** A proxy that sent no header of the PROXY protocol, or a broken one. */
  | 'proxy-header'
  /** TLS failed: no certificate, one that is not trusted, expired or revoked, or no TLS at all. */
  | 'tls'
  /** No WebSocket upgrade, or one that may not be. */
  | 'upgrade'

/** Why a client was turned away before it had a session. */
export type ConnectionRefusal =
  /** As many connections as the broker takes. */
  | 'connections'
  /** As many from its address as one may have. */
  | 'connections-of-address'
  /** The process may open too few files (`ulimit -n`) for one more. */
  | 'descriptors'
  /** Too many CONNECT packets in a short time, from all together. */
  | 'connect-rate'
  /** Too many from its address. */
  | 'connect-rate-of-address'
  /** The broker was overloaded for as long as the client could wait. */
  | 'overload'
  /** As many sessions as the broker keeps. */
  | 'sessions'
  /** No room to keep another: `limits.maxStoredBytes`, or the reserve of the disk; or a cluster's log is silent. */
  | 'storage'
  /** Too much was waiting from those that had not shown who they are. */
  | 'unauthenticated-bytes'
  /** Nobody vouches for it: not authorized, wrong or malformed credentials. */
  | 'not-authorized'
  /** Whoever should have vouched for it could not be asked. */
  | 'unavailable'
  /** What its CONNECT asks for, or another reason told in CONNACK. */
  | 'connect'

/** Why a filter was refused in SUBACK. */
export type SubscriptionRefusal =
  /** A client that may not subscribe to all that the filter matches. */
  | 'not-authorized'
  /** As many subscriptions as a session may have. */
  | 'quota'
  /** No room to keep another: `limits.maxStoredBytes`, or the reserve of the disk; or a cluster's log is silent. */
  | 'storage'
  /** A feature that is switched off, at 3.1.1; at 5.0 it ends the connection. */
  | 'not-supported'

/** What all queues of the broker hold together. */
export interface QueueTotals {
  /** Messages that wait, and those a session that lives on has been sent and has not acknowledged. */
  messages: number
  /** Of their topics, properties and payloads, and some 100 an entry: what `limits.maxQueuedBytes` counts. */
  bytes: number
}

/** From half a millisecond, which a good disk takes, to ten seconds, in seconds. */
const secondsOfCommits = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const writesOfCommits = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000]

/** What the store tells of its commits. */
export class CommitMetrics {
  /** Records written or removed by a commit. */
  readonly writes: Histogram = new Histogram(writesOfCommits)
  /** Seconds from the first write that a commit gathered until it was on disk: what an acknowledgement waited at most. */
  readonly latency: Histogram = new Histogram(secondsOfCommits)
  /** Seconds of that which the disk took: from when the commit was handed to it until its fsync was over. */
  readonly fsync: Histogram = new Histogram(secondsOfCommits)
  /** Attempts that failed. Each is tried again until it succeeds. */
  failures = 0
  /** What is wrong with the disk while it does not take a commit. */
  failing: string | undefined
}

/** What the store tells of the disk; all 0 for a store in memory. */
export class StoreMetrics {
  /** Bytes of the data file that are in use. */
  liveBytes = 0
  /** Bytes of the data file: what is not in use is used again. */
  fileBytes = 0
  /** Bytes that can still be written: free on the disk, and in the file. */
  freeBytes = 0
  /** Bytes that stay free: see `limits.diskReserveBytes`. */
  reserveBytes = 0
  /** Less is free than the reserve. */
  isLow = false
  /** Nothing has become safe for too long, in a cluster: what must be kept is refused. */
  isSilent = false
  /** Records and messages that could not be read as they were written. */
  damagedRecords = 0
}

/** Of clients that an edge passes on to the node that serves; all 0 without a cluster. */
export class ForwardMetrics {
  /** There is an edge. */
  isOn = false
  /** Clients whose bytes go there and back now. */
  clients = 0
  /** CONNECT packets that wait for a node that serves, or for a connection to it. */
  waiting = 0
  /** Connections to such nodes that were made. */
  connections = 0
  /** Attempts to make one that failed. */
  failures = 0
  /** Connections that were ended because another node serves now. */
  ended = 0
  /** Bytes that have come from one side and are not taken by the other yet, of all clients. */
  bufferedBytes = 0
}

/**
 * Plain counters, added to where things happen and read by `$SYS` topics and, as copies, by the metrics page and whoever embeds
 * the broker. All count from start.
 */
export class Metrics {
  /** PUBLISH packets taken from clients, by QoS. */
  readonly publishReceivedByQos: Float64Array = new Float64Array(3)
  /** PUBLISH packets given to clients' sockets, by QoS. */
  readonly publishSentByQos: Float64Array = new Float64Array(3)
  /** Bytes of their payloads, by QoS. */
  readonly publishBytesReceivedByQos: Float64Array = new Float64Array(3)
  readonly publishBytesSentByQos: Float64Array = new Float64Array(3)
  /** All packets. */
  packetsReceived = 0
  packetsSent = 0
  bytesReceived = 0
  bytesSent = 0
  /** Connections that were opened, whoever was at the other end. */
  connectionsAccepted = 0
  /** CONNECT packets that were let in. */
  clientsAccepted = 0
  connectionsRefused = 0
  /** The same by reason. */
  readonly refused: Record<ConnectionRefusal, number> = {
    connections: 0,
    'connections-of-address': 0,
    descriptors: 0,
    'connect-rate': 0,
    'connect-rate-of-address': 0,
    overload: 0,
    sessions: 0,
    storage: 0,
    'unauthenticated-bytes': 0,
    'not-authorized': 0,
    unavailable: 0,
    connect: 0,
  }
  /** Times the system did not hand over a connection: no descriptor, no memory. How many were lost nobody can tell. */
  acceptFailures = 0
  readonly subscriptionsRefused: Record<SubscriptionRefusal, number> = {
    'not-authorized': 0,
    quota: 0,
    storage: 0,
    'not-supported': 0,
  }
  /** CONNECT packets that waited for the event loop to be in time again, let in or not. */
  connectsDelayed = 0
  /** Times a client was read from later because it had published too much. */
  publishersSlowed = 0
  /** Connections ended because the client took nothing of what waited for it. */
  drainTimeouts = 0
  /** Connections closed for what the client did: malformed, out of turn, over a limit. */
  protocolErrors = 0
  keepAliveTimeouts = 0
  connectTimeouts = 0
  takeovers = 0
  sessionsExpired = 0
  willsPublished = 0
  /** Acknowledgements that are not the one their packet id waits for: ignored where it waits for none, else the end of the connection. */
  strayAcks = 0
  /** Errors of the broker itself, or of a hook or listener of the program around it. Each was logged, and ended what it hit. */
  internalErrors = 0
  readonly handshakesRefused: Record<HandshakeRefusal, number> = {
    'too-many': 0,
    'too-slow': 0,
    'proxy-header': 0,
    tls: 0,
    upgrade: 0,
  }
  /** Epoch ms at which the first certificate of any open listener expires; `undefined` without TLS. */
  tlsExpiresAt: number | undefined
  readonly dropped: Record<DropReason, number> = {
    'slow-consumer': 0,
    'queue-full': 0,
    'offline-qos0': 0,
    'too-large': 0,
    expired: 0,
    'not-authorized': 0,
    'receive-denied': 0,
    'system-topic': 0,
    'retained-full': 0,
    'shared-member-gone': 0,
    'slow-listener': 0,
    'payload-format': 0,
    'publish-rate': 0,
    'will-after-restart': 0,
    'storage-full': 0,
    'disk-reserve': 0,
    'log-silent': 0,
    damaged: 0,
  }

  readonly queued: QueueTotals = { messages: 0, bytes: 0 }
  readonly commits: CommitMetrics = new CommitMetrics()
  readonly store: StoreMetrics = new StoreMetrics()
  readonly forward: ForwardMetrics = new ForwardMetrics()
  /** Publications that waited, or wait, for room on the disk. */
  publishesHeld = 0
  /** Publications that bridges brought again, by another way. */
  bridgedRepeats = 0

  /** PUBLISH packets taken from clients. */
  get publishReceived(): number {
    return sumOf(this.publishReceivedByQos)
  }

  /** PUBLISH packets given to clients' sockets. */
  get publishSent(): number {
    return sumOf(this.publishSentByQos)
  }

  get publishBytesReceived(): number {
    return sumOf(this.publishBytesReceivedByQos)
  }

  get publishBytesSent(): number {
    return sumOf(this.publishBytesSentByQos)
  }

  get messagesDropped(): number {
    return Object.values(this.dropped).reduce((sum, n) => sum + n, 0)
  }

  /** A broker begins on them: what another has counted stays, and what that one held is gone. */
  beginAnew(): void {
    copyInto({ messages: 0, bytes: 0 }, this.queued)
    copyInto(new StoreMetrics(), this.store)
    this.commits.failing = undefined
  }

  /** As they are now: what is counted later is not in it. */
  copy(): Metrics {
    const copy = new Metrics()
    copyInto(this, copy)
    return copy
  }
}

/** Figures and texts, in objects and arrays that are there on both sides. */
function copyInto(from: object, to: object): void {
  for (const [name, value] of Object.entries(from)) {
    if (typeof value === 'object' && value !== null) copyInto(value, (to as Record<string, object>)[name]!)
    else (to as Record<string, unknown>)[name] = value
  }
}

function sumOf(byQos: Float64Array): number {
  return byQos[0]! + byQos[1]! + byQos[2]!
}

/** How often something was how much: counts by upper bound, as Prometheus has them. Costs a few comparisons a value. */
export class Histogram {
  /** Upper bounds, inclusive, rising; what is above the last has a count of its own. */
  readonly bounds: readonly number[]
  /** How many values fell to each bound and above the one before; the last one: above all bounds. */
  readonly counts: Float64Array
  count = 0
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let at = 0
    while (at < this.bounds.length && value > this.bounds[at]!) at++
    this.counts[at]!++
    this.count++
    this.sum += value
  }
}
