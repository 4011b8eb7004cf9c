import type { Packet } from '@godwit/protocol'

/**
 * What one chunk may cause to be sent before others have their turn: some ten milliseconds of work. Less would cost more:
 * what a subscriber gets in one turn is one system call.
 */
export const burst = { packets: 25_000, bytes: 16_777_216 } as const

/** Packets that change what the broker holds which one chunk may have handled before others have their turn: each costs ten others. */
export const mostCostlyPackets = 50

/** SUBSCRIBE, UNSUBSCRIBE and the like: not messages, not acknowledgements, not pings. */
export function isCostly({ type }: Packet): boolean {
  return type === 'subscribe' || type === 'unsubscribe' || type === 'connect' || type === 'auth'
}
