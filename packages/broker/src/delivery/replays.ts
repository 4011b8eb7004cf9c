import type { Message } from '../message.js'
import type { ReplayTerms } from './terms.js'

/** A retained message that is due because of a subscription. */
export interface Replayed {
  readonly message: Message
  readonly terms: ReplayTerms
}

/** Retained messages still to be sent because of subscriptions: by filter, in the order in which they were asked for. */
export class Replays {
  readonly #byFilter = new Map<string, { readonly messages: Iterator<Message>; readonly terms: ReplayTerms }>()

  get isEmpty(): boolean {
    return this.#byFilter.size === 0
  }

  /** From the start, if it was under way. */
  add(filter: string, messages: Iterator<Message>, terms: ReplayTerms): void {
    this.#byFilter.delete(filter)
    this.#byFilter.set(filter, { messages, terms })
  }

  delete(filter: string): void {
    this.#byFilter.delete(filter)
  }

  /** The next message, or nothing where only the end of a replay was left. */
  next(): Replayed | undefined {
    for (const [filter, { messages, terms }] of this.#byFilter) {
      const { done, value: message } = messages.next()
      if (!done) return { message, terms }
      this.#byFilter.delete(filter)
      return undefined
    }
    return undefined
  }
}
