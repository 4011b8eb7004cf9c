import type { Publish } from '@godwit/protocol'

/** Messages that are remembered after their handshake: far fewer than there are ids. */
const mostRemembered = 16_384
/** Bytes of a payload that are looked at, at its beginning and at its end. */
const looksAtBytes = 32

/**
 * Tells messages that come again though their handshake is over: mosquitto 2.0 sends them so when it has been stopped and started
 * before it read the last acknowledgement, and once more after the next start. By the standard the id could stand for a new
 * message. So it takes the same id, DUP, the same topic and the same payload; and a server that does not use an id again while
 * thousands are free, as one that gives them out in a row.
 */
export class Remembered {
  /** By packet id: what a message was, in short. */
  readonly #open = new Map<number, number>()
  readonly #done = new Map<number, number>()
  #usesIdsAgain = false

  /** The server has forgotten the session. */
  clear(): void {
    this.#open.clear()
    this.#done.clear()
  }

  /** Takes a message that has come. True: it is one that is done. */
  isRepeat(packet: Publish): boolean {
    if (this.#usesIdsAgain) return false
    const packetId = packet.packetId!
    const sum = sumOf(packet)
    this.#open.set(packetId, sum)
    const known = this.#done.get(packetId)
    if (known === undefined) return false
    this.#done.delete(packetId)
    if (packet.dup) return known === sum
    this.#usesIdsAgain = true
    this.clear()
    return false
  }

  /** PUBACK has left, or PUBREL has come. */
  done(packetId: number): void {
    const sum = this.#open.get(packetId)
    if (sum === undefined) return
    this.#open.delete(packetId)
    this.#done.set(packetId, sum)
    if (this.#done.size <= mostRemembered) return
    const [oldest] = this.#done.keys()
    this.#done.delete(oldest!)
  }
}

/** FNV-1a of the topic and of both ends of the payload, and its length. */
function sumOf({ topic, payload }: Publish): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < topic.length; at++) sum = Math.imul(sum ^ topic.charCodeAt(at), 0x01000193)
  const { length } = payload
  for (let at = 0; at < length && at < looksAtBytes; at++) sum = Math.imul(sum ^ payload[at]!, 0x01000193)
  for (let at = Math.max(looksAtBytes, length - looksAtBytes); at < length; at++) {
    sum = Math.imul(sum ^ payload[at]!, 0x01000193)
  }
  return (sum >>> 0) * 2 ** 20 + (length % 2 ** 20)
}
