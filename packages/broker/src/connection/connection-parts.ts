import type { Accounts } from '../accounts.js'
import type { Owner } from '../faults.js'
import type { Services } from '../handlers/context.js'
import type { Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'
import type { ArrivalParts } from './arrival.js'
import type { Door } from './door.js'
import type { OutboxParts } from './outbox.js'
import type { PartialPackets } from './partial-packets.js'
import type { PublishRates } from './publish-rate.js'

/** What all connections of a broker are made with. */
export interface ConnectionParts extends ArrivalParts {
  readonly services: Services
  readonly outbox: OutboxParts
  readonly door: Door
  readonly store: Pick<Store, 'full' | 'latest' | 'gathered' | 'isLow' | 'endOfPart' | 'setWill'>
  readonly accounts: Accounts
  /** Connections with publications that wait for room on the disk. */
  readonly waitingForRoom: Set<WaitsForRoom>
  readonly publishRates: PublishRates
  /** What has come in part. */
  readonly partialPackets: PartialPackets
  readonly clock: Clock
}

/** A connection with publications that wait for room on the disk. */
export interface WaitsForRoom extends Owner {
  /** There is some: what has waited goes on, a part of it in this turn. True: all of it has. */
  onRoom(): boolean
}
