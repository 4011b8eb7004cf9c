import { BrokerError } from '@godwit/broker'
import { ProtocolError } from '@godwit/protocol'
import { z } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { EditConflict, NotEditable, NotThere, Unacceptable } from './parts.js'

/** What went wrong with a request, as a stable name: `code` of a problem document. */
export type ProblemCode =
  /** 400: a parameter, a header or the body is not what the operation takes; `errors` names the places. */
  | 'invalid-request'
  /** 400: a value that is well formed and cannot be taken. */
  | 'invalid-option'
  /** 400: no topic name, or no topic filter. */
  | 'invalid-topic'
  /** 401: no token, one that is not known, has expired or was revoked. */
  | 'unauthenticated'
  /** 403: the role of the token may not do this. */
  | 'forbidden'
  /** 403: a page of another origin asks, or a browser does not say which one. */
  | 'foreign-origin'
  /** 404: there is no such operation, or nothing of that name. */
  | 'not-found'
  /** 405: the path takes other methods; `Allow` names them. */
  | 'method-not-allowed'
  /** 409: it has been changed since it was read. */
  | 'edit-conflict'
  /** 409: it cannot be edited from here; `detail` says what to do instead. */
  | 'not-editable'
  /** 413: the body is larger than the operation takes. */
  | 'too-large'
  /** 415: the body is of another type than the operation takes. */
  | 'unsupported-media-type'
  /** 421: the name in Host is not one of this server's. */
  | 'foreign-host'
  /** 428: a rule is named by its place, so `If-Match` has to say in which list. */
  | 'precondition-required'
  /** 429: too many requests, or streams, at once. */
  | 'too-many-requests'
  /** 500: a failure of the server; its log has more. */
  | 'failed'
  /** 501: whoever serves this has not given the part that it needs. */
  | 'not-available'
  /** 503: the broker has been closed. */
  | 'closed'
  /** 503: this node of a cluster follows, and another one serves; `detail` names it. */
  | 'not-serving'

const statusOf: Readonly<Record<ProblemCode, number>> = {
  'invalid-request': 400,
  'invalid-option': 400,
  'invalid-topic': 400,
  unauthenticated: 401,
  forbidden: 403,
  'foreign-origin': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'edit-conflict': 409,
  'not-editable': 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  'foreign-host': 421,
  'precondition-required': 428,
  'too-many-requests': 429,
  failed: 500,
  'not-available': 501,
  closed: 503,
  'not-serving': 503,
}

const titleOf: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
}

/** One place of a request that is wrong. */
const placeSchema = z.strictObject({ in: z.string(), problem: z.string() })

/** A problem document (RFC 9457). */
export const problemSchema = z
  .strictObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(statusOf) as [ProblemCode, ...ProblemCode[]]),
    errors: z.array(placeSchema).optional(),
  })
  .openapi('Problem', {
    description: 'What went wrong, in the form of RFC 9457; codes are in the page of error codes.',
  })

/** The problem codes of a status. */
export function codesOf(status: number): readonly ProblemCode[] {
  return (Object.keys(statusOf) as ProblemCode[]).filter((code) => statusOf[code] === status)
}

export function titleFor(status: number): string {
  return titleOf[status] ?? 'Error'
}

/** A request is answered by a problem document. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly headers: Readonly<Record<string, string>>
  readonly errors: readonly z.infer<typeof placeSchema>[] | undefined

  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      readonly headers?: Readonly<Record<string, string>>
      readonly errors?: readonly z.infer<typeof placeSchema>[]
    } = {},
  ) {
    super(detail)
    this.code = code
    this.headers = more.headers ?? {}
    this.errors = more.errors
  }

  get status(): number {
    return statusOf[this.code]
  }

  response(): Response {
    const { code, status, errors, message: detail } = this
    const body = { type: 'about:blank', title: titleFor(status), status, detail, code, ...(errors && { errors }) }
    return new Response(JSON.stringify(body), {
      status,
      headers: { 'content-type': 'application/problem+json', ...this.headers },
    })
  }
}

/** What validation has found, place by place; a value is never quoted: it may be a password. */
export function invalidRequest(where: string, error: z.core.$ZodError): Problem {
  const errors = error.issues.slice(0, 20).map(({ path, message }) => ({
    in: [where, ...path.map(String)].join('.').slice(0, 200),
    problem: message.slice(0, 300),
  }))
  const first = errors[0]
  return new Problem('invalid-request', first ? `${first.in}: ${first.problem}` : 'the request is not valid', {
    errors,
  })
}

/** Any error as a problem; `undefined`: it is a failure of the server. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (error instanceof EditConflict) {
    return new Problem('edit-conflict', error.message, { headers: { etag: quoted(error.etag) } })
  }
  if (error instanceof NotEditable) return new Problem('not-editable', error.message)
  if (error instanceof NotThere) return new Problem('not-found', error.message)
  if (error instanceof Unacceptable) return new Problem('invalid-option', error.message)
  if (error instanceof ProtocolError) return new Problem('invalid-option', error.message)
  if (error instanceof BrokerError) return problemOfBroker(error)
  if (error instanceof HTTPException) return problemOfHono(error)
  return undefined
}

/** What was thrown in words, if people may see it; `undefined`: a failure of the server. */
function problemOfBroker({ code, message }: BrokerError): Problem | undefined {
  if (code === 'invalid-option' || code === 'invalid-topic' || code === 'closed') return new Problem(code, message)
  return undefined
}

function problemOfHono({ status, message }: HTTPException): Problem | undefined {
  if (status === 415) return new Problem('unsupported-media-type', 'the body is of another type than this takes')
  return status < 500 ? new Problem('invalid-request', message || 'the request is not valid') : undefined
}

/** An ETag as HTTP has it. */
export function quoted(etag: string): string {
  return `"${etag}"`
}
