export type { PropertiesOf, ProtocolVersion, QoS, TopicParams } from '@godwit/protocol'
export type {
  Client,
  ClientEvents,
  ClientState,
  CloseOptions,
  PublishOptions,
  PublishProperties,
  PublishResult,
  RecoveredPublication,
  RequestOptions,
  RespondOptions,
  Response,
  ResponseHandler,
  ResponseMessage,
  ServerInfo,
} from './client.js'
export type { Clock } from './clock.js'
export { connect } from './connect.js'
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
export type {
  CallOptions,
  ConnectOptions,
  OfflineQueueOptions,
  ReconnectOptions,
  WillOptions,
} from './options.js'
export type { Bytes, Payload } from './payload.js'
export type { GivenServers, ServerAddress, Transport } from './server-address.js'
export type { ServerOptions } from './server-options.js'
export type { ByteStream, ByteStreamEvents, DialedSocket, OpenStream } from './socket.js'
export type { ClientStore, StoredPublish, StoredSession } from './state/store.js'
export { memoryStore } from './state/store.js'
export type { SubscribeOptions, Subscription } from './subscription.js'
export type { Pem, TlsOptions } from './tls-options.js'
