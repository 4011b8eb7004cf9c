import { matchesFilter, splitShared } from '@godwit/protocol'
import type { ActiveSubscription } from './subscription.js'

/** One filter: what is wanted on this side and what the server has. */
export interface FilterState {
  readonly filter: string
  /**
   * By this the server says which subscriptions a message is for (5.0). What one call subscribes to has one, so that it
   * fits into one packet.
   */
  readonly identifier: number
  /** Those who want it; when there are none it is to be unsubscribed. */
  readonly subscribers: Set<ActiveSubscription<string>>
  /** SUBSCRIBE must be sent, again perhaps. */
  due: boolean
  /** It is due, and waits for the word of a relay. */
  waits: boolean
  /** The server has it, or may have. */
  held: boolean
  /** SUBSCRIBE or UNSUBSCRIBE is on its way. */
  busy: boolean
}

export function newFilter(filter: string, identifier: number): FilterState {
  return { filter, identifier, subscribers: new Set(), due: true, waits: false, held: false, busy: false }
}

export function byIdentifier(states: readonly FilterState[]): FilterState[][] {
  const groups = new Map<number, FilterState[]>()
  for (const state of states) groups.set(state.identifier, [...(groups.get(state.identifier) ?? []), state])
  return [...groups.values()]
}

export function matches(filter: string, topic: string): boolean {
  return matchesFilter(splitShared(filter)?.filter ?? filter, topic)
}
