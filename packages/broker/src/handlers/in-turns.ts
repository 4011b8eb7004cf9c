import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MaybeAsync } from '../maybe-async.js'

/** Filters of one packet handled before others have their turn. */
const filtersAtOnce = 500

/**
 * Handles the filters of one packet, portion by portion: at once when there are few.
 * @param take handles the filters from `from` up to `to`.
 */
export function inTurns(count: number, take: (from: number, to: number) => MaybeAsync<void>): MaybeAsync<void> {
  return count > filtersAtOnce ? turnByTurn(count, take) : take(0, count)
}

async function turnByTurn(count: number, take: (from: number, to: number) => MaybeAsync<void>): Promise<void> {
  for (let from = 0; from < count; from += filtersAtOnce) {
    if (from > 0) await nextTurn()
    await take(from, Math.min(from + filtersAtOnce, count))
  }
}
