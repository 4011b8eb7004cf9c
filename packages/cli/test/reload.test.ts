import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashPassword } from '@godwit/broker/access'
import { type ConnectOptions, connect, ServerRefusedError, SubscriptionRefusedError } from '@godwit/client'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { selfSigned } from './self-signed.js'
import { TestTerminal } from './test-terminal.js'

let home: string
let stop: () => Promise<void>
let terminal: TestTerminal
let passwords: string
beforeAll(async () => {
  passwords = `ann:${await hashPassword(Buffer.from('secret'))}\n`
})
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'godwit-reload-'))
})
afterEach(async () => {
  await stop()
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})

const at = (name: string, text: string): string => {
  writeFileSync(join(home, name), text)
  return join(home, name)
}

const configured = (text: string): string => at('godwit.yaml', `data: memory\n${text}`)

/** A broker with this configuration, once it listens. Answers the port of its first listener. */
async function started(text: string): Promise<number> {
  terminal = new TestTerminal()
  const ended = terminal.run('broker', '--config', configured(text), '--control', join(home, 'control.sock'))
  const [, port] = await terminal.printed(/listening on (?:\w+ )?[\d.]+:(\d+)/)
  await terminal.printed(/an acknowledgement/)
  stop = async () => {
    terminal.interrupt()
    expect(await ended).toBe(0)
  }
  return Number(port)
}

/** What `godwit reload` says, by line, after this has become the configuration. */
async function reloaded(text: string): Promise<readonly string[]> {
  configured(text)
  const asking = new TestTerminal()
  await asking.run('reload', '--control', join(home, 'control.sock'))
  return `${asking.output}${asking.errors}`.trim().split('\n')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

type Options = ConnectOptions

/** `in`, `refused`, or `nobody` where nobody listens. */
async function comesIn(port: number, options: Options = {}, scheme = 'mqtt'): Promise<string> {
  try {
    await using _client = await connect(`${scheme}://${scheme === 'mqtts' ? 'localhost' : '127.0.0.1'}:${port}`, {
      reconnect: false,
      ...options,
    })
    return 'in'
  } catch (error) {
    return error instanceof ServerRefusedError ? 'refused' : 'nobody'
  }
}

const ann = { username: 'ann', password: 'secret' }

describe('listeners', () => {
  test('one is added, and one removed, whose clients are disconnected', async () => {
    const [first, second] = [await freePort(), await freePort()]
    await started(`listeners: [{ port: ${first} }]`)
    const client = await connect(`mqtt://127.0.0.1:${first}`, { version: 5, reconnect: false })
    const ended = new Promise<string>((resolve) => client.on('close', ({ error }) => resolve(String(error))))
    expect(await reloaded(`listeners: [{ port: ${first} }, { port: ${second} }]`)).toEqual([
      `reloaded: listener 127.0.0.1:${second} opened`,
    ])
    expect(await comesIn(second)).toBe('in')
    expect(await reloaded(`listeners: [{ port: ${second} }]`)).toEqual([`reloaded: listener 127.0.0.1:${first} closed`])
    expect(await ended).toMatch(/this listener has been closed/)
    expect([await comesIn(first), await comesIn(second)]).toEqual(['nobody', 'in'])
  })

  test('a port that is in use: nothing at all is taken up, and one line says why', async () => {
    const [first, second] = [await freePort(), await freePort()]
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((listening) => other.once('listening', listening))
    const { port: taken } = other.address() as { port: number }
    await started(`listeners: [{ port: ${first} }]`)
    const wrong = `allowAnonymous: true
features: { emptyClientIds: false }
listeners: [{ port: ${second} }, { port: ${taken} }]`
    expect(await reloaded(wrong)).toEqual([
      expect.stringMatching(
        /^godwit reload: .*godwit\.yaml:4:\d+: cannot listen on 127\.0\.0\.1:\d+: the port is in use by another program; end that program or choose another port$/,
      ),
    ])
    expect([await comesIn(first), await comesIn(second)]).toEqual(['in', 'nobody'])
    other.close()
  })

  test('TLS at the same port: who came without it has to come again', async () => {
    const { cert, key } = await selfSigned()
    at('cert.pem', cert)
    at('key.pem', key)
    const port = await freePort()
    await started(`listeners: [{ port: ${port} }]`)
    const client = await connect(`mqtt://127.0.0.1:${port}`, { reconnect: false })
    const ended = new Promise((resolve) => client.on('close', resolve))
    expect(
      await reloaded(`listeners: [{ port: ${port}, protocol: mqtts, tls: { cert: cert.pem, key: key.pem } }]`),
    ).toEqual([`reloaded: listener mqtts 127.0.0.1:${port} changed`])
    await ended
    expect(await comesIn(port, { tls: { ca: cert } }, 'mqtts')).toBe('in')
    expect(await comesIn(port)).toBe('nobody')
  })

  test('other options at the same address: who is connected stays', async () => {
    const port = await freePort()
    await started(`listeners: [{ port: ${port}, protocol: ws, path: /one }]`)
    const client = await connect(`ws://127.0.0.1:${port}/one`, { reconnect: false })
    expect(await reloaded(`listeners: [{ port: ${port}, protocol: ws, path: /two }]`)).toEqual([
      `reloaded: listener ws 127.0.0.1:${port} changed`,
    ])
    await client.publish('a', 'x', { qos: 1 })
    await using other = await connect(`ws://127.0.0.1:${port}/two`, { reconnect: false })
    await other.publish('a', 'x', { qos: 1 })
    await expect(connect(`ws://127.0.0.1:${port}/one`, { reconnect: false })).rejects.toThrow()
    await client.close()
  })

  test('an address that takes in the one before gives way, and comes back where it cannot be', async () => {
    const [port, taken] = [await freePort(), await freePort()]
    const other = createServer().listen(taken, '127.0.0.1')
    await new Promise((listening) => other.once('listening', listening))
    await started(`listeners: [{ port: ${port} }]`)
    const open = `allowAnonymous: true\nlisteners: [{ port: ${port}, host: 0.0.0.0 }`
    expect(await reloaded(`${open}, { port: ${taken} }]`)).toEqual([expect.stringMatching(/cannot listen on/)])
    expect(await comesIn(port)).toBe('in')
    expect(await reloaded(`${open}]`)).toEqual([
      'reloaded: allowAnonymous',
      `reloaded: listener 0.0.0.0:${port} opened`,
      `reloaded: listener 127.0.0.1:${port} closed`,
    ])
    expect(await comesIn(port)).toBe('in')
    other.close()
  })

  test('two that change their places', async () => {
    const [one, two] = [await freePort(), await freePort()]
    await started(
      `listeners: [{ port: ${one}, allowAnonymous: true }, { port: ${two} }]\nauth: { passwordFile: ${at('passwords', passwords)} }`,
    )
    expect([await comesIn(one), await comesIn(two)]).toEqual(['in', 'refused'])
    await reloaded(
      `listeners: [{ port: ${two}, allowAnonymous: true }, { port: ${one} }]\nauth: { passwordFile: passwords }`,
    )
    expect([await comesIn(one), await comesIn(two)]).toEqual(['refused', 'in'])
    expect(await comesIn(one, ann)).toBe('in')
  })
})

describe('who may come in', () => {
  test('passwords are asked for from now on, and no longer', async () => {
    at('passwords', passwords)
    const port = await freePort()
    const open = `listeners: [{ port: ${port} }]`
    await started(open)
    await using present = await connect(`mqtt://127.0.0.1:${port}`, { reconnect: false })
    expect(await reloaded(`${open}\nauth: { passwordFile: passwords }`)).toEqual([
      'reloaded: password file',
      'reloaded: auth.passwordFile',
      `reloaded: listener 127.0.0.1:${port} changed`,
    ])
    expect([await comesIn(port), await comesIn(port, ann)]).toEqual(['refused', 'in'])
    await present.publish('a', 'x', { qos: 1 }) // it is in
    expect(await reloaded(open)).toContain('reloaded: auth.passwordFile')
    expect(await comesIn(port)).toBe('in')
  })

  test('another password file, and one that is not there: then the old one stays', async () => {
    at('passwords', passwords)
    at('others', passwords.replace('ann', 'bob'))
    const port = await freePort()
    const open = `listeners: [{ port: ${port} }]`
    await started(`${open}\nauth: { passwordFile: passwords }`)
    await reloaded(`${open}\nauth: { passwordFile: others }`)
    expect([await comesIn(port, ann), await comesIn(port, { ...ann, username: 'bob' })]).toEqual(['refused', 'in'])
    expect(await reloaded(`${open}\nauth: { passwordFile: gone }\nfeatures: { emptyClientIds: false }`)).toEqual([
      expect.stringMatching(
        /godwit\.yaml:3:\d+: auth\.passwordFile: cannot read .*gone: no such file or directory; make it/,
      ),
    ])
    expect(await comesIn(port, { ...ann, username: 'bob' })).toBe('in')
  })

  test('rules that come hold for present clients, and are gone again', async () => {
    const port = await freePort()
    const open = `listeners: [{ port: ${port} }]`
    await started(open)
    await using client = await connect(`mqtt://127.0.0.1:${port}`, { reconnect: false })
    await using _own = await client.subscribe('a/#')
    const rules = "acl: { rules: [{ allow: [publish, subscribe, receive], filter: 'b/#' }] }"
    expect(await reloaded(`${open}\n${rules}`)).toEqual(['reloaded: acl.rules'])
    await expect(client.subscribe('a/b')).rejects.toThrow(SubscriptionRefusedError)
    await using _other = await client.subscribe('b/#')
    expect(await reloaded(open)).toEqual(['reloaded: acl.rules'])
    await using _again = await client.subscribe('a/b')
  })
})

test('counters and health, and the HTTP API, are served elsewhere; a taken address fails the whole', async () => {
  const [port, metrics, moved, http] = [await freePort(), await freePort(), await freePort(), await freePort()]
  await started(`listeners: [{ port: ${port} }]\nmetrics: ${metrics}`)
  const answers = async (address: number, path: string): Promise<number | string> =>
    fetch(`http://127.0.0.1:${address}${path}`).then(
      ({ status }) => status,
      () => 'nobody',
    )
  expect(await answers(metrics, '/healthz')).toBe(200)
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => other.once('listening', listening))
  const { port: taken } = other.address() as { port: number }
  const text = (more: string): string => `listeners: [{ port: ${port} }]\n${more}`
  expect(await reloaded(text(`metrics: ${taken}\nfeatures: { emptyClientIds: false }`))).toEqual([
    expect.stringMatching(/cannot listen for metrics on 127\.0\.0\.1:\d+: .*; choose another/),
  ])
  expect(await answers(metrics, '/healthz')).toBe(200)
  expect(await reloaded(text(`metrics: ${moved}`))).toEqual(['reloaded: metrics'])
  expect([await answers(metrics, '/healthz'), await answers(moved, '/healthz')]).toEqual(['nobody', 200])
  other.close()
  vi.stubEnv('GODWIT_HTTP__LISTEN', `${http}`)
  expect(await reloaded(text(''))).toEqual(['reloaded: http.listen', 'reloaded: metrics'])
  expect([await answers(http, '/api/v1/openapi.json'), await answers(moved, '/healthz')]).toEqual([200, 'nobody'])
})

test('limits, features, the log and what needs a restart: by line, and as JSON', async () => {
  const open = `listeners: [{ port: ${await freePort()} }]`
  await started(open)
  const log = join(home, 'broker.log')
  const text = `${open}
limits: { maxInflight: 9, maxPacketBytes: 1MiB }
features: { mqtt31: true, willsAfterRestart: drop }
sysIntervalSeconds: 1
log: { level: debug, file: broker.log }
backup: { directory: backups }
control: elsewhere.sock`
  expect(await reloaded(text)).toEqual([
    'reloaded: log.level',
    'reloaded: log.file',
    'reloaded: limits.maxPacketBytes',
    'reloaded: limits.maxInflight',
    'reloaded: features.mqtt31',
    'reloaded: sysIntervalSeconds',
    'reloaded: backup.directory',
    'features.willsAfterRestart: needs a restart',
  ])
  const again = new TestTerminal()
  await again.run('reload', '--json', '--control', join(home, 'control.sock'))
  expect(JSON.parse(again.output)).toEqual({ reloaded: [], needsRestart: ['features.willsAfterRestart'] })
  expect(readFileSync(log, 'utf8')).toMatch(/"message":"reloaded"/)
})
