import { type Connect, type Packet, type ReceivedPublish, reason, reasonName } from '@godwit/protocol'
import { type Commit, later, noCommit } from '../commit.js'
import { HeldPublications } from '../connection/held-publications.js'
import { BrokerError, MqttError } from '../errors.js'
import { openSession } from '../handlers/admission.js'
import type { Answer, Context, Reply, Services } from '../handlers/context.js'
import type { ClientInfo } from '../hooks/client-info.js'
import type { Offered } from '../offer.js'
import type { ConnectionFacts, Session } from '../session/session.js'
import type { Peer } from '../transport/transport.js'
import { Inbox, type InboxOwner } from './inbox.js'
import type { InsideParts } from './inside-parts.js'
import type { InsideSessionOptions } from './session-options.js'

/**
 * What stands where a client's connection would, while the program around the broker has a session open: the handlers of packets,
 * the registry and the delivery see a client like any other of 5.0, only that no byte goes over a network.
 */
export class InsideConnection implements Context, InboxOwner {
  readonly services: Services
  readonly peer: Peer = { transport: 'inside', address: '' }
  readonly version = 5
  readonly wantsReasons = true
  readonly isInside = true
  readonly offered: Offered
  readonly signal = undefined
  readonly authenticating = undefined
  readonly publishRate: Context['publishRate'] = { allows: () => true }
  readonly client: ClientInfo
  readonly isBridge: boolean
  closed = false
  readonly ended: Promise<void>
  readonly #options: InsideSessionOptions
  readonly #parts: InsideParts
  #session: Session | undefined
  #inbox: Inbox | undefined
  /** Epoch ms, to the second. */
  readonly #connectedAt: number
  #heldPublications: HeldPublications | undefined
  /** The promise of the publication that was held last, until its caller has it. */
  #heldAnswer: Promise<Reply | undefined> | undefined
  /** Of what is asked for now. */
  #handled: (answer: Answer) => void = () => {}
  /** Those whose publications are held: told when they never will be routed. */
  readonly #held = new Set<(error: Error) => void>()
  #why: Error | undefined
  /** Resolves when what close() did is safe. */
  #closing: Promise<void> | undefined
  #end!: (error?: Error) => void

  constructor(clientId: string, options: InsideSessionOptions, parts: InsideParts) {
    this.services = parts.services
    this.offered = parts.services.offer.current
    this.client = { clientId, username: undefined, address: '', version: 5, cleanStart: options.clean ?? false }
    this.isBridge = options.bridge ?? false
    this.#options = options
    this.#parts = parts
    this.#connectedAt = Math.floor(parts.clock.now() / 1000) * 1000
    this.ended = new Promise((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve())
    })
    this.ended.catch(() => {})
  }

  get clientId(): string {
    return this.client.clientId
  }

  get session(): Session {
    return this.#session!
  }

  get inbox(): Inbox {
    return this.#inbox!
  }

  get accepted(): boolean {
    return this.#session !== undefined
  }

  get facts(): ConnectionFacts {
    const { client, peer } = this
    const outboxBytes = this.#inbox?.bytes ?? 0
    return { client, peer, connectedAt: this.#connectedAt, keepAliveSeconds: 0, outboxBytes }
  }

  // ---- what the session inside asks for

  /**
   * Has a handler do what a packet asks for; resolves with its answer once that is safe.
   * @param handled called with the answer when that has been done, also if it had to wait for room on the disk; in the same commit.
   * @throws BrokerError `session-closed`; `invalid-topic`; `refused`.
   */
  async ask(handle: () => Answer, handled: (answer: Answer) => void = () => {}): Promise<Packet | undefined> {
    if (this.closed) throw this.#gone()
    try {
      this.#handled = handled
      const answer = handle()
      const held = this.#heldAnswer
      this.#heldAnswer = undefined
      if (!held) handled(answer)
      this.#parts.store.endOfPart()
      const reply = await (held ?? answer)
      if (!reply) return undefined
      const { commits } = this.#parts
      await commits.whenFlushed(later(reply.commit, commits.barrier()))
      if (!this.closed) reply.sent?.()
      return accepted(reply.packet)
    } catch (error) {
      throw error instanceof MqttError ? refusalOf(error.reasonCode, error.message, error) : error
    }
  }

  /** Resolves when all so far is safe. */
  flush(): Promise<void> {
    const { commits, store } = this.#parts
    return commits.whenFlushed(later(store.latest, commits.barrier()))
  }

  /** Gives it its session. Answers whether there was one. */
  async open(connect: Connect): Promise<boolean> {
    const packet = await this.ask(() => openSession(this, connect, this.client))
    if (this.closed) throw this.#gone()
    return packet?.type === 'connack' && packet.sessionPresent
  }

  /** Lets the session go. Resolves once that is safe. */
  async close(): Promise<void> {
    if (!this.closed) this.#closing = this.#parts.commits.whenFlushed(this.#letGo('closed', undefined))
    await this.#closing
  }

  #gone(): Error {
    return this.#why ?? new BrokerError('session-closed', `the session of ${this.clientId} has been closed`)
  }

  // ---- what handlers and the registry ask for

  accept(client: ClientInfo, session: Session): void {
    const { clientId } = client
    const { maxInflight = this.#parts.limits.maxInflight } = this.#options
    this.#session = session
    this.#inbox = new Inbox(session.delivery, this.#options, this.#parts, this)
    this.services.hooks.connected(client)
    this.#parts.log.log('info', 'session opened inside the process', { clientId, maxInflight })
  }

  startDelivery(): void {
    this.session.delivery.attach(this.inbox, this.#options.maxInflight ?? this.#parts.limits.maxInflight)
  }

  leave(): void {
    this.end('closed')
  }

  /** Nobody does: it is inside. */
  takeOver(): void {
    this.end('taken over', reason.sessionTakenOver)
  }

  end(why: string, reasonCode?: number): void {
    if (this.closed) return
    const isInOrder = reasonCode === reason.serverShuttingDown
    const error = new BrokerError('session-closed', `the session of ${this.clientId} has ended: ${why}`)
    this.#endGuarded(why, isInOrder ? undefined : error)
  }

  #endGuarded(why: string, error: Error | undefined): void {
    try {
      this.#letGo(why, error)
    } catch (problem) {
      this.#parts.faults.contain(problem, this, 'ending a session inside the process')
    }
  }

  cutOff(why: string): () => void {
    this.#inbox?.end(undefined)
    return () => this.end(why)
  }

  onFault(): void {
    this.end('internal error')
  }

  /** It is the program's own: told, and nobody else feels it. */
  onListenerFailed(error: unknown): void {
    const { clientId } = this
    this.#parts.faults.ofListener(error, 'the listener of a session inside the process failed', clientId)
    if (this.closed) return
    const why = error instanceof Error ? error : new Error(String(error), { cause: error })
    this.#endGuarded('its listener failed', why)
  }

  #letGo(why: string, error: Error | undefined): Commit {
    this.closed = true
    this.#why = error
    this.#heldPublications?.clear()
    for (const giveUp of this.#held) giveUp(this.#gone())
    const session = this.#session
    try {
      return session ? this.services.registry.closed(session) : noCommit
    } finally {
      this.#inbox?.end(error)
      if (session) {
        this.services.hooks.disconnected(this.client, why)
        const { clientId } = this
        this.#parts.log.log('info', 'session closed inside the process', { clientId, reason: why })
      }
      this.#end(error)
    }
  }

  topicOf({ topic }: ReceivedPublish): string {
    return topic
  }

  /** The program looks to that itself, by the promises it is given. */
  receiving(): void {}

  get holdsPublications(): boolean {
    return this.#heldPublications !== undefined && !this.#heldPublications.isEmpty
  }

  holdPublication(bytes: number, route: () => Answer): boolean {
    this.#heldPublications ??= new HeldPublications(this, this.#parts)
    const handled = this.#handled
    let goOn: () => Answer = () => undefined
    if (!this.#heldPublications.hold(bytes, () => goOn())) return false
    this.#heldAnswer = new Promise((resolve, reject) => {
      this.#held.add(reject)
      goOn = () => {
        this.#held.delete(reject)
        try {
          const answer = route()
          resolve(answer)
          handled(answer)
        } catch (error) {
          reject(error)
        }
        return undefined
      }
    })
    return true
  }

  onRoom(): boolean {
    return this.#heldPublications?.goOn((route) => void route()) ?? true
  }
}

/** An answer that refuses is an error here. */
function accepted(packet: Packet): Packet {
  const codes = 'reasonCodes' in packet ? packet.reasonCodes : 'reasonCode' in packet ? [packet.reasonCode ?? 0] : []
  const refused = codes.find((code) => code >= 0x80)
  if (refused === undefined || packet.type === 'pubcomp' || packet.type === 'unsuback') return packet
  const { reasonString } = (packet as { properties?: { reasonString?: string } }).properties ?? {}
  if (packet.type === 'connack' && refused === reason.clientIdentifierNotValid) {
    throw new BrokerError('session-in-use', 'a session inside the process has this client identifier already')
  }
  const isSubscription = packet.type === 'suback' && refused === reason.quotaExceeded
  throw refusalOf(refused, isSubscription ? noMoreSubscriptions : (reasonString ?? reasonName(refused)))
}

const noMoreSubscriptions =
  'the session has as many subscriptions as it may (limits.maxSubscriptionsPerSession), or there is no room to keep another'

function refusalOf(reasonCode: number, why: string, cause?: Error): BrokerError {
  const isTopic = reasonCode === reason.topicFilterInvalid || reasonCode === reason.topicNameInvalid
  return new BrokerError(isTopic ? 'invalid-topic' : 'refused', why, {
    cause: cause ?? new MqttError(reasonCode, why),
  })
}
