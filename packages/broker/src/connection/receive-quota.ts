import { type Packet, type ProtocolVersion, reason } from '@godwit/protocol'
import { MqttError } from '../errors.js'

/** QoS 1 and 2 messages of a client that are not yet acknowledged (5.0, section 4.9). */
export class ReceiveQuota {
  readonly #most: number
  #receiving = 0

  constructor(receiveMaximum: number) {
    this.#most = receiveMaximum
  }

  /** @throws MqttError 0x93 beyond the Receive Maximum, which only a client of 5.0 can know. */
  received(version: ProtocolVersion): void {
    if (++this.#receiving <= this.#most || version < 5) return
    throw new MqttError(reason.receiveMaximumExceeded, `more than ${this.#most} messages at once`)
  }

  /** Once a message has been acknowledged the client may send another. */
  answered(packet: Packet): void {
    const { type } = packet
    const isLast = type === 'puback' || type === 'pubcomp' || (type === 'pubrec' && (packet.reasonCode ?? 0) >= 0x80)
    if (isLast && this.#receiving > 0) this.#receiving--
  }
}
