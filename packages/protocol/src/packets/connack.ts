import { type Definition, definePacket } from '../definition.js'
import { ProtocolError } from '../errors.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import { reason, reasonName } from '../reason-codes.js'
import { checkReason } from './acks.js'

/** CONNACK (section 3.2): the server's answer to CONNECT. */
export interface Connack {
  readonly type: 'connack'
  readonly sessionPresent: boolean
  /** In the terms of 5.0 for every version: 0, or 0x80 and above. Below 5 it is translated to and from the return codes 1 to 5. */
  readonly reasonCode: number
  readonly properties?: PropertiesOf<'connack'> | undefined
}

/** The return codes 0 to 5 of 3.1.1 (section 3.2.2.3), in the terms of 5.0. */
const returnCodes: readonly number[] = [
  reason.success,
  reason.unsupportedProtocolVersion,
  reason.clientIdentifierNotValid,
  reason.serverUnavailable,
  reason.badUserNameOrPassword,
  reason.notAuthorized,
]

/** The return code below version 5 for a reason code; `undefined` where none fits: then there is no CONNACK [MQTT-3.2.2-6]. */
export function connackReturnCode(reasonCode: number): number | undefined {
  const code = returnCodes.indexOf(reasonCode)
  return code < 0 ? undefined : code
}

export const connack: Definition<Connack> = definePacket(
  2,
  0,
  (r, version) => {
    const flags = r.u8()
    if (flags > 1) throw new ProtocolError('malformed-packet', 'reserved CONNACK flags are set') // [MQTT-3.2.2-1]
    const sessionPresent = flags === 1
    const code = r.u8()
    if (version === 5) {
      const properties = readProperties(r, 'connack')
      return {
        type: 'connack',
        sessionPresent,
        reasonCode: checkReason('connack', code),
        ...(properties && { properties }),
      }
    }
    const reasonCode = returnCodes[code]
    if (reasonCode === undefined) throw new ProtocolError('malformed-packet', `CONNACK return code ${code}`)
    return { type: 'connack', sessionPresent, reasonCode }
  },
  (w, { sessionPresent, reasonCode, properties }, version) => {
    w.u8(sessionPresent ? 1 : 0)
    if (version === 5) {
      w.u8(checkReason('connack', reasonCode))
      writeProperties(w, 'connack', properties)
      return
    }
    const code = connackReturnCode(reasonCode)
    if (code === undefined) {
      throw new ProtocolError('protocol-error', `"${reasonName(reasonCode)}" has no return code below MQTT 5.0`)
    }
    w.u8(code)
  },
)
