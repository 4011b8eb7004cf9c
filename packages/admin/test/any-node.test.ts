// What a node of a cluster answers while another one serves.
import { systemClock } from '@godwit/broker'
import { describe, expect, test } from 'vitest'
import { adminApi, type ClusterView, Logins, RecentLog } from '../src/index.js'
import { operations } from '../src/operations/all.js'
import { clusterView } from './parts.js'
import { type Rig, startRig, tokenOf, tokens } from './rig.js'
import { samples } from './samples.js'

const following: ClusterView = { ...clusterView, node: 'b', role: 'following' }

const follows = (view = following): Promise<Rig> => {
  const log = new RecentLog()
  log.log('info', 'this node is following', {})
  return startRig({ log, cluster: { view: () => view, handOver: async () => {} } }, {}, false)
}

describe('at a node that follows', () => {
  const ofBrokers = operations.filter(({ atAnyNode }) => !atAnyNode)
  test.each(ofBrokers.map((it) => [it.id, it] as const))('%s is answered with who serves', async (id, it) => {
    const { ask } = await follows()
    const { query, body, type, headers } = samples[id]
    const path = `${it.path}?${new URLSearchParams(query)}`
    const { status, body: problem } = await ask(it.method.toUpperCase(), path, {
      body,
      headers: { ...(type && { 'content-type': type }), ...headers },
    })
    expect([status, problem.code]).toEqual([503, 'not-serving'])
    expect(problem.detail).toBe('node b follows, and node a serves: ask it at https://a.example')
  })

  test('one may ask who one is, for the cluster, the log and the description', async () => {
    const { ask } = await follows()
    expect((await ask('GET', '/self')).body).toMatchObject({ name: 'admin', role: 'admin' })
    expect((await ask('GET', '/cluster')).body).toMatchObject({
      ...{ node: 'b', role: 'following', owner: 'a', acknowledged: { half: null, most: null } },
      nodes: [{ node: 'a', console: 'https://a.example' }, { node: 'b' }],
    })
    expect((await ask('GET', '/log')).body.lines).toMatchObject([{ message: 'this node is following' }])
    expect((await ask('GET', '/openapi.json')).status).toBe(200)
  })

  test('nobody is told who serves who may not know', async () => {
    const { ask } = await follows()
    expect(await ask('GET', '/clients', { as: 'nobody' })).toMatchObject({ status: 401 })
    expect(await ask('POST', '/cluster/handover', { as: 'viewer' })).toMatchObject({ status: 403 })
  })

  test('the log is followed, and what only a broker has is not', async () => {
    const { ask, follow } = await follows()
    const events = await follow('feeds=log')
    expect(await events.next()).toEqual({ event: 'open', data: { feeds: ['log'] } })
    await events.leave()
    for (const query of ['feeds=changes', 'feeds=log,metrics', 'traceClientId=c']) {
      expect([query, await ask('GET', `/events?${query}`)]).toMatchObject([query, { body: { code: 'not-serving' } }])
    }
  })

  test('while nobody serves, that is said, and to ask again', async () => {
    const { ask } = await follows({ ...following, role: 'claiming', owner: 'b' })
    const { status, headers, body } = await ask('GET', '/clients')
    expect([status, headers.get('retry-after')]).toEqual([503, '1'])
    expect(body.detail).toContain('node b serves nobody now')
  })
})

test('who has logged in stays so when the node takes over', async () => {
  const { broker, request } = await startRig()
  const logins = new Logins(tokens, systemClock)
  const before = adminApi(undefined, { tokens, logins })
  const login = await before.fetch(
    request('POST', '/api/v1/login', { as: 'nobody', body: { token: tokenOf('viewer') } }),
  )
  const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';')
  before.close()
  const after = adminApi(broker, { tokens, logins })
  const self = await after.fetch(request('GET', '/api/v1/self', { as: 'nobody', headers: { cookie } }))
  expect(await self.json()).toMatchObject({ name: 'viewer' })
  after.close()
})
