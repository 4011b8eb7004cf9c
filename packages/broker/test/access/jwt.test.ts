import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { type JwtOptions, jwt } from '../../src/access/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { connectRequest } from './requests.js'

const clock = new VirtualClock()
const now = Math.floor(clock.now() / 1000)
const secret = 'a secret of thirty-two bytes or more'
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const signed = (
  claims: Record<string, unknown>,
  alg = 'HS256',
  key: Parameters<SignJWT['sign']>[0] = Buffer.from(secret),
  kid?: string,
) =>
  new SignJWT({ sub: 'alice', exp: now + 60, ...claims })
    .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
    .sign(key)

const check = async (options: JwtOptions, token: string) =>
  jwt({ clock, ...options }).check(connectRequest('whoever', token))

describe('a token', () => {
  it('says who the client is, what is known of it, and until when', async () => {
    expect(await check({ secret }, await signed({ site: 'berlin' }))).toEqual({
      username: 'alice',
      claims: { sub: 'alice', exp: now + 60, site: 'berlin' },
      expiresAt: (now + 65) * 1000, // clocks may differ by 5 s
    })
    expect(await check({ secret, usernameClaim: 'mqtt_user' }, await signed({ mqtt_user: 'bob' }))).toMatchObject({
      username: 'bob',
    })
    expect(await check({ publicKey: pem }, await signed({}, 'ES256', privateKey))).toMatchObject({ username: 'alice' })
  })

  it.each([
    ['expired', { exp: now - 6 }, {}],
    ['not valid yet', { nbf: now + 60 }, {}],
    ['without exp', { exp: undefined }, {}],
    ['of another issuer', { iss: 'them' }, { issuer: 'us' }],
    ['without an issuer', {}, { issuer: 'us' }],
    ['for another audience', { aud: 'web' }, { audience: ['mqtt', 'iot'] }],
    ['without the user name', {}, { usernameClaim: 'mqtt_user' }],
    ['with a user name that is none', { sub: '' }, {}],
    ['of an algorithm that is not taken', {}, { algorithms: ['HS512'] }],
  ])('%s is refused', async (_, claims, options: JwtOptions) => {
    expect(await check({ secret, ...options }, await signed(claims))).toBe('deny')
  })

  it('signed with another key, with none, or with the public key as a secret, is refused', async () => {
    expect(await check({ secret }, await signed({}, 'HS256', Buffer.from(`other ${secret}`)))).toBe('deny')
    expect(await check({ secret }, new UnsecuredJWT({ sub: 'alice', exp: now + 60 }).encode())).toBe('deny')
    expect(await check({ publicKey: pem }, await signed({}, 'HS256', Buffer.from(pem)))).toBe('deny')
    expect(
      await check({ publicKey: pem, algorithms: ['HS256', 'ES256'] }, await signed({}, 'HS256', Buffer.from(pem))),
    ).not.toMatchObject({ username: 'alice' })
  })

  it('is the password; any other password is for other authenticators', async () => {
    expect(await check({ secret }, 'wonder')).toBe('not mine')
    expect(await check({ secret }, '')).toBe('not mine')
    expect(await check({ secret }, 'a.b.c')).toBe('deny')
  })
})

describe('keys from a URL', () => {
  async function keyServer(
    respond: () => { status?: number; keys: unknown },
  ): Promise<{ url: string; asked: () => number }> {
    let asked = 0
    const server = createServer((_, response) => {
      asked++
      const { status = 200, keys } = respond()
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }))
    })
    closing.push(() => void server.close())
    closing.push(() => server.closeAllConnections())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, asked: () => asked }
  }

  it('are fetched once, and chosen by kid', async () => {
    const { url, asked } = await keyServer(() => ({ keys: [{ ...jwk, kid: 'k1' }] }))
    const jwk = await exportJWK(publicKey)
    const one = jwt({ jwksUrl: url, clock })
    for (const _ of [1, 2, 3]) {
      expect(await one.check(connectRequest('', await signed({}, 'ES256', privateKey, 'k1')))).toMatchObject({
        username: 'alice',
      })
    }
    expect(await one.check(connectRequest('', await signed({}, 'ES256', privateKey, 'k2')))).toBe('deny')
    expect(asked()).toBe(1)
  })

  it('that cannot be had let nobody in', async () => {
    const { url } = await keyServer(() => ({ status: 503, keys: [] }))
    const token = await signed({}, 'ES256', privateKey, 'k1')
    expect(await check({ jwksUrl: url }, token)).toBe('unavailable')
    const garbage = await keyServer(() => ({ keys: 'none' }))
    expect(await check({ jwksUrl: garbage.url }, token)).toBe('unavailable')
    expect(await check({ jwksUrl: 'http://127.0.0.1:1/' }, token)).toBe('unavailable')
  })
})

describe('options', () => {
  it.each([
    [{}, 'jwt takes exactly one of secret, publicKey and jwksUrl'],
    [{ secret, publicKey: pem }, 'jwt takes exactly one of secret, publicKey and jwksUrl'],
    [{ secret: 'short' }, 'the secret of tokens has 5 bytes; it takes 32 or more'],
    [{ publicKey: 'x' }, 'publicKey cannot be used'],
    [
      { publicKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
      'publicKey cannot be used: it is a private key',
    ],
    [
      { jwksUrl: 'http://keys.example/' },
      'jwksUrl is http://keys.example/: without TLS anyone on the way can read and answer',
    ],
    [{ jwksUrl: 'keys' }, 'jwksUrl is "keys"; it takes a URL'],
    [{ secret, algorithms: ['none'] }, 'algorithms is none; it takes HS256'],
  ])('%j: %s', (options: JwtOptions, problem) => {
    expect(() => jwt(options)).toThrow(problem)
  })
})
