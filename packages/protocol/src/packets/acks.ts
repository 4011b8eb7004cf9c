import { type Definition, definePacket } from '../definition.js'
import { ProtocolError } from '../errors.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import type { Reader } from '../reader.js'
import { isReasonFor } from '../reason-codes.js'
import type { ProtocolVersion } from '../version.js'
import type { Writer } from '../writer.js'
import { checkPacketId } from './publish.js'

type AckType = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'

interface Ack<T extends AckType> {
  readonly type: T
  readonly packetId: number
  /** Absent: success. Not on the wire below version 5. */
  readonly reasonCode?: number | undefined
  readonly properties?: PropertiesOf<T> | undefined
}

/** PUBACK (section 3.4): a QoS 1 message has been taken over. */
export interface Puback extends Ack<'puback'> {}
/** PUBREC (section 3.5): a QoS 2 message has been taken over. */
export interface Pubrec extends Ack<'pubrec'> {}
/** PUBREL (section 3.6): its packet id may be released. */
export interface Pubrel extends Ack<'pubrel'> {}
/** PUBCOMP (section 3.7): its packet id has been released. */
export interface Pubcomp extends Ack<'pubcomp'> {}

function defineAck<T extends AckType>(type: T, code: number, flags: number): Definition<Ack<T>> {
  return definePacket<Ack<T>>(
    code,
    flags,
    (r: Reader, version: ProtocolVersion) => {
      const packetId = r.packetId()
      if (version < 5 || r.left === 0) return { type, packetId }
      const reasonCode = checkReason(type, r.u8())
      const properties = r.left > 0 ? readProperties(r, type) : undefined
      return { type, packetId, reasonCode, ...(properties && { properties }) } as Ack<T>
    },
    (w: Writer, { packetId, reasonCode = 0, properties }, version: ProtocolVersion) => {
      w.u16(checkPacketId(packetId))
      if (version < 5 || (reasonCode === 0 && properties === undefined)) return
      w.u8(checkReason(type, reasonCode))
      if (properties !== undefined) writeProperties(w, type, properties)
    },
  )
}

/** @throws ProtocolError when the packet may not carry the code. */
export function checkReason(host: Parameters<typeof isReasonFor>[0], code: number): number {
  if (isReasonFor(host, code)) return code
  throw new ProtocolError('protocol-error', `reason code 0x${code.toString(16)} is not for ${host}`)
}

export const puback: Definition<Puback> = defineAck('puback', 4, 0)
export const pubrec: Definition<Pubrec> = defineAck('pubrec', 5, 0)
export const pubrel: Definition<Pubrel> = defineAck('pubrel', 6, 0b0010) // [MQTT-3.6.1-1]
export const pubcomp: Definition<Pubcomp> = defineAck('pubcomp', 7, 0)
