import { type Connect, type Decoder, type Packet, ProtocolError, type ReceivedPublish, reason } from '@godwit/protocol'
import type { Accounts } from '../accounts.js'
import { isBridge } from '../bridging.js'
import { type Commit, noCommit } from '../commit.js'
import { MqttError } from '../errors.js'
import { refuse } from '../handlers/admission.js'
import { onConnect } from '../handlers/connect.js'
import type { Answer, Authenticating, Context, Reply, Services } from '../handlers/context.js'
import type { ClientInfo } from '../hooks/client-info.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import type { Offered } from '../offer.js'
import type { ConnectionFacts, Session } from '../session/session.js'
import type { Store } from '../store/store.js'
import type { Peer, Transport, TransportEvents } from '../transport/transport.js'
import type { ArrivalParts } from './arrival.js'
import { dispatch, dispatchAuthenticating } from './dispatch.js'
import { type Door, refusedAtDoor } from './door.js'
import { farewell } from './farewell.js'
import { HeldPublications, type WaitingForRoom } from './held-publications.js'
import { type Because, because, Intake, type IntakeParts, type PublishRate, ReceiveQuota } from './intake.js'
import { DrainWatch, Outbox, type OutboxOwner, type OutboxParts } from './outbox.js'
import type { HasPart, PartialPackets } from './partial-packets.js'
import { isUneventful, type Probation, tooMuchWaits } from './probation.js'
import { termsOf } from './publish-encoder.js'
import { IncomingAliases } from './topic-aliases.js'
import { burst, isCostly, mostCostlyPackets } from './turn.js'

/** What all connections of a broker are made with. */
export interface ConnectionParts extends ArrivalParts, IntakeParts {
  readonly services: Services
  readonly outbox: OutboxParts
  readonly door: Door
  readonly store: Pick<Store, 'full' | 'latest' | 'gathered' | 'isLow' | 'isSilent' | 'endOfPart'>
  readonly accounts: Accounts
  readonly waitingForRoom: WaitingForRoom
  readonly partialPackets: PartialPackets
}

/**
 * One network connection, from its CONNECT to its close: bytes in, packets to their handlers, replies to the outbox.
 * The only place where an error becomes something on the wire.
 */
export class Connection implements Context, TransportEvents, OutboxOwner, HasPart {
  readonly services: Services
  readonly peer: Peer
  readonly version: Connect['version']
  readonly offered: Offered
  closed = false
  authenticating: Authenticating | undefined
  readonly outbox: Outbox
  readonly #parts: ConnectionParts
  readonly #transport: Transport
  readonly #decoder: Decoder
  readonly #intake: Intake
  #client: ClientInfo | undefined
  #session: Session | undefined
  #probation: Probation | undefined // until the client is in
  #drainWatch: DrainWatch | undefined // made when more waits than should
  #aliases: IncomingAliases | undefined
  #maxInflight = 1
  readonly wantsReasons: boolean // at 5.0 a client may say that it wants none in words
  isBridge = false
  /** Made with the first message at QoS 1 or 2. */
  #receiveQuota: ReceiveQuota | undefined
  /** The client has ended its side. */
  #ended = false
  /** The broker is ending the connection. */
  #ending = false
  #welcomed = false // CONNACK is out
  /** Bytes of packets that have come in part, as they were charged last. */
  #partBytes = 0
  /** Made when the first has to wait. */
  #heldPublications: HeldPublications | undefined

  /** @param decoder what has come behind CONNECT is in it. */
  constructor(transport: Transport, parts: ConnectionParts, connect: Connect, decoder: Decoder, probation: Probation) {
    this.services = parts.services
    this.peer = transport.peer
    this.#parts = parts
    this.#transport = transport
    this.#decoder = decoder
    this.#probation = probation
    this.version = connect.version
    this.offered = parts.services.offer.current
    this.wantsReasons = connect.properties?.requestProblemInformation ?? true
    this.#intake = new Intake(transport, parts, this)
    this.outbox = new Outbox(transport, parts.outbox, this, termsOf(connect))
  }

  get client(): ClientInfo {
    return this.#client!
  }

  get clientId(): string | undefined {
    return this.#client?.clientId
  }

  get session(): Session {
    return this.#session!
  }

  get facts(): ConnectionFacts {
    const { seconds: keepAliveSeconds, since: connectedAt } = this.#intake.keepAlive
    const { client, peer, outbox } = this
    return { client, peer, connectedAt, keepAliveSeconds, outboxBytes: outbox.waitingBytes }
  }

  // ---- bytes in

  onData(chunk: Uint8Array): void {
    if (this.closed) return
    this.#intake.keepAlive.heard()
    this.services.metrics.bytesReceived += chunk.length
    try {
      this.#decoder.push(chunk)
      if (this.#intake.handles) this.#handlePackets()
      else this.#decoder.detach()
    } catch (error) {
      this.#fail(error)
    }
    this.#boundProbation()
    if (this.#decoder.heldBytes !== this.#partBytes) this.#chargePart()
  }

  /**
   * Charges what has come in part, and stops reading where that is too much.
   * @param gathering bytes of it that the transport still holds.
   */
  #chargePart(gathering = 0): void {
    if (this.#probation || this.closed) return
    const before = this.#partBytes
    this.#partBytes = this.#decoder.heldBytes + gathering
    if (!this.#parts.partialPackets.change(this, before, this.#partBytes)) this.#stop(because.partial)
  }

  /** {@link HasPart}: there is room for the rest of its packet. */
  readOn(): void {
    this.#goOn(because.partial)
  }

  tooSlow(): void {
    this.end('others have waited too long for the rest of its packet', reason.quotaExceeded)
  }

  /** Until the client is let in, bytes behind its CONNECT wait in memory: too many of them end the connection. */
  #boundProbation(): void {
    if (!this.#probation || this.closed || this.#probation.charge(this.#decoder.bufferedBytes)) return
    this.end(tooMuchWaits, reason.quotaExceeded)
  }

  /**
   * The transport holds so many bytes of a WebSocket message that is not whole: they count like bytes that have come. When they are too
   * many before the client is let in, the transport is cut off at once: it would go on gathering them while it ends in order.
   */
  onPartial(bytes: number): void {
    if (!this.#probation) return this.#guarded(() => this.#chargePart(bytes))
    if (this.closed || this.#probation.charge(bytes)) return
    this.#guarded(() => this.#abort(tooMuchWaits))
  }

  /** Handles what has come, as much of it as may be in one turn. */
  #handlePackets(): void {
    const { metrics } = this.services
    const { packetsReceived, publishReceived, publishBytesReceived } = metrics
    const { gathered } = this.#parts.store
    try {
      this.#handleSome()
    } finally {
      // The counters are the broker's, but no other connection is handled while this one is: the difference is its own.
      const published = metrics.publishReceived - publishReceived
      this.#account(published, metrics.publishBytesReceived - publishBytesReceived, gathered)
    }
    if (!this.#intake.handles) return
    if (this.outbox.overfull) this.#intake.stop(because.outbox)
    if (this.#parts.outbox.turn.isFilledBy(this, metrics.packetsReceived - packetsReceived)) this.#giveWay()
  }

  /** Packet by packet, until there is no whole one left or a handler has to wait. */
  #handleSome(): void {
    const { metrics } = this.services
    let sent = metrics.packetsSent
    const mostPackets = sent + burst.packets
    const mostBytes = metrics.publishBytesSent + burst.bytes
    let costly = 0
    while (this.#intake.handles) {
      const packet = this.#decoder.next()
      if (!packet) return
      metrics.packetsReceived++
      const answer = this.accepted ? dispatch(this, packet) : dispatchAuthenticating(this, packet)
      if (answer instanceof Promise) return this.#suspend(answer)
      if (answer) this.#reply(answer)
      this.#parts.store.endOfPart()
      if (isCostly(packet) && ++costly > mostCostlyPackets) return this.#giveWay()
      if (metrics.packetsSent === sent) continue
      sent = metrics.packetsSent
      if (sent > mostPackets || metrics.publishBytesSent > mostBytes) return this.#giveWay()
    }
  }

  /** Slows the client down that publishes more than it may, or more than the disk takes. */
  #account(published: number, bytes: number, gatheredBefore: number): void {
    if (this.closed) return
    if (published > 0) this.#intake.spend(published, bytes)
    this.#intake.stored(gatheredBefore, this.outbox.heldReplyBytes)
  }

  /** Sends a reply. When it is CONNACK, packets behind CONNECT wait until it is out [MQTT-3.1.4-4] (5.0: [MQTT-3.1.4-5]). */
  #reply(reply: Reply): void {
    this.outbox.reply(reply)
    if (this.#session && !this.#welcomed && !this.closed) this.#afterReplies(() => this.#goOn(because.replies))
  }

  /** Handles nothing more until all that was answered has gone out. */
  #afterReplies(next: () => void): void {
    this.#stop(because.replies)
    this.#parts.outbox.commits.after(this.outbox.awaitedCommit, next, this)
  }

  get publishRate(): PublishRate {
    return this.#intake.publishRate
  }

  get accepted(): boolean {
    return this.#session !== undefined
  }

  get signal(): AbortSignal | undefined {
    return this.#probation?.signal
  }

  /** Handles the CONNECT that it was made with, and what has come behind it. */
  begin(connect: Connect): void {
    const { tracing } = this.services
    if (tracing.isOn) tracing.received(this, connect)
    try {
      const answer = whenReady(this.#parts.door.knock(this.peer.address), (refusal) => {
        if (this.closed) return undefined
        return refusal ? refuse(this, refusedAtDoor(refusal), connect.clientId) : onConnect(this, connect)
      })
      if (answer instanceof Promise) this.#suspend(answer)
      else if (answer) this.#reply(answer)
      this.#parts.store.endOfPart()
      if (this.#intake.handles) this.#handlePackets()
    } catch (error) {
      this.#fail(error)
    }
    this.#boundProbation()
  }

  /** A hook takes its time: this client's packets wait, in order; nobody else's do. */
  #suspend(answer: Promise<Reply | undefined>): void {
    this.#stop(because.hook)
    answer.then((reply) => this.#goOn(because.hook, reply)).catch((error: unknown) => this.#fail(error))
  }

  /** What came in one chunk makes a lot to send: that goes out, and the others have their turn, before the rest of it. */
  #giveWay(): void {
    this.#stop(because.turn)
    setImmediate(() => this.#goOn(because.turn))
  }

  #stop(reason: Because): void {
    this.#decoder.detach()
    this.#intake.stop(reason)
  }

  /** A reason not to read is gone: packets that have come meanwhile are handled, unless there is another reason. */
  #goOn(reason: Because, reply?: Reply): void {
    if (this.closed) return
    try {
      if (reply) this.#reply(reply)
      this.#intake.go(reason)
      if (this.#intake.handles && this.#heldPublications && !this.#parts.store.isLow) this.onRoom()
      if (this.#intake.handles) this.#handlePackets()
    } catch (error) {
      this.#fail(error)
    }
    if (this.#decoder.heldBytes !== this.#partBytes) this.#chargePart()
    if (this.#ended && this.#intake.handles) this.#finish()
  }

  // ---- what handlers ask for

  accept(client: ClientInfo, session: Session, connect: Connect, keepAliveSeconds: number): void {
    this.#probation?.pass()
    this.#probation = undefined
    this.#client = client
    this.#session = session
    const { limits } = this.services
    this.isBridge = isBridge(connect, client.username, this.services.features.bridgeUsers)
    this.#maxInflight = Math.min(connect.properties?.receiveMaximum ?? limits.maxInflight, limits.maxInflight)
    this.#decoder.maxPacketBytes = this.offered.maxPacketBytes
    const onSilence = (): void => {
      this.services.metrics.keepAliveTimeouts++
      this.end('keep alive timeout', reason.keepAliveTimeout)
    }
    this.#intake.keepAlive.start(keepAliveSeconds, onSilence, this)
    this.outbox.restrict(this.services.hooks.deliveriesTo(client))
    this.services.hooks.connected(client)
    this.#parts.log.log('info', 'client connected', { clientId: client.clientId, address: this.peer.address })
  }

  onHooksReplaced(): void {
    this.outbox.restrict(this.services.hooks.deliveriesTo(this.client))
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

  /** Ends in order: what was sent goes out, the session is let go, the will is published unless it was discarded. Never throws. */
  end(why: string, reasonCode?: number, serverReference?: string): void {
    if (this.closed || this.#ending) return
    this.#ending = true
    this.#guarded(() => {
      if (reasonCode !== undefined && this.version === 5) {
        const parting = { reasonCode, why: this.wantsReasons ? why : undefined, serverReference }
        this.outbox.sayGoodbye(farewell(parting, this.#welcomed))
      }
      // What the ending promises (a will removed, a session ended) is safe before the client sees it.
      this.#parts.outbox.commits.after(this.#letGo(why), () => this.#transport.end(), this)
    })
  }

  cutOff(why: string): () => void {
    this.#transport.destroy()
    return () => this.#guarded(() => this.#abort(why))
  }

  topicOf({ topic, properties }: ReceivedPublish): string {
    if (properties?.topicAlias === undefined) return topic
    this.#aliases ??= new IncomingAliases(this.offered.topicAliasMaximum)
    return this.#aliases.resolve(topic, properties.topicAlias)
  }

  receiving(): void {
    this.#receiveQuota ??= new ReceiveQuota(this.offered.receiveMaximum)
    this.#receiveQuota.received(this.version)
  }

  get holdsPublications(): boolean {
    return this.#heldPublications !== undefined && !this.#heldPublications.isEmpty
  }

  holdPublication(bytes: number, route: () => Answer): boolean {
    const { accounts, store, waitingForRoom, services } = this.#parts
    this.#heldPublications ??= new HeldPublications(this, {
      accounts,
      store,
      waitingForRoom,
      metrics: services.metrics,
    })
    return this.#heldPublications.hold(bytes, route)
  }

  /** There is room on the disk again: what has waited goes on, some of it in this turn. True: all of it has. */
  onRoom(): boolean {
    const { gathered } = this.#parts.store
    const mayGoOn = (): boolean => this.#intake.handles && !this.#intake.has(because.store)
    const isDone = this.#heldPublications?.goOn((route) => this.#goOnWith(route), mayGoOn) ?? true
    this.#account(0, 0, gathered)
    return isDone
  }

  #goOnWith(route: () => Answer): void {
    try {
      const answer = route()
      if (answer instanceof Promise) this.#suspend(answer)
      else if (answer) this.#reply(answer)
    } catch (error) {
      this.#fail(error)
    }
  }

  // ---- what the outbox tells

  onFull(): void {
    if (this.closed) return
    this.#drainWatch ??= new DrainWatch(this.#parts.wheel, this.services.limits)
    this.#drainWatch.start(this.outbox, () => {
      this.services.metrics.drainTimeouts++
      this.#abort('takes nothing of what waits for it')
    })
  }

  onDrained(): void {
    this.#drainWatch?.stop()
    if (this.closed) return
    this.#guarded(() => {
      this.#intake.go(because.outbox)
      this.#session?.delivery.pump()
    })
  }

  onReply(packet: Packet): void {
    this.#receiveQuota?.answered(packet)
  }

  // ---- endings

  onEnd(): void {
    this.#ended = true
    if (this.#intake.handles) this.#finish()
  }

  /** The client has ended its side and may still read: the connection ends once the replies that wait for a commit are out. */
  #finish(): void {
    const { awaitedCommit } = this.outbox
    this.#parts.outbox.commits.after(awaitedCommit, () => this.end('connection closed by the client'), this)
  }

  onClose(error?: Error): void {
    const why = error ? `connection failed: ${error.message}` : 'connection closed by the client'
    if (!this.closed) this.#guarded(() => void this.#letGo(why, error))
  }

  #abort(why: string): void {
    this.#ending = true
    try {
      if (!this.closed) this.#letGo(why)
    } finally {
      this.#transport.destroy()
    }
  }

  /** Runs what somebody else calls: if it fails, this connection ends, and the caller goes on. */
  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.services.faults.contain(error, this, 'its connection')
    }
  }

  onFault(): void {
    if (this.#ending) this.#abort('internal error')
    else this.end('internal error', reason.unspecifiedError) // [MQTT-4.8.0-2]
  }

  /** What the client did wrong, in the words of its version of MQTT; then the end [MQTT-4.8.0-1]. */
  #fail(error: unknown): void {
    if (!(error instanceof ProtocolError || error instanceof MqttError)) {
      return this.services.faults.contain(error, this, 'handling a packet')
    }
    if (this.closed) return
    this.services.metrics.protocolErrors++
    this.end(error.message, error.reasonCode)
    // Nothing was promised to a client that breaks the protocol: while the store is silent, its connection does not wait for a commit.
    if (this.#parts.store.isSilent) this.#transport.end()
  }

  #letGo(why: string, error?: Error): Commit {
    this.closed = true
    this.#probation?.fail()
    this.#drainWatch?.stop()
    this.#intake.end()
    this.#heldPublications?.clear()
    this.#parts.partialPackets.leave(this, this.#partBytes)
    const client = this.#client
    try {
      // The session is let go first: whatever the rest publishes, its own will too, must not be delivered to this connection.
      return client && this.#session ? this.services.registry.closed(this.#session) : noCommit
    } finally {
      this.#parts.door.leave(this.peer.address)
      if (client) this.services.hooks.disconnected(client, why)
      const level = client || !isUneventful(why, error) ? 'info' : 'debug'
      this.#parts.log.log(level, 'client gone', { clientId: client?.clientId, address: this.peer.address, reason: why })
      this.outbox.close()
    }
  }
}
