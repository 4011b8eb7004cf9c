import type { Clock, DropWatch, Logger } from '@godwit/broker'
import type { Feeds } from './follow/feeds.js'
import type { Logins } from './logins.js'
import type { AdministeredBroker, AdminOptions } from './options.js'
import type { Parts } from './parts.js'
import type { History } from './series/history.js'

/** What operations work with at a node of a cluster that follows, too. */
export interface FrontDesk {
  /** `undefined`: another node serves. */
  readonly broker: AdministeredBroker | undefined
  readonly parts: Parts
  readonly options: AdminOptions
  readonly logger: Logger
  readonly clock: Clock
  readonly logins: Logins
  readonly feeds: Feeds
  /** Whether browsers reach it over TLS. */
  isSecure(request: Request): boolean
  /** Monotonic ms at which the API began. */
  readonly startedAt: number
}

/** What operations work with. */
export interface Desk extends FrontDesk {
  readonly broker: AdministeredBroker
  readonly history: History
  /** What was dropped and refused in the last hour. */
  readonly drops: Pick<DropWatch, 'recent' | 'of'>
}
