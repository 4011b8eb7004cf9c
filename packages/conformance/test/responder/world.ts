import type { PropertiesOf, QoS } from '@godwit/protocol'
import type { ResponderClock } from './clock.js'
import type { Liberty } from './liberties.js'

/** What every part of the responder is made with. */
export interface World {
  readonly clock: ResponderClock
  /** Whether the rule of that name is broken. */
  readonly mutated: (fault: string) => boolean
  /** Whether, of what the standard leaves open, the responder does the other thing: see `liberties.ts`. */
  readonly chooses: (liberty: Liberty) => boolean
}

/** An application message on its way. */
export interface Message {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  /** As it came in. */
  readonly dup: boolean
  readonly properties: PropertiesOf<'publish'>
  /** Client Identifier of the publisher. */
  readonly from: string
  readonly expiresAt: number
}

/** When a message with these properties expires. */
export function expiryOf({ clock, mutated }: World, properties: PropertiesOf<'publish'> | undefined): number {
  const seconds = properties?.messageExpiryInterval
  return seconds === undefined ? Number.POSITIVE_INFINITY : clock.now + msOf(seconds, mutated)
}

/** An interval of 5.0, which may be as long as 136 years. */
export function msOf(seconds: number, mutated: World['mutated']): number {
  return seconds >= 2 ** 31 && mutated('long-intervals-run-over') ? 0 : 1000 * seconds
}
