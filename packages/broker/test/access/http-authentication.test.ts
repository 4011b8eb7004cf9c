import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type HttpAuthenticationOptions, type HttpAuthenticator, httpAuthentication } from '../../src/access/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { connectRequest } from './requests.js'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

type Answer = { status?: number; headers?: Record<string, string>; body: string } | 'never'

interface Service {
  readonly http: HttpAuthenticator
  readonly clock: VirtualClock
  readonly asked: { headers: IncomingHttpHeaders; body: unknown }[]
  readonly log: string[]
}

/** A service that answers like this, and who asks it. */
async function serviceOf(answer: () => Answer, options: Partial<HttpAuthenticationOptions> = {}): Promise<Service> {
  const asked: Service['asked'] = []
  const log: string[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => (text += chunk))
    request.on('end', () => {
      asked.push({ headers: request.headers, body: JSON.parse(text) })
      const given = answer()
      if (given !== 'never') response.writeHead(given.status ?? 200, given.headers).end(given.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () => void server.close(),
    () => server.closeAllConnections(),
  )
  const clock = new VirtualClock()
  const http = httpAuthentication({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`,
    clock,
    log: { log: (level, text, fields) => void log.push(`${level} ${text}: ${fields?.why}`) },
    ...options,
  })
  return { http, clock, asked, log }
}

const saying =
  (value: unknown): (() => Answer) =>
  () => ({ body: JSON.stringify(value) })
const request = connectRequest('alice', 'wonder')

describe('httpAuthentication', () => {
  it('tells the service who wants to come in', async () => {
    const { http, asked } = await serviceOf(saying({ result: 'allow' }), { headers: { authorization: 'Bearer x' } })
    await http.check(request)
    expect(asked).toMatchObject([
      {
        headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
        body: { clientId: 'c', username: 'alice', password: 'wonder', address: '192.0.2.1', version: 5 },
      },
    ])
  })

  it.each([
    [{ result: 'allow' }, {}],
    [
      { result: 'allow', username: 'bob', claims: { site: 'b' } },
      { username: 'bob', claims: { site: 'b' } },
    ],
    [{ result: 'deny' }, 'deny'],
    [{ result: 'ignore' }, 'not mine'],
  ])('%j', async (answer, verdict) => {
    expect(await (await serviceOf(saying(answer))).http.check(request)).toEqual(verdict)
  })

  it('takes over how long it holds', async () => {
    const { http, clock } = await serviceOf(saying({ result: 'allow', expiresInSeconds: 10 }))
    expect(await http.check(request)).toEqual({ expiresAt: clock.now() + 10_000 })
  })

  it.each<[string, Answer, string]>([
    ['another status', { status: 500, body: '{"result":"allow"}' }, 'the answer has status 500, not 200'],
    ['no JSON', { body: 'allow' }, 'is not valid JSON'],
    ['no result', { body: '{}' }, "the answer's result is undefined, not allow, deny or ignore"],
    ['null', { body: 'null' }, "the answer's result is undefined"],
    ['a user name that is none', { body: '{"result":"allow","username":1}' }, "the answer's username is no text"],
    ['claims that are none', { body: '{"result":"allow","claims":1}' }, "the answer's claims are no object"],
    [
      'an end that is none',
      { body: '{"result":"allow","expiresInSeconds":"1"}' },
      "the answer's expiresInSeconds is no number",
    ],
    ['too much', { body: `{"result":"allow","x":"${'x'.repeat(70_000)}"}` }, 'the answer is longer than 65536 bytes'],
    ['a redirection', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' }, 'fetch failed'],
    ['no answer in time', 'never', 'no answer in 400 ms'],
  ])('%s lets nobody in, is counted and logged, and not remembered', async (_, answer, why) => {
    const { http, asked, log } = await serviceOf(() => answer, { timeoutMs: answer === 'never' ? 400 : 10_000 })
    expect(await http.check(request)).toBe('unavailable')
    expect(await http.check(request)).toBe('unavailable')
    expect(asked).toHaveLength(2)
    expect(http.counts).toEqual({ asked: 2, cached: 0, failed: 2 })
    expect(log[0]).toContain('error http authentication failed: ')
    expect(log[0]).toContain(why)
  })

  it('asks again for other credentials, and for the same when the time is over', async () => {
    const { http, asked, clock } = await serviceOf(saying({ result: 'deny' }), { cacheSeconds: 10 })
    for (const _ of [1, 2]) expect(await http.check(request)).toBe('deny')
    expect(asked).toHaveLength(1)
    await http.check(connectRequest('alice', 'other'))
    await http.check(connectRequest('alice', 'wonder', { clientId: 'd' }))
    expect(asked).toHaveLength(3)
    clock.advance(10_000)
    await http.check(request)
    expect(asked).toHaveLength(4)
    expect(http.counts).toEqual({ asked: 4, cached: 1, failed: 0 })
  })

  it('holds an answer no longer than it holds itself', async () => {
    const { http, asked, clock } = await serviceOf(saying({ result: 'allow', expiresInSeconds: 5 }))
    await http.check(request)
    clock.advance(5000)
    await http.check(request)
    expect(asked).toHaveLength(2)
  })

  it('holds it for as long as was said, however the clock of the machine is set meanwhile', async () => {
    const { http, asked, clock } = await serviceOf(saying({ result: 'allow', expiresInSeconds: 10 }))
    await http.check(request)
    let stepMs = 0
    const now = vi.spyOn(clock, 'now').mockImplementation(() => Date.UTC(2026, 0, 1) + clock.monotonic() + stepMs)
    clock.advance(4000)
    for (stepMs of [3_600_000, -3_600_000]) {
      expect(await http.check(request)).toEqual({ expiresAt: clock.now() + 6000 })
    }
    expect(asked).toHaveLength(1)
    now.mockRestore()
  })

  it('has only so many requests under way', async () => {
    const { http } = await serviceOf(saying({ result: 'allow' }), { maxConcurrent: 2 })
    const answers = ['a', 'b', 'c'].map((clientId) => http.check(connectRequest('u', 'p', { clientId })))
    expect(await Promise.all(answers)).toEqual([{}, {}, 'unavailable'])
  })

  it('does not send passwords through a network without TLS', () => {
    expect(() => httpAuthentication({ url: 'http://auth.example/' })).toThrow(
      'url is http://auth.example/: without TLS',
    )
    expect(() => httpAuthentication({ url: 'http://auth.example/', allowHttp: true })).not.toThrow()
  })
})
