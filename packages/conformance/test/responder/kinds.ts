import type { Packet } from '@godwit/protocol'
import type { World } from './world.js'

/** Kinds of replies, in an order that means nothing. */
const kinds: readonly Packet['type'][] = [
  'pingresp',
  'unsuback',
  'suback',
  'pubcomp',
  'pubrel',
  'pubrec',
  'puback',
  'publish',
]

/** Whether replies to what came together are sorted. */
export function isSorted({ chooses }: World): boolean {
  return chooses('replies-by-kind') || chooses('replies-by-kind-backwards')
}

/** CONNACK, then kind by kind; in each kind as it was. */
export function byKind(packets: readonly Packet[], { chooses }: World): readonly Packet[] {
  const direction = chooses('replies-by-kind') ? 1 : -1
  const rank = ({ type }: Packet): number => (type === 'connack' ? -99 : direction * kinds.indexOf(type))
  return packets.toSorted((a, b) => rank(a) - rank(b))
}
