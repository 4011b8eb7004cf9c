import { reason } from '@godwit/protocol'
import { MqttError } from '../errors.js'

/** The aliases a client gives to its topics; they die with the connection [MQTT-3.3.2-7]. */
export class IncomingAliases {
  readonly #maximum: number
  readonly #topics: (string | undefined)[] = []

  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /**
   * The topic of a PUBLISH with an alias.
   * @throws MqttError 0x94 for an alias above the maximum [MQTT-3.3.2-9], 0x82 for one that has no topic yet.
   */
  resolve(topic: string, alias: number): string {
    if (alias > this.#maximum) throw new MqttError(reason.topicAliasInvalid, `topic alias ${alias} of ${this.#maximum}`)
    if (topic !== '') {
      this.#topics[alias] = topic
      return topic
    }
    const known = this.#topics[alias]
    if (known === undefined) throw new MqttError(reason.protocolError, `topic alias ${alias} stands for nothing yet`)
    return known
  }
}

/** The aliases the broker gives towards one client: to the topics that come first, up to the client's maximum. */
export class OutgoingAliases {
  readonly #maximum: number
  readonly #numbers = new Map<string, number>()

  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** The topic's alias, and whether the client has heard of it; `undefined` when none is left. */
  of(topic: string): { readonly number: number; readonly isKnown: boolean } | undefined {
    const known = this.#numbers.get(topic)
    if (known !== undefined) return { number: known, isKnown: true }
    if (this.#numbers.size >= this.#maximum) return undefined // never above the client's maximum [MQTT-3.3.2-11]
    const number = this.#numbers.size + 1
    this.#numbers.set(topic, number)
    return { number, isKnown: false }
  }

  get count(): number {
    return this.#numbers.size
  }

  /** The packet that would have told the client of the latest alias was not sent: the alias is taken back. */
  forget(topic: string): void {
    this.#numbers.delete(topic)
  }
}
