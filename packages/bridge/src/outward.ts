import type { InsideMessage, InsideSession } from '@godwit/broker'
import { isClientError, type QoS } from '@godwit/client'
import type { DropReason, OutgoingOwner, Relay } from '@godwit/client/relay'
import type { BridgeDrop } from './counters.js'
import type { Hops } from './hops.js'
import type { Marks } from './marks.js'
import { packetIdOf } from './session-store.js'
import type { TopicMap } from './topic-map.js'

/** What is with the client and has not left: as much again is asked for when that has. */
const mostQueued = 256
/** Payloads that may be with the client, unacknowledged, before no more is given to it. */
const mostBytes = 16 * 1_048_576

export interface OutwardParts {
  readonly topics: TopicMap
  readonly hops: Hops
  readonly marks: Marks
  readonly retain: boolean
  readonly onSent: () => void
  readonly onDropped: (reason: BridgeDrop, topic: string, why: string) => void
}

/** What the other broker takes, as far as messages can be changed to suit it. */
interface OutwardTerms {
  readonly maximumQos: number
  readonly retainAvailable: boolean
}

/**
 * The way out: what the session inside gives goes to the client as it comes, under its number. The session is not told that a
 * message is done here but by the client's store, when the other broker has said so.
 */
export class Outward {
  readonly #parts: OutwardParts
  terms: OutwardTerms = { maximumQos: 2, retainAvailable: true }
  #relay: Relay | undefined
  #session: InsideSession | undefined
  #bytes = 0
  /** Lets the session give more. */
  #resume: (() => void) | undefined
  #begin!: () => void
  readonly #begun = new Promise<void>((resolve) => {
    this.#begin = resolve
  })
  #ended = false

  constructor(parts: OutwardParts) {
    this.#parts = parts
  }

  /** From now on messages go out. */
  begin(session: InsideSession, relay: Relay): void {
    this.#session = session
    this.#relay = relay
    this.#begin()
  }

  /** Nothing more is taken from the session. */
  end(): void {
    this.#ended = true
  }

  /** The session's listener. */
  readonly onMessage = (message: InsideMessage): Promise<void> | undefined => {
    if (!this.#relay) return this.#begun.then(() => this.onMessage(message))
    if (this.#ended) return new Promise(() => {})
    this.#send(message, this.#relay)
    return this.#isFull(1) ? this.#room() : undefined
  }

  #isFull(share: number): boolean {
    return this.#relay!.client.queued > mostQueued * share || this.#bytes > mostBytes * share
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  #send(message: InsideMessage, relay: Relay): void {
    const { number, payload } = message
    const { topics, hops, marks } = this.#parts
    const topic = topics.toRemote(message.topic, message.identifiers)
    const marked = topic === undefined ? undefined : marks.along(message.properties, message.topic, topic)
    const properties = topic === undefined ? undefined : hops.onward(marked)
    if (topic === undefined || properties === 'loop') {
      if (properties === 'loop') this.#parts.onDropped('loop', message.topic, 'it has been there already')
      else this.#parts.onDropped('unwritable', message.topic, 'it would have no name over there')
      return this.#session!.acknowledge(number)
    }
    const { maximumQos, retainAvailable } = this.terms
    const qos = Math.min(message.qos, maximumQos) as QoS
    this.#bytes += payload.length
    relay.send(
      {
        number,
        packetId: number === 0 ? 0 : packetIdOf(number),
        mayHaveBeenSent: message.dup,
        topic,
        payload,
        qos,
        retain: message.retain && this.#parts.retain && retainAvailable,
        properties,
        expiresAt: message.expiresAt,
      },
      new Passage(topic, payload.length, this.#onEnd),
    )
  }

  readonly #onEnd: OnEnd = (topic, bytes, why) => {
    this.#bytes -= bytes
    if (why === undefined) this.#parts.onSent()
    else if (why !== 'client-closed') this.#dropped(topic, why)
    if (this.#resume && !this.#isFull(0.5)) {
      const resume = this.#resume
      this.#resume = undefined
      resume()
    }
  }

  #dropped(topic: string, why: DropReason): void {
    if (why === 'session-lost' || why === 'connection-lost') return
    if (!isClientError(why)) return this.#parts.onDropped('expired', topic, 'its time was over')
    const reason =
      why.code === 'packet-too-large' ? 'too-large' : why.code === 'invalid-option' ? 'unwritable' : 'refused-there'
    this.#parts.onDropped(reason, topic, why.message)
  }
}

type OnEnd = (topic: string, bytes: number, why: DropReason | undefined) => void

/** A message on its way. */
class Passage implements OutgoingOwner {
  readonly #topic: string
  readonly #bytes: number
  readonly #onEnd: OnEnd

  constructor(topic: string, bytes: number, onEnd: OnEnd) {
    this.#topic = topic
    this.#bytes = bytes
    this.#onEnd = onEnd
  }

  completed(): void {
    this.#onEnd(this.#topic, this.#bytes, undefined)
  }

  dropped(why: DropReason): void {
    this.#onEnd(this.#topic, this.#bytes, why)
  }
}
