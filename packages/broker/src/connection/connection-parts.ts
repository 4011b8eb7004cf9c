import type { Accounts } from '../accounts.js'
import type { Services } from '../handlers/context.js'
import type { Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'
import type { ArrivalParts } from './arrival.js'
import type { Door } from './door.js'
import type { WaitingForRoom } from './held-publications.js'
import type { PublishRates } from './intake.js'
import type { OutboxParts } from './outbox.js'
import type { PartialPackets } from './partial-packets.js'

/** What all connections of a broker are made with. */
export interface ConnectionParts extends ArrivalParts {
  readonly services: Services
  readonly outbox: OutboxParts
  readonly door: Door
  readonly store: Pick<Store, 'full' | 'latest' | 'gathered' | 'isLow' | 'isSilent' | 'endOfPart' | 'setWill'>
  readonly accounts: Accounts
  /** Connections with publications that wait for room on the disk. */
  readonly waitingForRoom: WaitingForRoom
  readonly publishRates: PublishRates
  /** Bounds what connections have of packets that have come in part. */
  readonly partialPackets: PartialPackets
  readonly clock: Clock
}
