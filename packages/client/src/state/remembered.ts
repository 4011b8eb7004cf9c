import type { Publish } from '@godwit/protocol'

/** Messages at QoS 2 that are remembered after PUBREL. */
const mostRemembered = 4_096

/**
 * Tells messages at QoS 2 that come again though PUBREL had come for them: mosquitto 2.0 sends them so when it has been stopped
 * and started before it read PUBCOMP. By the standard the id could stand for a new message; so it takes the same id, DUP, the same
 * topic and the same payload, first thing on a connection that resumes the session.
 */
export class Remembered {
  /** By packet id: what a message was, in short. */
  #messages = new Map<number, number>()
  /** Those of the connection before. */
  #before = new Map<number, number>()
  #released = new Map<number, number>()

  /** The connection has gone. */
  detach(): void {
    this.#before = this.#released
    this.#released = new Map()
    this.#messages.clear()
  }

  /** The server has forgotten the session. */
  clear(): void {
    this.#before = new Map()
  }

  /** Takes a message that has come. True: it is one that is done. */
  isRepeat(packet: Publish): boolean {
    const packetId = packet.packetId!
    const sum = sumOf(packet)
    this.#messages.set(packetId, sum)
    const isRepeat = packet.dup && this.#before.get(packetId) === sum
    this.#before.delete(packetId)
    return isRepeat
  }

  /** PUBREL has come. */
  released(packetId: number): void {
    const sum = this.#messages.get(packetId)
    if (sum === undefined) return
    this.#messages.delete(packetId)
    this.#released.delete(packetId) // so that it counts as the latest
    this.#released.set(packetId, sum)
    if (this.#released.size <= mostRemembered) return
    const [oldest] = this.#released.keys()
    this.#released.delete(oldest!)
  }
}

/** FNV-1a, with as many bits as a number multiplies without loss. */
function sumOf({ topic, payload }: Publish): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < topic.length; at++) sum = Math.imul(sum ^ topic.charCodeAt(at), 0x01000193)
  for (let at = 0; at < payload.length; at++) sum = Math.imul(sum ^ payload[at]!, 0x01000193)
  return (sum >>> 0) * 2 ** 20 + (payload.length % 2 ** 20)
}
