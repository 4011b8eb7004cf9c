import type { Checks } from './checks.js'
import type { Client } from './client.js'
import type { ConnectOptions } from './options.js'

/** What `connect` of `@godwit/client/browser` gives: the client without requests, which `requestsOf` adds. */
export interface PageClient extends Omit<Client, 'request' | 'respond'> {}

/** What it takes: a page has no say in how the browser makes connections. */
export interface PageConnectOptions extends Omit<ConnectOptions, 'tls' | 'headers' | 'dial' | 'unref'> {
  /** Those of `@godwit/client/browser-checks`, while a page is written in plain JavaScript. Default: none. */
  readonly checks?: Checks
}
