import type { Packet, PacketOf } from '@godwit/protocol'
import { inWords } from './describe.js'
import { CheckFailure } from './failure.js'
import type { Received } from './framer.js'

/** The packet of that type which has come. */
export function packetOf<T extends Packet['type']>(type: T, received: Received): PacketOf<T> {
  const { packet } = received
  if (packet?.type !== type) throw malformed(type.toUpperCase(), received)
  return packet as PacketOf<T>
}

/** Something has come that was not expected, or is no packet. */
export function malformed(expected: string, received: Received): CheckFailure {
  return new CheckFailure(expected, `came ${inWords(received)}`)
}
