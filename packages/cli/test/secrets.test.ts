import { createHmac, createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, ServerRefusedError } from '@godwit/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { selfSigned } from './self-signed.js'
import { TestTerminal } from './test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-secrets-'))
const at = (name: string, text: string, mode = 0o600): string => {
  const path = join(home, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const tokenSecret = 'sesame, and so long that nobody guesses it'
const asked: (string | undefined)[] = []
const service = createServer((request, response) => {
  asked.push(request.headers.authorization)
  response.end('{"result": "allow"}')
})
const terminal = new TestTerminal()
let ended: Promise<number>
let tokenUrl: string
let serviceUrl: string
let ca: string

beforeAll(async () => {
  const { cert, key } = await selfSigned()
  ca = cert
  const locked = createPrivateKey(key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'sesame',
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  const { port } = service.address() as AddressInfo
  const config = at(
    'godwit.yaml',
    `listeners:
  - protocol: mqtts
    port: 0
    tls: { cert: ${at('cert.pem', cert)}, key: ${at('key.pem', String(locked))}, passphraseFile: ${at('passphrase', 'sesame\n')} }
    auth: { jwt: { secretFile: ${at('token-secret', `${tokenSecret}\n`, 0o644)} } }
  - port: 0
    auth: { http: { url: 'http://127.0.0.1:${port}/', headersFile: ${at('headers', 'Authorization: Bearer sesame\n')} } }
data: memory
`,
  )
  ended = terminal.run('broker', '--config', config)
  const [, tls, plain] = await terminal.printed(/listening on mqtts \S+?:(\d+), \S+?:(\d+)\n/)
  tokenUrl = `mqtts://localhost:${tls}`
  serviceUrl = `mqtt://127.0.0.1:${plain}`
})
afterAll(async () => {
  terminal.interrupt()
  expect(await ended).toBe(0)
  service.close()
  rmSync(home, { recursive: true })
})

/** Of HS256 (RFC 7519). */
function token(claims: object, secret: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256' })}.${part({ ...claims, exp: Math.floor(Date.now() / 1000) + 60 })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

test('the passphrase of a key and the secret of tokens come from files', async () => {
  const known = { tls: { ca }, reconnect: false } as const
  await using ann = await connect(tokenUrl, { ...known, password: token({ sub: 'ann' }, tokenSecret) })
  expect(ann).toBeDefined()
  await expect(connect(tokenUrl, { ...known, password: token({ sub: 'ann' }, 'x'.repeat(32)) })).rejects.toThrow(
    ServerRefusedError,
  )
})

test('so do the headers that a service is asked with', async () => {
  await using ann = await connect(serviceUrl, { username: 'ann', password: 'x', reconnect: false })
  expect(ann).toBeDefined()
  expect(asked).toEqual(['Bearer sesame'])
})

test('the log warns of the file that all may read, and says no secret', () => {
  expect(terminal.errors).toMatch(
    /"warn",.*token-secret \(listeners\[0\]\.auth\.jwt\.secretFile\) can be read by every user/,
  )
  expect(terminal.errors.match(/can be read by every user/g)).toHaveLength(1)
  expect(terminal.output + terminal.errors).not.toContain('sesame')
})

test('a line that is no header is told by its number, without what it says', async () => {
  const headers = at('wrong-headers', 'x: y\nBearer sesame\n')
  const config = at(
    'wrong.yaml',
    `data: memory\nauth: { http: { url: 'http://127.0.0.1/', headersFile: ${headers} } }\n`,
  )
  const refused = new TestTerminal()
  expect(await refused.run('broker', '--config', config)).toBe(1)
  expect(refused.errors).toBe(`godwit broker: ${headers}:2: it takes "name: value"\n`)
})
