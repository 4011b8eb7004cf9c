import { type Definition, definePacket } from '../definition.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import type { Reader } from '../reader.js'
import type { ProtocolVersion } from '../version.js'
import type { Writer } from '../writer.js'
import { checkReason } from './acks.js'

/** DISCONNECT (section 3.14): the last packet, with why at version 5. */
export interface Disconnect {
  readonly type: 'disconnect'
  /** Absent: normal disconnection. Not on the wire below version 5. */
  readonly reasonCode?: number | undefined
  readonly properties?: PropertiesOf<'disconnect'> | undefined
}

/** AUTH (section 3.15, version 5 only): a step of an extended authentication. */
export interface Auth {
  readonly type: 'auth'
  /** Absent: success. */
  readonly reasonCode?: number | undefined
  readonly properties?: PropertiesOf<'auth'> | undefined
}

/** Both are a reason and properties, and both may leave out what says nothing. */
function defineEnding<T extends 'disconnect' | 'auth'>(
  type: T,
  code: number,
): Definition<T extends 'auth' ? Auth : Disconnect> {
  type P = T extends 'auth' ? Auth : Disconnect
  return definePacket<P>(
    code,
    0,
    (r: Reader, version: ProtocolVersion) => {
      if (version < 5 || r.left === 0) return { type } as unknown as P
      const reasonCode = checkReason(type, r.u8())
      const properties = r.left > 0 ? readProperties(r, type) : undefined
      return { type, reasonCode, ...(properties && { properties }) } as unknown as P
    },
    (w: Writer, { reasonCode = 0, properties }: P, version: ProtocolVersion) => {
      if (version < 5 || (reasonCode === 0 && properties === undefined)) return
      w.u8(checkReason(type, reasonCode))
      if (properties !== undefined) writeProperties(w, type, properties)
    },
  )
}

export const disconnect: Definition<Disconnect> = defineEnding('disconnect', 14)
export const auth: Definition<Auth> = defineEnding('auth', 15)
