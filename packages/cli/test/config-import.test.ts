import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { connect, ServerRefusedError, SubscriptionRefusedError } from '@godwit/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { selfSigned } from './self-signed.js'
import { TestTerminal } from './test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-import-'))
const at = (name: string): string => join(home, name)
const config = at('godwit.yaml')
const running = new TestTerminal()
let ended: Promise<number>
let url: string
let unix: string

/** What mosquitto_passwd 2.0.11 made of ann and secret. */
const passwords =
  'ann:$7$101$FYpl/0Cr8lIyEuNk$zNjXZ7eIZVSjwjfy10XKym/pFa/nio32sx7O2SHNOAWWOLbmpfWmjlB5CaqIG8Wt+iaXT/r9QyCOJ7npesTDuQ==\n'

beforeAll(async () => {
  writeFileSync(at('passwords'), passwords)
  writeFileSync(at('acl'), 'topic read public/#\nuser ann\ntopic readwrite home/#\npattern write log/%c\n')
  unix = at('mqtt.sock')
  writeFileSync(
    at('mosquitto.conf'),
    `persistence true
persistence_location ${home}
allow_anonymous true
password_file ${at('passwords')}
acl_file ${at('acl')}
listener 0 ${unix}
listener 18830 127.0.0.1
protocol websockets
set_tcp_nodelay true
connection cloud
address cloud.example
`,
  )
})
afterAll(async () => {
  running.interrupt()
  await ended
  rmSync(home, { recursive: true })
})

test('what is imported passes the check, and is what the broker does', async () => {
  const importing = new TestTerminal()
  expect(await importing.run('config', 'import', at('mosquitto.conf'), '-o', config)).toBe(0)
  expect(importing.errors).toBe(
    `not translated: ${at('mosquitto.conf')}:10: connection cloud: it has no topic, so that it carries nothing; it is left out\n`,
  )
  const checking = new TestTerminal()
  expect([await checking.run('config', 'check', '--config', config), checking.output]).toEqual([
    0,
    `${config} is right\n`,
  ])
  // The port is the test's own: any free one.
  writeFileSync(config, readFileSync(config, 'utf8').replace('port: 18830', 'port: 0'))
  ended = running.run('broker', '--config', config, '--data', 'memory')
  const [, port] = await running.printed(/ws 127\.0\.0\.1:(\d+)/)
  url = `ws://127.0.0.1:${port}/anywhere`
})

test('a user of mosquitto_passwd comes in, over WebSocket at any path, and may do what acl_file says', async () => {
  await using ann = await connect(url, { username: 'ann', password: 'secret', clientId: 'c1', reconnect: false })
  await using home = await ann.subscribe('home/#')
  await ann.publish('home/x', 'y', { qos: 1 })
  for await (const message of home) {
    expect(message.text()).toBe('y')
    break
  }
  await expect(ann.subscribe('other/#')).rejects.toThrow(SubscriptionRefusedError)
  await expect(connect(url, { username: 'ann', password: 'guess', reconnect: false })).rejects.toThrow(
    ServerRefusedError,
  )
})

test('who says no name comes in too, with the rights of nobody', async () => {
  await using nobody = await connect(`unix:${unix}`, { reconnect: false })
  await using publicTopics = await nobody.subscribe('public/#')
  expect(publicTopics).toBeDefined()
  await expect(nobody.subscribe('home/#')).rejects.toThrow(SubscriptionRefusedError)
})

test('what is there is not overwritten, and --strict makes a failure of what is left out', async () => {
  const again = new TestTerminal()
  expect(await again.run('config', 'import', at('mosquitto.conf'), '-o', config)).toBe(1)
  expect(again.errors).toBe(
    `godwit config: cannot write ${config}: there is a file of that name; choose another with -o FILE\n`,
  )
  expect(await new TestTerminal().run('config', 'import', at('mosquitto.conf'), '--strict')).toBe(1)
})

test('TLS, WebSocket and both together, as a home has them', async () => {
  const { cert, key } = await selfSigned()
  writeFileSync(at('fullchain.pem'), cert)
  writeFileSync(at('privkey.pem'), key)
  const tls = `certfile ${at('fullchain.pem')}\nkeyfile ${at('privkey.pem')}\n`
  writeFileSync(
    at('home.conf'),
    `protocol mqtt
user root
log_dest stdout
log_type error
log_type warning
persistence false
allow_anonymous false
password_file ${at('passwords')}
listener 1883 127.0.0.1
listener 8883 127.0.0.1
ciphers ECDHE-ECDSA-AES256-GCM-SHA384
${tls}listener 8884 127.0.0.1
protocol websockets
${tls}`,
  )
  const importing = new TestTerminal()
  expect(await importing.run('config', 'import', at('home.conf'))).toBe(0)
  expect(importing.errors).toMatch(/^not translated: .*home\.conf:2: user root: .*\n$/)
  writeFileSync(at('home.yaml'), importing.output.replace(/port: \d+/g, 'port: 0'))

  const broker = new TestTerminal()
  const over = broker.run('broker', '--config', at('home.yaml'))
  const [, plain, mqtts, wss] = await broker.printed(/ 127\S+?:(\d+), mqtts \S+?:(\d+), wss \S+?:(\d+)\n/)
  const secure = { tls: { ca: cert }, reconnect: false } as const
  for (const [door, options] of [
    [`mqtt://localhost:${plain}`, { reconnect: false }],
    [`mqtts://localhost:${mqtts}`, secure],
    [`wss://localhost:${wss}/`, secure],
  ] as const) {
    await using ann = await connect(door, { ...options, username: 'ann', password: 'secret' })
    await ann.publish('home/x', 'y', { qos: 1 })
    await expect(connect(door, options)).rejects.toThrow(ServerRefusedError)
  }
  const socket = tlsConnect({ port: Number(mqtts), ca: cert, host: 'localhost', maxVersion: 'TLSv1.2' })
  await once(socket, 'secureConnect')
  expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES256-GCM-SHA384')
  socket.destroy()
  broker.interrupt()
  expect(await over).toBe(0)
})
