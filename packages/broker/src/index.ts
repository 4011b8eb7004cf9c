export type { Account, Accounts, AccountsView, AccountView } from './accounts.js'
export type { BatchListener } from './batches.js'
export { Broker, createBroker, type DisconnectOptions, type RecoveredCounts } from './broker.js'
export type { Change } from './changes.js'
export type { ClientCertificate } from './client-certificate.js'
export type { Commit } from './commit.js'
export type { TracedPacket } from './connection/traced-packet.js'
export type { TraceEvent, TraceOptions } from './connection/tracing.js'
export { descriptorLimit } from './descriptors.js'
export type { Counters } from './drops.js'
export type { OwnerNode } from './edge/dialer.js'
export { createEdge, Edge } from './edge/edge.js'
export type { EdgeOptions, NodeTlsOptions } from './edge/edge-options.js'
export type { NodeAddress } from './edge/node-dial.js'
export { BrokerError, type BrokerErrorCode } from './errors.js'
export { type Features, featureEffects } from './features.js'
export type { Admission, AdmittedAs, Claims, ClientInfo, Identity, Redirection } from './hooks/client-info.js'
export type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
} from './hooks/extended-authentication.js'
export type {
  AuthenticateRequest,
  AuthorizeRequest,
  Hooks,
  PublishedMessage,
} from './hooks/hooks.js'
export { type ScramCredentials, scramCredentials, scramSha256 } from './hooks/scram.js'
export type { InsideMessage } from './inside/inside-message.js'
export type { InsideSession } from './inside/inside-session.js'
export type {
  InsidePublishOptions,
  InsideSessionOptions,
  InsideSubscribeOptions,
} from './inside/session-options.js'
export type { Clients, ClientView } from './inspection/clients.js'
export { Exposition, type Labels } from './inspection/exposition.js'
export type { Listing, Page, PageOptions } from './inspection/page.js'
export { type Exposed, edgePrometheusText, prometheusText } from './inspection/prometheus.js'
export type { QueuedView } from './inspection/queued.js'
export type { Readiness } from './inspection/readiness.js'
export type { RetainedFilter, RetainedList, RetainedPageOptions, RetainedView } from './inspection/retained.js'
export type { Sessions, SessionView } from './inspection/sessions.js'
export type { SharedGroupList, SharedGroupView, SharedMemberView } from './inspection/shared-group-list.js'
export type {
  SubscriptionFilter,
  SubscriptionList,
  SubscriptionPageOptions,
  SubscriptionView,
} from './inspection/subscriptions.js'
export { defaultLimits, type LimitEffect, type Limits, limitEffects, limitRange, neverExpires } from './limits.js'
export { type LogFields, type Logger, type LogLevel, QuietLines } from './log.js'
export type { MaybeAsync } from './maybe-async.js'
export {
  type CommitMetrics,
  type ConnectionRefusal,
  type DropReason,
  type ForwardMetrics,
  type HandshakeRefusal,
  Histogram,
  type Metrics,
  type QueueTotals,
  type StoreMetrics,
  type SubscriptionRefusal,
} from './metrics.js'
export type { BrokerOptions } from './options.js'
export type { ClientDrops, DropCount, DropEvent, DropKind, DropsView } from './recent-drops.js'
export type { Reconfiguration } from './reconfiguration.js'
export type { LocalProperties, PublishOptions } from './router/local-message.js'
export type { LocalMessage, LocalSubscription } from './router/local-subscription.js'
export type { BusiestTopics, TopicCount } from './router/topic-sketch.js'
export { memoryStore } from './store/memory.js'
export type { KeptMessage, Queue, QueuedMessage } from './store/queue.js'
export type {
  OutgoingSource,
  OutgoingState,
  Recovered,
  RecoveredGroup,
  RecoveredSession,
  SessionStore,
  Store,
  StoredGrant,
  StoreHost,
} from './store/store.js'
export type { BrokerTime, Moment } from './time/broker-time.js'
export type { Chore, Chores } from './time/chores.js'
export { type Clock, systemClock } from './time/clock.js'
export { type Rate, TokenBucket } from './time/token-bucket.js'
export { checkListen } from './transport/listen.js'
export type {
  ListenOptions,
  NodeOptions,
  ProxyProtocolOptions,
  TcpOptions,
  TlsOptions,
  UnixOptions,
  WebSocketOptions,
} from './transport/listen-options.js'
export { memoryPair } from './transport/memory.js'
export { type InheritedSocket, systemdSockets } from './transport/systemd.js'
export { readTls } from './transport/tls-files.js'
export type { Listener, Peer, PreparedOptions, TlsAgreement } from './transport/transport.js'
export { isAnswered, listenAt } from './unix-socket.js'
export { version } from './version.js'
export type { DropWatch, TopicWatch, Watch } from './watches.js'
