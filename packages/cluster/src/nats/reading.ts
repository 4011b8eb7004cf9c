import { systemClock } from '@godwit/broker'
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream'
import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from '@nats-io/nats-core'
import type { Following, StoredFrame } from '../log/log-server.js'

interface ReadingParts {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly stream: string
  readonly from: number
  readonly onFrame: (frame: StoredFrame) => void
  readonly onEnd: (why: string) => void
}

const heartbeatMs = 1_000
/** A consumer of which nothing was heard for so long is gone, in ms. */
const silentMs = 3_500

/**
 * Frames in order, pushed by a consumer that lives in the memory of one server and ends with it, or with the first message that is left
 * out: who reads begins another.
 */
export class Reading implements Following {
  readonly #parts: ReadingParts
  #subscription: Subscription | undefined
  #consumer: string | undefined
  /** The number that the consumer gave to the last message that came. */
  #received = 0
  #isOver = false
  #cancelTimer: () => void = () => {}

  static async begin(parts: ReadingParts): Promise<Reading> {
    const reading = new Reading(parts)
    await reading.#begin()
    return reading
  }

  private constructor(parts: ReadingParts) {
    this.#parts = parts
  }

  async #begin(): Promise<void> {
    const { connection, manager, stream, from } = this.#parts
    const inbox = createInbox()
    this.#subscription = connection.subscribe(inbox, { callback: (error, message) => this.#on(error, message) })
    try {
      const { name } = await manager.consumers.add(stream, {
        deliver_subject: inbox,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: from,
        ack_policy: AckPolicy.None,
        max_deliver: 1,
        flow_control: true,
        idle_heartbeat: nanos(heartbeatMs),
        inactive_threshold: nanos(30_000),
        mem_storage: true,
        num_replicas: 1,
      })
      this.#consumer = name
      this.#expectMore()
    } catch (error) {
      this.close()
      throw error
    }
  }

  #on(error: Error | null, message: Msg): void {
    if (this.#isOver) return
    if (error) return this.#end(error.message)
    this.#expectMore()
    if (message.headers?.code === 100) return this.#onStatus(message)
    const { sequence, count } = placeOf(message.reply ?? '')
    if (count !== this.#received + 1) return this.#end(`message ${this.#received + 1} was left out`)
    this.#received = count
    this.#parts.onFrame({ sequence, bytes: message.data })
  }

  /** A heartbeat, or a question whether all that was pushed has come. */
  #onStatus(message: Msg): void {
    const { connection } = this.#parts
    const stalled = message.headers?.get('Nats-Consumer-Stalled')
    if (message.reply) return void message.respond()
    if (stalled) connection.publish(stalled)
    const sent = Number(message.headers?.get('Nats-Last-Consumer') || this.#received)
    if (sent !== this.#received) this.#end(`${sent} messages were sent, and ${this.#received} came`)
  }

  #expectMore(): void {
    this.#cancelTimer()
    this.#cancelTimer = systemClock.timeout(silentMs, () => this.#end('nothing is heard of the consumer'))
  }

  #end(why: string): void {
    if (this.#isOver) return
    this.close()
    this.#parts.onEnd(why)
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTimer()
    this.#subscription?.unsubscribe()
    const { manager, stream } = this.#parts
    if (this.#consumer !== undefined) manager.consumers.delete(stream, this.#consumer).catch(() => {}) // it ends by itself too
  }
}

/**
 * Where a message stands in stream and consumer: `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<count>.<time>.<pending>`, later
 * with a domain and an account before the stream, and one more behind.
 */
export function placeOf(reply: string): { readonly sequence: number; readonly count: number } {
  const tokens = reply.split('.')
  const at = tokens.length > 9 ? 7 : 5
  return { sequence: Number(tokens[at]), count: Number(tokens[at + 1]) }
}
