import type { Definition } from './definition.js'
import { type Puback, type Pubcomp, type Pubrec, type Pubrel, puback, pubcomp, pubrec, pubrel } from './packets/acks.js'
import { type Connack, connack } from './packets/connack.js'
import { type Connect, connect } from './packets/connect.js'
import { type Auth, auth, type Disconnect, disconnect } from './packets/disconnect.js'
import { type Pingreq, type Pingresp, pingreq, pingresp } from './packets/ping.js'
import { type Publish, publish } from './packets/publish.js'
import { type Suback, suback } from './packets/suback.js'
import { type Subscribe, subscribe } from './packets/subscribe.js'
import { type Unsuback, unsuback } from './packets/unsuback.js'
import { type Unsubscribe, unsubscribe } from './packets/unsubscribe.js'

/** Any MQTT Control Packet. */
export type Packet =
  | Connect
  | Connack
  | Publish
  | Puback
  | Pubrec
  | Pubrel
  | Pubcomp
  | Subscribe
  | Suback
  | Unsubscribe
  | Unsuback
  | Pingreq
  | Pingresp
  | Disconnect
  | Auth

export type PacketOf<T extends Packet['type']> = Extract<Packet, { type: T }>

/** A packet type missing here, or paired with another's definition, does not compile. */
export const definitions: { readonly [T in Packet['type']]: Definition<PacketOf<T>> } = {
  connect,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth,
}

/** The same by packet type code; 0 is no packet. */
export const definitionsByCode: readonly (Definition<Packet> | undefined)[] = (() => {
  const byCode = new Array<Definition<Packet> | undefined>(16).fill(undefined)
  for (const definition of Object.values(definitions)) byCode[definition.code] = definition as Definition<Packet>
  return byCode
})()
