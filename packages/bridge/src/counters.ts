/**
 * Why a message is not carried.
 *
 * - `expired`: its time was over before it could go out
 * - `too-large`: the other side takes no packet of that size
 * - `refused-there`: the other broker does not take it (its reason code is in the log)
 * - `unwritable`: no packet can carry it under its name over there
 * - `refused-here`: this broker does not take it
 * - `not-mapped`: it came in on a topic that no `in` filter has
 * - `system-topic`: it came in as one of this broker's own topics, under `$SYS`
 * - `loop`: it has been on the other side, or here, already
 */
export type BridgeDrop = (typeof bridgeDrops)[number]

export const bridgeDrops = [
  'expired',
  'too-large',
  'refused-there',
  'unwritable',
  'refused-here',
  'not-mapped',
  'system-topic',
  'loop',
] as const

/** What a bridge has done since it was made. */
export interface BridgeCounters {
  /** Messages that the other broker has taken; at QoS 0, that have been sent. */
  out: number
  /** Messages that this broker has taken. */
  in: number
  /** Connections made. */
  connections: number
  /** How often the other broker had forgotten the session: what it had of messages in doubt has been sent again. */
  lostSessions: number
  readonly dropped: Record<BridgeDrop, number>
}

export function newCounters(): BridgeCounters {
  const dropped = Object.fromEntries(bridgeDrops.map((reason) => [reason, 0])) as Record<BridgeDrop, number>
  return { out: 0, in: 0, connections: 0, lostSessions: 0, dropped }
}
