import type { ProtocolVersion } from '@godwit/protocol'
import type { Checks } from './checks.js'
import type { ClientEvents, ClientState, CloseOptions, PublishOptions, PublishResult, ServerInfo } from './client.js'
import type { Clock } from './clock.js'
import { type AnyClientError, InterruptedError } from './errors.js'
import type { CallOptions } from './options.js'
import type { Payload } from './payload.js'
import { publicationOf } from './publication.js'
import { quiet, quietCall } from './quiet.js'
import type { ReconnectingClient } from './reconnecting-client.js'
import type { HostingClient, RequestHost } from './requests.js'
import type { Settings } from './settings.js'
import { patternsOf, subscribeArguments } from './subscribe-arguments.js'
import type { SubscribeOptions, Subscription } from './subscription.js'

/**
 * What the application holds: looks at what it is given, and sees to it that whatever is wrong becomes a rejection, that a
 * rejection nobody looks at ends no process, and that what was lost is told by an event.
 */
export class CheckedClient implements HostingClient {
  readonly #client: ReconnectingClient
  readonly #checks: Checks
  readonly #clock: Clock

  constructor(client: ReconnectingClient, { checks, clock }: Settings) {
    this.#client = client
    this.#checks = checks
    this.#clock = clock
  }

  /** For requests, which are made of the client's own calls; a page loads them beside this. */
  hostOfRequests(): RequestHost {
    return {
      clock: this.#clock,
      checks: this.#checks,
      onUnanswered: (message, error) => this.#client.tell('unanswered', { message, error }),
    }
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
      const publication = publicationOf(
        topic,
        payload,
        (callback ?? options) as PublishOptions | undefined,
        this.#checks,
      )
      return this.#client.publish(publication, options)
    } catch (error) {
      this.#client.tell('unpublished', { topic, error: error as AnyClientError })
      return quiet(Promise.reject(error))
    }
  }

  ready(options?: CallOptions): Promise<void> {
    return quietCall(() => this.#client.ready(this.#checked('ready', options)))
  }

  subscribe<const F extends string>(
    filter: F | readonly F[],
    options?: SubscribeOptions<F>,
    callback?: unknown,
  ): Promise<Subscription<F>> {
    const given = (callback ?? options) as SubscribeOptions | undefined
    const subscribing = quietCall(() => this.#client.subscribe(subscribeArguments(filter, given, this.#checks)))
    subscribing.catch((error: unknown) => {
      if (error instanceof InterruptedError && error.code === 'client-closed') return
      this.#client.tell('unsubscribed', { filters: [filter].flat().map(String), error })
    })
    // The names of the wildcards are types only: below this every filter is a string.
    return subscribing as Promise<unknown> as Promise<Subscription<F>>
  }

  unsubscribe(filter: string | readonly string[], options?: CallOptions): Promise<void> {
    return quietCall(() => {
      const filters = patternsOf('unsubscribe', filter).map((pattern) => pattern.filter)
      return this.#client.unsubscribe(filters, this.#checked('unsubscribe', options))
    })
  }

  reauthenticate(): Promise<void> {
    return quietCall(() => this.#client.reauthenticate())
  }

  on<E extends keyof ClientEvents>(event: E, listener: (detail: ClientEvents[E]) => void): () => void {
    this.#checks.listener(event, listener)
    return this.#client.on(event, listener)
  }

  close(options: CloseOptions = {}): Promise<void> {
    try {
      this.#checks.options('close', 'close', options)
    } catch (error) {
      return quiet(this.#client.close({}).then(() => Promise.reject(error)))
    }
    return this.#client.close(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #checked(call: string, options: CallOptions | undefined): CallOptions | undefined {
    if (options !== undefined) this.#checks.options('call', call, options)
    return options
  }
}
