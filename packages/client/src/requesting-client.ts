import { CheckedClient } from './checked-client.js'
import type { Client, RequestOptions, RespondOptions, ResponseHandler } from './client.js'
import type { Message } from './message.js'
import type { Payload } from './payload.js'
import type { ReconnectingClient } from './reconnecting-client.js'
import { Requests } from './requests.js'
import type { Settings } from './settings.js'
import type { Subscription } from './subscription.js'

/** The whole client: that of a page, and requests. */
export class RequestingClient extends CheckedClient implements Client {
  readonly #requests: Requests

  constructor(client: ReconnectingClient, settings: Settings) {
    super(client, settings)
    this.#requests = new Requests(this, this.hostOfRequests())
  }

  request(topic: string, payload: Payload, options?: RequestOptions): Promise<Message> {
    return this.#requests.request(topic, payload, options)
  }

  respond<const F extends string>(
    filter: F | readonly F[],
    handler: ResponseHandler<F>,
    options?: RespondOptions,
  ): Promise<Subscription<F>> {
    return this.#requests.respond(filter, handler, options)
  }
}
