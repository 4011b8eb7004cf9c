import { isTopicName, type QoS, ReceivedPublish } from '@godwit/protocol'
import { BrokerError } from '../errors.js'
import type { Answer } from '../handlers/context.js'
import { onPublish } from '../handlers/publish.js'
import { onPubrel } from '../handlers/pubrel.js'
import { onSubscribe } from '../handlers/subscribe.js'
import { onUnsubscribe } from '../handlers/unsubscribe.js'
import { checkProperties, ownBytes } from '../router/local-message.js'
import { isSystemTopic } from '../router/system-topics.js'
import { InsideConnection } from './inside-connection.js'
import type { InsideMessage } from './inside-message.js'
import type { InsideParts } from './inside-parts.js'
import {
  checkFilter,
  checkPacketId,
  checkPublish,
  connectOf,
  type InsidePublishOptions,
  type InsideSessionOptions,
  type InsideSubscribeOptions,
  subscribeOf,
} from './session-options.js'

const mostPacketIds = 65_535

/** Whether a publication at QoS 1 or 2 was taken over. Here nobody is asked, so the answer is there. */
function isTaken(answer: Answer): boolean {
  return answer !== undefined && !(answer instanceof Promise) && answer.refuses !== true
}

/**
 * A session of the program around the broker: a durable reader and writer, with the rules of any client's session of 5.0 and
 * without a network. What it subscribes to, what waits for it and where its handshakes stand is kept by the store; it goes on
 * where it was when it is opened again, also after a restart or a crash. Opened by `broker.session`.
 *
 * Iterate it, or give `onMessage`. Several loops share the messages among them, and each acknowledges its own. Where one iterator
 * is pulled several times at once, each further pull acknowledges the earliest message taken from it.
 *
 * Leaving a `for await` loop leaves the session open. The message at hand then stays unacknowledged, unless `message.ack()` was
 * called, and the next loop is given it first; with `ack: 'manual'` whoever has it may still acknowledge it, and it comes again
 * when the session is opened anew.
 *
 * No hook is asked. Everything rejects with BrokerError `session-closed` once the session is closed.
 */
export class InsideSession implements AsyncIterable<InsideMessage>, AsyncDisposable {
  readonly clientId: string
  /** Whether it went on with what an earlier one has left (Session Present). */
  readonly resumed: boolean
  /**
   * Resolves once it has ended by `close()`, `end()` or `broker.close()`; rejects with the error that ended it: that of its
   * listener, or BrokerError `session-closed` when somebody has ended it through the broker (`disconnect`, `sessions.end`).
   */
  readonly closed: Promise<void>
  readonly #connection: InsideConnection

  /** Use `broker.session`. */
  constructor(connection: InsideConnection, resumed: boolean) {
    this.clientId = connection.clientId
    this.resumed = resumed
    this.closed = connection.ended
    this.#connection = connection
  }

  /** Seconds that it lives on when it is closed, as it was granted; 4,294,967,295: for ever. */
  get expirySeconds(): number {
    return this.#connection.session.expirySeconds
  }

  /**
   * Subscribes; resolves with the QoS granted when the subscription is as safe as the store makes it. What is retained follows.
   * With a filter that it has, the terms are replaced. Shared subscriptions (`$share/…`, section 4.8.2) share with all members,
   * clients of the network too.
   *
   * Rejects with BrokerError `invalid-topic` (section 4.7); `invalid-option`; `refused`: as many subscriptions as a session may
   * have, no room, or a feature that is switched off.
   */
  async subscribe(filter: string, options: InsideSubscribeOptions = {}): Promise<QoS> {
    const packet = subscribeOf(filter, options)
    const answer = await this.#connection.ask(() => onSubscribe(this.#connection, packet))
    if (answer?.type !== 'suback') throw await this.#gone()
    return answer.reasonCodes[0] as QoS
  }

  /**
   * Ends the subscription to this filter. Messages that have come for it still do; what is retained stops. Resolves, when that is
   * safe, with whether there was one. Rejects with BrokerError `invalid-topic`.
   */
  async unsubscribe(filter: string): Promise<boolean> {
    checkFilter(filter)
    const packet = { type: 'unsubscribe', packetId: 1, filters: [filter] } as const
    const answer = await this.#connection.ask(() => onUnsubscribe(this.#connection, packet))
    if (answer?.type !== 'unsuback') throw await this.#gone()
    return answer.reasonCodes?.[0] === 0
  }

  /**
   * Publishes. The message has been routed when the call returns, unless it waits for room on the disk. The promise resolves, at
   * QoS 1 and 2, when the message is as safe as the store makes it for everybody it goes to: as an acknowledgement would come; at
   * QoS 0 when it has been routed. Whoever publishes much waits for the promises: nothing else bounds what is under way.
   * Bytes in any view are published as they lie in memory; they are copied.
   *
   * Rejects with BrokerError `invalid-topic` (section 4.7; topics under `$SYS` are the broker's own); `invalid-option`;
   * `refused`: more than the broker takes, no room, or a feature that is switched off; `closed`, when the broker is closed and
   * the disk has not taken it; with ProtocolError for properties that MQTT cannot carry. A promise that nobody looks at does no
   * harm.
   */
  publish(
    topic: string,
    payload: string | ArrayBuffer | ArrayBufferView,
    options: InsidePublishOptions = {},
  ): Promise<void> {
    const published = this.#publish(topic, payload, options)
    published.catch(() => {})
    return published
  }

  async #publish(
    topic: string,
    payload: string | ArrayBuffer | ArrayBufferView,
    options: InsidePublishOptions,
  ): Promise<void> {
    checkPublish(options)
    if (typeof topic !== 'string' || !isTopicName(topic)) {
      throw new BrokerError('invalid-topic', `${JSON.stringify(topic)} is not a topic name to publish to`)
    }
    if (isSystemTopic(topic)) {
      throw new BrokerError('invalid-topic', 'topics under $SYS are published by the broker itself')
    }
    const { qos = 0, retain = false, properties, packetId, sum } = options
    checkProperties(topic, properties)
    const bytes = ownBytes(payload)
    const flags = (qos << 1) | (retain ? 1 : 0)
    const connection = this.#connection
    const id = qos === 0 ? undefined : (packetId ?? this.#freeId())
    const packet = new ReceivedPublish(topic, flags, id, properties, bytes, -1, 0, bytes.length, true)
    const wasHeld = qos === 2 && connection.session.hasReceived(id!) // then this is a repeat, whatever it says
    await connection.ask(
      () => onPublish(connection, packet),
      (answer) => {
        const { session } = connection
        // Nobody will repeat it without a number of its own: that is free again in the same commit.
        if (qos === 2 && packetId === undefined) session.release(id!)
        if (sum !== undefined && !wasHeld && isTaken(answer)) session.remember(id!, sum)
      },
    )
  }

  #freeId(): number {
    const { session } = this.#connection
    let id = mostPacketIds
    while (id > 1 && session.hasReceived(id)) id--
    return id
  }

  /**
   * Nobody will publish under this `packetId` again until it stands for another message (PUBREL, section 4.3.3). Resolves when
   * that is safe, also when nothing was published under it. Rejects with BrokerError `invalid-option`.
   */
  async release(packetId: number): Promise<void> {
    checkPacketId(packetId)
    await this.#connection.ask(() => onPubrel(this.#connection, { type: 'pubrel', packetId }))
  }

  /** Packet ids that messages were published under and that have not been released, also by an earlier process. */
  get held(): readonly number[] {
    const { session } = this.#connection
    const ids: number[] = []
    for (let id = 1; id <= mostPacketIds; id++) if (session.hasReceived(id)) ids.push(id)
    return ids
  }

  /** The `sum` of the last message that was published under this packet id, also by an earlier process; `undefined`: that is not known. */
  sumOf(packetId: number): number | undefined {
    return this.#connection.session.sumOf(packetId)
  }

  /** Packet ids mean something else from now on: no sum is known any more, nor will be after the next commit. */
  forgetSums(): void {
    if (!this.#connection.closed) this.#connection.session.forgetSums()
  }

  /**
   * Acknowledges the message of this number, as `message.ack()` does, with no promise for it: `flush()` has one for all. A number
   * that is not open here does nothing.
   */
  acknowledge(number: number): void {
    this.#connection.inbox.acknowledge(number)
  }

  /**
   * With `twoSteps`, at QoS 2: whoever the message goes to has received it and will finish by its number alone (PUBREC). It is
   * never given again; `acknowledge()` ends it (PUBCOMP).
   */
  receive(number: number): void {
    this.#connection.inbox.receive(number)
  }

  /** Numbers of messages that were received so and not acknowledged, also by an earlier process, in their order. */
  get unfinished(): readonly number[] {
    return this.#connection.inbox.unfinished
  }

  /** The first number that is not acknowledged, or, when all are, the next one. */
  get head(): number {
    return this.#connection.session.delivery.head
  }

  /** Messages at QoS 1 and 2 that wait for it or are not acknowledged. */
  get queued(): number {
    const { delivery } = this.#connection.session
    return delivery.waiting + delivery.window.inflight
  }

  /** The number that the next message at QoS 1 or 2 gets. */
  get tail(): number {
    return this.#connection.session.delivery.tail
  }

  /** What it has subscribed to. */
  get filters(): readonly string[] {
    return [...this.#connection.session.subscriptions.keys()]
  }

  /** Resolves when all that was asked for so far is as safe as the store makes it. */
  flush(): Promise<void> {
    return this.#connection.flush()
  }

  [Symbol.asyncIterator](): AsyncIterator<InsideMessage> {
    return this.#connection.inbox.iterate()
  }

  /**
   * Closes it: loops finish, and what is not acknowledged comes again when it is opened anew, within its `expirySeconds`.
   * Resolves when that is safe. Repeating it is harmless.
   */
  close(): Promise<void> {
    return this.#connection.close()
  }

  /** Ends it: nothing of it is left, here or in the store. Resolves when that is safe; after `close()` it does nothing. */
  async end(): Promise<void> {
    if (this.#connection.closed) return
    const { session, services } = this.#connection
    services.registry.setExpiry(session, 0)
    await this.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** It was closed while a packet was being handled. */
  async #gone(): Promise<Error> {
    await this.closed
    return new BrokerError('session-closed', `the session of ${this.clientId} has been closed`)
  }
}

/**
 * @throws BrokerError `invalid-option`; `session-in-use`; `refused`.
 */
export async function openInside(
  clientId: string,
  options: InsideSessionOptions,
  parts: InsideParts,
): Promise<InsideSession> {
  const connect = connectOf(clientId, options, parts.limits)
  const connection = new InsideConnection(clientId, options, parts)
  const resumed = await connection.open(connect)
  return new InsideSession(connection, resumed)
}
