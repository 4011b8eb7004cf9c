import { type Publish, reason } from '@godwit/protocol'

/** A topic as it goes over the wire. */
interface AliasedTopic {
  readonly topic: string
  readonly alias: number
}

/** Aliases for what this client publishes: first come, first served, as many as the server takes [MQTT-3.2.2-17]. */
export class OutgoingAliases {
  readonly #maximum: number
  readonly #aliases = new Map<string, number>()

  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** Undefined: the topic goes without. `mayAdd` says whether a new alias fits into this packet. */
  of(topic: string, mayAdd: () => boolean): AliasedTopic | undefined {
    const known = this.#aliases.get(topic)
    if (known !== undefined) return { topic: '', alias: known }
    if (this.#aliases.size >= this.#maximum || !mayAdd()) return undefined
    const alias = this.#aliases.size + 1 // never 0 [MQTT-3.3.2-8]
    this.#aliases.set(topic, alias)
    return { topic, alias }
  }

  /** The packet that was to tell of the latest alias was not sent. */
  forget(topic: string): void {
    this.#aliases.delete(topic)
  }
}

/** Aliases of the server, up to the maximum that CONNECT announced [MQTT-3.3.2-10]. */
export class IncomingAliases {
  readonly #maximum: number
  readonly #topics = new Map<number, string>()

  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** The message with its topic and without the alias. Undefined when `violation` was told why there is none. */
  resolve(packet: Publish, violation: (what: string, reasonCode: number) => void): Publish | undefined {
    const { topicAlias, ...properties } = packet.properties ?? {}
    if (topicAlias === undefined) return packet
    if (topicAlias > this.#maximum) {
      violation(`the server used topic alias ${topicAlias}; the maximum is ${this.#maximum}`, reason.topicAliasInvalid)
      return undefined
    }
    const topic = packet.topic || this.#topics.get(topicAlias)
    if (topic === undefined) {
      violation(`the server used topic alias ${topicAlias}, which stands for nothing yet`, reason.protocolError)
      return undefined
    }
    this.#topics.set(topicAlias, topic)
    const { type, dup, qos, retain, packetId, payload } = packet
    const isBare = Object.keys(properties).length === 0
    return { type, topic, payload, qos, retain, dup, packetId, properties: isBare ? undefined : properties }
  }
}
