// Every operation of the description: played, by every role, without its part, and with input of the worst kind. `ask` holds
// each answer against the description.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { leastRole, mayAs, type OperationId, roles } from '../src/roles.js'
import { document } from './described.js'
import { memoryParts } from './parts.js'
import { type Answered, type Asker, type Rig, startRig } from './rig.js'
import { type Sample, samples } from './samples.js'

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, it]) => ({
    ...it,
    id: it.operationId as OperationId,
    method: method.toUpperCase(),
    path: path.replace('/api/v1', ''),
    success: Object.keys(it.responses).filter((status) => status.startsWith('2')),
  })),
)
type Described = (typeof operations)[number]
const each = operations.map((it) => [it.id, it] as const)

interface Furnished extends Rig {
  /** Everything that an operation could change, in words. */
  state(): Promise<string>
}

/** A broker with one of everything, and all parts. */
async function furnish(parts: ReturnType<typeof memoryParts> | undefined = memoryParts()): Promise<Furnished> {
  const rig = await startRig(parts)
  const { broker, connect } = rig
  const [c, away] = [await connect('c', { username: 'ann' }), await connect('away', { sessionExpirySeconds: 600 })]
  await c.subscribe('t/#', { qos: 1 })
  await c.subscribe('$share/g/s')
  await away.subscribe('t/#', { qos: 1 })
  await away.close()
  for (const topic of ['t/1', 't/2']) await broker.publish(topic, 'waits', { qos: 1 })
  await broker.publish('k/1', 'kept', { retain: true, properties: { contentType: 'text' } })
  const { clients, sessions, retained } = broker
  while ((await clients.get('c'))?.outboxBytes !== 0) await nextTurn() // what was sent to it is on its way
  const state = async (): Promise<string> => {
    const { publishReceived } = await broker.metrics()
    const there = [await clients.page(), await sessions.count(), (await sessions.queue('away')).items.length]
    return JSON.stringify([there, await retained.count(), publishReceived, parts?.held()])
  }
  return { ...rig, state }
}

function urlOf({ path }: Described, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString()
  return text === '' ? path : `${path}?${text}`
}

function play({ ask }: Rig, it: Described, sample: Sample, as: Asker = 'admin'): Promise<Answered> {
  const { query, body, type, headers } = sample
  return ask(it.method, urlOf(it, query), { as, body, headers: { ...(type && { 'content-type': type }), ...headers } })
}

test('each operation has a role, and a request that is played here', () => {
  expect(operations.map(({ id }) => id).sort()).toEqual(Object.keys(leastRole).sort())
  expect(Object.keys(samples).sort()).toEqual(Object.keys(leastRole).sort())
})

describe('played', () => {
  test.each(each)('%s', async (id, it) => {
    const rig = await furnish()
    const { status } = await play(rig, it, samples[id])
    expect(it.success).toContain(String(status))
    const changes = it.method !== 'GET' && !['logOut', 'explainAccess'].includes(id)
    const by = id === 'logIn' ? 'viewer' : 'admin'
    expect(rig.log).toEqual(changes ? [expect.stringContaining(`{"by":"${by}","address":"127.0.0.1"`)] : [])
    expect(rig.log.join()).not.toMatch(/pass|godwit_/)
  })
})

describe('by whom: role × operation', () => {
  const askers = ['nobody', ...roles] as const
  test.each(each)('%s', async (id, it) => {
    const rig = await furnish()
    const least = leastRole[id]
    for (const as of askers) {
      const may = least === 'anyone' || (as !== 'nobody' && mayAs(as, least))
      if (may) continue
      const before = await rig.state()
      const { status, body } = await play(rig, it, samples[id], as)
      expect([as, status, body.code]).toEqual(as === 'nobody' ? [as, 401, 'unauthenticated'] : [as, 403, 'forbidden'])
      expect(await rig.state()).toBe(before)
    }
    const first = least === 'anyone' ? 'nobody' : least
    expect(it.success).toContain(String((await play(rig, it, samples[id], first)).status))
  })
})

describe('without the part that it needs', () => {
  test.each(each)('%s', async (id, it) => {
    const rig = await furnish(undefined as never)
    const bare = await startRig()
    const { status, body } = await play(bare, it, samples[id])
    if ('501' in it.responses) expect([status, body.code]).toEqual([501, 'not-available'])
    else expect(status).not.toBe(501)
    expect(rig.log).toEqual([])
  })
})

const hostileTexts = [
  '',
  'x'.repeat(70_000),
  '\u0000',
  '../../etc/passwd',
  '..%2f..%2f',
  '<script>alert(1)</script>',
  '999999999999999999999',
  '-1',
  '1e3',
  'NaN',
  '__proto__',
  "';--",
  '\ud800',
]

describe('with input of the worst kind: a problem document, and nothing changed', () => {
  test.each(each)('%s', async (id, it) => {
    const rig = await furnish()
    const before = await rig.state()
    const refused = async (sample: Sample): Promise<void> => {
      rig.clock.advance(1_000)
      const { status, headers } = await play(rig, it, sample)
      expect([JSON.stringify(sample).slice(0, 200), status]).toEqual([expect.anything(), expect.toSatisfy(is4xx)])
      expect(headers.get('content-type')).toBe('application/problem+json')
      expect(await rig.state()).toBe(before)
    }
    const sample = samples[id]
    await refused({ ...sample, query: { ...sample.query, unknown: '1' } })
    for (const { name, required } of (it.parameters ?? []).filter((one) => one.in === 'query')) {
      const { [name]: _, ...others } = sample.query ?? {}
      if (required) await refused({ ...sample, query: others })
    }
    if (!it.requestBody) return
    for (const body of badBodies(sample)) await refused({ ...sample, body })
    await refused({ ...sample, type: 'text/plain' })
  })

  test.each(each)('%s: whatever stands in its query', async (_, it) => {
    const rig = await furnish()
    if (it.method !== 'GET') return
    const before = await rig.state()
    for (const { name } of (it.parameters ?? []).filter((one) => one.in === 'query')) {
      for (const text of hostileTexts) {
        rig.clock.advance(1_000)
        const { status } = await play(rig, it, { query: { ...samples[it.id].query, [name]: text } })
        expect([name, text.slice(0, 20), status]).toEqual([
          name,
          text.slice(0, 20),
          expect.toSatisfy((s: number) => s < 500),
        ])
      }
    }
    expect(await rig.state()).toBe(before)
  })

  test('a list may not be asked twice for one thing, nor another way round', async () => {
    const { ask } = await furnish()
    for (const query of [
      'limit=1&limit=2',
      'limit=0',
      'limit=1001',
      'limit=',
      'sort=-clientId',
      'columns=',
      'columns=clientId,x',
      'cursor=x',
      'cursor=WyJhIiwxXQ',
      'version=3',
    ])
      expect([query, (await ask('GET', `/clients?${query}`)).status]).toEqual([query, 400])
  })

  test('other methods, other paths', async () => {
    const { ask } = await furnish()
    expect(await ask('DELETE', '/broker')).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } })
    expect((await ask('DELETE', '/broker')).headers.get('allow')).toBe('GET, HEAD')
    expect(await ask('GET', '/nothing')).toMatchObject({ status: 404, body: { code: 'not-found' } })
    expect(await ask('GET', '/%zz')).toMatchObject({ status: 404 })
  })

  test('an edit of what has been changed meanwhile', async () => {
    const { ask, state } = await furnish()
    const before = await state()
    const headers = { 'if-match': '"e0"' }
    for (const [method, path, body] of [
      ['PUT', '/user?username=x', { password: 'p' }],
      ['DELETE', '/user?username=ann', undefined],
      ['PUT', '/rules', { rules: [] }],
      ['PUT', '/rule?at=0', { allow: 'publish', filter: 'c' }],
      ['DELETE', '/rule?at=0', undefined],
    ] as const) {
      const { status, body: problem, headers: said } = await ask(method, path, { headers, body })
      expect([status, problem.code, said.get('etag')]).toEqual([409, 'edit-conflict', '"e1"'])
    }
    const { status, body } = await ask('DELETE', '/rule?at=0')
    expect([status, body.code]).toEqual([428, 'precondition-required'])
    for (const etag of ['e1', 'W/"e1"', '""', `"${'x'.repeat(500)}"`])
      expect((await ask('DELETE', '/user?username=ann', { headers: { 'if-match': etag } })).status).toBe(400)
    expect(await state()).toBe(before)
  })
})

const is4xx = (status: number): boolean => status >= 400 && status < 500

function badBodies({ body, type }: Sample): readonly unknown[] {
  const huge = 'x'.repeat(4_500_000)
  if (type !== undefined) return [huge]
  const given = body as Readonly<Record<string, unknown>>
  const [name = '', value] = Object.entries(given)[0] ?? []
  return [
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '\u0000',
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    { ...given, unknown: 1 },
    { ...given, [name]: null },
    { ...given, [name]: { toString: 1 } },
    ...(typeof value === 'string'
      ? [
          { ...given, [name]: 7 },
          { ...given, [name]: ['x'] },
        ]
      : []),
    `{"__proto__":{"admin":true},${JSON.stringify(given).slice(1)}`,
    { ...given, [name]: huge },
  ]
}
