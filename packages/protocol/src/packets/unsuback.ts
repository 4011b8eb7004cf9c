import { type Definition, definePacket } from '../definition.js'
import { ProtocolError } from '../errors.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import { checkReason } from './acks.js'
import { checkPacketId } from './publish.js'

/** UNSUBACK (section 3.11). */
export interface Unsuback {
  readonly type: 'unsuback'
  readonly packetId: number
  /** A code a filter, in the order of the filters. Not on the wire below version 5: empty when decoded. */
  readonly reasonCodes: readonly number[]
  readonly properties?: PropertiesOf<'unsuback'> | undefined
}

export const unsuback: Definition<Unsuback> = definePacket(
  11,
  0,
  (r, version) => {
    const packetId = r.packetId()
    if (version < 5) return { type: 'unsuback', packetId, reasonCodes: [] }
    const properties = readProperties(r, 'unsuback')
    const reasonCodes: number[] = []
    while (r.left > 0) reasonCodes.push(checkReason('unsuback', r.u8()))
    if (reasonCodes.length === 0) throw new ProtocolError('malformed-packet', 'UNSUBACK without a code')
    return { type: 'unsuback', packetId, reasonCodes, ...(properties && { properties }) }
  },
  (w, { packetId, reasonCodes, properties }, version) => {
    w.u16(checkPacketId(packetId))
    if (version < 5) return
    if (reasonCodes.length === 0) throw new ProtocolError('protocol-error', 'UNSUBACK without a code')
    writeProperties(w, 'unsuback', properties)
    for (const code of reasonCodes) w.u8(checkReason('unsuback', code))
  },
)
