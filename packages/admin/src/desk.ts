import type { Clock, Logger } from '@godwit/broker'
import type { Logins } from './logins.js'
import type { AdministeredBroker, AdminOptions } from './options.js'
import type { Parts } from './parts.js'

/** What operations work with. */
export interface Desk {
  readonly broker: AdministeredBroker
  readonly parts: Parts
  readonly options: AdminOptions
  readonly logger: Logger
  readonly clock: Clock
  readonly logins: Logins
  /** Whether browsers reach it over TLS. */
  isSecure(request: Request): boolean
  /** Monotonic ms at which the API began. */
  readonly startedAt: number
}
