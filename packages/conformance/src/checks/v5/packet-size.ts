import { encode, type Packet } from '@godwit/protocol'
import { CheckFailure } from '../../failure.js'
import type { Received } from '../../framer.js'
import type { Peer } from '../../peer.js'
import { toHex } from '../../raw-packets.js'
import type { Trial } from '../../trial.js'

/** Properties a server adds for people to read, and leaves out where they make a packet too large. */
export type OptionalProperty = 'reasonString' | 'userProperties'

/** Below this, what comes before the packet may not fit either. */
const leastUseful = 32

const words = { reasonString: 'Reason String', userProperties: 'User Property' } as const

/** The property's value, whatever packet it stands in. */
export function optional(packet: Packet | undefined, property: OptionalProperty): unknown {
  const properties = packet && 'properties' in packet ? packet.properties : undefined
  return properties && (properties as Partial<Record<OptionalProperty, unknown>>)[property]
}

/**
 * Has the server send a packet with the property twice: freely, and to a client for whom this property, whatever becomes
 * of the other, makes it one byte too large. The second is told without it, or is told nothing.
 * @param provoke has a client with this Maximum Packet Size sent the packet; undefined where none came
 */
export async function expectLeftOut(
  t: Trial,
  property: OptionalProperty,
  provoke: (maximumPacketSize?: number) => Promise<Received | undefined>,
): Promise<void> {
  const free = await provoke()
  if (!free || optional(free.packet, property) === undefined) {
    t.skip(`does not apply: the server gives no ${words[property]} in what could be provoked`)
  }
  const most = withoutOther(free, property) - 1
  if (most < leastUseful) t.skip(`does not apply: not even CONNACK may fit in ${most} bytes`)
  const bound = await provoke(most)
  if (bound && optional(bound.packet, property) !== undefined) expectWithin([bound], most)
}

/** Bytes of the packet with the property and without the other one. */
function withoutOther({ packet, bytes }: Received, property: OptionalProperty): number {
  if (!packet || !('properties' in packet)) return bytes.length
  const other = property === 'reasonString' ? 'userProperties' : 'reasonString'
  return encode({ ...packet, properties: { ...packet.properties, [other]: undefined } } as Packet, 5).length
}

/** None of them is larger than the client can take. */
export function expectWithin(received: readonly Received[], maximumPacketSize: number): void {
  const large = received.find(({ bytes }) => bytes.length > maximumPacketSize)
  if (!large) return
  throw new CheckFailure(
    `no packet of more than ${maximumPacketSize} bytes`,
    `came one of ${large.bytes.length}: ${toHex(large.bytes)}`,
  )
}

/** The first packet of this type among all that have come by the time things are quiet. */
export async function firstOf(t: Trial, c: Peer, type: Packet['type']): Promise<Received | undefined> {
  await t.settled()
  return c.heard().find(({ packet, problem }) => packet?.type === type || problem !== undefined)
}
