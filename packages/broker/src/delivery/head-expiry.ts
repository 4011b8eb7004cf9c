import type { Queue } from '../store/queue.js'

/** Messages that make room in a full queue at once: a publisher must not wait for more. */
const mostAtOnce = 500

/**
 * What has expired at the head of a full queue need not keep new messages out [MQTT-3.3.2-5]. When the head expires is
 * remembered, since every message that finds the queue full asks for it.
 */
export class HeadExpiry {
  #number = 0
  #expiresAt = 0

  /** Calls `drop`, which moves the head on, while the message at the head has expired. */
  clear(queue: Queue, head: () => number | undefined, now: number, drop: () => void): void {
    for (let left = mostAtOnce; left > 0; left--) {
      const number = head()
      if (number === undefined || !this.#isOver(queue, number, now)) return
      drop()
    }
  }

  #isOver(queue: Queue, number: number, now: number): boolean {
    // Once it is over it is read again: what has expired may be gone by now, and counted.
    if (number !== this.#number || this.#expiresAt <= now) {
      this.#number = number
      this.#expiresAt = queue.get(number)?.message.expiresAt ?? Number.POSITIVE_INFINITY
    }
    return this.#expiresAt <= now
  }
}
