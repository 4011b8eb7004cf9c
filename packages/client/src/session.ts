import { type PacketOf, type Publish, reason } from '@godwit/protocol'
import { Call } from './call.js'
import type { ClientEvents, PublishResult } from './client.js'
import type { Connection, ServerPacket } from './connection.js'
import { dropError } from './drop-error.js'
import { type AnyClientError, clientClosed, InterruptedError, invalidOption, PublishError } from './errors.js'
import { copyPayload, type Message, ReceivedMessage } from './message.js'
import type { CallOptions } from './options.js'
import type { Publication } from './publication.js'
import type { RelayedMessage } from './relayed-message.js'
import { publicationRefused } from './server-limits.js'
import { isServersDoing } from './servers-doing.js'
import type { Settings } from './settings.js'
import { type Delivery, Inbound } from './state/inbound.js'
import { Outbound } from './state/outbound.js'
import { type Outgoing, type OutgoingOwner, sizeOf } from './state/outgoing.js'
import { PacketIds } from './state/packet-ids.js'
import { ReceiveWindow } from './state/receive-window.js'
import type { StoredPublish } from './state/store.js'
import type { SubscribeArguments } from './subscribe-arguments.js'
import type { ActiveSubscription } from './subscription.js'
import { Subscriptions } from './subscriptions.js'
import { Unclaimed } from './unclaimed.js'

/** The window where the application does not say: at 5.0 the server's Receive Maximum bounds it, below nothing does. */
const defaultMaxInflight = { 5: 1000, below: 20 }

/** What a session tells besides the answers to its calls. */
interface SessionEvents {
  onUnclaimed(message: Message): void
  onRecovered(publication: ClientEvents['recovered']): void
  onUnpublished(topic: string, error: AnyClientError): void
  onUnsubscribed(filters: readonly string[], error: unknown): void
}

/**
 * What outlives a connection, joined to the connection of the moment: the outbound log, the inbound state, the
 * subscriptions. Everything that can be sent is sent by `#pump`, in one order: subscriptions, what must go again, what
 * is new.
 */
export class Session {
  readonly #settings: Settings
  readonly #events: SessionEvents
  readonly #ids = new PacketIds()
  readonly #outbound: Outbound
  readonly #inbound: Inbound
  readonly #window = new ReceiveWindow()
  readonly #subscriptions: Subscriptions
  readonly #unclaimed: Unclaimed
  #connection: Connection | undefined
  /** The server whose confirmations the subscriptions stand on. */
  #server: string | undefined
  #attached = false
  #readyCalls: Call<void>[] = []
  #idleCalls: Call<void>[] = []
  #buffered = 0
  #reading = true
  #ended: AnyClientError | undefined

  constructor(settings: Settings, events: SessionEvents) {
    const { store, clock } = settings
    this.#settings = settings
    this.#events = events
    this.#outbound = new Outbound(this.#ids, store, settings.relay?.ids)
    if (settings.relay) this.#ids.beginAt(settings.relay.firstPacketId)
    this.#inbound = new Inbound(
      store,
      (type, packetId) => {
        if (type === 'puback') this.#window.free(1, packetId)
        this.#connection?.send({ type, packetId })
      },
      settings.relay?.repeats,
    )
    this.#subscriptions = new Subscriptions({
      clock,
      ids: this.#ids,
      onBuffered: (change) => this.#onBuffered(change),
      onFailed: (filters, error) => events.onUnsubscribed(filters, error),
    })
    this.#unclaimed = new Unclaimed(settings, (message) => events.onUnclaimed(message))
  }

  get queued(): number {
    return this.#outbound.queued
  }

  get inflight(): number {
    return this.#outbound.inflight
  }

  /** Whether a publication made now would be sent at once. */
  get isOpen(): boolean {
    return this.#connection?.full === false && this.#outbound.open
  }

  /** Takes up what the store has. */
  async load(): Promise<void> {
    const { outgoing, received } = await this.#settings.store.load()
    const { clock } = this.#settings
    const passed = clock.now() - clock.date()
    this.#outbound.restore(
      outgoing,
      (publish) => this.#ownerOf(publish),
      (expiresAt) => expiresAt + passed,
    )
    this.#inbound.restore(received)
  }

  /** `sessionKept`: the server keeps the session when the connection ends. */
  attach(connection: Connection, sessionPresent: boolean, sessionKept: boolean): void {
    const { maxInflight, receiveMaximum } = this.#settings
    const { limits, version } = connection
    const sameServer = this.#server === connection.server.url
    const isOnlyServer = this.#server === undefined && this.#settings.servers.length === 1
    if (!this.#attached && sessionPresent) this.#unclaimed.hold()
    this.#attached = true
    this.#server = connection.server.url
    this.#connection = connection
    this.#reading = true
    this.#window.restart(version === 5 ? receiveMaximum : Infinity)
    this.#settings.relay?.ids.restart(sessionPresent, sameServer || isOnlyServer)
    const most = maxInflight ?? (version === 5 ? defaultMaxInflight[5] : defaultMaxInflight.below)
    this.#outbound.restart({
      sessionPresent,
      window: Math.min(most, limits.receiveMaximum), // [MQTT-3.3.4-7]
      refusal: (message) => publicationRefused(limits, message),
      now: () => this.#settings.clock.now(),
    })
    this.#inbound.restart(sessionPresent && (!this.#settings.relay || sameServer || isOnlyServer))
    this.#subscriptions.attach({
      send: (packet) => connection.send(packet),
      version,
      limits,
      sessionPresent,
      remembered: sessionPresent && sameServer,
      sessionKept,
      waitsToAsk: this.#settings.relay !== undefined && version < 5 && sessionPresent,
    })
    this.#pump()
  }

  detach(error: AnyClientError): void {
    this.#connection = undefined
    // A SUBSCRIBE without an answer may be what the server did not like.
    if (isServersDoing(error) && !this.#subscriptions.busy) this.#outbound.endedByServer(error)
    for (const call of this.#idleCalls) call.reject(new InterruptedError('client-closed', 'the connection ended'))
    this.#idleCalls = []
    this.#inbound.detach()
    this.#subscriptions.detach()
    if (this.#settings.offlineQueue.qos0 === 'queue') return
    for (const message of this.#outbound.withdrawQos0()) message.owner.dropped('connection-lost')
  }

  /**
   * A CONNECT got no answer. If the server had forgotten the session it may have made a new one then, and will call
   * that one present: what it confirmed earlier is to be asked for again.
   */
  onUnanswered(): void {
    this.#server = undefined
  }

  askAgain(): void {
    this.#subscriptions.askAgain()
  }

  onWritable(): void {
    this.#pump()
  }

  onPacket(packet: ServerPacket): void {
    switch (packet.type) {
      case 'publish':
        return this.#onPublish(packet)
      case 'puback':
        if (!this.#outbound.onPuback(packet)) return this.#mismatch(packet)
        break
      case 'pubrec':
        this.#onPubrec(packet)
        break
      case 'pubrel':
        return this.#onPubrel(packet.packetId)
      case 'pubcomp':
        if (!this.#outbound.onPubcomp(packet)) return this.#mismatch(packet)
        break
      case 'suback':
        if (!this.#subscriptions.onSuback(packet)) return this.#misfit(packet)
        break
      case 'unsuback':
        if (!this.#subscriptions.onUnsuback(packet)) return this.#misfit(packet)
        break
    }
    this.#pump()
  }

  #onPubrec(packet: PacketOf<'pubrec'>): void {
    const { packetId } = packet
    switch (this.#outbound.onPubrec(packet)) {
      case 'release':
        return this.#connection?.send({ type: 'pubrel', packetId })
      case 'unknown':
        return this.#connection?.send({ type: 'pubrel', packetId, reasonCode: reason.packetIdentifierNotFound })
      case 'mismatch':
        return this.#mismatch(packet)
      case 'ended':
    }
  }

  #onPubrel(packetId: number): void {
    const known = this.#inbound.onPubrel(packetId)
    this.#window.free(2, packetId)
    this.#connection?.send({ type: 'pubcomp', packetId, reasonCode: known ? 0 : reason.packetIdentifierNotFound })
  }

  /** An acknowledgement that does not belong to the handshake of its id. Below 5.0 it is ignored. */
  #mismatch({ type, packetId }: ServerPacket): void {
    const connection = this.#connection
    if (connection?.version !== 5) return
    connection.violation(`${type.toUpperCase()} ${packetId} does not belong to the QoS of that publication`)
  }

  #misfit({ type }: ServerPacket): void {
    this.#connection?.violation(`${type.toUpperCase()} has not one reason code for each filter`)
  }

  /** @throws what keeps it from being taken at all. */
  publish(publication: Publication, options: CallOptions | undefined): Promise<PublishResult> {
    const error = this.#ended ?? this.#notNow(publication)
    if (error !== undefined) throw error
    const { topic, qos } = publication
    const call = new Call<PublishResult>(
      this.#settings.clock,
      options?.signal === undefined && options?.timeoutMs === undefined ? undefined : options,
      `publish to '${topic}'`,
      () => this.#outbound.withdraw(message),
      (why) => this.#events.onUnpublished(topic, why as AnyClientError),
    )
    if (call.settled) return call.promise
    const message: Outgoing = this.#outbound.add({
      ...publication,
      ...this.#expiryOf(publication),
      owner: {
        completed: (packetId, ack) =>
          call.resolve({
            qos,
            packetId: qos === 0 ? undefined : packetId,
            reasonCode: ack?.reasonCode ?? 0,
            properties: ack?.properties,
          }),
        dropped: (why) => call.reject(dropError(topic, why, this.#ended)),
      },
    })
    this.#pump()
    return call.promise
  }

  /** Takes a message of a relay, whose owner is told of its end by a call. The relay sees to it that few wait. */
  relay(message: RelayedMessage, owner: OutgoingOwner): void {
    const { clock } = this.#settings
    const { topic, payload, qos, retain, properties, expiresAt, number: sequence } = message
    if (this.#ended !== undefined) return owner.dropped('client-closed')
    const deadline = expiresAt === Infinity ? Infinity : clock.now() + expiresAt - clock.date()
    const relayed = message
    this.#outbound.add({ topic, payload, qos, retain, properties, expiresAt, deadline, sequence, relayed, owner })
    this.#pump()
  }

  #expiryOf({ properties }: Publication): Pick<Outgoing, 'expiresAt' | 'deadline'> {
    const ms = (properties?.messageExpiryInterval ?? Infinity) * 1000
    const { clock } = this.#settings
    return { expiresAt: clock.date() + ms, deadline: clock.now() + ms }
  }

  subscribe({ patterns, options }: SubscribeArguments): Promise<ActiveSubscription<string>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const started = this.#subscriptions.subscribe(patterns, options)
    this.#unclaimed.offer((topic) => this.#subscriptions.routes.match(topic))
    this.#updateReading()
    return started
  }

  unsubscribe(filters: readonly string[], options: CallOptions | undefined): Promise<void> {
    return this.#ended === undefined ? this.#subscriptions.unsubscribe(filters, options) : Promise.reject(this.#ended)
  }

  ready(options: CallOptions | undefined): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (this.isOpen) return Promise.resolve()
    const call: Call<void> = new Call(this.#settings.clock, options, 'ready', () => {
      this.#readyCalls = this.#readyCalls.filter((other) => other !== call)
      this.#updateReading()
    })
    if (call.settled) return call.promise
    this.#readyCalls.push(call)
    this.#updateReading()
    return call.promise
  }

  /** Resolves when no publication is unfinished; rejects when the connection ends, and as its options say. */
  idle(options: CallOptions): Promise<void> {
    const call = new Call<void>(this.#settings.clock, options, 'close', () => {})
    this.#idleCalls.push(call)
    this.#pump()
    return call.promise
  }

  /** The client has ended: with this error, or by close(). */
  end(error: AnyClientError | undefined): void {
    const rejection = clientClosed(error)
    this.#ended = rejection
    this.#unclaimed.end()
    this.#outbound.end()
    this.#subscriptions.end(error, rejection)
    for (const call of [...this.#readyCalls, ...this.#idleCalls]) call.reject(rejection)
    this.#readyCalls = []
    this.#idleCalls = []
  }

  /** Why the connection of the moment, or the queue, does not take it. */
  #notNow(publication: Publication): PublishError | undefined {
    const { topic, qos } = publication
    const { maxMessages, maxBytes, qos0 } = this.#settings.offlineQueue
    const connection = this.#connection
    if (connection === undefined && qos === 0 && qos0 === 'drop') {
      return new PublishError('not-connected', topic, "not connected, and offlineQueue.qos0 is 'drop'")
    }
    const refused = connection && publicationRefused(connection.limits, publication)
    if (refused !== undefined) return refused
    if (connection?.full === false && (qos === 0 ? this.#outbound.caughtUp : this.#outbound.open)) return undefined
    const bytes = this.#outbound.queuedBytes + sizeOf(publication)
    if (this.#outbound.queued < maxMessages && bytes <= maxBytes) return undefined
    return new PublishError(
      'queue-full',
      topic,
      `${this.#outbound.queued} messages wait already: await ready(), or raise offlineQueue.maxMessages or maxBytes`,
    )
  }

  /** Its promise went with the process that published it: the application hears of its end by an event. */
  #ownerOf({ topic, payload, qos, retain }: StoredPublish): OutgoingOwner {
    const publication = { topic, payload, qos, retain }
    return {
      completed: () => this.#events.onRecovered({ ...publication, error: undefined }),
      dropped: (why) => {
        if (why === 'client-closed') return // not its end: the store has it still
        this.#events.onRecovered({ ...publication, error: dropError(topic, why, this.#ended) as PublishError })
      },
    }
  }

  #onPublish(packet: Publish): void {
    if (packet.qos > 0 && !this.#window.take(packet.qos as 1 | 2, packet.packetId!)) {
      const what = `the server sent more than the Receive Maximum of ${this.#settings.receiveMaximum}`
      return this.#connection?.violation(what, reason.receiveMaximumExceeded)
    }
    const delivery = packet.qos === 0 ? undefined : this.#inbound.onPublish(packet)
    if (packet.qos > 0 && delivery === undefined) return
    const payload = copyPayload(packet)
    const all = this.#subscriptions.routes.of(packet.topic, packet.properties?.subscriptionIdentifiers)
    const routes = this.#settings.relay && all.length > 1 ? all.slice(0, 1) : all
    const settle = this.#settler(delivery, Math.max(1, routes.length))
    if (routes.length === 0) {
      this.#unclaimed.add((pattern) => new ReceivedMessage(packet, payload, pattern.params, settle), packet.topic)
    }
    for (const { subscription, pattern } of routes) {
      subscription.push(new ReceivedMessage(packet, payload, pattern.params, settle))
    }
  }

  #settler(delivery: Delivery | undefined, consumers: number): ((how: 'done' | 'abandoned') => void) | undefined {
    if (delivery === undefined) return undefined
    delivery.consumers = consumers
    return (how) => this.#inbound.settle(delivery, how)
  }

  #pump(): void {
    const connection = this.#connection
    if (connection !== undefined) {
      this.#subscriptions.pump()
      while (!connection.full) {
        const step = this.#outbound.next()
        if (step === undefined) break
        if (step.packet === 'pubrel') connection.send({ type: 'pubrel', packetId: step.packetId })
        else {
          const isWritten = this.#publish(connection, step.message, step.dup)
          if (isWritten && step.message.qos === 0) step.message.owner.completed(0)
        }
      }
      if (this.isOpen) this.#readyCalls = resolveAll(this.#readyCalls)
    }
    if (this.#outbound.idle) this.#idleCalls = resolveAll(this.#idleCalls)
    this.#updateReading()
  }

  /** False: it cannot be written, as may be with what a store gave, and is over; the others go on. */
  #publish(connection: Connection, message: Outgoing, dup: boolean): boolean {
    try {
      connection.publish(message, dup)
      return true
    } catch (error) {
      const what = `publish to '${message.topic}': it cannot be written: ${(error as Error).message}`
      this.#outbound.fail(message, invalidOption(what))
      return false
    }
  }

  #onBuffered(change: number): void {
    this.#buffered += change
    this.#updateReading()
  }

  /**
   * Slow consumers stop the intake, unless somebody waits for an answer: it would stay unread behind their messages.
   */
  #updateReading(): void {
    const limit = this.#reading ? this.#settings.maxBuffered : this.#settings.maxBuffered / 2
    const awaited = !this.#outbound.idle || this.#subscriptions.busy || this.#readyCalls.length > 0
    const reading = awaited || this.#buffered < limit
    if (reading === this.#reading) return
    this.#reading = reading
    this.#connection?.setReading(reading)
  }
}

function resolveAll(calls: Call<void>[]): Call<void>[] {
  for (const call of calls) call.resolve()
  return calls.length === 0 ? calls : []
}
