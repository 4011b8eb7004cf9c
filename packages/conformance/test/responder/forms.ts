import type { Packet } from '@godwit/protocol'
import type { World } from './world.js'

/** For people to read; left out where they make a packet too large (5.0 [MQTT-3.2.2-19] [MQTT-3.2.2-20]). */
const words = {
  reasonString: 'said by the responder, for whoever reads along',
  userProperties: [['said by', 'the responder, for whoever reads along']],
} as const
export const wordsKept = ['reasonString', 'userProperties'] as const
const explained: readonly Packet['type'][] = [
  'connack',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'disconnect',
  'auth',
]

/** A packet of 5.0 with all it may say, then with less. */
export function formsOf(packet: Packet, wantsWords: boolean, { chooses, mutated }: World): readonly Packet[] {
  if (!explained.includes(packet.type) || chooses('no-words')) return [packet]
  const isAlwaysTold = packet.type === 'connack' || packet.type === 'disconnect' || packet.type === 'auth'
  if (!wantsWords && !isAlwaysTold && !mutated('words-unasked')) return [packet]
  const own = 'properties' in packet ? packet.properties : {}
  const { reasonString, userProperties } = words
  const others = [{ reasonString, userProperties }, { reasonString }, { userProperties }]
  return [...others.map((more) => ({ ...packet, properties: { ...own, ...more } }) as Packet), packet]
}
