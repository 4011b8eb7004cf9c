/**
 * What one chunk may cause to be sent before others have their turn: some ten milliseconds of work. Less would cost more:
 * what a subscriber gets in one turn is one system call.
 */
export const burst = { packets: 25_000, bytes: 16_777_216 } as const

/** Packets other than PUBLISH that one chunk may have handled before others have their turn: some of them cost ten of those. */
export const mostOtherPackets = 250
