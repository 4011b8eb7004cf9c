import { type Definition, definePacket } from '../definition.js'

/** PINGREQ (section 3.12): the client is alive and wants to know whether the server is. */
export interface Pingreq {
  readonly type: 'pingreq'
}

/** PINGRESP (section 3.13). */
export interface Pingresp {
  readonly type: 'pingresp'
}

const request: Pingreq = { type: 'pingreq' }
const response: Pingresp = { type: 'pingresp' }

export const pingreq: Definition<Pingreq> = definePacket(
  12,
  0,
  () => request,
  () => {},
)

export const pingresp: Definition<Pingresp> = definePacket(
  13,
  0,
  () => response,
  () => {},
)
