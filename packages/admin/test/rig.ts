import { type Broker, type BrokerOptions, createBroker } from '@godwit/broker'
import { VirtualClock } from '@godwit/broker/testing'
import { type Client, type ConnectOptions, connect } from '@godwit/client'
import { expect, onTestFinished } from 'vitest'
import { type AdminApi, type AdminOptions, adminApi, fixedTokens, type Role } from '../src/index.js'
import { misfit } from './described.js'

/** Who asks: a role's token, or nobody. */
export type Asker = Role | 'nobody'

export interface Question {
  /** Default `admin`. */
  readonly as?: Asker
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
  readonly body: any
}

export interface Followed {
  readonly status: number
  /** The next event; `undefined`: the stream is over. */
  next(): Promise<{ readonly event: string; readonly data: unknown } | undefined>
  /** Reads no more. */
  leave(): Promise<void>
}

export interface Rig {
  readonly broker: Broker
  readonly api: AdminApi
  readonly clock: VirtualClock
  /** What the API has logged: `info logged in {"by":"admin"}`. */
  readonly log: string[]
  /** Asks, and holds the answer against the API's description. */
  ask(method: string, path: string, question?: Question): Promise<Answered>
  /** Follows events, each held against the description. */
  follow(query: string, question?: Question): Promise<Followed>
  /** A request as a web server would hand it over. */
  request(method: string, path: string, question?: Question): Request
  /** A client that is connected, over a socket. */
  connect(clientId: string, options?: ConnectOptions): Promise<Client>
}

export const tokenOf = (role: Role): string => `godwit_the-token-of-${role}`
export const tokens = fixedTokens(
  (['viewer', 'operator', 'admin'] as const).map((role) => ({ token: tokenOf(role), name: role, role })),
)

/**
 * A broker on a free port, and the API over it; both end with the test.
 * @param serves false: the API is that of a node of a cluster, of which another one serves.
 */
export async function startRig(
  options: Partial<AdminOptions> = {},
  brokerOptions: BrokerOptions = {},
  serves = true,
): Promise<Rig> {
  const clock = new VirtualClock()
  const broker = await createBroker({ sysIntervalSeconds: 0, ...brokerOptions })
  const log: string[] = []
  const logger: AdminOptions['logger'] = {
    log: (level, message, fields) => void log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
  }
  const api = adminApi(serves ? broker : undefined, { tokens, logger, clock, ...options })
  let port: number | undefined
  onTestFinished(async () => {
    api.close()
    await broker.close()
  })
  const request = (method: string, path: string, { as = 'admin', body, headers }: Question = {}): Request =>
    new Request(`http://localhost:18083${path}`, {
      method,
      headers: {
        ...(as !== 'nobody' && { authorization: `Bearer ${tokenOf(as)}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return {
    broker,
    api,
    clock,
    log,
    request,
    async ask(method, path, question) {
      const response = await api.fetch(request(method, `/api/v1${path}`, question), { address: '127.0.0.1' })
      if (response.headers.get('content-type') === 'text/event-stream') {
        await response.body?.cancel()
        return { status: response.status, headers: response.headers, body: undefined }
      }
      const text = await response.text()
      const type = response.headers.get('content-type') ?? ''
      const body: unknown = type.includes('json') ? JSON.parse(text) : text
      expect(misfit(method, `/api/v1${path.replace(/\?.*/s, '')}`, response.status, type, body)).toBe('')
      return { status: response.status, headers: response.headers, body }
    },
    async follow(query, question) {
      const response = await api.fetch(request('GET', `/api/v1/events?${query}`, question), {})
      const events = eventsIn(response.body!)
      return {
        status: response.status,
        async next() {
          const { value } = await events.next()
          if (value) expect(misfit('GET', '/api/v1/events', 200, 'text/event-stream', [value])).toBe('')
          return value ?? undefined
        },
        leave: async () => void (await events.return(undefined)),
      }
    },
    async connect(clientId, connectOptions = {}) {
      port ??= (await broker.listen({ port: 0 })).port
      const client = await connect(`mqtt://127.0.0.1:${port}`, { clientId, reconnect: false, ...connectOptions })
      onTestFinished(() => client.close())
      return client
    },
  }
}

/** Server-sent events, as a browser takes them apart. */
async function* eventsIn(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ event: string; data: unknown }, undefined> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/s.exec(text.slice(0, end)) ?? []
      text = text.slice(end + 2)
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) }
    }
  }
  return undefined
}
