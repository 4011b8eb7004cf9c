import { type ProtocolError, type ProtocolVersion, reason } from '@godwit/protocol'
import { refuse } from '../handlers/admission.js'
import type { Context } from '../handlers/context.js'
import type { Outbox } from './outbox.js'
import { defaultTerms } from './publish-encoder.js'

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
