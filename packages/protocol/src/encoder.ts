import type { Definition } from './definition.js'
import { definitions, type Packet } from './definitions.js'
import { ProtocolError } from './errors.js'
import { tuned } from './tuned.js'
import type { ProtocolVersion } from './version.js'
import { Writer } from './writer.js'

/**
 * One packet as bytes.
 * @throws ProtocolError when the packet may not be sent at this version.
 */
export function encode(packet: Packet, version: ProtocolVersion): Uint8Array {
  const writer = new Writer(tuned && packet.type === 'publish' ? packet.payload.length + 64 : 64)
  encodeInto(writer, packet, version)
  return writer.written()
}

/**
 * Appends one packet at the writer's cursor. On error the cursor is where it was: no half packet ever leaves.
 * @throws ProtocolError when the packet may not be sent at this version.
 */
export function encodeInto(writer: Writer, packet: Packet, version: ProtocolVersion): void {
  if (packet.type === 'auth' && version < 5) throw new ProtocolError('protocol-error', 'AUTH is not in MQTT below 5.0')
  const before = writer.position
  try {
    const definition = definitions[packet.type] as Definition<Packet>
    definition.encode(writer, packet, version)
  } catch (error) {
    writer.position = before
    throw error
  }
}
