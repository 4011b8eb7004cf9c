import { type Definition, definePacket } from '../definition.js'
import { ProtocolError } from '../errors.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import { checkReason } from './acks.js'
import { checkPacketId } from './publish.js'

/** SUBACK (section 3.9): a code a filter, in the order of the filters. */
export interface Suback {
  readonly type: 'suback'
  readonly packetId: number
  /** The granted QoS, or 0x80 and above; below version 5 every refusal is 0x80 on the wire. */
  readonly reasonCodes: readonly number[]
  readonly properties?: PropertiesOf<'suback'> | undefined
}

export const suback: Definition<Suback> = definePacket(
  9,
  0,
  (r, version) => {
    const packetId = r.packetId()
    const properties = version === 5 ? readProperties(r, 'suback') : undefined
    const reasonCodes: number[] = []
    while (r.left > 0) reasonCodes.push(checkCode(r.u8(), version))
    if (reasonCodes.length === 0) throw new ProtocolError('malformed-packet', 'SUBACK without a code')
    return { type: 'suback', packetId, reasonCodes, ...(properties && { properties }) }
  },
  (w, { packetId, reasonCodes, properties }, version) => {
    if (reasonCodes.length === 0) throw new ProtocolError('protocol-error', 'SUBACK without a code')
    w.u16(checkPacketId(packetId))
    if (version === 5) writeProperties(w, 'suback', properties)
    for (const code of reasonCodes) w.u8(checkCode(version < 5 && code >= 0x80 ? 0x80 : code, version))
  },
)

/** Below 5 only 0, 1, 2 and 0x80 are used [MQTT-3.9.3-2]. */
function checkCode(code: number, version: number): number {
  if (version === 5) return checkReason('suback', code)
  if (code <= 2 || code === 0x80) return code
  throw new ProtocolError('malformed-packet', `SUBACK code 0x${code.toString(16)}`)
}
