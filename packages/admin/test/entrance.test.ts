import { describe, expect, test } from 'vitest'
import { misfit } from './described.js'
import { startRig, tokenOf } from './rig.js'

describe('who may come in', () => {
  test('nobody without a token, on loopback too', async () => {
    const { ask } = await startRig()
    const { status, headers, body } = await ask('GET', '/broker', { as: 'nobody' })
    expect([status, headers.get('content-type'), headers.get('www-authenticate')]).toEqual([
      401,
      'application/problem+json',
      'Bearer',
    ])
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      code: 'unauthenticated',
      detail: 'a token is needed: Authorization: Bearer TOKEN; godwit token create makes one',
    })
  })

  test.each(['Bearer', 'Bearer x y', 'Basic YTpi', `bearer${tokenOf('admin')}`, `Bearer ${'x'.repeat(5_000)}`])(
    'not by %.30s',
    async (authorization) => {
      const { ask } = await startRig()
      expect(await ask('GET', '/self', { as: 'nobody', headers: { authorization } })).toMatchObject({
        status: 401,
        body: { code: 'unauthenticated' },
      })
    },
  )

  test('a token has a name and a role', async () => {
    const { ask } = await startRig()
    expect((await ask('GET', '/self', { as: 'operator' })).body).toEqual({
      name: 'operator',
      role: 'operator',
      expiresAt: null,
    })
  })

  test('fifty requests a second, two hundred in a burst', async () => {
    const { ask, clock } = await startRig()
    for (let n = 0; n < 200; n++) expect((await ask('GET', '/self')).status).toBe(200)
    expect(await ask('GET', '/self')).toMatchObject({ status: 429, body: { code: 'too-many-requests' } })
    expect((await ask('GET', '/self', { as: 'viewer' })).status).toBe(200)
    clock.advance(20)
    expect((await ask('GET', '/self')).status).toBe(200)
  })

  test('who shows no token holds up nobody from another address', async () => {
    const { api, request } = await startRig()
    const from = async (address: string): Promise<number> =>
      (await api.fetch(request('GET', '/api/v1/self', { as: 'nobody' }), { address })).status
    for (let n = 0; n < 200; n++) expect(await from('192.0.2.1')).toBe(401)
    expect([await from('192.0.2.1'), await from('192.0.2.2')]).toEqual([429, 401])
  })
})

describe('a browser', () => {
  const own = { origin: 'http://localhost:18083' }

  test('logs in by a link, once, and stays by its cookie', async () => {
    const { ask, api, log } = await startRig()
    const code = api.loginCode()
    const { status, headers, body } = await ask('POST', '/login', { as: 'nobody', body: { code }, headers: own })
    expect([status, body.role]).toEqual([200, 'admin'])
    const set = headers.get('set-cookie')!
    expect(set).toMatch(/^godwit-18083=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
    const cookie = set.split(';')[0]!
    expect((await ask('GET', '/self', { as: 'nobody', headers: { cookie } })).body.name).toBe('login link 1')
    expect(log).toEqual(['info logged in {"by":"login link 1","address":"127.0.0.1"}'])

    const again = await ask('POST', '/login', { as: 'nobody', body: { code }, headers: own })
    expect(again).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  })

  test('a link is good for five minutes', async () => {
    const { ask, api, clock } = await startRig()
    const code = api.loginCode()
    clock.advance(5 * 60_000)
    expect((await ask('POST', '/login', { as: 'nobody', body: { code } })).status).toBe(401)
  })

  test('a cookie ends when it logs out, and after twelve hours', async () => {
    const { ask, api, clock } = await startRig()
    const logIn = async (): Promise<string> => {
      const { headers } = await ask('POST', '/login', { as: 'nobody', body: { code: api.loginCode() } })
      return headers.get('set-cookie')!.split(';')[0]!
    }
    const self = async (cookie: string): Promise<number> =>
      (await ask('GET', '/self', { as: 'nobody', headers: { cookie } })).status
    const [one, other] = [await logIn(), await logIn()]
    const out = await ask('POST', '/logout', { as: 'nobody', headers: { cookie: one, ...own } })
    expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')])
    expect([await self(one), await self(other)]).toEqual([401, 200])
    clock.advance(12 * 3_600_000)
    expect(await self(other)).toBe(401)
  })

  test('a wall clock that is set back lengthens neither a link nor a login', async () => {
    const { ask, api, clock } = await startRig()
    const cookie = await ask('POST', '/login', { as: 'nobody', body: { code: api.loginCode() } }).then(
      ({ headers }) => headers.get('set-cookie')!.split(';')[0]!,
    )
    const code = api.loginCode()
    const now = clock.now.bind(clock)
    clock.now = () => now() - 24 * 3_600_000
    clock.advance(5 * 60_000)
    expect((await ask('POST', '/login', { as: 'nobody', body: { code } })).status).toBe(401)
    clock.advance(12 * 3_600_000)
    expect((await ask('GET', '/self', { as: 'nobody', headers: { cookie } })).status).toBe(401)
  })

  test('under TLS its cookie is Secure', async () => {
    const { ask, api } = await startRig({ publicUrl: 'https://mqtt.example' })
    const { headers } = await ask('POST', '/login', {
      as: 'nobody',
      body: { code: api.loginCode() },
      headers: { host: 'mqtt.example', origin: 'https://mqtt.example' },
    })
    expect(headers.get('set-cookie')).toContain('Secure')
  })

  test('a page of another origin may not ask, and one that changes something has to say which it is', async () => {
    const { ask, api } = await startRig()
    const { headers } = await ask('POST', '/login', { as: 'nobody', body: { code: api.loginCode() } })
    const cookie = headers.get('set-cookie')!.split(';')[0]!
    const logOut = (more: Readonly<Record<string, string>>) =>
      ask('POST', '/logout', { as: 'nobody', headers: { cookie, ...more } })
    for (const foreign of [
      {},
      { origin: 'http://localhost:3000' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', ...own },
      { 'sec-fetch-site': 'none' },
    ])
      expect(await logOut(foreign)).toMatchObject({ status: 403, body: { code: 'foreign-origin' } })
    expect((await logOut({ 'sec-fetch-site': 'same-origin' })).status).toBe(204)
  })

  test('by a name that somebody has pointed to this machine it comes to nothing', async () => {
    const { ask } = await startRig({ publicUrl: 'https://mqtt.example', hosts: ['192.0.2.7:18083'] })
    const broker = async (host: string): Promise<number> => (await ask('GET', '/broker', { headers: { host } })).status
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80', 'mqtt.example:81'])
      expect(await broker(host)).toBe(421)
    for (const host of ['localhost:9000', '127.0.0.1:18083', '[::1]:18083', 'mqtt.example', '192.0.2.7:18083'])
      expect(await broker(host)).toBe(200)
  })
})

test('a page of it shows nothing of others, runs nothing, and is in no frame', async () => {
  const { ask } = await startRig()
  const { headers } = await ask('GET', '', { as: 'nobody' })
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  expect(headers.get('x-content-type-options')).toBe('nosniff')
})

test('an answer that is not as described would be seen', () => {
  const self = (status: number, body: unknown) => misfit('GET', '/api/v1/self', status, 'application/json', body)
  expect(self(200, { name: 'n', role: 'admin', expiresAt: null })).toBe('')
  expect(self(200, { name: 'n', role: 'king', expiresAt: null })).toContain('/role')
  expect(self(200, { name: 'n', role: 'admin', expiresAt: null, secret: 's' })).toContain('additional properties')
  expect(self(299, {})).toContain('may not answer 299')
})
