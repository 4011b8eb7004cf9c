export type {
  Client,
  RequestOptions,
  RespondOptions,
  Response,
  ResponseHandler,
  ResponseMessage,
} from './client.js'
export { connect } from './connect.js'
export type { ConnectOptions } from './options.js'
export * from './page.js' // what stands above goes before its own of the same names
export { scramSha256 } from './scram.js'
export type { ServerOptions } from './server-options.js'
export type { DialedSocket } from './socket.js'
export type { Pem, TlsOptions } from './tls-options.js'
