import type { PropertiesOf, QoS } from '@godwit/protocol'
import type { AnyClientError } from '../errors.js'

/** A publication from publish() to the end of its handshake. */
export interface Outgoing {
  readonly sequence: number
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: PropertiesOf<'publish'> | undefined
  /** Epoch ms after which it is not sent for the first time, for whoever finds it in the store; Infinity: never. */
  readonly expiresAt: number
  /** The same in ms of the clock that only grows: nobody who sets the time of day may end a message, or keep it alive. */
  readonly deadline: number
  /** 0: not sent yet, or QoS 0. */
  packetId: number
  /** 0: no PUBREC yet. Otherwise its place among the PUBRECs. */
  released: number
  /** PUBREC, when it came in this process: what the server said of the message. */
  receipt?: Acknowledgement
  /** The connection on which PUBLISH was sent last; 0: none of this process. */
  sentOn: number
  /** What a relay says of it. */
  readonly relayed?: Relayed | undefined
  /** Connections that the server has ended while this was the first it had not answered. */
  endings: number
  /** Who waits for it. */
  readonly owner: OutgoingOwner
}

/** A message that a relay passes on has its packet id from where it comes from, so that it is the same after a restart. */
interface Relayed {
  /** 0: QoS 0. */
  readonly packetId: number
  /** An earlier process may have sent it. */
  readonly mayHaveBeenSent: boolean
}

/** Told once how a publication ended. */
export interface OutgoingOwner {
  completed(packetId: number, ack?: Acknowledgement): void
  dropped(why: DropReason): void
}

/**
 * 'session-lost': the server forgot the session in the middle of the handshake. 'connection-lost': QoS 0, not sent when
 * the connection ended. 'expired': its time was over before it could be sent. 'client-closed': the client ended. An error: the server refused it, or its limits do, or it cannot be written.
 */
export type DropReason = 'session-lost' | 'connection-lost' | 'expired' | 'client-closed' | AnyClientError

/** What PUBACK, PUBREC and PUBCOMP have in common. */
export interface Acknowledgement {
  readonly packetId: number
  readonly reasonCode?: number | undefined
  readonly properties?: Pick<PropertiesOf<'puback'>, 'reasonString' | 'userProperties'> | undefined
}

/** What a waiting publication counts against `offlineQueue.maxBytes`. */
export function sizeOf(message: { readonly topic: string; readonly payload: Uint8Array }): number {
  return message.topic.length + message.payload.length
}
