import type { ConnectionRefusal, DropKind, DropReason, HandshakeRefusal, SubscriptionRefusal } from '@godwit/broker'

/** Why something is dropped or refused, in words, and which settings govern it. */
export interface Explanation {
  readonly words: string
  /** By their names in the configuration; empty: no setting does. */
  readonly settings: readonly string[]
}

const of = (words: string, ...settings: string[]): Explanation => ({ words, settings })

const messages: Readonly<Record<DropReason, Explanation>> = {
  'slow-consumer': of(
    'At QoS 0 to a client that does not read fast enough: as much waited for its socket as may.',
    'limits.maxOutboxBytes',
  ),
  'queue-full': of(
    'The queue of its session, or shared group, is full: the client is away, or acknowledges too slowly.',
    'limits.maxQueuedMessages',
    'limits.maxQueuedBytes',
    'limits.maxInflight',
  ),
  'offline-qos0': of(
    'At QoS 0 to a session without a connection, as the standard allows; subscribe and publish at QoS 1 to have it kept.',
  ),
  'too-large': of(
    'Larger than the client takes: it has said so in CONNECT (Maximum Packet Size).',
    'limits.maxPacketBytes',
  ),
  expired: of('Its Message Expiry Interval ran out before it could be sent.'),
  'not-authorized': of('Its publisher may not publish there.', 'acl'),
  'receive-denied': of('Its subscriber may not receive it.', 'acl'),
  'system-topic': of('A client published under $SYS, which is the broker’s.'),
  'retained-full': of(
    'It was delivered and not retained: as many, or as much, is retained as may be.',
    'limits.maxRetainedMessages',
    'limits.maxRetainedBytes',
  ),
  'shared-member-gone': of(
    'At QoS 2, of a shared subscription: the member that had it has ended its session, and nobody else may get it.',
  ),
  'slow-listener': of('A subscriber in the program around the broker does not keep up.'),
  'payload-format': of('It says that it is UTF-8, and is not.', 'features.checkPayloadFormat'),
  'publish-rate': of(
    'Its publisher publishes faster than it may.',
    'limits.maxPublishesPerSecond',
    'features.publishBeyondRate',
  ),
  'will-after-restart': of('A will of an earlier process, where those are not wanted.', 'features.willsAfterRestart'),
  'storage-full': of('As much is kept as may be.', 'limits.maxStoredBytes'),
  'log-silent': of(
    'The log of the cluster was silent for longer than a publisher should wait: see that a majority of the NATS servers runs.',
  ),
  'disk-reserve': of(
    'The disk is down to its reserve, and the publisher could not wait any longer: make room on it.',
    'limits.diskReserveBytes',
    'limits.diskReservePercent',
  ),
  damaged: of('What the disk has of it is not what was written: see godwit store check.'),
}

const connections: Readonly<Record<ConnectionRefusal, Explanation>> = {
  connections: of('There are as many connections as the broker takes.', 'limits.maxConnections'),
  'connections-of-address': of(
    'There are as many from its address as one may have.',
    'limits.maxConnectionsPerAddress',
  ),
  descriptors: of('The process may open no more files: raise ulimit -n, or LimitNOFILE= in the systemd unit.'),
  'connect-rate': of('Too many clients came in a short time.', 'limits.maxConnectsPerSecond'),
  'connect-rate-of-address': of(
    'Too many came from its address in a short time.',
    'limits.maxConnectsPerSecondPerAddress',
  ),
  overload: of(
    'The broker was overloaded for as long as the client could wait.',
    'limits.overloadDelayMs',
    'limits.overloadWaitMs',
  ),
  sessions: of('There are as many sessions as the broker keeps.', 'limits.maxSessions'),
  storage: of('There is no room to keep another session.', 'limits.maxStoredBytes', 'limits.diskReserveBytes'),
  'unauthenticated-bytes': of(
    'Too much was waiting from those who had not shown who they are.',
    'limits.maxUnauthenticatedBytes',
  ),
  'not-authorized': of(
    'Nobody vouches for it: user name or password is wrong, or there is none.',
    'auth',
    'allowAnonymous',
  ),
  unavailable: of('Whoever should have vouched for it could not be asked.', 'auth'),
  connect: of('Its CONNECT asks for something that it cannot have; the event says what.', 'features'),
}

const handshakes: Readonly<Record<HandshakeRefusal, Explanation>> = {
  'too-many': of('Too many others were not done with their handshake.', 'listeners.maxHandshakes'),
  'too-slow': of('Its handshake was not done in time.', 'listeners.handshakeTimeoutMs'),
  'proxy-header': of('A proxy sent no header of the PROXY protocol, or a broken one.', 'listeners.proxyProtocol'),
  tls: of(
    'TLS failed: no certificate, one that is not trusted, has expired or was revoked, or no TLS at all.',
    'listeners.tls',
  ),
  upgrade: of('It was no WebSocket upgrade, or one that may not be.', 'listeners.path', 'listeners.origins'),
}

const subscriptions: Readonly<Record<SubscriptionRefusal, Explanation>> = {
  'not-authorized': of('The client may not subscribe to all that the filter matches.', 'acl'),
  quota: of('Its session has as many subscriptions as one may have.', 'limits.maxSubscriptionsPerSession'),
  storage: of('There is no room to keep another subscription.', 'limits.maxStoredBytes', 'limits.diskReserveBytes'),
  'not-supported': of('A feature that is switched off.', 'features'),
}

const all: Readonly<Record<DropKind, Readonly<Record<string, Explanation>>>> = {
  message: messages,
  connection: connections,
  handshake: handshakes,
  subscription: subscriptions,
}

export function explained(kind: DropKind, reason: string): Explanation {
  return all[kind][reason] ?? of('The broker has no words for it.')
}
