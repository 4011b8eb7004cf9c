import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Desk, FrontDesk } from './desk.js'
import type { Entrance } from './guards/entrance.js'
import { notServing } from './not-serving.js'
import type { Answer, Asked, Operation } from './operation.js'
import type { RequestFacts } from './options.js'
import type { Parts } from './parts.js'
import { codesOf, invalidRequest, Problem, problemSchema, titleFor } from './problem.js'
import { leastRole } from './roles.js'
import type { Credential } from './tokens.js'

/** Where the API is, on whatever server. */
export const apiPath = '/api/v1'

export interface Env {
  Bindings: { facts: RequestFacts }
  Variables: { who: Credential | undefined }
}
type Handled = Context<Env>

/** Of a body, where the operation says nothing else. */
const mostBytes = 64 * 1024

const whereOf: Readonly<Record<string, string>> = { query: 'query', header: 'header', json: 'body' }

/** An app that knows what to say when a request is not what an operation takes. */
export function newApp(): OpenAPIHono<Env> {
  return new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(whereOf[result.target] ?? result.target, result.error)
    },
  })
}

/** Adds an operation: who may call it is looked at first, then its size, then what it says. */
export function addOperation(app: OpenAPIHono<Env>, it: Operation, desk: Desk | FrontDesk, entrance: Entrance): void {
  const changes = it.method !== 'get' || it.id === 'followEvents'
  const admit: MiddlewareHandler<Env> = async (context, next) => {
    context.set('who', entrance.admit(context.req.raw, it.id, changes, context.env.facts.address))
    await next()
  }
  const tooLarge = (): never => {
    throw new Problem(
      'too-large',
      `the body is larger than the ${it.body?.mostBytes ?? mostBytes} bytes that this takes`,
    )
  }
  const middleware = [
    admit,
    bodyLimit({ maxSize: it.body?.mostBytes ?? mostBytes, onError: tooLarge }) as MiddlewareHandler<Env>,
  ]
  app.openapi(
    createRoute({ ...describe(it), middleware }) as never,
    (async (context: Handled) => {
      const asked = await askedOf(it, context)
      if (!desk.broker && !it.atAnyNode) throw notServing(desk.parts.cluster)
      const part: keyof Parts | undefined = it.needs
      if (part !== undefined && desk.parts[part] === undefined) {
        throw new Problem('not-available', absent[part] ?? `this server was not given ${part}`)
      }
      const answer = (await it.run(asked, desk as never)) as Answer<unknown> | Response
      if (it.act) tellAct(it, asked, answer instanceof Response ? undefined : answer.by, context, desk)
      return responseOf(it, answer)
    }) as never,
  )
}

/** Why there is no such part, where it is not for whoever serves this to give it. */
const absent: Readonly<Partial<Record<keyof Parts, string>>> = {
  cluster: 'this broker is no node of a cluster',
}

/** What a path is asked for that it does not take is answered as such. */
export function addOtherMethods(app: OpenAPIHono<Env>, operations: readonly Operation[]): void {
  for (const path of new Set(operations.map((each) => each.path))) {
    const methods = operations.filter((each) => each.path === path).map(({ method }) => method.toUpperCase())
    const allow = (methods.includes('GET') ? [...methods, 'HEAD'] : methods).join(', ')
    app.all(apiPath + path, ({ req }) => {
      throw new Problem('method-not-allowed', `${req.method.slice(0, 20)} is not for this path; it takes ${allow}`, {
        headers: { allow },
      })
    })
  }
}

async function askedOf(it: Operation, context: Handled): Promise<Asked<unknown, unknown>> {
  const { req } = context
  const type = it.body?.type ?? 'application/json'
  const valid = (target: string): unknown => req.valid(target as never)
  return {
    query: valid('query'),
    body: it.body === undefined ? undefined : type === 'application/json' ? valid('json') : await textOf(it, context),
    etag: etagOf(it, req.header('if-match')),
    who: context.get('who'),
    signal: req.raw.signal,
    request: req.raw,
  }
}

/** A body that is no JSON. */
async function textOf(it: Operation, { req }: Handled): Promise<unknown> {
  const type = req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== it.body?.type) throw new Problem('unsupported-media-type', `the body is to be ${it.body?.type}`)
  const parsed = it.body?.schema.safeParse(await req.text())
  if (!parsed?.success) throw invalidRequest('body', parsed.error)
  return parsed.data
}

function etagOf(it: Operation, ifMatch: string | undefined): string | undefined {
  if (it.ifMatch === undefined || ifMatch === '*') return undefined
  if (ifMatch === undefined) {
    if (it.ifMatch === 'may') return undefined
    throw new Problem('precondition-required', 'If-Match is needed: the ETag of the list in which that place was seen')
  }
  const [, etag] = /^"([\x21\x23-\x7e]{1,200})"$/.exec(ifMatch) ?? []
  if (etag !== undefined) return etag
  throw new Problem('invalid-request', 'If-Match takes one ETag in quotes, or *')
}

function tellAct(
  it: Operation,
  asked: Asked<unknown, unknown>,
  by: Credential | undefined,
  context: Handled,
  { logger }: FrontDesk,
): void {
  const { address } = context.env.facts
  const who = by ?? context.get('who')
  logger.log('info', it.act!.message, { by: who?.name, ...(address && { address }), ...it.act!.told(asked) })
}

function responseOf(it: Operation, answer: Answer<unknown> | Response): Response {
  if (answer instanceof Response) return answer
  const { body, headers, status = it.answer.status ?? 200 } = answer
  if (status === 204) return new Response(null, { status, ...(headers && { headers }) })
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': it.answer.type ?? 'application/json', ...headers },
  })
}

function describe(it: Operation): Parameters<typeof createRoute>[0] {
  const least = leastRole[it.id]
  const { status = 200, description, schema, type = 'application/json', hasEtag } = it.answer
  const headers = z.object({ 'If-Match': ifMatchHeader(it.ifMatch === 'must') })
  const bodyType = it.body?.type ?? 'application/json'
  return {
    method: it.method,
    path: apiPath + it.path,
    operationId: it.id,
    tags: [it.tag],
    summary: it.summary,
    description: [it.description, least === 'anyone' ? 'Needs no token.' : `Role: ${least}.`].filter(Boolean).join(' '),
    security: least === 'anyone' ? [] : [{ token: [] }, { cookie: [] }],
    request: {
      query: it.query ?? z.strictObject({}), // what nobody reads is refused, not passed over
      ...(it.ifMatch && { headers }),
      ...(it.body && { body: { required: true, content: { [bodyType]: { schema: it.body.schema } } } }),
    },
    responses: {
      [status]: {
        description,
        ...(hasEtag && {
          headers: z.object({ ETag: z.string().openapi({ description: 'For If-Match of an edit.' }) }),
        }),
        ...(status !== 204 && { content: { [type]: { schema } } }),
      },
      ...Object.fromEntries(problemStatuses(it).map((one) => [one, problemResponse(one)])),
    },
  }
}

/** Optional here, so that a missing one is told of as what it is: `precondition-required`. */
function ifMatchHeader(needed: boolean): z.ZodType {
  const description = needed
    ? 'Needed: the ETag of the list in which it was seen.'
    : 'The ETag as it was read: when it has been changed since, the answer is 409, and nothing is changed.'
  return z.string().max(300).optional().openapi({ description })
}

/** The statuses that any operation of its kind may have, and its own. */
function problemStatuses(it: Operation): readonly number[] {
  const guarded = leastRole[it.id] === 'anyone' ? [] : [401]
  const withBody = it.body ? [413, 415] : []
  const edits = it.ifMatch ? [409] : []
  const needed = it.ifMatch === 'must' ? [428] : []
  const absent = it.needs === undefined ? [] : [501]
  const elsewhere = it.atAnyNode ? [] : [503]
  const own = [...withBody, ...edits, ...needed, ...absent, ...elsewhere, ...(it.problems ?? [])]
  const all = [400, ...guarded, 403, 421, 429, 500, ...own]
  return [...new Set(all)].sort((one, other) => one - other)
}

function problemResponse(status: number): object {
  return {
    description: `${titleFor(status)}: ${codesOf(status).join(', ')}`,
    content: { 'application/problem+json': { schema: problemSchema } },
  }
}
