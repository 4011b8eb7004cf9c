import type { Broker, Clock, Histogram, Logger } from '@godwit/broker'
import type { Logins } from './logins.js'
import type { Parts } from './parts.js'
import type { Tokens } from './tokens.js'

/** What the API shows and steers: {@link Broker} is one. */
export type AdministeredBroker = Pick<
  Broker,
  | 'clients'
  | 'sessions'
  | 'subscriptions'
  | 'sharedGroups'
  | 'retained'
  | 'recovered'
  | 'metrics'
  | 'accounts'
  | 'readiness'
  | 'changes'
  | 'trace'
  | 'watchDrops'
  | 'publish'
  | 'disconnect'
>

export interface AdminOptions extends Parts {
  /** Who may come in. */
  readonly tokens: Tokens
  /** Who has logged in, where another API came before this one at the same server. Default: nobody yet. */
  readonly logins?: Logins | undefined
  /** Where browsers find this server, as `https://mqtt.example`: its origin and host are taken for this server's own. Default: loopback alone. */
  readonly publicUrl?: string | undefined
  /** Further hosts, with their port, that this server is called by, as `192.0.2.7:18083`. Default: none. */
  readonly hosts?: readonly string[] | undefined
  /** Is told every act, and who did it. Default: nobody. */
  readonly logger?: Logger | undefined
  /** Those that are open now, in words, as `127.0.0.1:1883`. Default: not known. */
  readonly listeners?: (() => readonly string[]) | undefined
  /** How late the event loop was, in seconds. Default: it is not shown. */
  readonly eventLoopDelay?: Histogram | undefined
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** What is known of a request beside itself. */
export interface RequestFacts {
  /** Where it comes from, for the log. */
  readonly address?: string | undefined
}
