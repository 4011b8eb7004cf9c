export type { PropertiesOf, ProtocolVersion, QoS, TopicParams } from '@godwit/protocol'
export type {
  ClientEvents,
  ClientState,
  CloseOptions,
  PublishOptions,
  PublishProperties,
  PublishResult,
  RecoveredPublication,
  ServerInfo,
} from './client.js'
export type { Clock } from './clock.js'
export type { Credentials } from './credentials.js'
export type { Authentication, AuthenticationData } from './enhanced-auth.js'
export type { AnyClientError, ClientErrorCode } from './errors.js'
export {
  CertificateError,
  ClientError,
  ConnectionError,
  InterruptedError,
  InvalidArgumentError,
  isClientError,
  isPermanent,
  PublishError,
  ServerDisconnectedError,
  ServerRefusedError,
  StoreError,
  SubscriptionRefusedError,
  TransportUnavailableError,
  UnsubscribeRefusedError,
} from './errors.js'
export type { FilterGrant } from './filter-grant.js'
export type { Message, ParamsOf } from './message.js'
export type { CallOptions, OfflineQueueOptions, ReconnectOptions, WillOptions } from './options.js'
export type { PageClient as Client, PageConnectOptions as ConnectOptions } from './page-client.js'
export { connect } from './page-connect.js'
export type { Bytes, Payload } from './payload.js'
export type { GivenServers, ServerAddress, Transport } from './server-address.js'
export type { ByteStream, ByteStreamEvents, OpenStream } from './socket.js'
export type { ClientStore, StoredPublish, StoredSession } from './state/store.js'
export { memoryStore } from './state/store.js'
export type { SubscribeOptions, Subscription } from './subscription.js'
