import type { InsideSession } from '@godwit/broker'
import type { GivenRepeats } from '@godwit/client/relay'

/** Bytes of a payload that are looked at, at its beginning and at its end. */
const looksAtBytes = 32

/** A message as it came. */
interface Came {
  readonly packetId?: number | undefined
  readonly dup: boolean
  readonly topic: string
  readonly payload: Uint8Array
}

/**
 * Tells messages that come again though this side has finished with them: mosquitto 2.0 sends them so when it has been stopped and started
 * before it read the last acknowledgement, and at 5.0 those that it has no room to remember. By the standard the id could stand for a
 * new message. So it takes the same id, DUP, the same topic and the same payload; and a server that does not use an id again while
 * thousands are free, as one that gives them out in a row.
 *
 * What came is known to the session inside: it keeps the sum of a message in the commit of the message.
 */
export class Repeats implements GivenRepeats {
  readonly #session: Pick<InsideSession, 'sumOf' | 'forgetSums'>
  readonly #onRepeat: () => void
  #usesIdsAgain = false

  /** @param onRepeat what is acknowledged now may have been taken a moment ago: it waits until that is on disk. */
  constructor(session: Pick<InsideSession, 'sumOf' | 'forgetSums'>, onRepeat: () => void) {
    this.#session = session
    this.#onRepeat = onRepeat
  }

  /** The server has forgotten the session. */
  clear(): void {
    this.#session.forgetSums()
  }

  /** Takes a message that has come under an id that is free. True: it has been taken already. */
  isRepeat(came: Came): boolean {
    if (this.#usesIdsAgain) return false
    const known = this.#session.sumOf(came.packetId!)
    if (known === undefined) return false
    if (came.dup) return known === sumOf(came) && this.#again()
    this.#usesIdsAgain = true
    this.clear()
    return false
  }

  #again(): true {
    this.#onRepeat()
    return true
  }

  /** What the session is to keep of a message, which is published with it. */
  noteOf(came: Came): { readonly packetId: number; readonly sum: number } | undefined {
    return this.#usesIdsAgain ? undefined : { packetId: came.packetId!, sum: sumOf(came) }
  }
}

/** FNV-1a of the topic, of both ends of the payload, and of its length; never 0. */
function sumOf({ topic, payload }: Came): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < topic.length; at++) sum = Math.imul(sum ^ topic.charCodeAt(at), 0x01000193)
  const { length } = payload
  for (let at = 0; at < length && at < looksAtBytes; at++) sum = Math.imul(sum ^ payload[at]!, 0x01000193)
  for (let at = Math.max(looksAtBytes, length - looksAtBytes); at < length; at++) {
    sum = Math.imul(sum ^ payload[at]!, 0x01000193)
  }
  for (let rest = length; rest > 0; rest >>>= 8) sum = Math.imul(sum ^ (rest & 0xff), 0x01000193)
  return sum >>> 0 || 1
}
