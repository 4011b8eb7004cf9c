import { type TopicPattern, topicPattern } from '@godwit/protocol'
import type { Message, ReceivedMessage } from './message.js'
import type { Route } from './routes.js'
import type { Settings } from './settings.js'

interface Held {
  readonly topic: string
  readonly as: (pattern: TopicPattern<string>) => ReceivedMessage<string>
}

/** Without names, for messages that no filter of ours matched. */
const everything = topicPattern('#') as TopicPattern<string>

/**
 * Messages that no subscription wants. A resumed session delivers before the program has had time to subscribe, so for
 * a while after the first connection they wait, unacknowledged; otherwise they are acknowledged [MQTT-4.5.0-2] and
 * reported.
 */
export class Unclaimed {
  readonly #settings: Settings
  readonly #report: (message: Message) => void
  #held: Held[] = []
  #holding = false
  #cancel: () => void = () => {}

  constructor(settings: Settings, report: (message: Message) => void) {
    this.#settings = settings
    this.#report = report
  }

  /** From now on, for `holdUnclaimedMs`. */
  hold(): void {
    const { clock, holdUnclaimedMs } = this.#settings
    if (holdUnclaimedMs === 0) return
    this.#holding = true
    this.#cancel = clock.after(holdUnclaimedMs, () => this.#release())
  }

  add(as: Held['as'], topic: string): void {
    if (this.#holding && this.#held.length < this.#settings.maxBuffered) this.#held.push({ topic, as })
    else this.#discard(as)
  }

  /** There are new subscriptions: gives them what they match. */
  offer(match: (topic: string) => readonly Route[]): void {
    const held = this.#held
    this.#held = []
    for (const { topic, as } of held) {
      // Only one: the message counts one consumer.
      const [route] = match(topic)
      if (route === undefined) this.#held.push({ topic, as })
      else route.subscription.push(as(route.pattern))
    }
  }

  end(): void {
    this.#cancel()
    this.#held = []
    this.#holding = false
  }

  #release(): void {
    const held = this.#held
    this.end()
    for (const { as } of held) this.#discard(as)
  }

  #discard(as: Held['as']): void {
    const message = as(everything)
    this.#report(message)
    message.ack()
  }
}
