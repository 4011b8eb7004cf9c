// The HTTP API as `godwit broker` serves it: over sockets, with tokens of `godwit token` and links of `godwit console`.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { selfSigned } from './self-signed.js'
import { TestTerminal } from './test-terminal.js'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'godwit-http-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

interface Started {
  readonly terminal: TestTerminal
  readonly data: string
  readonly url: string
  readonly ended: Promise<number>
}

/** `godwit broker` on free ports; it ends with the test. */
async function start(args: readonly string[] = [], isTerminal = false): Promise<Started> {
  const data = folder()
  const terminal = new TestTerminal()
  if (isTerminal) Object.assign(terminal.stdout, { isTTY: true, hasColors: () => false })
  const ended = terminal.run('broker', '--port', '0', '--data', data, '--http', '0', ...args)
  onTestFinished(async () => {
    terminal.interrupt()
    expect([await ended, terminal.errors]).toEqual([0, expect.anything()])
  })
  const failed = ended.then(() => {
    throw new Error(terminal.errors)
  })
  failed.catch(() => {}) // it ends with the test, too
  const [, url = ''] = await Promise.race([terminal.printed(/console and HTTP API {2}(\S+)/), failed])
  return { terminal, data, url: url.replace(/\/#.*/, ''), ended }
}

async function ran(...args: readonly string[]) {
  const terminal = new TestTerminal()
  const code = await terminal.run(...args)
  return { code, said: terminal.output.trim(), problem: terminal.errors.trim() }
}

const tokenFor = async (data: string, role: string, name = role): Promise<string> =>
  (await ran('token', 'create', name, '--role', role, '--data', data)).said

const get = (url: string, token: string) => fetch(url, { headers: { authorization: `Bearer ${token}` } })

describe('served by godwit broker', () => {
  test('to who shows a token of godwit token; within a second that is revoked, and its stream ends', async () => {
    const { data, url } = await start()
    const token = await tokenFor(data, 'viewer')
    expect(token).toMatch(/^godwit_[\w-]{43}$/)
    expect(statSync(join(data, 'http-tokens.json')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(data, 'http-tokens.json'), 'utf8')).not.toContain(token.slice(7))
    await expect.poll(async () => (await get(`${url}/api/v1/self`, token)).status).toBe(200)
    const { body } = await get(`${url}/api/v1/events?feeds=changes`, token)
    const reader = body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toContain('event: open')
    expect(await ran('token', 'revoke', 'viewer', '--data', data)).toMatchObject({ code: 0, said: 'revoked viewer' })
    expect(Buffer.from((await reader.read()).value!).toString()).toContain('event: end')
    expect((await get(`${url}/api/v1/self`, token)).status).toBe(401)
  })

  test('with what the command knows: users, rules, log, configuration', async () => {
    const home = folder()
    writeFileSync(join(home, 'passwords'), '')
    writeFileSync(join(home, 'rules.yaml'), "rules:\n  - { allow: publish, filter: 'a/#' }\n")
    const config = join(home, 'godwit.yaml')
    writeFileSync(config, 'auth: { passwordFile: passwords }\nacl: { file: rules.yaml }\nlimits: { maxInflight: 7 }\n')
    const { data, url, terminal } = await start(['--config', config])
    const token = await tokenFor(data, 'admin')
    const ask = async (method: string, path: string, body?: unknown, type = 'application/json') => {
      const headers = { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': type }) }
      const sent = typeof body === 'string' ? body : JSON.stringify(body)
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers,
        ...(body !== undefined && { body: sent }),
      })
      return { status: response.status, body: response.status === 204 ? undefined : await response.json() }
    }
    expect((await ask('PUT', '/user?username=ann', { password: 'secret' })).body).toEqual({ created: true })
    expect(readFileSync(join(home, 'passwords'), 'utf8')).toMatch(/^ann:\$/)
    expect((await ask('GET', '/rules')).body).toMatchObject({ rules: [{ allow: 'publish', filter: 'a/#' }] })
    const question = { action: 'publish', topic: 'b', username: 'ann' }
    expect((await ask('POST', '/access/explain', question)).body).toEqual({
      allowed: false,
      rule: null,
      why: 'no rule allows it, and what none allows is denied',
    })
    expect(await ask('POST', '/access/explain', { ...question, topic: 'b/+' })).toMatchObject({ status: 400 })
    expect(await ask('POST', '/access/explain', { ...question, listener: 'x' })).toMatchObject({ status: 400 })
    const { settings } = (await ask('GET', '/configuration')).body as { settings: { name: string }[] }
    expect(settings.find(({ name }) => name === 'limits.maxInflight')).toEqual({
      name: 'limits.maxInflight',
      value: 7,
      origin: `${config}:3:11`,
    })
    expect(
      (await ask('POST', '/configuration/check', 'limits: { maxInflight: x, colour: 1 }', 'application/yaml')).body,
    ).toEqual({
      problems: [expect.stringContaining('configuration:1:11'), expect.stringContaining("'limits.colour'")],
    })
    expect(
      (await ask('POST', '/configuration/check', 'auth: { passwordFile: /nowhere }', 'application/yaml')).body,
    ).toEqual({
      problems: [],
    })
    expect((await ask('POST', '/reload')).body).toEqual({
      reloaded: ['password file', 'access rules'],
      needsRestart: [],
    })
    writeFileSync(config, 'colour: red\n')
    expect(await ask('POST', '/reload')).toMatchObject({ status: 409, body: { code: 'not-editable' } })
    expect((await ask('POST', '/backups')).body).toMatchObject({ code: 'not-editable' })
    const { lines } = (await ask('GET', '/log?count=1000')).body as { lines: { message: string; fields: object }[] }
    expect(lines.find(({ message }) => message === 'user set')?.fields).toMatchObject({ by: 'admin', username: 'ann' })
    expect(terminal.errors).not.toContain('secret')
    expect(terminal.errors).toContain('user set')
  })

  test('bodies of an unknown length, too', async () => {
    const { data, url } = await start()
    const token = await tokenFor(data, 'operator')
    const send = async (pieces: readonly string[]): Promise<number> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const request = plainRequest(`${url}/api/v1/publish`, { method: 'POST', headers })
      for (const piece of pieces) request.write(piece)
      request.end()
      const [response] = await once(request, 'response')
      response.resume()
      return response.statusCode
    }
    expect(await send(['{"topic":"a",', '"payload":"x"}'])).toBe(204)
    expect(
      await send(['{"topic":"a","payload":"', ...Array.from({ length: 50 }, () => 'x'.repeat(100_000)), '"}']),
    ).toBe(413)
    expect(await send(['{"topic":'])).toBe(400)
  })

  test('counters and health share its server when the addresses are the same', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    taken.close()
    await once(taken, 'close')
    const { url, terminal } = await start(['--http', `${port}`, '--metrics', `${port}`])
    expect(terminal.output).toContain(`metrics and health    ${url}/metrics`)
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok\n')
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('godwit_clients_connected 0')
    expect((await fetch(`${url}/api/v1/openapi.json`)).status).toBe(200)
  })

  test('an address that is taken costs a line, not the broker', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const terminal = new TestTerminal()
    const ended = terminal.run('broker', '--port', '0', '--data', 'memory', '--http', `${port}`)
    await terminal.printed(/listening on/)
    expect(terminal.errors).toContain(
      `there is no HTTP API and no console: cannot listen on 127.0.0.1:${port}: the port is taken`.slice(0, 70),
    )
    terminal.interrupt()
    expect(await ended).toBe(0)
  })

  test('not at all with --http none', async () => {
    const terminal = new TestTerminal()
    const ended = terminal.run('broker', '--port', '0', '--data', 'memory', '--http', 'none')
    await terminal.printed(/means/)
    expect(terminal.output).not.toContain('HTTP')
    terminal.interrupt()
    expect(await ended).toBe(0)
  })
})

describe('beyond this machine', () => {
  test('only over TLS, or where somebody says otherwise', async () => {
    const { code, problem } = await ran('broker', '--port', '0', '--data', 'memory', '--http', '0.0.0.0:0')
    expect([code, problem]).toEqual([
      1,
      'godwit broker: http.listen 0.0.0.0 can be reached by other machines, and tokens would go there without TLS; configure http.tls, or say http.allowInsecure: true behind a proxy that has it',
    ])
  })

  test('over TLS; certificates are read again', async () => {
    const home = folder()
    const write = async (): Promise<string> => {
      const { cert, key } = await selfSigned()
      writeFileSync(join(home, 'cert.pem'), cert)
      writeFileSync(join(home, 'key.pem'), key, { mode: 0o600 })
      return cert
    }
    const ca = await write()
    const config = join(home, 'godwit.yaml')
    writeFileSync(config, 'http: { tls: { cert: cert.pem, key: key.pem } }\n')
    const { url, data, terminal } = await start(['--config', config, '--http', '127.0.0.1:0'])
    expect(url).toMatch(/^https:/)
    const statusWith = (authority: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const path = `${url.replace('127.0.0.1', 'localhost')}/api/v1/openapi.json`
        const asked = tlsRequest(path, {
          ca: authority,
          agent: false,
          lookup: (_h, _o, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
        })
        asked.on('error', reject).on('response', (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        })
        asked.end()
      })
    expect(await statusWith(ca)).toBe(200)
    const other = await write()
    expect((await ran('reload', '--data', data)).said).toContain('certificates of the HTTP server')
    expect(await statusWith(other)).toBe(200)
    await expect(statusWith(ca)).rejects.toThrow()
    expect(terminal.errors).not.toContain('error')
  })
})

describe('a browser', () => {
  const logIn = (url: string, code: string) =>
    fetch(`${url}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({ code }),
    })

  test('is logged in by the link that a terminal is shown, and no log', async () => {
    const { terminal, url } = await start([], true)
    const [, code = ''] = /#login=([\w-]{43}) \(good once, for five minutes\)/.exec(terminal.output) ?? []
    expect(terminal.errors).not.toContain(code)
    const response = await logIn(url, code)
    expect(response.status).toBe(200)
    const cookie = response.headers.get('set-cookie')!
    expect(cookie).toMatch(
      new RegExp(`^godwit-${new URL(url).port}=[^;]+; Max-Age=\\d+; Path=/; HttpOnly; SameSite=Strict$`),
    )
    expect((await fetch(`${url}/api/v1/self`, { headers: { cookie: cookie.split(';')[0]! } })).status).toBe(200)
    expect((await logIn(url, code)).status).toBe(401)
  })

  test('elsewhere by the link of godwit console', async () => {
    const { terminal, url, data } = await start()
    expect(terminal.output).not.toContain('login')
    const { said } = await ran('console', '--data', data)
    expect(said).toMatch(new RegExp(`^${url}/#login=[\\w-]{43}$`))
    expect((await logIn(url, said.split('=')[1]!)).status).toBe(200)
    expect(terminal.errors).not.toContain(said.split('=')[1])
  })

  test('where none is served, godwit console says so', async () => {
    const data = folder()
    const terminal = new TestTerminal()
    const ended = terminal.run('broker', '--port', '0', '--data', data, '--http', 'none')
    await terminal.printed(/means/)
    expect((await ran('console', '--data', data)).problem).toContain('this broker serves no console')
    terminal.interrupt()
    await ended
  })
})

test.each([
  'GET * HTTP/1.1\r\nHost: localhost',
  'OPTIONS * HTTP/1.1\r\nHost: localhost',
  'GET /api/v1/self HTTP/1.1',
  'GET /api/v1/self HTTP/1.0',
  'GET /api/v1/self HTTP/1.1\r\nHost: a b',
  'GET /api/v1/self HTTP/1.1\r\nHost: localhost:99999999',
  'GET http://evil.example/api/v1/self HTTP/1.1\r\nHost: localhost',
  'GET //evil.example/api/v1/self HTTP/1.1\r\nHost: localhost',
  'GET /%00%ff%zz HTTP/1.1\r\nHost: localhost',
  'GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: localhost',
  'TRACE /api/v1/self HTTP/1.1\r\nHost: localhost',
  'BREW /api/v1/self HTTP/1.1\r\nHost: localhost',
  `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost`,
  'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked',
  'GET /mqtt HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket',
])('answers what is no request it knows: %.80s', async (head) => {
  const { url, terminal } = await start()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  socket.write(`${head}\r\nConnection: close\r\n\r\n`)
  await once(socket, 'close')
  expect(heard).toMatch(/^HTTP\/1\.1 4/)
  expect((await fetch(`${url}/api/v1/openapi.json`)).status).toBe(200)
  expect(terminal.errors).not.toMatch(/"level":"error"/)
})

test('the broker ends in order while pages are open', async () => {
  const { terminal, url, data, ended } = await start()
  const { said } = await ran('console', '--data', data)
  const response = await fetch(`${url}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ code: said.split('=')[1] }),
  })
  const cookie = response.headers.get('set-cookie')!.split(';')[0]!
  const page = new WebSocket(`${url.replace('http', 'ws')}/mqtt`, 'mqtt', { headers: { cookie }, origin: url })
  await once(page, 'open')
  const closed = once(page, 'close')
  const headers = { cookie, 'sec-fetch-site': 'same-origin' }
  const { body } = await fetch(`${url}/api/v1/events?feeds=changes`, { headers })
  const reader = body!.getReader()
  await reader.read()
  terminal.interrupt()
  expect(Buffer.from((await reader.read()).value!).toString()).toContain('the server is closing')
  await closed
  expect(await ended).toBe(0)
})

test('secrets are not in what the API shows of the configuration', async () => {
  const home = folder()
  const config = join(home, 'godwit.yaml')
  const jwt = { secret: 'not-to-be-seen-by-anybody-who-only-looks', issuer: 'me' }
  const http = {
    url: 'https://name:not-to-be-seen-by-anybody-who-only-looks@auth.example',
    headers: { authorization: 'not-to-be-seen-by-anybody-who-only-looks' },
  }
  writeFileSync(config, JSON.stringify({ auth: { jwt, http } }), { mode: 0o600 })
  const { url, data } = await start(['--config', config])
  const text = await (await get(`${url}/api/v1/configuration`, await tokenFor(data, 'viewer'))).text()
  expect(text).toContain('"auth.jwt.issuer"')
  expect(text).not.toContain('not-to-be-seen-by-anybody-who-only-looks')
})

describe('godwit token', () => {
  test('creates, lists and revokes', async () => {
    const data = join(folder(), 'data')
    const { code, said, problem } = await ran('token', 'create', 'grafana', '--expires', '90d', '--data', data)
    expect([code, said, problem]).toEqual([
      0,
      expect.stringMatching(/^godwit_/),
      expect.stringMatching(/^grafana is viewer until /),
    ])
    await tokenFor(data, 'admin', 'deploy')
    expect((await ran('token', 'list', '--data', data)).said).toMatch(
      /^grafana: viewer, since .*, until .*\ndeploy: admin, since \S+$/,
    )
    const listed = (await ran('token', 'list', '--json', '--data', data)).said
    expect(JSON.parse(listed)).toHaveLength(2)
    expect(listed).not.toContain('sha256')
    expect((await ran('token', 'create', 'grafana', '--data', data)).problem).toContain(
      'there is a token "grafana" already',
    )
    expect((await ran('token', 'revoke', 'nobody', '--data', data)).problem).toContain('there is no token "nobody"')
    expect((await ran('token', 'revoke', 'grafana', '--data', data)).said).toBe('revoked grafana')
  })

  test.each([
    [['create'], 'name the token'],
    [['create', 'a\nb'], 'a name has up to 100 letters'],
    [['create', 'a', '--role', 'king'], 'viewer, operator'],
    [['create', 'a', '--expires', 'soon'], 'it takes a number and m, h or d'],
    [['forge', 'a'], 'token takes create, list or revoke'],
  ])('%j', async (args, problem) => {
    const result = await ran('token', ...args, '--data', join(folder(), 'data'))
    expect(result).toMatchObject({ code: 1, said: '', problem: expect.stringContaining(problem) })
  })

  test('a broken file is not written over', async () => {
    const file = join(folder(), 'tokens.json')
    writeFileSync(file, 'mine')
    expect((await ran('token', 'create', 'a', '--file', file)).problem).toContain('it is no JSON; mend it')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })
})
