import { Call } from './call.js'
import type { Client, RequestOptions, RespondOptions, Response, ResponseHandler, ResponseMessage } from './client.js'
import type { Clock } from './clock.js'
import { InvalidArgumentError, invalidOption } from './errors.js'
import type { Message } from './message.js'
import { checkOptions, isObject } from './option-checks.js'
import { requestTable, respondTable, responseTable } from './option-tables.js'
import { bytesOf, type Payload } from './payload.js'
import type { Subscription } from './subscription.js'
import { kindOf } from './value-kind.js'

const defaultTimeoutMs = 30_000
const correlationBytes = 16

type RequestingClient = Pick<Client, 'clientId' | 'version' | 'server' | 'publish' | 'subscribe'>

/** Where the responses to this client's requests come in. */
interface Inbox {
  readonly topic: string
  readonly subscription: Promise<Subscription>
}

/** Requests of this client that wait for their responses, and the one subscription that brings them (section 4.10). */
export class Requests {
  readonly #client: RequestingClient
  readonly #clock: Clock
  /** By Correlation Data, in hex. */
  readonly #waiting = new Map<string, Call<Message>>()
  #inbox: Inbox | undefined

  constructor(client: RequestingClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  async request(topic: string, payload: Payload, options: RequestOptions = {}): Promise<Message> {
    checkOptions(`request to '${topic}'`, options, requestTable)
    const { qos = 1, timeoutMs = defaultTimeoutMs, signal, properties } = options
    this.#checkVersion('request')
    const correlationData = crypto.getRandomValues(new Uint8Array(correlationBytes))
    const key = keyOf(correlationData)
    const call = new Call<Message>(this.#clock, { timeoutMs, ...(signal && { signal }) }, `request to '${topic}'`, () =>
      this.#waiting.delete(key),
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
  end(error: unknown): void {
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

  #checkVersion(what: string): void {
    checkVersion(this.#client, what)
  }
}

/** Answers requests; what cannot be answered is told to `onUnanswered`. */
export async function respond<const F extends string>(
  client: RequestingClient,
  filter: F | readonly F[],
  handler: ResponseHandler<F>,
  options: RespondOptions = {},
  onUnanswered: (message: Message, error: unknown) => void,
): Promise<Subscription<F>> {
  if (typeof handler !== 'function') {
    throw invalidOption(`respond: the handler is ${kindOf(handler)}, not a function`)
  }
  checkOptions('respond', options, respondTable)
  const { qos = 1, ...call } = options
  checkVersion(client, 'respond')
  const answer = async (message: Message<F>): Promise<void> => {
    const { responseTopic, correlationData } = message.properties ?? {}
    if (responseTopic === undefined) return
    try {
      const { payload = '', properties: own } = responseOf(await handler(message))
      const properties = { ...own, ...(correlationData && { correlationData }) }
      await client.publish(responseTopic, payload, { qos: message.qos, properties })
    } catch (error) {
      onUnanswered(message as Message, error)
    }
  }
  const subscription = await client.subscribe(filter, { ...call, qos, onMessage: answer })
  if (client.version === 5) return subscription
  await subscription.unsubscribe()
  checkVersion(client, 'respond')
  return subscription
}

function responseOf(answer: Response): ResponseMessage {
  if (bytesOf(answer) !== undefined || !isObject(answer)) return { payload: (answer ?? '') as Payload }
  checkOptions('respond: what the handler gave', answer, responseTable)
  return answer as ResponseMessage
}

function checkVersion({ version }: RequestingClient, what: string): void {
  if (version === 5) return
  throw new InvalidArgumentError('unsupported-version', `${what}() needs MQTT 5.0; the server is spoken to at 3.1.1`)
}

function keyOf(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
