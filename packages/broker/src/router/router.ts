import type { QoS } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Drops } from '../drops.js'
import type { Message } from '../message.js'
import type { Store } from '../store/store.js'
import type { RetainedMessages } from './retained.js'
import type { Subscriber } from './subscriber.js'
import { Subscriptions } from './subscriptions.js'
import { isSystemTopic } from './system-topics.js'

/** Decides who gets a message, and keeps what is retained. */
export class Router {
  readonly subscriptions: Subscriptions = new Subscriptions()
  readonly retained: RetainedMessages
  readonly #store: Store
  readonly #drops: Drops
  readonly #retainAvailable: boolean

  constructor(retained: RetainedMessages, store: Store, drops: Drops, retainAvailable: boolean) {
    this.retained = retained
    this.#store = store
    this.#drops = drops
    this.#retainAvailable = retainAvailable
  }

  /** Hands the message to everybody who subscribed to its topic. Answers the commit that makes all of it safe. */
  publish(message: Message): Commit {
    let commit = message.retain && this.#retainAvailable ? this.#retain(message) : 0 // RETAIN 0 leaves what is kept alone [MQTT-3.3.1-12]
    const matches = this.subscriptions.match(message.topic)
    for (let at = 0; at < matches.length; at++) {
      const { subscriber, granted } = matches[at]!
      const needed = subscriber.deliver(message, granted)
      if (needed > commit) commit = needed
    }
    return commit
  }

  subscribe(filter: string, subscriber: Subscriber, granted: QoS): void {
    this.subscriptions.add(filter, subscriber, granted)
  }

  unsubscribe(filter: string, subscriber: Subscriber): void {
    this.subscriptions.delete(filter, subscriber)
  }

  /** An empty payload removes what is kept and is never kept itself [MQTT-3.3.1-10] [MQTT-3.3.1-11]. */
  #retain(message: Message): Commit {
    if (message.payloadBytes > 0 && this.retained.set(message)) {
      // What the broker tells about itself is true of this process only, and not worth the disk.
      return isSystemTopic(message.topic) ? 0 : this.#store.setRetained(message.topic, message)
    }
    if (message.payloadBytes > 0) this.#drops.report('retained-full', message.publisher)
    else this.retained.delete(message.topic)
    return this.#store.setRetained(message.topic, undefined)
  }
}
