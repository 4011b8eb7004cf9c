import type { Connect, PacketOf, ProtocolVersion } from '@godwit/protocol'
import { Call } from './call.js'
import type {
  ClientEvents,
  ClientState,
  CloseOptions,
  PublishResult,
  RecoveredPublication,
  ServerInfo,
} from './client.js'
import { connectPacket } from './connect-packet.js'
import { Connection } from './connection.js'
import { disconnectPacket } from './disconnect-packet.js'
import {
  type AnyClientError,
  asClientError,
  ConnectionError,
  clientClosed,
  invalidOption,
  StoreError,
  storeFailed,
} from './errors.js'
import { Listeners } from './events.js'
import { onNetworkBack } from './network-back.js'
import type { CallOptions } from './options.js'
import type { Publication } from './publication.js'
import type { RelayedMessage } from './relayed-message.js'
import { type Ending, Route } from './route.js'
import { Session } from './session.js'
import { SessionLife } from './session-life.js'
import type { Settings } from './settings.js'
import type { OutgoingOwner } from './state/outgoing.js'
import type { SubscribeArguments } from './subscribe-arguments.js'
import type { Subscription } from './subscription.js'
import { noticeOfWaiting } from './waiting-notice.js'

const defaultCloseMs = 2000
/** How long the last bytes and the server's end of the connection may take at least after DISCONNECT. */
const lingerMs = 1000

/** The state machine: connecting → connected → waiting → connecting …, until closing → closed. */
export class ReconnectingClient {
  readonly #settings: Settings
  readonly #session: Session
  readonly #life: SessionLife
  readonly #route: Route
  readonly #listeners = new Listeners<ClientEvents>()
  #clientId: string
  #server: ServerInfo | undefined
  #state: ClientState = 'connecting'
  #connection: Connection | undefined
  /** Ends what the run loop waits for: an attempt, a connection, or the time between two. */
  #interrupt: (error: AnyClientError) => void = () => {}
  /** Told of the first connection, or of the end without one. */
  #first: Call<void> | undefined
  /** Recovered publications that were lost before anybody could listen. */
  #untold: RecoveredPublication[] = []
  #lastError: AnyClientError | undefined
  #running: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(settings: Settings) {
    this.#clientId = settings.clientId
    this.#settings = settings
    this.#session = new Session(settings, {
      onUnclaimed: (message) => this.#listeners.emit('unclaimed', message),
      onRecovered: (publication) => this.#onRecovered(publication),
      onUnpublished: (topic, error) => this.tell('unpublished', { topic, error }),
      onUnsubscribed: (filters, error) => this.tell('unsubscribed', { filters, error }),
    })
    this.#life = new SessionLife(settings)
    this.#route = new Route(settings)
  }

  get state(): ClientState {
    return this.#state
  }

  get clientId(): string {
    return this.#clientId
  }

  get version(): ProtocolVersion {
    return this.#server?.version ?? this.#settings.version
  }

  get server(): ServerInfo | undefined {
    return this.#server
  }

  get queued(): number {
    return this.#session.queued
  }

  get inflight(): number {
    return this.#session.inflight
  }

  get isOpen(): boolean {
    return this.#session.isOpen
  }

  /** Resolves with the first connection; in the background, at once. */
  async start(): Promise<void> {
    const { background, clock, connectTimeoutMs, signal } = this.#settings
    await this.#session.load()
    if (background) {
      this.#running = this.#run()
      return
    }
    const first = new Call<void>(clock, signal && { signal }, 'connect', () => void this.close({ timeoutMs: 0 }))
    if (first.settled) return first.promise.finally(() => this.#closeStore())
    this.#first = first
    const cancel = connectTimeoutMs > 0 ? clock.after(connectTimeoutMs, () => this.#giveUp(first)) : () => {}
    const noticed = noticeOfWaiting(this.#settings, () => this.#lastError)
    this.#running = this.#run()
    try {
      await first.promise
    } finally {
      cancel()
      noticed()
    }
  }

  /** @throws when it is not taken at all. */
  publish(publication: Publication, options: CallOptions | undefined): Promise<PublishResult> {
    return this.#open().publish(publication, options)
  }

  askAgain(): void {
    this.#session.askAgain()
  }

  /** Never throws: the owner is told. */
  relay(message: RelayedMessage, owner: OutgoingOwner): void {
    this.#session.relay(message, owner)
  }

  async ready(options: CallOptions | undefined): Promise<void> {
    return this.#open().ready(options)
  }

  async subscribe(given: SubscribeArguments): Promise<Subscription> {
    return this.#open().subscribe(given)
  }

  async unsubscribe(filters: readonly string[], options: CallOptions | undefined): Promise<void> {
    return this.#open().unsubscribe(filters, options)
  }

  reauthenticate(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stops = [
        this.#listeners.on('disconnect', ({ error }) => settle(() => reject(error))),
        this.#listeners.on('close', ({ error }) => settle(() => reject(error ?? clientClosed()))),
      ]
      const settle = (end: () => void): void => {
        for (const stop of stops) stop()
        end()
      }
      if (this.#connection?.reauthenticate(() => settle(resolve))) return
      const message = 'reauthenticate: there is no connection made with authentication, or it is being authenticated'
      settle(() => reject(invalidOption(message)))
    })
  }

  on<E extends keyof ClientEvents>(event: E, listener: (detail: ClientEvents[E]) => void): () => void {
    const remove = this.#listeners.on(event, listener)
    if (event === 'recovered') for (const lost of this.#untold.splice(0)) this.#listeners.emit('recovered', lost)
    return remove
  }

  /** Never rejects. */
  close(options: CloseOptions): Promise<void> {
    if (this.#closing === undefined) {
      let done: () => void = () => {}
      this.#closing = new Promise((resolve) => {
        done = resolve
      })
      this.#close(options).then(done, done)
    }
    return this.#closing
  }

  /** Tells listeners, but not from inside a call: they may make another. */
  tell<E extends keyof ClientEvents>(event: E, detail: ClientEvents[E]): void {
    if (this.#listeners.has(event)) queueMicrotask(() => this.#listeners.emit(event, detail))
  }

  /** @throws InterruptedError 'client-closed'. */
  #open(): Session {
    if (this.#closing !== undefined) throw clientClosed()
    return this.#session
  }

  async #run(): Promise<void> {
    while (!this.#isClosing()) {
      this.#setState('connecting')
      const ending = await this.#connectOnce()
      const { error } = ending
      this.#lastError = error
      if (this.#isClosing()) return
      const { retryInMs, isStep } = this.#route.after(ending)
      if (isStep) continue
      if (retryInMs !== undefined) this.#setState('waiting')
      this.#listeners.emit('disconnect', { error, retryInMs })
      if (this.#isClosing()) return // a listener did it
      if (retryInMs === undefined) return this.#finish(error)
      await this.#wait(retryInMs)
    }
  }

  #isClosing(): boolean {
    return this.#closing !== undefined
  }

  #connectOnce(): Promise<Ending> {
    const { clock, attemptTimeoutMs } = this.#settings
    const { server, version } = this.#route
    const attempt = {
      server,
      version,
      bridge: this.#settings.relay?.bridgeLevel?.isFor(server.url, version),
      clientId: this.#clientId,
      cleanStart: this.#life.cleanStart(version),
    }
    return new Promise((resolve) => {
      let connectedAt: number | undefined
      let over = false
      const end = (error: AnyClientError): void => {
        if (over) return
        over = true
        cancel()
        const unanswered = this.#connection?.unanswered === true
        if (unanswered) this.#session.onUnanswered()
        this.#connection = undefined
        this.#interrupt = () => {}
        if (connectedAt !== undefined) {
          this.#session.detach(error)
          this.#life.end()
        }
        resolve({ error, connectedMs: connectedAt === undefined ? undefined : clock.now() - connectedAt, unanswered })
      }
      const fail = (error: AnyClientError): void => (this.#connection ? this.#connection.fail(error) : end(error))
      const cancel = clock.after(attemptTimeoutMs, () =>
        fail(new ConnectionError('attempt-timeout', server.url, `no CONNACK within ${attemptTimeoutMs} ms`)),
      )
      this.#interrupt = fail
      const onConnack = (connection: Connection, connect: Connect, connack: PacketOf<'connack'>): void => {
        if (this.#settings.relay?.bridgeLevel?.doubts(server.url, version))
          return connection.end({ type: 'disconnect' })
        cancel()
        connectedAt = clock.now()
        this.#onConnected(connection, connect, connack, () => !over)
      }
      connectPacket(this.#settings, attempt).then(
        (connect) => {
          if (!over) this.#dial(connect, end, onConnack)
        },
        (error: unknown) =>
          end(asClientError(error, () => new ConnectionError('network-error', server.url, String(error), error))),
      )
    })
  }

  #dial(
    connect: Connect,
    onClose: (error: AnyClientError) => void,
    onConnack: (connection: Connection, connect: Connect, connack: PacketOf<'connack'>) => void,
  ): void {
    const { store } = this.#settings
    const connection: Connection = new Connection(
      { ...this.#settings, server: this.#route.server, connect, commit: () => store.flush() },
      {
        onConnack: (connack) => onConnack(connection, connect, connack),
        onPacket: (packet) => this.#session.onPacket(packet),
        onWritable: () => this.#session.onWritable(),
        onClose,
      },
    )
    this.#connection = connection
  }

  #onConnected(connection: Connection, connect: Connect, connack: PacketOf<'connack'>, stillUp: () => boolean): void {
    const { properties } = connack
    const { server, version } = connection
    // What was asked to forget a session has none, whatever it says below 5.0.
    const sessionPresent = connack.sessionPresent && !connect.cleanStart
    this.#server = { sessionPresent, server: server.url, version, properties }
    this.#clientId = properties?.assignedClientIdentifier ?? this.#clientId
    this.#route.accepted()
    this.#session.attach(connection, sessionPresent, this.#life.begin(connect, connack))
    if (!stillUp()) return
    this.#setState('connected')
    this.#listeners.emit('connect', this.#server)
    this.#first?.resolve()
  }

  /** Until the time is over or, in a page, the network is back. */
  async #wait(ms: number): Promise<void> {
    let stops: readonly (() => void)[] = []
    await new Promise<void>((resolve) => {
      stops = [this.#settings.clock.after(ms, resolve), onNetworkBack(resolve)]
      this.#interrupt = () => resolve()
    })
    for (const stop of stops) stop()
    this.#interrupt = () => {}
  }

  /** The first CONNACK may tell of a loss, and comes before connect() has given the client to the program. */
  #onRecovered(publication: RecoveredPublication): void {
    if (publication.error === undefined || this.#listeners.has('recovered')) {
      this.#listeners.emit('recovered', publication)
    } else this.#untold.push(publication)
  }

  #giveUp(first: Call<void>): void {
    const { connectTimeoutMs } = this.#settings
    const last = this.#lastError
    const why = last === undefined ? '' : `; last failure: ${last.message}`
    const message = `no connection within ${connectTimeoutMs} ms${why}`
    first.reject(new ConnectionError('connect-timeout', this.#route.server.url, message, last))
    void this.close({ timeoutMs: 0 })
  }

  async #close(options: CloseOptions): Promise<void> {
    const { timeoutMs = defaultCloseMs } = options
    if (this.#state === 'closed') return
    const connection = this.#state === 'connected' ? this.#connection : undefined
    this.#setState('closing')
    if (connection !== undefined) {
      if (timeoutMs > 0) await this.#session.idle({ timeoutMs }).catch(() => {})
      await this.#disconnect(options, Math.max(timeoutMs, lingerMs))
    }
    this.#interrupt(clientClosed())
    await this.#running
    await this.#finish(undefined)
  }

  /** DISCONNECT, then waits for the server to close its side, within a bound. */
  async #disconnect(options: CloseOptions, withinMs: number): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    const cancel = this.#settings.clock.after(withinMs, () => connection.fail(clientClosed()))
    connection.end(disconnectPacket(options, this.#life.outlivesConnection))
    await this.#running
    cancel()
  }

  async #finish(error: AnyClientError | undefined): Promise<void> {
    if (this.#state === 'closed') return
    this.#session.end(error)
    const storeError = await this.#closeStore()
    this.#setState('closed')
    this.#listeners.emit('close', { error: error ?? storeError })
    this.#first?.reject(error ?? clientClosed())
  }

  /** What it could not keep is no reason not to end. */
  async #closeStore(): Promise<StoreError | undefined> {
    const { store } = this.#settings
    try {
      await store.close()
      return undefined
    } catch (error) {
      return error instanceof StoreError ? error : storeFailed(error)
    }
  }

  #setState(state: ClientState): void {
    if (this.#state === state) return
    this.#state = state
    this.#listeners.emit('state', state)
  }
}
