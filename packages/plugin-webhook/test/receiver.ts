import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server that is posted to, as a user's would be. */
export class Receiver {
  /** What it has answered 200 to. */
  readonly requests: Received[] = []
  /** What it answers, given the body. */
  answer: (body: string) => { readonly status: number; readonly text?: string } = () => ({ status: 200 })
  #server: Server | undefined
  #port = 0
  #waiting: (() => void)[] = []

  static async open(): Promise<Receiver> {
    const receiver = new Receiver()
    await receiver.up()
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`
  }

  /** The payloads of all messages, and the events, in their order. */
  get payloads(): string[] {
    return this.entries.map(({ payload, event }) => payload ?? event ?? '')
  }

  get entries(): Record<string, string>[] {
    return this.requests.flatMap(({ body }) => (JSON.parse(body) as { messages: Record<string, string>[] }).messages)
  }

  async up(): Promise<void> {
    this.#server = createServer(async (request, response) => {
      const body = await text(request)
      const { status, text: words = '' } = this.answer(body)
      if (status === 200) this.requests.push({ headers: request.headers, body })
      response.writeHead(status).end(words)
      for (const look of this.#waiting) look()
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async down(): Promise<void> {
    const closed = once(this.#server!, 'close')
    this.#server!.close()
    this.#server!.closeAllConnections()
    await closed
  }

  /** When so many messages and events are there. */
  has(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.payloads.length >= count) resolve()
      }
      this.#waiting.push(look)
      look()
    })
  }
}
