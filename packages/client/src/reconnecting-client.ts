import { type Connect, ProtocolError, type TopicPattern, topicPattern } from '@godwit/protocol'
import { Backoff } from './backoff.js'
import { Call } from './call.js'
import type {
  Client,
  ClientEvents,
  ClientState,
  PublishOptions,
  PublishResult,
  RecoveredPublication,
} from './client.js'
import { connectPacket } from './connect-packet.js'
import { Connection } from './connection.js'
import {
  type AnyClientError,
  ClientError,
  ConnectionError,
  InterruptedError,
  InvalidArgumentError,
  StoreError,
  storeFailed,
} from './errors.js'
import { Listeners } from './events.js'
import type { CallOptions } from './options.js'
import { isQos } from './qos.js'
import { Session } from './session.js'
import type { Settings } from './settings.js'
import type { SubscribeOptions, Subscription } from './subscription.js'

const defaultCloseMs = 2000
/** How long the last bytes and the server's end of the connection may take at least after DISCONNECT. */
const lingerMs = 1000

/** How one connection, or the attempt to make it, ended. */
interface Ending {
  readonly error: AnyClientError
  /** 0 when it was never accepted. */
  readonly connectedMs: number
}

/** The state machine: connecting → connected → waiting → connecting …, until closing → closed. */
export class ReconnectingClient implements Client {
  readonly clientId: string
  readonly #settings: Settings
  readonly #session: Session
  readonly #backoff: Backoff
  readonly #listeners = new Listeners<ClientEvents>()
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
    this.clientId = settings.clientId
    this.#settings = settings
    this.#session = new Session(settings, {
      onUnclaimed: (message) => this.#listeners.emit('unclaimed', message),
      onRecovered: (publication) => this.#onRecovered(publication),
    })
    this.#backoff = new Backoff(settings.reconnect ?? noBackoff, settings.servers, settings.clock)
  }

  get state(): ClientState {
    return this.#state
  }

  get queued(): number {
    return this.#session.queued
  }

  get inflight(): number {
    return this.#session.inflight
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
    this.#running = this.#run()
    try {
      await first.promise
    } finally {
      cancel()
    }
  }

  publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<PublishResult> {
    return this.#closing === undefined ? this.#session.publish(topic, payload, options) : Promise.reject(closed())
  }

  ready(options?: CallOptions): Promise<void> {
    return this.#closing === undefined ? this.#session.ready(options) : Promise.reject(closed())
  }

  async subscribe<const F extends string>(
    filter: F | readonly F[],
    options: SubscribeOptions<F> = {},
  ): Promise<Subscription<F>> {
    const patterns = (typeof filter === 'string' ? [filter] : filter).map(patternOf)
    if (patterns.length === 0) {
      throw new InvalidArgumentError('invalid-filter', 'no topic filter was given') // [MQTT-3.8.3-3]
    }
    if (!isQos(options.qos ?? 0)) {
      throw new InvalidArgumentError('invalid-option', `subscribe: qos is ${options.qos}, not 0, 1 or 2`)
    }
    if (this.#closing !== undefined) throw closed()
    // The names of the wildcards are types only: below this door every filter is a string.
    const started = this.#session.subscribe(patterns, options as SubscribeOptions)
    return started as Promise<unknown> as Promise<Subscription<F>>
  }

  on<E extends keyof ClientEvents>(event: E, listener: (detail: ClientEvents[E]) => void): () => void {
    const remove = this.#listeners.on(event, listener)
    if (event === 'recovered') for (const lost of this.#untold.splice(0)) this.#listeners.emit('recovered', lost)
    return remove
  }

  close({ timeoutMs = defaultCloseMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#closing === undefined) {
      let done: () => void = () => {}
      this.#closing = new Promise((resolve) => {
        done = resolve
      })
      this.#close(timeoutMs).then(done, done)
    }
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    while (!this.#isClosing()) {
      this.#setState('connecting')
      const { error, connectedMs } = await this.#connectOnce()
      this.#lastError = error
      if (this.#isClosing()) return
      const again = this.#settings.reconnect !== undefined && !error.permanent
      const retryInMs = again ? this.#backoff.next(connectedMs) : undefined
      if (again) this.#setState('waiting')
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
    const { server } = this.#backoff
    return new Promise((resolve) => {
      let connectedAt: number | undefined
      let over = false
      const end = (error: AnyClientError): void => {
        if (over) return
        over = true
        cancel()
        if (this.#connection?.unanswered) this.#session.onUnanswered()
        this.#connection = undefined
        this.#interrupt = () => {}
        if (connectedAt !== undefined) this.#session.detach()
        resolve({ error, connectedMs: connectedAt === undefined ? 0 : clock.now() - connectedAt })
      }
      const fail = (error: AnyClientError): void => (this.#connection ? this.#connection.fail(error) : end(error))
      const cancel = clock.after(attemptTimeoutMs, () =>
        fail(new ConnectionError('attempt-timeout', server.url, `no CONNACK within ${attemptTimeoutMs} ms`)),
      )
      this.#interrupt = fail
      const onConnack = (connection: Connection, sessionPresent: boolean): void => {
        cancel()
        connectedAt = clock.now()
        this.#onConnected(connection, sessionPresent, () => !over)
      }
      connectPacket(this.#settings, server).then(
        (connect) => {
          if (!over) this.#open(connect, end, onConnack)
        },
        (error: unknown) => end(asClientError(error, server.url)),
      )
    })
  }

  #open(
    connect: Connect,
    onClose: (error: AnyClientError) => void,
    onConnack: (connection: Connection, sessionPresent: boolean) => void,
  ): void {
    const { store } = this.#settings
    const connection: Connection = new Connection(
      { ...this.#settings, server: this.#backoff.server, connect, commit: () => store.flush() },
      {
        onConnack: ({ sessionPresent }) => onConnack(connection, sessionPresent && !this.#settings.clean),
        onPacket: (packet) => this.#session.onPacket(packet),
        onWritable: () => this.#session.onWritable(),
        onClose,
      },
    )
    this.#connection = connection
  }

  #onConnected(connection: Connection, sessionPresent: boolean, stillUp: () => boolean): void {
    this.#session.attach(connection, sessionPresent)
    if (!stillUp()) return
    this.#setState('connected')
    this.#listeners.emit('connect', { sessionPresent, server: connection.server.url })
    this.#first?.resolve()
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#settings.clock.after(ms, resolve)
      this.#interrupt = () => {
        cancel()
        resolve()
      }
    })
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
    first.reject(new ConnectionError('connect-timeout', this.#backoff.server.url, message, last))
    void this.close({ timeoutMs: 0 })
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#state === 'closed') return
    const connection = this.#state === 'connected' ? this.#connection : undefined
    this.#setState('closing')
    if (connection !== undefined) {
      if (timeoutMs > 0) await this.#session.idle({ timeoutMs }).catch(() => {})
      await this.#disconnect(Math.max(timeoutMs, lingerMs))
    }
    this.#interrupt(closed())
    await this.#running
    await this.#finish(undefined)
  }

  /** DISCONNECT, then waits for the server to close its side, within a bound. */
  async #disconnect(withinMs: number): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    const cancel = this.#settings.clock.after(withinMs, () => connection.fail(closed()))
    connection.end()
    await this.#running
    cancel()
  }

  async #finish(error: AnyClientError | undefined): Promise<void> {
    if (this.#state === 'closed') return
    this.#session.end(error)
    const storeError = await this.#closeStore()
    this.#setState('closed')
    this.#listeners.emit('close', { error: error ?? storeError })
    this.#first?.reject(error ?? closed())
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

const noBackoff = { initialMs: 0, maxMs: 0, stableMs: 0 }

function closed(): InterruptedError {
  return new InterruptedError('client-closed', 'the client is closed')
}

function patternOf(filter: string): TopicPattern<string> {
  try {
    return topicPattern(filter)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new InvalidArgumentError('invalid-filter', error.message)
  }
}

function asClientError(error: unknown, server: string): AnyClientError {
  if (error instanceof ClientError) return error as AnyClientError
  return new ConnectionError('network-error', server, String(error), error)
}
