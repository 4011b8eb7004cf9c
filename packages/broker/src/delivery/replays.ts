import type { Message } from '../message.js'
import type { Slices } from '../time/slices.js'
import type { ReplayTerms } from './terms.js'

interface Replay {
  /** `undefined` among them: nothing was found in this step. */
  readonly messages: Iterator<Message | undefined>
  readonly terms: ReplayTerms
  /** Called once all of them have been handed on. */
  readonly onDone: () => void
}

/** A retained message that is due because of a subscription. */
export interface Replayed {
  readonly message: Message
  readonly terms: ReplayTerms
}

/** Retained messages still to be sent because of subscriptions: by filter, in the order in which they were asked for. */
export class Replays {
  readonly #byFilter = new Map<string, Replay>()

  get isEmpty(): boolean {
    return this.#byFilter.size === 0
  }

  /** From the start, if it was under way. */
  add(filter: string, messages: Iterator<Message | undefined>, terms: ReplayTerms, onDone: () => void): void {
    this.#byFilter.delete(filter)
    this.#byFilter.set(filter, { messages, terms, onDone })
  }

  delete(filter: string): void {
    this.#byFilter.delete(filter)
  }

  /** As much as may be done now, while there is room. True: there is more to do in a later turn. */
  goOn(slices: Slices, hasRoom: () => boolean, send: (replayed: Replayed) => void): boolean {
    const granted = slices.grant()
    let left = granted
    while (!this.isEmpty && hasRoom() && left-- > 0) {
      const next = this.#next()
      if (next) send(next)
    }
    slices.used(granted - Math.max(left, 0))
    return left < 0
  }

  /** One step: the next message, or nothing where none was found in it, or only the end of a replay was left. */
  #next(): Replayed | undefined {
    for (const [filter, { messages, terms, onDone }] of this.#byFilter) {
      const { done, value: message } = messages.next()
      if (!done) return message && { message, terms }
      this.#byFilter.delete(filter)
      onDone()
      return undefined
    }
    return undefined
  }
}
