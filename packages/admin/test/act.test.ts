import { describe, expect, test } from 'vitest'
import { memoryParts } from './parts.js'
import { startRig } from './rig.js'

test('publishes, and says so without the payload', async () => {
  const { ask, broker, log } = await startRig()
  const body = { topic: 't', payload: 'secret', retain: true, properties: { userProperties: [['a', 'b']] } }
  expect((await ask('POST', '/publish', { as: 'operator', body })).status).toBe(204)
  expect(String((await broker.retained.get('t'))?.payload)).toBe('secret')
  expect(log).toEqual(['info published {"by":"operator","address":"127.0.0.1","topic":"t","qos":0,"retain":true}'])
})

test('not to what is no topic, nor to the broker’s own', async () => {
  const { ask } = await startRig()
  for (const topic of ['a/+', '$SYS/x', '\u0000'])
    expect(await ask('POST', '/publish', { body: { topic } })).toMatchObject({
      status: 400,
      body: { code: 'invalid-topic' },
    })
  const body = { topic: 't', payload: 'no base64!', encoding: 'base64' }
  expect(await ask('POST', '/publish', { body })).toMatchObject({ status: 400, body: { code: 'invalid-request' } })
})

test('a client is disconnected, its session stays; then it is ended', async () => {
  const { ask, broker, connect, log } = await startRig()
  const client = await connect('c', { sessionExpirySeconds: 60 })
  const closed = new Promise((resolve) => client.on('close', resolve))
  expect((await ask('POST', '/client/disconnect?clientId=c', { body: {} })).status).toBe(204)
  await closed
  expect((await ask('POST', '/client/disconnect?clientId=c', { body: {} })).status).toBe(404)
  expect((await ask('GET', '/session?clientId=c')).body.connected).toBe(false)
  expect((await ask('DELETE', '/session?clientId=c')).status).toBe(204)
  expect(await broker.sessions.count()).toBe(0)
  expect(log).toEqual([
    'info client disconnected {"by":"admin","address":"127.0.0.1","clientId":"c"}',
    'info session ended {"by":"admin","address":"127.0.0.1","clientId":"c"}',
  ])
})

test('retained messages are removed by filter', async () => {
  const { ask, broker } = await startRig()
  for (const topic of ['a/1', 'a/2', 'b']) await broker.publish(topic, 'x', { retain: true })
  expect((await ask('DELETE', '/retained?filter=a/%23')).body).toEqual({ removed: 2 })
  expect(await broker.retained.count()).toBe(1)
  expect((await ask('DELETE', '/retained?filter=a%23')).body.code).toBe('invalid-topic')
})

describe('users', () => {
  test('are added and changed; who is removed is disconnected', async () => {
    const { ask, connect, broker } = await startRig(memoryParts())
    expect((await ask('PUT', '/user?username=ben', { body: { password: 'p' } })).body).toEqual({ created: true })
    const { body, headers } = await ask('GET', '/users')
    expect(body).toEqual({ users: [{ username: 'ann' }, { username: 'ben' }] })
    const [one, other] = [await connect('1', { username: 'ben' }), await connect('2', { username: 'ann' })]
    const closed = new Promise((resolve) => one.on('close', resolve))
    const etag = headers.get('etag')!
    expect((await ask('DELETE', '/user?username=ben', { headers: { 'if-match': etag } })).body).toEqual({
      disconnected: 1,
    })
    await closed
    expect(await broker.clients.get('2')).toBeDefined()
    expect(other.state).toBe('connected')
  })

  test('a name that a password file cannot hold is refused in words', async () => {
    const { ask } = await startRig(memoryParts())
    const { status, body } = await ask('PUT', `/user?username=${encodeURIComponent('a:b\n')}`, {
      body: { password: 'p' },
    })
    expect([status, body.code, body.detail]).toEqual([
      400,
      'invalid-option',
      'a user name has no : and no control characters',
    ])
  })
})

test('access rules are edited where they were seen, and explained', async () => {
  const { ask } = await startRig(memoryParts())
  const { headers } = await ask('POST', '/rules?at=0', { body: { deny: 'publish', filter: 'a/x' } })
  const explain = async (topic: string) =>
    (await ask('POST', '/access/explain', { body: { action: 'publish', topic, username: 'ann' } })).body
  expect(await explain('a/x')).toEqual({
    allowed: false,
    rule: { deny: 'publish', filter: 'a/x', where: 'access rule 1' },
    why: null,
  })
  expect((await ask('DELETE', '/rule?at=0', { headers: { 'if-match': headers.get('etag')! } })).status).toBe(204)
  expect((await explain('a/x')).allowed).toBe(true)
  expect(await explain('b')).toEqual({ allowed: false, rule: null, why: null })
})

test('what the server fails over is in its log, not in the answer', async () => {
  const { configuration } = memoryParts()
  const reload = () => Promise.reject(new Error('/etc/secret'))
  const { ask, log } = await startRig({ configuration: { ...configuration!, reload } })
  const { status, body } = await ask('POST', '/reload')
  expect([status, body.code, body.detail]).toEqual([
    500,
    'failed',
    'the server failed over this request; its log has more',
  ])
  expect(log.join()).toContain('/etc/secret')
})
