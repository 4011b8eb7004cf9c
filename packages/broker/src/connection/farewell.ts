import { isReasonFor, type Packet, type ProtocolError, type ProtocolVersion, reason } from '@godwit/protocol'
import { refuse } from '../handlers/admission.js'
import type { Context } from '../handlers/context.js'
import type { Outbox } from './outbox.js'
import { defaultTerms } from './publish-encoder.js'

/** Why a connection of 5.0 ends. */
export interface Parting {
  readonly reasonCode: number
  /** In words; `undefined`: the client wants none [MQTT-3.1.2-29]. */
  readonly why: string | undefined
  readonly serverReference: string | undefined
}

/** DISCONNECT says why; before CONNACK there is none, but a CONNACK that refuses [MQTT-3.14.0-1]. */
export function farewell({ reasonCode, why, serverReference }: Parting, isWelcomed: boolean): Packet {
  const properties = {
    ...(why !== undefined && { reasonString: why }),
    ...(serverReference !== undefined && { serverReference }),
  }
  if (isWelcomed) {
    // What is wrong with a second CONNECT is first of all that it is a second one.
    const code = isReasonFor('disconnect', reasonCode) ? reasonCode : reason.protocolError
    return { type: 'disconnect', reasonCode: code, properties }
  }
  const code = isReasonFor('connack', reasonCode) ? reasonCode : reason.unspecifiedError
  return { type: 'connack', sessionPresent: false, reasonCode: code, properties }
}

/** A connection of which nobody knows yet what it speaks. */
interface Speaker extends Context {
  version: ProtocolVersion
  wantsReasons: boolean
  readonly outbox: Outbox
}

/** A CONNECT of 5.0 that cannot be read is answered too; what is no MQTT at all is not. */
export function speak50(c: Speaker): void {
  c.version = 5
  c.outbox.setTerms({ ...defaultTerms, version: 5 })
}

/** A level from the future is answered as at 5.0, any other as at 3.1.1, with a bridge's bit too [MQTT-3.1.2-2]. */
export function refuseVersion(c: Speaker, { level = 0, message }: ProtocolError): void {
  c.wantsReasons = false // which form a later version has for them nobody knows
  if ((level & 0x7f) > 4) speak50(c)
  c.outbox.reply(refuse(c, { reasonCode: reason.unsupportedProtocolVersion, why: message }))
}
