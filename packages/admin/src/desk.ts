import type { Clock, DropWatch, Logger } from '@godwit/broker'
import type { Feeds } from './follow/feeds.js'
import type { Logins } from './logins.js'
import type { AdministeredBroker, AdminOptions } from './options.js'
import type { Parts } from './parts.js'
import type { History } from './series/history.js'

/** What operations work with. */
export interface Desk {
  readonly broker: AdministeredBroker
  readonly parts: Parts
  readonly options: AdminOptions
  readonly logger: Logger
  readonly clock: Clock
  readonly logins: Logins
  readonly history: History
  readonly feeds: Feeds
  /** What was dropped and refused in the last hour. */
  readonly drops: Pick<DropWatch, 'recent' | 'of'>
  /** Whether browsers reach it over TLS. */
  isSecure(request: Request): boolean
  /** Monotonic ms at which the API began. */
  readonly startedAt: number
}
