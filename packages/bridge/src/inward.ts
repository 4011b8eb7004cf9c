import { BrokerError, type InsideSession } from '@godwit/broker'
import type { Message } from '@godwit/client'
import { reason } from '@godwit/protocol'
import type { BridgeDrop } from './counters.js'
import type { Hops } from './hops.js'
import type { Marks } from './marks.js'
import type { Repeats } from './repeats.js'
import type { RetainedOutward } from './retained-outward.js'
import type { TopicMap } from './topic-map.js'

/** How long a message that this broker has no room for, or that waits for one that goes out, waits before it is tried again. */
const retryMs = 50

interface InwardParts {
  readonly topics: TopicMap
  readonly hops: Hops
  readonly marks: Marks
  readonly session: InsideSession
  readonly repeats: Repeats
  readonly retained: RetainedOutward
  readonly after: (ms: number, task: () => void) => () => void
  readonly onTaken: () => void
  readonly onDropped: (reason: BridgeDrop, topic: string, why: string) => void
}

/**
 * The way in: what comes is published here, in its order, and acknowledged over there when it is on disk. At QoS 2 the session
 * inside knows it by its packet id, so that what comes again is taken once.
 *
 * What is retained is the same on both sides in the end: a message under whose topic a retained one is on its way out is not kept
 * here, for the other broker will have ours after it.
 */
export class Inward {
  readonly #parts: InwardParts
  /** The first of them cannot be taken now: they go on in their order, or come again. */
  #waiting: Message[] = []
  #cancel: (() => void) | undefined
  #ended = false

  constructor(parts: InwardParts) {
    this.#parts = parts
  }

  /** Nothing more is taken. */
  end(): void {
    this.#ended = true
    this.#waiting = []
    this.#cancel?.()
  }

  readonly onMessage = (message: Message): void => {
    if (this.#ended) return
    if (this.#waiting.length > 0 || !this.#take(message)) this.#wait(message)
  }

  /** It came, though nothing that this bridge carries has its topic. */
  readonly onUnclaimed = (message: Message): void => {
    this.#parts.onDropped('not-mapped', message.topic, 'no filter of this bridge has it')
  }

  /** False: not now. */
  #take(message: Message): boolean {
    const { qos, payload, packetId } = message
    const topic = this.#parts.topics.toLocal(message.topic)
    if (topic === undefined) return this.#drop(message, 'not-mapped', 'no filter of this bridge has it')
    if (isSystemTopic(topic)) return this.#drop(message, 'system-topic', "it would be one of this broker's own topics")
    const marked = this.#parts.marks.along(ownOf(message.properties), message.topic, topic)
    const properties = this.#parts.hops.inward(marked)
    if (properties === 'loop') return this.#drop(message, 'loop', 'it has been here already')
    const isOvertaken = message.retain && this.#parts.retained.has(topic)
    if (isOvertaken === undefined) return false
    const options = {
      qos,
      retain: message.retain && !isOvertaken,
      ...(properties && { properties }),
      ...(qos === 2 && { packetId: packetId! }),
      ...(qos > 0 && this.#parts.repeats.noteOf(message)),
    }
    this.#parts.session.publish(topic, payload, options).then(
      () => {
        this.#parts.onTaken()
        message.ack()
      },
      (error: unknown) => this.#refused(message, error),
    )
    return true
  }

  #drop(message: Message, reason: BridgeDrop, why: string): true {
    this.#parts.onDropped(reason, message.topic, why)
    message.ack()
    return true
  }

  #refused(message: Message, error: unknown): void {
    if (this.#ended || (error instanceof BrokerError && (error.code === 'session-closed' || error.code === 'closed')))
      return
    if (isNoRoom(error) && message.qos > 0) this.#wait(message)
    else this.#drop(message, 'refused-here', (error as Error).message)
  }

  #wait(message: Message): void {
    this.#waiting.push(message)
    this.#cancel ??= this.#parts.after(retryMs, () => {
      this.#cancel = undefined
      this.#goOn()
    })
  }

  #goOn(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const message of waiting) if (this.#waiting.length > 0 || !this.#take(message)) this.#wait(message)
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
