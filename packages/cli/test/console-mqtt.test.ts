// MQTT over a WebSocket of the HTTP server, as the console's page speaks it: for whoever is logged in, and nobody else.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode } from '@godwit/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { TestTerminal } from './test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-console-'))
const data = join(home, 'data')
const terminal = new TestTerminal()
let ended: Promise<number>
let url: string
const cookies: Record<string, string> = {}
const tokens: Record<string, string> = {}

beforeAll(async () => {
  const config = join(home, 'godwit.yaml')
  writeFileSync(join(home, 'passwords'), '')
  writeFileSync(config, "auth: { passwordFile: passwords }\nacl: { rules: [{ allow: publish, filter: 'a' }] }\n")
  ended = terminal.run('broker', '--config', config, '--port', '0', '--data', data, '--http', '0')
  url = (await terminal.printed(/console and HTTP API {2}(http:\/\/[\d.:]+)/))[1]!
  for (const role of ['viewer', 'operator']) {
    const made = new TestTerminal()
    await made.run('token', 'create', role, '--role', role, '--data', data)
    tokens[role] = made.output.trim()
    let answer = await logIn(role)
    while (answer.status !== 200) answer = await logIn(role) // the file of tokens is looked at once a second
    cookies[role] = answer.headers.get('set-cookie')!.split(';')[0]!
  }
})
afterAll(async () => {
  terminal.interrupt()
  await ended
  rmSync(home, { recursive: true })
})

const logIn = async (role: string): Promise<Response> => {
  await new Promise((resolve) => setTimeout(resolve, 100)) // a token has a pace
  return fetch(`${url}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ token: tokens[role] }),
  })
}

/** What becomes of an upgrade: an open socket, or the status of the answer. */
async function opened(headers: Record<string, string>, path = '/mqtt', protocol = 'mqtt'): Promise<WebSocket | number> {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocol, { headers })
  socket.on('error', () => {})
  return Promise.race([
    once(socket, 'open').then(() => socket),
    once(socket, 'unexpected-response').then(([, { statusCode }]) => statusCode as number),
  ])
}

const asPage = (role: string) => ({ cookie: cookies[role]!, origin: url })
const connect = encode({ type: 'connect', version: 5, clientId: 'page', cleanStart: true, keepAliveSeconds: 0 }, 5)
const subscribe = encode({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: '#', qos: 0 }] }, 5)

describe('an upgrade is', () => {
  test('for an operator whose page is of this server, who then may do all, whatever the rules for others', async () => {
    const socket = (await opened(asPage('operator'))) as WebSocket
    socket.send(connect)
    const [connack] = await once(socket, 'message')
    expect([connack[0], connack[3]]).toEqual([0x20, 0])
    socket.send(subscribe)
    const [suback] = await once(socket, 'message')
    expect([suback[0], suback.at(-1)]).toEqual([0x90, 0])
    socket.terminate()
  })

  test('for nobody else', async () => {
    expect(await opened({ origin: url })).toBe(401)
    expect(await opened(asPage('viewer'))).toBe(403)
    expect(await opened({ ...asPage('operator'), origin: 'http://elsewhere.example' })).toBe(403)
    expect(await opened({ cookie: cookies.operator! })).toBe(403)
    expect(await opened({ ...asPage('operator'), host: 'elsewhere.example' })).toBe(421)
  })

  test('only for MQTT, at its path', async () => {
    expect(await opened(asPage('operator'), '/other')).toBe(404)
    expect(await opened(asPage('operator'), '/mqtt', 'chat')).toBe(400)
  })

  test('over when its token is revoked', async () => {
    const socket = (await opened(asPage('operator'))) as WebSocket
    socket.send(connect)
    await once(socket, 'message')
    const revoking = new TestTerminal()
    await revoking.run('token', 'revoke', 'operator', '--data', data)
    await once(socket, 'close')
    expect(await opened(asPage('operator'))).toBe(401)
  })
})
