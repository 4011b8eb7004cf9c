import { BrokerError, type InsideSession } from '@godwit/broker'
import type { Message } from '@godwit/client'
import { reason } from '@godwit/protocol'
import type { BridgeDrop } from './counters.js'
import type { Hops } from './hops.js'
import type { TopicMap } from './topic-map.js'

/** How long a message that this broker has no room for waits before it is tried again. */
const retryMs = 1_000

export interface InwardParts {
  readonly topics: TopicMap
  readonly hops: Hops
  readonly session: InsideSession
  readonly after: (ms: number, task: () => void) => () => void
  readonly onTaken: () => void
  readonly onDropped: (reason: BridgeDrop, topic: string, why: string) => void
}

/**
 * The way in: what comes is published here, in its order, and acknowledged over there when it is on disk. At QoS 2 the session
 * inside knows it by its packet id, so that what comes again is taken once.
 */
export class Inward {
  readonly #parts: InwardParts
  /** There was no room for the first of them: they go on in their order, or come again. */
  #waiting: Message[] = []
  #ended = false

  constructor(parts: InwardParts) {
    this.#parts = parts
  }

  /** Nothing more is taken. */
  end(): void {
    this.#ended = true
    this.#waiting = []
  }

  readonly onMessage = (message: Message): void => {
    if (this.#ended) return
    if (this.#waiting.length === 0) this.#take(message)
    else if (message.qos > 0) this.#waiting.push(message)
    else this.#parts.onDropped('refused-here', message.topic, 'there is no room for it')
  }

  /** It came, though nothing that this bridge carries has its topic. */
  readonly onUnclaimed = (message: Message): void => {
    this.#parts.onDropped('not-mapped', message.topic, 'no filter of this bridge has it')
  }

  #take(message: Message): void {
    const { qos, retain, payload, packetId } = message
    const topic = this.#parts.topics.toLocal(message.topic)
    if (topic === undefined) return this.#drop(message, 'not-mapped', 'no filter of this bridge has it')
    if (isSystemTopic(topic)) return this.#drop(message, 'system-topic', "it would be one of this broker's own topics")
    const properties = this.#parts.hops.inward(ownOf(message.properties))
    if (properties === 'loop') return this.#drop(message, 'loop', 'it has been here already')
    const options = { qos, retain, ...(properties && { properties }), ...(qos === 2 && { packetId: packetId! }) }
    this.#parts.session.publish(topic, payload, options).then(
      () => {
        this.#parts.onTaken()
        message.ack()
      },
      (error: unknown) => this.#refused(message, error),
    )
  }

  #drop(message: Message, reason: BridgeDrop, why: string): void {
    this.#parts.onDropped(reason, message.topic, why)
    message.ack()
  }

  #refused(message: Message, error: unknown): void {
    if (error instanceof BrokerError && (error.code === 'session-closed' || error.code === 'closed')) return
    if (!isNoRoom(error)) return this.#drop(message, 'refused-here', (error as Error).message)
    if (message.qos === 0) return this.#drop(message, 'refused-here', (error as Error).message)
    if (this.#waiting.push(message) > 1) return
    this.#parts.after(retryMs, () => this.#retry())
  }

  #retry(): void {
    for (const message of this.#waiting.splice(0)) this.onMessage(message)
  }
}

function isNoRoom(error: unknown): boolean {
  return (
    error instanceof BrokerError &&
    (error.cause as { reasonCode?: number } | undefined)?.reasonCode === reason.quotaExceeded
  )
}

function isSystemTopic(topic: string): boolean {
  return topic === '$SYS' || topic.startsWith('$SYS/')
}

/** Without what belongs to the connection it came by. */
function ownOf(properties: Message['properties']): Message['properties'] {
  if (properties?.subscriptionIdentifiers === undefined) return properties
  const { subscriptionIdentifiers: _, ...own } = properties
  return own
}
