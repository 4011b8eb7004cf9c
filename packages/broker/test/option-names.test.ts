// Names that are no options, as plain JavaScript passes them: each is refused, and what was meant is said.
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  authenticationChain,
  certificateIdentity,
  httpAuthentication,
  jwt,
  passwordFile,
  type Verdict,
} from '../src/access/index.js'
import { type Broker, BrokerError, createBroker } from '../src/index.js'
import { lmdbStore } from '../src/store/lmdb/index.js'

let broker: Broker
beforeEach(async () => {
  broker = await createBroker({ sysIntervalSeconds: 0 })
})
afterEach(() => broker.close())

const any = (value: unknown) => value as never
const link = { name: 'any', check: (): Verdict => 'allow' }

it.each<[string, () => unknown]>([
  ['listen has no hostname; here that is host', () => broker.listen(any({ hostname: 'localhost' }))],
  ['listen has no anonymous; here that is allowAnonymous', () => broker.listen(any({ anonymous: true }))],
  ['listen has no Port; did you mean port?', () => broker.listen(any({ Port: 0 }))],
  [
    'listen.tls has no rejectUnauthorized; here that is requestCert',
    () => broker.listen(any({ tls: { cert: '', key: '', rejectUnauthorized: true } })),
  ],
  ['listen.websocket has no origin; did you mean origins?', () => broker.listen(any({ websocket: { origin: [] } }))],
  ['listen.websocket is true; it takes an object', () => broker.listen(any({ websocket: true }))],
  ['listen.proxyProtocol has no fro; did you mean from?', () => broker.listen(any({ proxyProtocol: { fro: [] } }))],
  ['publish has no retained; did you mean retain?', () => broker.publish('a', 'x', any({ retained: true }))],
  ['disconnect has no reason_code; did you mean reasonCode?', () => broker.disconnect('c', any({ reason_code: 1 }))],
  ['trace has no client; did you mean clientId?', () => broker.trace(any({ client: 'c' }), () => {})],
  ['page has no limits; did you mean limit?', () => broker.clients.page(any({ limits: 1 }))],
  ['page has no filters; did you mean filter?', () => broker.retained.page(any({ filters: '#' }))],
  ['page has no client; did you mean clientId?', () => broker.subscriptions.page(any({ client: 'c' }))],
  ['list has no limit; there are filter', () => broker.retained.list(any({ limit: 1 })).next()],
  ['list has no client; did you mean clientId?', () => broker.subscriptions.list(any({ client: 'c' })).next()],
  ['lmdbStore has no path; here that is directory', () => lmdbStore(any({ path: 'data' }))],
  [
    'authenticationChain has no backoff; did you mean backOff?',
    () => authenticationChain([link], any({ backoff: false })),
  ],
  [
    'backOff has no afterFailure; did you mean afterFailures?',
    () => authenticationChain([link], any({ backOff: { afterFailure: 1 } })),
  ],
  ['jwt has no issuers; did you mean issuer?', () => jwt(any({ secret: 'x'.repeat(32), issuers: ['a'] }))],
  [
    'httpAuthentication has no timeout; did you mean timeoutMs?',
    () => httpAuthentication(any({ url: 'http://localhost', timeout: 1 })),
  ],
  ['passwordFile has no cache; did you mean cacheSeconds?', () => passwordFile('nowhere', any({ cache: 1 }))],
  ['certificateIdentity has no field; there are from', () => certificateIdentity(any({ field: 'cn' }))],
])('%s', async (message, call) => {
  const failed = await (async () => call())().then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failed).toBeInstanceOf(BrokerError)
  expect(failed).toMatchObject({ code: 'invalid-option', message: expect.stringContaining(message) })
})

const open =
  /^.* can be reached by other machines and no hook authenticates, so anybody could come in; add a hook with authenticate, or say allowAnonymous: true$/

it.each([
  [{ host: '0.0.0.0' }],
  [{ host: '::' }],
  [{ host: '' }],
  [{ host: '192.0.2.1' }],
  [{ host: 'broker.example' }],
  [{ host: '0.0.0.0', websocket: {} }],
  [{ host: '0.0.0.0', tls: { cert: '', key: '' } }],
  [{ host: '0.0.0.0', allowAnonymous: false }],
])('%j is refused where no hook authenticates', async (options) => {
  await expect(broker.listen({ port: 0, ...options })).rejects.toThrow(open)
  await expect(broker.listen({ port: 0, ...options })).rejects.toMatchObject({ code: 'invalid-option' })
})

it('an address that others reach is opened where a hook authenticates, or it is said that anybody may come in', async () => {
  await broker.listen({ host: '0.0.0.0', port: 0, allowAnonymous: true })
  await broker.listen({ host: '127.0.0.1', port: 0 })
  await broker.listen({ host: 'localhost', port: 0 })
  for (const hook of [{ authenticate: () => false }, { authenticationMethods: {} }]) {
    const careful = await createBroker({ sysIntervalSeconds: 0, hooks: [hook] })
    await careful.listen({ host: '0.0.0.0', port: 0 })
    await careful.close()
  }
})
