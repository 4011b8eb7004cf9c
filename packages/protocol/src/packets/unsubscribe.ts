import { type Definition, definePacket } from '../definition.js'
import { ProtocolError } from '../errors.js'
import { writeText } from '../fields.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import { checkPacketId } from './publish.js'
import { checkFilter } from './subscribe.js'

/** UNSUBSCRIBE (section 3.10). */
export interface Unsubscribe {
  readonly type: 'unsubscribe'
  readonly packetId: number
  readonly filters: readonly string[]
  readonly properties?: PropertiesOf<'unsubscribe'> | undefined
}

export const unsubscribe: Definition<Unsubscribe> = definePacket(
  10,
  0b0010, // [MQTT-3.10.1-1]
  (r, version) => {
    const packetId = r.packetId()
    const properties = version === 5 ? readProperties(r, 'unsubscribe') : undefined
    const filters: string[] = []
    while (r.left > 0) filters.push(checkFilter(r.utf8()))
    if (filters.length === 0) throw new ProtocolError('protocol-error', 'UNSUBSCRIBE without a filter') // [MQTT-3.10.3-2]
    return { type: 'unsubscribe', packetId, filters, ...(properties && { properties }) }
  },
  (w, { packetId, filters, properties }, version) => {
    if (filters.length === 0) throw new ProtocolError('protocol-error', 'UNSUBSCRIBE without a filter')
    w.u16(checkPacketId(packetId))
    if (version === 5) writeProperties(w, 'unsubscribe', properties)
    for (const filter of filters) writeText(w, checkFilter(filter))
  },
)
