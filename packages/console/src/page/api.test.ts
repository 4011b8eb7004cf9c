import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { call, get, listenToLink, Problem } from './api.js'

const answers = vi.fn<(url: string, init: RequestInit) => Promise<Response>>()
vi.stubGlobal('fetch', answers)
const link: string[] = []
beforeEach(() => {
  listenToLink({
    answered: () => link.push('answered'),
    unreachable: () => link.push('unreachable'),
    unauthenticated: () => link.push('unauthenticated'),
  })
})
afterEach(() => {
  answers.mockReset()
  link.length = 0
})

const problem = (status: number, code: string, headers = {}): Response =>
  new Response(JSON.stringify({ status, code, detail: 'in words' }), { status, headers })

test('a question is a URL of this server, with what is said of it', async () => {
  answers.mockResolvedValue(Response.json({ items: [] }))
  expect(await get('/clients', { search: 'a&b/#', limit: 5, sort: undefined })).toEqual({ items: [] })
  expect(answers.mock.calls[0]![0]).toBe('/api/v1/clients?search=a%26b%2F%23&limit=5')
  expect(link).toEqual(['answered'])
})

test('an edit says what it was made from, and learns what is there now', async () => {
  answers.mockResolvedValue(new Response(null, { status: 204, headers: { etag: '"new"' } }))
  expect(await call('DELETE', '/rule', { query: { at: 0 }, etag: 'old' })).toEqual({ value: undefined, etag: 'new' })
  expect(answers.mock.calls[0]![1].headers).toMatchObject({ 'if-match': '"old"' })
})

test('a problem is told in its own words', async () => {
  answers.mockResolvedValue(problem(409, 'edit-conflict', { etag: '"theirs"' }))
  await expect(get('/rules')).rejects.toMatchObject({
    status: 409,
    code: 'edit-conflict',
    message: 'in words',
    etag: 'theirs',
  })
  answers.mockResolvedValue(new Response('<h1>Bad Gateway</h1>', { status: 502 }))
  await expect(get('/rules')).rejects.toMatchObject({ status: 502, message: 'the server answers 502' })
})

test('whoever is not known any more is told so, and so is a server that does not answer', async () => {
  answers.mockResolvedValue(problem(401, 'unauthenticated'))
  await expect(get('/self')).rejects.toBeInstanceOf(Problem)
  answers.mockRejectedValue(new TypeError('Failed to fetch'))
  await expect(get('/self')).rejects.toMatchObject({ status: 0, code: 'unreachable' })
  expect(link).toEqual(['answered', 'unauthenticated', 'unreachable'])
})

test('what is called off is no failure of the server', async () => {
  const calledOff = new AbortController()
  answers.mockImplementation(async (_, { signal }) => {
    calledOff.abort()
    throw signal!.reason
  })
  await expect(get('/clients', {}, calledOff.signal)).rejects.toMatchObject({ name: 'AbortError' })
  expect(link).toEqual([])
})
