/** What went wrong with a request, in words for people (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem'
  /** HTTP's; 0: no answer came. */
  readonly status: number
  /** Of docs/error-codes.md; `unreachable` when no answer came. */
  readonly code: string
  /** Of what is there now, where somebody was quicker. */
  readonly etag: string | undefined

  constructor(status: number, code: string, detail: string, etag?: string) {
    super(detail)
    this.status = status
    this.code = code
    this.etag = etag
  }
}

/** What is asked. A value that is `undefined` is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface Call {
  readonly query?: Query
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as YAML, which a configuration is. */
  readonly text?: string
  /** What an edit was made from. */
  readonly etag?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** How long an answer may take, in ms. Default 20,000. */
  readonly patienceMs?: number
}

export interface Answered<T> {
  readonly value: T
  readonly etag: string | undefined
}

/** Told of every answer, and of none: whether the server is there, and whether it knows us. */
export interface LinkListener {
  answered(): void
  unreachable(): void
  unauthenticated(): void
}

let listener: LinkListener = { answered() {}, unreachable() {}, unauthenticated() {} }

export function listenToLink(to: LinkListener): void {
  listener = to
}

export function urlOf(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const text = search.toString()
  return `/api/v1${path}${text && `?${text}`}`
}

/** @throws Problem */
export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return (await call<T>('GET', path, { ...(query && { query }), signal })).value
}

/** @throws Problem */
export async function call<T>(method: string, path: string, asked: Call = {}): Promise<Answered<T>> {
  const { query, body, text: yaml, etag, signal, patienceMs = 20_000 } = asked
  const content = body !== undefined ? JSON.stringify(body) : yaml
  const patience = AbortSignal.timeout(patienceMs)
  const response = await answerTo(urlOf(path, query), {
    method,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json, application/problem+json',
      ...(content !== undefined && { 'content-type': body !== undefined ? 'application/json' : 'application/yaml' }),
      ...(etag !== undefined && { 'if-match': `"${etag}"` }),
    },
    ...(content !== undefined && { body: content }),
    signal: signal ? AbortSignal.any([signal, patience]) : patience,
  })
  const text = await response.text()
  return {
    value: (text === '' ? undefined : JSON.parse(text)) as T,
    etag: response.headers.get('etag')?.replace(/^(W\/)?"|"$/g, ''),
  }
}

/** A response that is no problem. @throws Problem */
async function answerTo(url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (error) {
    if (init.signal.aborted && init.signal.reason?.name === 'AbortError') throw error
    listener.unreachable()
    throw new Problem(0, 'unreachable', 'the server does not answer')
  }
  listener.answered()
  if (response.ok) return response
  const problem = await problemIn(response)
  if (problem.status === 401) listener.unauthenticated()
  throw problem
}

async function problemIn(response: Response): Promise<Problem> {
  const { status } = response
  const etag = response.headers.get('etag')?.replaceAll('"', '')
  try {
    const { detail, code } = (await response.json()) as { detail?: unknown; code?: unknown }
    if (typeof detail === 'string') return new Problem(status, String(code), detail, etag)
  } catch {
    // a proxy between may answer in a form of its own
  }
  return new Problem(status, 'failed', `the server answers ${status}`)
}
