import { type Connect, Decoder, type Packet, ProtocolError, type ReceivedPublish, reason } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import { MqttError } from '../errors.js'
import { refuse } from '../handlers/admission.js'
import type { Answer, Authenticating, Context, Reply, Services } from '../handlers/context.js'
import type { ClientInfo } from '../hooks/client-info.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import type { ConnectionFacts, Session } from '../session/session.js'
import type { Peer, Transport, TransportEvents } from '../transport/transport.js'
import { Arrival, isUneventful } from './arrival.js'
import { burst, mostOtherPackets } from './burst.js'
import type { ConnectionParts } from './connection-parts.js'
import { ConnectionShare, shareBytes } from './connection-share.js'
import { dispatch, dispatchAuthenticating, dispatchFirst } from './dispatch.js'
import { refusedAtDoor } from './door.js'
import { DrainWatch } from './drain-watch.js'
import { farewell } from './farewell.js'
import { HeldPublications } from './held-publications.js'
import { KeepAlive } from './keep-alive.js'
import { Outbox, type OutboxOwner } from './outbox.js'
import { defaultTerms, termsOf } from './publish-encoder.js'
import { PublishRate } from './publish-rate.js'
import { IncomingAliases } from './topic-aliases.js'

const tooMuchWaits = 'too many bytes are waiting for authentication'

/**
 * One network connection, from its first byte to its close: bytes in, packets to their handlers, replies to the outbox.
 * The only place where an error becomes something on the wire.
 */
export class Connection implements Context, TransportEvents, OutboxOwner {
  readonly services: Services
  readonly peer: Peer
  version: Connect['version'] = 4
  closed = false
  authenticating: Authenticating | undefined
  readonly outbox: Outbox
  readonly #parts: ConnectionParts<Connection>
  readonly #transport: Transport
  readonly #decoder: Decoder
  readonly #keepAlive: KeepAlive
  #client: ClientInfo | undefined
  #session: Session | undefined
  #arrival: Arrival | undefined // until the client is in
  #drainWatch: DrainWatch | undefined // made when more waits than should
  /** A handler waits for a hook; packets behind it wait too. */
  #suspended = false
  #aliases: IncomingAliases | undefined
  #publishRate: PublishRate | undefined // made with the first publication
  #maxInflight = 1
  wantsReasons = true // at 5.0 a client may say that it wants none in words
  /** QoS 1 and 2 messages of the client that are not yet acknowledged. */
  #receiving = 0
  /** The client has ended its side. */
  #ended = false
  #welcomed = false // CONNACK is out
  /** What it has made the store gather. */
  readonly #share = new ConnectionShare()
  /** Made when the first has to wait. */
  #heldPublications: HeldPublications | undefined

  constructor(transport: Transport, parts: ConnectionParts<Connection>) {
    const { limits, features } = parts.services
    this.services = parts.services
    this.peer = transport.peer
    this.#parts = parts
    this.#transport = transport
    this.#decoder = new Decoder({
      version: 4,
      maxPacketBytes: limits.maxConnectBytes,
      allowControlCharacters: features.controlCharacters,
    })
    this.#keepAlive = new KeepAlive(parts.clock, parts.wheel)
    this.outbox = new Outbox(transport, parts.outbox, this)
    parts.services.metrics.connectionsAccepted++
    this.#arrival = new Arrival(parts.wheel, limits.connectTimeoutMs, (why) => {
      parts.services.metrics.connectTimeouts++
      this.end(why, reason.unspecifiedError)
    })
    transport.start(this)
  }

  get client(): ClientInfo {
    return this.#client!
  }

  get session(): Session {
    return this.#session!
  }

  get facts(): ConnectionFacts {
    const { seconds: keepAliveSeconds, since: connectedAt } = this.#keepAlive
    const { client, peer, outbox } = this
    return { client, peer, connectedAt, keepAliveSeconds, outboxBytes: outbox.waitingBytes }
  }

  // ---- bytes in

  onData(chunk: Uint8Array): void {
    if (this.closed) return
    this.#keepAlive.heard()
    this.services.metrics.bytesReceived += chunk.length
    this.#arrival?.heard(chunk)
    this.#decoder.push(chunk)
    if (this.#suspended) this.#decoder.detach()
    else this.#handlePackets()
    if (!this.#session && !this.closed && !this.#parts.waiting.holds(this, this.#decoder.bufferedBytes)) {
      this.end(tooMuchWaits, reason.quotaExceeded)
    }
  }

  /** Before the client is in, that counts as what has come; the transport would go on holding it, so it is cut off. */
  onHeld(bytes: number): void {
    if (this.#session || this.closed) return
    const most = this.#arrival?.greeted ? undefined : this.services.limits.maxConnectBytes
    if (!this.#parts.waiting.holds(this, bytes, most)) this.#abort(tooMuchWaits)
  }

  /** Handles what has come, packet by packet, until there is no whole one left or a handler has to wait. */
  #handlePackets(): void {
    const { metrics } = this.services
    const { publishReceived, publishBytesReceived } = metrics
    const mostPackets = metrics.packetsSent + burst.packets
    const mostBytes = metrics.publishBytesSent + burst.bytes
    const { store } = this.#parts
    const gathered = store.gathered
    let others = 0
    try {
      while (!this.closed && !this.#suspended) {
        const packet = this.#decoder.next()
        if (!packet) break
        metrics.packetsReceived++
        const answer = this.accepted ? dispatch(this, packet) : this.#beforeConnack(packet)
        if (answer instanceof Promise) return this.#suspend(answer)
        if (answer) this.#reply(answer)
        store.endOfPacket()
        if (packet.type !== 'publish' && ++others > mostOtherPackets) return this.#giveWay()
        if (metrics.packetsSent > mostPackets || metrics.publishBytesSent > mostBytes) return this.#giveWay()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      // Nobody else's packets are handled meanwhile.
      const published = metrics.publishReceived - publishReceived
      if (published > 0) this.#spend(published, metrics.publishBytesReceived - publishBytesReceived)
      const grown = store.gathered - gathered
      if (grown > 0) this.#share.add(store.latest, grown)
      if (!this.closed && this.#fills(grown)) this.#waitForStore()
    }
    if (this.closed) return
    if (this.outbox.overfull) this.#pause()
  }

  /** It has more waiting than its share, or adds to what is too much for all. */
  #fills(grown: number): boolean {
    const { store, accounts, outbox } = this.#parts
    if (store.full && grown > 0) return true
    const waiting = this.#share.waiting(outbox.commits.flushed) + this.outbox.heldReplyBytes
    return waiting > shareBytes(accounts.waiting)
  }

  /** Whatever comes behind CONNECT, the client is greeted first [MQTT-3.1.4-4] (5.0: [MQTT-3.1.4-5]). */
  #reply(reply: Reply): void {
    this.outbox.reply(reply)
    if (this.#session && !this.#welcomed && !this.closed) this.#afterReplies(() => this.#goOn(undefined))
  }

  /** Handles nothing more until all that was answered has gone out. */
  #afterReplies(next: () => void): void {
    this.#hold()
    this.#parts.outbox.commits.after(this.outbox.awaitedCommit, next)
  }

  /** A client that outruns the disk is slowed down by its transport, not buffered. */
  #waitForStore(): void {
    if (this.#waitsForStore) return
    this.#waitsForStore = true
    this.#pause()
    this.#parts.outbox.commits.after(this.#parts.store.latest, () => {
      this.#waitsForStore = false
      this.#resume()
    })
  }

  #waitsForStore = false

  get publishRate(): PublishRate {
    this.#publishRate ??= new PublishRate(this.services.limits, this.#parts.clock)
    return this.#publishRate
  }

  /** A client that publishes faster than it may is read from later. */
  #spend(messages: number, bytes: number): void {
    if (this.closed || this.services.features.publishBeyondRate === 'refuse') return
    if (!this.publishRate.spend(messages, bytes, () => this.#resume())) return
    this.services.metrics.publishersSlowed++
    this.#pause()
  }

  #pause(): void {
    this.#keepAlive.listening = false
    this.#transport.pause()
  }

  #resume(): void {
    if (!this.closed && !this.#suspended && !this.outbox.full) this.#listen()
  }

  #listen(): void {
    if (this.#publishRate?.exceeded || this.#waitsForStore) return // it follows when that is over
    this.#keepAlive.listening = true
    this.#transport.resume()
  }

  get accepted(): boolean {
    return this.#session !== undefined
  }

  get signal(): AbortSignal | undefined {
    return this.#arrival?.signal
  }

  #beforeConnack(packet: Packet): Answer {
    if (this.#arrival?.greeted) return dispatchAuthenticating(this, packet)
    this.#arrival!.greeted = true
    if (packet.type !== 'connect') return dispatchFirst(this, packet)
    this.version = packet.version
    this.wantsReasons = packet.properties?.requestProblemInformation ?? true
    this.outbox.setTerms(termsOf(packet))
    return whenReady(this.#parts.door.admit(this.peer.address), (refusal) => {
      if (this.closed) return undefined
      return refusal ? refuse(this, refusedAtDoor(refusal), packet.clientId) : dispatchFirst(this, packet)
    })
  }

  /** A hook takes its time: this client's packets wait, in order; nobody else's do. */
  #suspend(answer: Promise<Reply | undefined>): void {
    this.#hold()
    answer.then((reply) => this.#goOn(reply)).catch((error: unknown) => this.#fail(error))
  }

  /** What came in one chunk makes a lot to send: that goes out, and the others have their turn, before the rest of it. */
  #giveWay(): void {
    this.#hold()
    setImmediate(() => this.#goOn(undefined))
  }

  #hold(): void {
    this.#suspended = true
    this.#decoder.detach()
    this.#pause()
  }

  #goOn(reply: Reply | undefined): void {
    this.#suspended = false
    if (this.closed) return
    if (reply) this.#reply(reply)
    if (this.closed || this.#suspended) return
    if (this.#heldPublications && !this.#parts.store.isLow) this.onRoom()
    if (this.closed || this.#suspended) return
    this.#listen()
    this.#handlePackets()
    if (this.#ended && !this.#suspended) this.#finish()
  }

  // ---- what handlers ask for

  accept(client: ClientInfo, session: Session, connect: Connect, keepAliveSeconds: number): void {
    this.#arrival?.end()
    this.#arrival = undefined
    this.#parts.waiting.release(this)
    this.#parts.onAccepted(this)
    this.#client = client
    this.#session = session
    const { limits } = this.services
    this.#maxInflight = Math.min(connect.properties?.receiveMaximum ?? limits.maxInflight, limits.maxInflight)
    this.#decoder.maxPacketBytes = limits.maxPacketBytes
    this.#keepAlive.start(keepAliveSeconds, () => {
      this.services.metrics.keepAliveTimeouts++
      this.end('keep alive timeout', reason.keepAliveTimeout)
    })
    this.outbox.mayReceive = this.services.hooks.deliveriesTo(client)
    this.services.hooks.connected(client)
    this.#parts.log.log('info', 'client connected', { clientId: client.clientId, address: this.peer.address })
  }

  startDelivery(): void {
    this.#welcomed = true
    if (!this.closed) this.session.delivery.attach(this.outbox, this.#maxInflight)
  }

  leave(): void {
    this.#afterReplies(() => this.end('disconnected by the client'))
  }

  takeOver(): MaybeAsync<void> {
    this.end('taken over by a new connection of the same client', reason.sessionTakenOver)
  }

  /** Ends in order: what was sent goes out, the session is let go, the will is published unless it was discarded. */
  end(why: string, reasonCode?: number, serverReference?: string): void {
    if (this.closed) return
    if (reasonCode !== undefined && this.version === 5) {
      const parting = { reasonCode, why: this.wantsReasons ? why : undefined, serverReference }
      this.outbox.sayGoodbye(farewell(parting, this.#welcomed))
    }
    // What the ending promises (a will removed, a session ended) is safe before the client sees it.
    this.#parts.outbox.commits.after(this.#letGo(why), () => this.#transport.end())
  }

  topicOf({ topic, properties }: ReceivedPublish): string {
    if (properties?.topicAlias === undefined) return topic
    this.#aliases ??= new IncomingAliases(this.services.limits.topicAliasMaximum)
    return this.#aliases.resolve(topic, properties.topicAlias)
  }

  receiving(): void {
    const most = this.services.limits.receiveMaximum
    if (++this.#receiving <= most || this.version < 5) return
    throw new MqttError(reason.receiveMaximumExceeded, `more than ${most} messages at once`)
  }

  get holdsPublications(): boolean {
    return this.#heldPublications !== undefined && !this.#heldPublications.isEmpty
  }

  holdPublication(bytes: number, route: () => Answer): boolean {
    const { waiting } = this.#parts.accounts
    this.#heldPublications ??= new HeldPublications(waiting, shareBytes(waiting))
    if (!this.#heldPublications.hold(bytes, route)) return false
    this.services.metrics.publishesHeld++
    this.#parts.waitingForRoom.add(this)
    return true
  }

  /** There is room on the disk again: what has waited goes on, some of it in this turn. True: all of it has. */
  onRoom(): boolean {
    const held = this.#heldPublications
    const { store } = this.#parts
    const gathered = store.gathered
    for (let left = mostOtherPackets; held && !held.isEmpty && left > 0; left--) {
      if (this.closed || this.#suspended || store.isLow || this.#waitsForStore) return false
      try {
        const answer = held.next()
        if (answer instanceof Promise) this.#suspend(answer)
        else if (answer) this.#reply(answer)
        store.endOfPacket()
      } catch (error) {
        this.#fail(error)
      }
    }
    const grown = store.gathered - gathered
    if (grown > 0) this.#share.add(store.latest, grown)
    if (!this.closed && this.#fills(grown)) this.#waitForStore()
    if (!held?.isEmpty) return false
    this.#parts.waitingForRoom.delete(this)
    return true
  }

  // ---- what the outbox tells

  onFull(): void {
    if (this.closed) return
    this.#drainWatch ??= new DrainWatch(this.#parts.wheel, this.services.limits.drainTimeoutMs)
    this.#drainWatch.start(this.outbox, () => {
      this.services.metrics.drainTimeouts++
      this.#abort('takes nothing of what waits for it')
    })
  }

  onDrained(): void {
    this.#drainWatch?.stop()
    if (this.closed) return
    this.#resume()
    this.#session?.delivery.pump()
  }

  onTurn(): void {
    this.#session?.delivery.pump()
  }

  /** A message has been acknowledged: the client may send another. */
  onReply(packet: Packet): void {
    const { type } = packet
    const isLast = type === 'puback' || type === 'pubcomp' || (type === 'pubrec' && (packet.reasonCode ?? 0) >= 0x80)
    if (isLast && this.#receiving > 0) this.#receiving--
  }

  /** It would wait for that answer for ever. */
  onTooLarge({ type }: Packet): void {
    this.end(`takes no packet as large as its ${type.toUpperCase()}`, reason.packetTooLarge)
  }

  onLastReply(): void {
    this.end('connection refused')
  }

  // ---- endings

  onEnd(): void {
    this.#ended = true
    if (!this.#suspended) this.#finish()
  }

  /** The client will say nothing more, and may still read: what it is owed waits for its commit, then all ends. */
  #finish(): void {
    this.#parts.outbox.commits.after(this.outbox.awaitedCommit, () => this.end('connection closed by the client'))
  }

  onClose(error?: Error): void {
    if (this.closed) return
    this.#letGo(error ? `connection failed: ${error.message}` : 'connection closed by the client', error)
  }

  #abort(why: string): void {
    this.#letGo(why)
    this.#transport.destroy()
  }

  /** What the client did wrong, in the words of its version of MQTT; then the end [MQTT-4.8.0-1]. */
  #fail(error: unknown): void {
    if (this.closed) return
    if (!(error instanceof ProtocolError || error instanceof MqttError)) {
      const fields = { clientId: this.#client?.clientId, address: this.peer.address, error: String(error) }
      this.#parts.log.log('error', 'internal error while handling a packet', fields)
      return this.end('internal error', reason.unspecifiedError) // [MQTT-4.8.0-2]
    }
    this.services.metrics.protocolErrors++
    const isVersion = error instanceof ProtocolError && error.code === 'unsupported-protocol-version'
    if (isVersion && this.#arrival?.greeted === false) return this.#refuseVersion(error)
    if (this.#arrival?.beginsAs50) this.#speak50()
    const stranger = this.#arrival?.stranger((bytes) => this.#transport.write([bytes], () => {}))
    this.end(stranger ?? error.message, error.reasonCode)
  }

  /** A CONNECT of 5.0 that cannot be read is answered too; what is no MQTT at all is not. */
  #speak50(): void {
    this.version = 5
    this.outbox.setTerms({ ...defaultTerms, version: 5 })
  }

  /** A level from the future is answered as at 5.0, any other as at 3.1.1, with a bridge's bit too [MQTT-3.1.2-2]. */
  #refuseVersion({ level = 0, message }: ProtocolError): void {
    this.wantsReasons = false // which form a later version has for them nobody knows
    if ((level & 0x7f) > 4) this.#speak50()
    this.outbox.reply(refuse(this, { reasonCode: reason.unsupportedProtocolVersion, why: message }))
  }

  #letGo(why: string, error?: Error): Commit {
    this.closed = true
    this.#arrival?.fail()
    this.#drainWatch?.stop()
    this.#keepAlive.stop()
    this.#publishRate?.stop()
    this.#parts.waiting.release(this)
    this.#heldPublications?.clear()
    this.#parts.waitingForRoom.delete(this)
    this.outbox.close()
    const client = this.#client
    let commit: Commit = 0
    if (client && this.#session) {
      commit = this.services.registry.closed(this.#session) // first: nothing more is for this connection, its own will neither
      this.services.hooks.disconnected(client, why)
    }
    const level = client || !isUneventful(why, error) ? 'info' : 'debug'
    this.#parts.log.log(level, 'client gone', { clientId: client?.clientId, address: this.peer.address, reason: why })
    this.#parts.onClosed(this)
    return commit
  }
}
