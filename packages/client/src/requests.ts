import { Call } from './call.js'
import type { Checks } from './checks.js'
import type { Client, RequestOptions, RespondOptions, Response, ResponseHandler, ResponseMessage } from './client.js'
import type { Clock } from './clock.js'
import { InterruptedError, InvalidArgumentError, invalidOption } from './errors.js'
import type { Message } from './message.js'
import type { PageClient } from './page-client.js'
import { bytesOf, type Payload } from './payload.js'
import { quietCall } from './quiet.js'
import type { Subscription } from './subscription.js'
import { isObject, kindOf } from './value-kind.js'

const defaultTimeoutMs = 30_000
const correlationBytes = 16

/** What requests need of their client besides its calls. */
export interface RequestHost {
  readonly clock: Clock
  readonly checks: Checks
  /** A request cannot be answered. */
  onUnanswered(message: Message, error: unknown): void
}

/** Where the responses to this client's requests come in. */
interface Inbox {
  readonly topic: string
  readonly subscription: Promise<Subscription>
}

/** What every client is, whatever its type says. */
export interface HostingClient extends PageClient {
  hostOfRequests(): RequestHost
}

/** Requests and responses for the client of a page, as {@link Client.request} and {@link Client.respond} are elsewhere. */
export function requestsOf(client: PageClient): Pick<Client, 'request' | 'respond'> {
  return new Requests(client, (client as HostingClient).hostOfRequests())
}

/** Requests of this client that wait for their responses, and the one subscription that brings them (section 4.10). */
export class Requests implements Pick<Client, 'request' | 'respond'> {
  readonly #client: PageClient
  readonly #host: RequestHost
  /** By Correlation Data, in hex. */
  readonly #waiting = new Map<string, Call<Message>>()
  #inbox: Inbox | undefined

  constructor(client: PageClient, host: RequestHost) {
    this.#client = client
    this.#host = host
    client.on('close', ({ error }) => this.#end(new InterruptedError('client-closed', 'the client is closed', error)))
  }

  request(topic: string, payload: Payload, options?: RequestOptions): Promise<Message> {
    return quietCall(() => this.#request(topic, payload, options))
  }

  respond<const F extends string>(
    filter: F | readonly F[],
    handler: ResponseHandler<F>,
    options?: RespondOptions,
  ): Promise<Subscription<F>> {
    return quietCall(() => this.#respond(filter, handler, options))
  }

  async #request(topic: string, payload: Payload, options: RequestOptions = {}): Promise<Message> {
    this.#host.checks.options('request', `request to '${topic}'`, options)
    const { qos = 1, timeoutMs = defaultTimeoutMs, signal, properties } = options
    this.#checkVersion('request')
    const correlationData = crypto.getRandomValues(new Uint8Array(correlationBytes))
    const key = keyOf(correlationData)
    const call = new Call<Message>(
      this.#host.clock,
      { timeoutMs, ...(signal && { signal }) },
      `request to '${topic}'`,
      () => this.#waiting.delete(key),
    )
    if (call.settled) return call.promise
    this.#waiting.set(key, call)
    this.#send(topic, payload, { qos, properties: { ...properties, correlationData } }, call).catch(
      (error: unknown) => {
        this.#waiting.delete(key)
        call.reject(error)
      },
    )
    return call.promise
  }

  /** The client has ended. */
  #end(error: unknown): void {
    for (const call of this.#waiting.values()) call.reject(error)
    this.#waiting.clear()
  }

  async #send(
    topic: string,
    payload: Payload,
    { qos, properties }: Pick<RequestOptions, 'qos'> & { readonly properties: object },
    call: Call<Message>,
  ): Promise<void> {
    const responseTopic = await this.#listen()
    this.#checkVersion('request') // the first connection may have been a fallback
    if (call.settled) return
    await this.#client.publish(topic, payload, {
      ...(qos !== undefined && { qos }),
      properties: { ...properties, responseTopic },
    })
  }

  /** Resolves with the response topic when the server has its subscription. */
  async #listen(): Promise<string> {
    const topic = this.#responseTopic()
    if (this.#inbox?.topic !== topic) {
      // Another server, another prefix: responses that are still to come to the old topic come to the old subscription.
      const subscription = this.#client.subscribe(topic, { qos: 1, onMessage: (message) => this.#onResponse(message) })
      const inbox = { topic, subscription }
      this.#inbox = inbox
      subscription.catch(() => {
        if (this.#inbox === inbox) this.#inbox = undefined
      })
    }
    await this.#inbox.subscription
    return topic
  }

  #responseTopic(): string {
    const { clientId, server } = this.#client
    const prefix = server?.properties?.responseInformation?.replace(/\/$/, '') ?? 'godwit/response'
    return `${prefix}/${encodeURIComponent(clientId)}`
  }

  #onResponse(message: Message): void {
    const { correlationData } = message.properties ?? {}
    if (correlationData === undefined) return
    const key = keyOf(correlationData)
    const call = this.#waiting.get(key)
    this.#waiting.delete(key)
    call?.resolve(message)
  }

  /** Answers requests; what cannot be answered is told to the host. */
  async #respond<const F extends string>(
    filter: F | readonly F[],
    handler: ResponseHandler<F>,
    options: RespondOptions = {},
  ): Promise<Subscription<F>> {
    if (typeof handler !== 'function') {
      throw invalidOption(`respond: the handler is ${kindOf(handler)}, not a function`)
    }
    this.#host.checks.options('respond', 'respond', options)
    const { qos = 1, ...call } = options
    this.#checkVersion('respond')
    const onMessage = (message: Message<F>): Promise<void> => this.#answer(message, handler)
    const subscription = await this.#client.subscribe(filter, { ...call, qos, onMessage })
    if (this.#client.version === 5) return subscription
    await subscription.unsubscribe()
    this.#checkVersion('respond')
    return subscription
  }

  async #answer<F extends string>(message: Message<F>, handler: ResponseHandler<F>): Promise<void> {
    const { responseTopic, correlationData } = message.properties ?? {}
    if (responseTopic === undefined) return
    try {
      const { payload = '', properties: own } = this.#responseOf(await handler(message))
      const properties = { ...own, ...(correlationData && { correlationData }) }
      await this.#client.publish(responseTopic, payload, { qos: message.qos, properties })
    } catch (error) {
      this.#host.onUnanswered(message as Message, error)
    }
  }

  #responseOf(answer: Response): ResponseMessage {
    if (bytesOf(answer) !== undefined || !isObject(answer)) return { payload: (answer ?? '') as Payload }
    this.#host.checks.options('response', 'respond: what the handler gave', answer)
    return answer as ResponseMessage
  }

  #checkVersion(what: string): void {
    if (this.#client.version === 5) return
    throw new InvalidArgumentError('unsupported-version', `${what}() needs MQTT 5.0; the server is spoken to at 3.1.1`)
  }
}

function keyOf(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
