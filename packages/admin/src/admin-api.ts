import { systemClock } from '@godwit/broker'
import { secureHeaders } from 'hono/secure-headers'
import { addDescription } from './description.js'
import type { Desk, FrontDesk } from './desk.js'
import { Feeds } from './follow/feeds.js'
import { Entrance } from './guards/entrance.js'
import { Origins } from './guards/origins.js'
import { Turns } from './guards/turns.js'
import { Logins } from './logins.js'
import { operations } from './operations/all.js'
import type { AdministeredBroker, AdminOptions, RequestFacts } from './options.js'
import { Problem, problemOf } from './problem.js'
import { leastRoleWithin, type Role } from './roles.js'
import { addOperation, addOtherMethods, apiPath, newApp } from './routes.js'
import { History } from './series/history.js'
import { readingOf } from './series/reading.js'
import type { Credential } from './tokens.js'
import { WatchedDrops } from './watched-drops.js'

/** The HTTP API of one broker, or of a node of a cluster while another one serves. */
export interface AdminApi {
  /** Answers a request below `/api/v1`. Never rejects: what goes wrong is answered by a problem document. */
  fetch(request: Request, facts?: RequestFacts): Promise<Response>
  /**
   * The code of a login link, good once and for five minutes: a page takes it from the fragment of its URL
   * (`/#login=CODE`) and exchanges it by `POST /api/v1/login`. Whoever has it is let in: print it for one person, never in a log.
   */
  loginCode(role?: Role): string
  /**
   * Who asks for a WebSocket at which MQTT is spoken beside this API, with all the rights that there are: a page of this server, of
   * an operator at least. Or the answer that refuses it.
   */
  admitMqtt(request: Request): Credential | Response
  /** Whether whoever has come in may stay: asked again and again for what stays open. */
  isGood(who: Credential): boolean
  /** Ends streams, and stops to remember what was. */
  close(): void
}

/** Requests that are being answered at once, streams apart. */
const mostAtOnce = 200

/** Nothing here is a page that another may show, and nothing that a broker's clients have written may run. */
const headers: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", 'blob:'],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  strictTransportSecurity: false, // for whoever has the certificate to say
  xFrameOptions: 'DENY',
}

/**
 * An HTTP API to see and steer a broker, to be mounted in any server that speaks web-standard requests. Nobody comes in without a
 * token, on loopback too: proxies arrive from there.
 * @param broker `undefined`: another node of the cluster serves; what is asked of a broker is answered by which node that is.
 */
export function adminApi(broker: AdministeredBroker | undefined, options: AdminOptions): AdminApi {
  const { tokens, clock = systemClock, logger = { log() {} } } = options
  const { logins = new Logins(tokens, clock) } = options
  const origins = new Origins(options)
  const entrance = new Entrance({ tokens, logins, origins, clock })
  const { log, cluster, eventLoopDelay } = options
  const feeds = new Feeds({ broker, log, cluster, logins, clock, eventLoopDelay })
  const front: FrontDesk = {
    broker,
    parts: options,
    options,
    logger,
    clock,
    logins,
    feeds,
    isSecure: (request) => origins.isSecure(request),
    startedAt: clock.monotonic(),
  }
  const desk = broker && deskOf(front, broker)
  const app = newApp()
  app.use(secureHeaders(headers))
  app.use(async (context, next) => {
    origins.checkHost(context.req.raw)
    await next()
    context.res.headers.set('cache-control', 'no-store')
  })
  for (const each of operations) addOperation(app, each, desk ?? front, entrance)
  addDescription(app)
  addOtherMethods(app, operations)
  app.notFound(({ req }) => nothingAt(req.path).response())
  app.onError((error) => {
    const problem = problemOf(error)
    if (problem) return problem.response()
    logger.log('error', 'a request failed', { error: String(error), stack: error.stack })
    return new Problem('failed', 'the server failed over this request; its log has more').response()
  })
  const turns = new Turns()
  let answering = 0
  return {
    async fetch(request, facts = {}) {
      if (answering >= mostAtOnce) return new Problem('too-many-requests', `${answering} are being answered`).response()
      answering++
      try {
        await turns.mine()
        return await app.fetch(plain(request), { facts })
      } finally {
        answering--
      }
    },
    admitMqtt(request) {
      try {
        origins.checkHost(request)
        return entrance.admitAs(request, leastRoleWithin.mqtt, true)
      } catch (error) {
        const problem = problemOf(error)
        if (problem) return problem.response()
        throw error
      }
    },
    isGood: (who) => logins.isGood(who),
    loginCode: (role = 'admin') => logins.newCode(role),
    close() {
      feeds.close()
      desk?.history.close()
      desk?.drops.close()
    },
  }
}

/** With what is remembered of a broker, from now on. */
function deskOf(front: FrontDesk, broker: AdministeredBroker): Desk & { readonly drops: WatchedDrops } {
  const { options, clock } = front
  const read = () => readingOf(broker, options.eventLoopDelay, () => clock.monotonic())
  return { ...front, broker, history: new History(read, clock), drops: new WatchedDrops(broker) }
}

/**
 * A body whose length nobody says is read anew by Hono's limit, which takes a request of the platform's own; those of adapters
 * only look like one.
 */
function plain(request: Request): Request {
  const { url, method, headers, signal } = request
  if (method === 'GET' || method === 'HEAD' || headers.has('content-length')) return request
  const { body } = request
  return body === null ? request : new Request(url, { method, headers, signal, body, duplex: 'half' } as RequestInit)
}

function nothingAt(path: string): Problem {
  return new Problem('not-found', `there is nothing at ${path.slice(0, 200)}; see ${apiPath}/openapi.json`)
}
