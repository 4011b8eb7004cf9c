import { isReasonFor, type Packet, reason } from '@godwit/protocol'

/** Why a connection of 5.0 ends. */
interface Parting {
  readonly reasonCode: number
  /** In words; `undefined`: the client wants none [MQTT-3.1.2-29]. */
  readonly why: string | undefined
  readonly serverReference: string | undefined
}

/** The packet that says why: DISCONNECT, or before CONNACK a CONNACK that refuses [MQTT-3.14.0-1]. */
export function farewell({ reasonCode, why, serverReference }: Parting, isWelcomed: boolean): Packet {
  const properties = {
    ...(why !== undefined && { reasonString: why }),
    ...(serverReference !== undefined && { serverReference }),
  }
  if (isWelcomed) {
    // A second CONNECT that is wrong in itself has a reason that only CONNACK has: DISCONNECT says that it is a second one.
    const code = isReasonFor('disconnect', reasonCode) ? reasonCode : reason.protocolError
    return { type: 'disconnect', reasonCode: code, properties }
  }
  const code = isReasonFor('connack', reasonCode) ? reasonCode : reason.unspecifiedError
  return { type: 'connack', sessionPresent: false, reasonCode: code, properties }
}
