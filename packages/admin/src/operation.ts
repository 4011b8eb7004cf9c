import type { LogFields } from '@godwit/broker'
import type { z } from '@hono/zod-openapi'
import type { Desk, FrontDesk } from './desk.js'
import type { Parts } from './parts.js'
import type { OperationId } from './roles.js'
import type { Credential } from './tokens.js'

/** What an operation is asked, checked. */
export interface Asked<Query, Body> {
  readonly query: Query
  readonly body: Body
  /** `If-Match`, without its quotes. `undefined`: left out, or `*`. */
  readonly etag: string | undefined
  /** Who asks; of an operation for anyone, `undefined`. */
  readonly who: Credential | undefined
  /** Ends when whoever asks is gone. */
  readonly signal: AbortSignal
  readonly request: Request
}

/** What it answers: a body in JSON, or a response as it is. */
export interface Answer<Body> {
  readonly body: Body
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly status?: number
  /** Who it turned out to be, where nobody had to be known: of a login. */
  readonly by?: Credential
}

interface OperationSpec<
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answered extends z.ZodType,
  Part extends keyof Parts = never,
  At extends FrontDesk = Desk,
> {
  readonly id: OperationId
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** Below `/api/v1`. What names a thing is in the query: a client may be called `..`, which no path can say. */
  readonly path: `/${string}`
  readonly tag: string
  /** In a few words: what it does. */
  readonly summary: string
  readonly description?: string
  /** Parts that it needs. */
  readonly needs?: Part
  /** A node of a cluster answers it while another one serves, too. Default: it says which one does. */
  readonly atAnyNode?: true
  readonly query?: Query
  /** `If-Match` may be given (`may`), or has to be (`must`). */
  readonly ifMatch?: 'may' | 'must'
  readonly body?: { readonly schema: Body; readonly type?: string; readonly mostBytes?: number }
  readonly answer: {
    readonly status?: number
    readonly description: string
    readonly schema: Answered
    /** Default `application/json`. */
    readonly type?: string
    readonly hasEtag?: boolean
  }
  /** Problems beside those that any operation may have, by status. */
  readonly problems?: readonly number[]
  /** For the log: what was done, and to what. Every operation that changes something has it. */
  readonly act?: { readonly message: string; told(asked: Asked<z.output<Query>, z.output<Body>>): LogFields }
  run(
    asked: Asked<z.output<Query>, z.output<Body>>,
    desk: At & { readonly parts: { readonly [P in Part]: NonNullable<Parts[P]> } },
  ): Promise<Answer<z.input<Answered>> | Response> | Answer<z.input<Answered>> | Response
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds operations of all kinds
export type Operation = OperationSpec<any, any, any, any, any>

/** One operation of the API: said once, and routed, checked, described and tested from there. */
export function operation<
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Body extends z.ZodType = z.ZodUndefined,
  Answered extends z.ZodType = z.ZodType,
  Part extends keyof Parts = never,
>(spec: OperationSpec<Query, Body, Answered, Part>): Operation {
  return spec
}

/** One that a node of a cluster answers while another one serves, too. */
export function operationOfAnyNode<
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Body extends z.ZodType = z.ZodUndefined,
  Answered extends z.ZodType = z.ZodType,
  Part extends keyof Parts = never,
>(spec: OperationSpec<Query, Body, Answered, Part, FrontDesk>): Operation {
  return { ...spec, atAnyNode: true }
}
