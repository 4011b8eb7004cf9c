import type { ProtocolVersion } from '@godwit/protocol'
import { checkListener } from './check-listener.js'
import type {
  Client,
  ClientEvents,
  ClientState,
  CloseOptions,
  PublishOptions,
  PublishResult,
  RequestOptions,
  RespondOptions,
  ResponseHandler,
  ServerInfo,
} from './client.js'
import { type AnyClientError, InterruptedError } from './errors.js'
import type { Message } from './message.js'
import { checkOptions } from './option-checks.js'
import { callTable, closeTable } from './option-tables.js'
import type { CallOptions } from './options.js'
import type { Payload } from './payload.js'
import { publicationOf } from './publication.js'
import { quiet } from './quiet.js'
import type { ReconnectingClient } from './reconnecting-client.js'
import { Requests, respond } from './requests.js'
import type { Settings } from './settings.js'
import { patternsOf, subscribeArguments } from './subscribe-arguments.js'
import type { SubscribeOptions, Subscription } from './subscription.js'

/**
 * What the application holds: looks at what it is given, and sees to it that whatever is wrong becomes a rejection, that a
 * rejection nobody looks at ends no process, and that what was lost is told by an event.
 */
export class ClientDoor implements Client {
  readonly #client: ReconnectingClient
  readonly #requests: Requests

  constructor(client: ReconnectingClient, { clock }: Settings) {
    this.#client = client
    this.#requests = new Requests(this, clock)
    client.on('close', ({ error }) =>
      this.#requests.end(new InterruptedError('client-closed', 'the client is closed', error)),
    )
  }

  get state(): ClientState {
    return this.#client.state
  }

  get connected(): boolean {
    return this.state === 'connected'
  }

  get clientId(): string {
    return this.#client.clientId
  }

  get version(): ProtocolVersion {
    return this.#client.version
  }

  get server(): ServerInfo | undefined {
    return this.#client.server
  }

  get queued(): number {
    return this.#client.queued
  }

  get inflight(): number {
    return this.#client.inflight
  }

  /** A fourth argument can only be a callback from plain JavaScript, which would never be called. */
  publish(topic: string, payload: Payload, options?: PublishOptions, callback?: unknown): Promise<PublishResult> {
    try {
      const publication = publicationOf(topic, payload, (callback ?? options) as PublishOptions | undefined)
      return this.#client.publish(publication, options)
    } catch (error) {
      this.#client.tell('unpublished', { topic, error: error as AnyClientError })
      return quiet(Promise.reject(error))
    }
  }

  ready(options?: CallOptions): Promise<void> {
    return this.#call(() => this.#client.ready(checkedCall('ready', options)))
  }

  subscribe<const F extends string>(
    filter: F | readonly F[],
    options?: SubscribeOptions<F>,
    callback?: unknown,
  ): Promise<Subscription<F>> {
    const given = (callback ?? options) as SubscribeOptions | undefined
    const subscribing = this.#call(() => this.#client.subscribe(subscribeArguments(filter, given)))
    subscribing.catch((error: unknown) => {
      if (error instanceof InterruptedError && error.code === 'client-closed') return
      this.#client.tell('unsubscribed', { filters: [filter].flat().map(String), error })
    })
    // The names of the wildcards are types only: below this door every filter is a string.
    return subscribing as Promise<unknown> as Promise<Subscription<F>>
  }

  unsubscribe(filter: string | readonly string[], options?: CallOptions): Promise<void> {
    return this.#call(() => {
      const filters = patternsOf('unsubscribe', filter).map((pattern) => pattern.filter)
      return this.#client.unsubscribe(filters, checkedCall('unsubscribe', options))
    })
  }

  request(topic: string, payload: Payload, options?: RequestOptions): Promise<Message> {
    return this.#call(() => this.#requests.request(topic, payload, options))
  }

  respond<const F extends string>(
    filter: F | readonly F[],
    handler: ResponseHandler<F>,
    options?: RespondOptions,
  ): Promise<Subscription<F>> {
    return this.#call(() =>
      respond(this, filter, handler, options, (message, error) => this.#client.tell('unanswered', { message, error })),
    )
  }

  reauthenticate(): Promise<void> {
    return this.#call(() => this.#client.reauthenticate())
  }

  on<E extends keyof ClientEvents>(event: E, listener: (detail: ClientEvents[E]) => void): () => void {
    checkListener(event, listener)
    return this.#client.on(event, listener)
  }

  close(options: CloseOptions = {}): Promise<void> {
    try {
      checkOptions('close', options, closeTable)
    } catch (error) {
      return quiet(this.#client.close({}).then(() => Promise.reject(error)))
    }
    return this.#client.close(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What `start` throws is a rejection as well. */
  #call<T>(start: () => Promise<T>): Promise<T> {
    return quiet((async () => start())())
  }
}

function checkedCall(call: string, options: CallOptions | undefined): CallOptions | undefined {
  if (options !== undefined) checkOptions(call, options, callTable)
  return options
}
