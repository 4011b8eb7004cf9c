// The HTTP API behind other people's servers, configured as docs/security.md says: requests, logins, streams, WebSockets.
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { Authority } from '../../packages/broker/test/transports/certificates.js'
import { Background, freePort } from '../../scripts/background.mjs'
import { godwitMain, godwitMissing } from './godwit-command.js'
import { needs } from './needs.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-proxies-'))
const at = (name: string): string => join(home, name)
const page = readFileSync(fileURLToPath(new URL('../../docs/security.md', import.meta.url)), 'utf8')
const godwit = { missing: godwitMissing }
let broker: Background
let authority: Authority
let token: string
let port: number

beforeAll(async () => {
  if (godwitMissing !== undefined) return
  authority = await Authority.create('Test CA')
  const { cert, key } = await authority.issue('mqtt.example')
  writeFileSync(at('server.crt'), cert)
  writeFileSync(at('server.key'), key, { mode: 0o600 })
  const data = at('data')
  const create = ['token', 'create', 'me', '--role', 'admin', '--data', data]
  const created = await Background.start([process.execPath, godwitMain, ...create])
  await created.success()
  token = /godwit_\S+/.exec(created.output)?.[0] ?? ''
  port = await freePort()
  writeFileSync(at('godwit.yaml'), 'http: { publicUrl: "https://mqtt.example" }\n')
  const where = ['--config', at('godwit.yaml'), '--port', '0', '--http', `${port}`, '--data', data]
  const command = [process.execPath, godwitMain, 'broker', ...where]
  broker = await Background.start(command, { ready: /console and HTTP API/ })
}, 60_000)
afterAll(async () => {
  await broker?.stop()
  rmSync(home, { recursive: true })
})

interface Proxy {
  readonly name: string
  readonly missing: string | undefined
  /** Starts it; it ends with the test. @param own its port. */
  start(own: number): Promise<Background>
}

function pathOf(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/** The block of the page that begins so, with this machine's ports and files. */
function configured(beginning: string, own: number): string {
  const block =
    page
      .split('```text\n')
      .find((text) => text.startsWith(beginning))
      ?.split('```')[0] ?? ''
  return block
    .replaceAll('127.0.0.1:18083', `127.0.0.1:${port}`)
    .replaceAll('/etc/godwit', home)
    .replace('listen 443', `listen 127.0.0.1:${own}`)
}

const proxies: readonly Proxy[] = [
  {
    name: 'nginx',
    missing: pathOf('nginx') ? undefined : 'nginx is not installed: apt-get install nginx-light',
    async start(own) {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${at(kind)};`,
      )
      const user = process.getuid?.() === 0 ? 'user root;' : ''
      const text = `${user} daemon off; pid ${at('nginx.pid')}; error_log stderr notice; events {}
        http { access_log off; ${temporary.join(' ')} ${configured('server {', own)} }`
      writeFileSync(at('nginx.conf'), text)
      return Background.start([pathOf('nginx')!, '-p', home, '-c', at('nginx.conf')], {
        ready: /start worker process \d+/,
      })
    },
  },
  {
    name: 'Caddy',
    missing: pathOf('caddy') ? undefined : 'caddy is not installed: apt-get install caddy',
    async start(own) {
      const site = configured('mqtt.example {', own)
        .replace('mqtt.example', `https://mqtt.example:${own}`)
        .replace('{', `{\n  tls ${at('server.crt')} ${at('server.key')}`)
      writeFileSync(at('Caddyfile'), `{\n  admin off\n  auto_https disable_redirects\n}\n${site}`)
      const command = [pathOf('caddy')!, 'run', '--adapter', 'caddyfile', '--config', at('Caddyfile')]
      return Background.start(command, { ready: /serving initial configuration/ })
    },
  },
]

describe.for(proxies)('behind $name', (proxy) => {
  const start = async () => {
    const own = await freePort()
    const running = await proxy.start(own)
    onTestFinished(() => void running.stop())
    const options = (headers: RequestOptions['headers'] = {}): RequestOptions => ({
      ...{ host: '127.0.0.1', port: own, servername: 'mqtt.example', ca: authority.cert, agent: false },
      headers: { host: 'mqtt.example', ...headers },
    })
    const ask = async (method: string, path: string, headers: RequestOptions['headers'], body?: string) => {
      const asked = request({ ...options(headers), method, path: `/api/v1${path}` })
      asked.end(body)
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      return response
    }
    return { own, options, ask }
  }
  const bearer = () => ({ authorization: `Bearer ${token}` })
  const json = { 'content-type': 'application/json' }

  test('requests, as large as a message may be', async (context) => {
    needs(context, godwit, proxy)
    const { ask } = await start()
    expect((await ask('GET', '/self', bearer())).statusCode).toBe(200)
    expect((await ask('GET', '/self', {})).statusCode).toBe(401)
    const body = JSON.stringify({ topic: 'a', payload: 'x'.repeat(1_500_000) })
    expect((await ask('POST', '/publish', { ...bearer(), ...json }, body)).statusCode).toBe(204)
  })

  test('events come at once', async (context) => {
    needs(context, godwit, proxy)
    const { ask } = await start()
    const stream = await ask('GET', '/events?feeds=changes', bearer())
    const next = async (): Promise<string> => String((await once(stream, 'data'))[0])
    expect(await next()).toContain('event: open')
    const body = JSON.stringify({ topic: proxy.name, payload: 'x', retain: true })
    const heard = next()
    await ask('POST', '/publish', { ...bearer(), ...json }, body)
    expect(await heard).toContain(`"topic":"${proxy.name}"`)
    stream.destroy()
  })

  test('a browser logs in, and has its WebSocket; one of another origin has not', async (context) => {
    needs(context, godwit, proxy)
    const { ask, own, options } = await start()
    const link = await Background.start([process.execPath, godwitMain, 'console', '--data', at('data')])
    await link.success()
    const [, code] = /^https:\/\/mqtt\.example\/#login=(\S+)/.exec(link.output) ?? []
    const origin = 'https://mqtt.example'
    const login = await ask('POST', '/login', { ...json, origin }, JSON.stringify({ code }))
    const cookie = login.headers['set-cookie']?.[0] ?? ''
    expect([login.statusCode, cookie]).toEqual([200, expect.stringContaining('; Secure; SameSite=Strict')])
    const open = (from: string): Promise<string> =>
      new Promise((resolve) => {
        const { ca, servername } = options()
        const headers = { host: 'mqtt.example', cookie: cookie.split(';')[0] ?? '' }
        const page = new WebSocket(`wss://127.0.0.1:${own}/mqtt`, 'mqtt', {
          headers,
          origin: from,
          ca,
          servername,
        } as never)
        page.on('open', () => {
          resolve('open')
          page.close()
        })
        page.on('error', ({ message }) => resolve(message))
      })
    expect(await open(origin)).toBe('open')
    expect(await open('https://evil.example')).toContain('403')
  })
})
