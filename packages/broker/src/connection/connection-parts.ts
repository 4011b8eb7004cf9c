import type { Accounts } from '../accounts.js'
import type { Services } from '../handlers/context.js'
import type { Logger } from '../log.js'
import type { Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'
import type { TimerWheel } from '../time/timer-wheel.js'
import type { Door } from './door.js'
import type { OutboxParts } from './outbox.js'
import type { Waiting } from './waiting.js'

/** What all connections of a broker are made with. */
export interface ConnectionParts<Connection> {
  readonly services: Services
  readonly outbox: OutboxParts
  readonly waiting: Waiting
  readonly door: Door
  readonly store: Pick<Store, 'full' | 'latest' | 'gathered' | 'isLow' | 'endOfPacket' | 'setWill'>
  readonly accounts: Accounts
  /** Connections with publications that wait for room on the disk. */
  readonly waitingForRoom: Set<Connection>
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly log: Logger
  /** Its client is in: from here on the registry knows it by its session. */
  onAccepted(connection: Connection): void
  /** The connection is gone. */
  onClosed(connection: Connection): void
}
