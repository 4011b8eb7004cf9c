// Acceptance: one configuration, a password file and an acl file, every kind of listener; mosquitto's clients and MQTT.js come in by
// each of them, and who may not is told so.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Authority } from '../../packages/broker/test/transports/certificates.js'
import { Background } from '../../scripts/background.mjs'
import { godwitMain, godwitMissing } from './godwit-command.js'
import { needs } from './needs.js'
import type { PeerVersion } from './peer.js'

const missingUnless = (path: string, install: string): string | undefined =>
  existsSync(path) ? undefined : `${path} is not there: ${install}`

const godwit = { missing: godwitMissing }
const mosquittoPasswd = { missing: missingUnless('/usr/bin/mosquitto_passwd', 'apt-get install mosquitto') }
const mosquitto = { missing: missingUnless('/usr/bin/mosquitto_sub', 'apt-get install mosquitto-clients') }
const mqttJs = {
  missing: missingUnless(fileURLToPath(new URL('node_modules/mqtt', import.meta.url)), 'npm ci --prefix test/peers'),
}
/** From 2.1 on. */
const mosquittoSpeaksWebSocket = mosquitto.missing === undefined && usage('/usr/bin/mosquitto_sub').includes('--ws')

function usage(program: string): string {
  try {
    return execFileSync(program, ['--help'], { encoding: 'utf8' })
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout) // it ends with 1 all the same
  }
}

type Kind = 'mqtt' | 'mqtts' | 'ws' | 'wss' | 'unix'

const home = mkdtempSync(join(tmpdir(), 'godwit-listeners-'))
const at = (name: string): string => join(home, name)
const put = (name: string, text: string): void => writeFileSync(at(name), text)
let broker: Background
const ports: Partial<Record<Kind, string>> = {}

const configuration = `listeners:
  - port: 0
  - protocol: mqtts
    port: 0
    tls: { cert: ${at('server.pem')}, key: ${at('server.key')} }
  - protocol: ws
    port: 0
  - protocol: wss
    port: 0
    tls: { cert: ${at('server.pem')}, key: ${at('server.key')} }
  - socket: ${at('mqtt.sock')}
data: memory
auth:
  passwordFile: ${at('passwords')}
acl:
  file: ${at('acl')}
`

beforeAll(async () => {
  if ([godwit, mosquittoPasswd].some(({ missing }) => missing !== undefined)) return
  const authority = await Authority.create('Test CA')
  const { cert, key } = await authority.issue('localhost')
  put('ca.pem', authority.cert)
  put('server.pem', cert)
  put('server.key', key)
  execFileSync('/usr/bin/mosquitto_passwd', ['-c', '-b', at('passwords'), 'ann', 'secret'], { stdio: 'ignore' })
  execFileSync(process.execPath, [godwitMain, 'passwd', '-b', at('passwords'), 'bob', 'hidden'], { stdio: 'ignore' })
  put('acl', 'user ann\ntopic readwrite home/#\n\nuser bob\ntopic write home/+\n')
  put('godwit.yaml', configuration)
  const command = [process.execPath, godwitMain, 'broker', '--config', at('godwit.yaml')]
  broker = await Background.start(command, { ready: /an acknowledgement/ })
  const [, mqtt, mqtts, ws, wss] =
    /listening on \S+:(\d+), mqtts \S+:(\d+), ws \S+:(\d+), wss \S+:(\d+), \S+mqtt.sock\n/.exec(broker.output) ?? []
  Object.assign(ports, { mqtt, mqtts, ws, wss })
}, 60_000)
afterAll(async () => {
  await broker?.stop()
  rmSync(home, { recursive: true })
})

interface Credentials {
  readonly username?: string
  readonly password?: string
}

const ann: Credentials = { username: 'ann', password: 'secret' }
const bob: Credentials = { username: 'bob', password: 'hidden' }

/** Who may not come in. */
const strangers: readonly (readonly [name: string, who: Credentials])[] = [
  ['anonymous', {}],
  ['a wrong password', { ...ann, password: 'guess' }],
  ['an unknown user', { username: 'eve', password: 'secret' }],
]

describe.for([4, 5] as const)("mosquitto's clients at version %i", (version) => {
  const kinds: readonly Kind[] = [
    'mqtt',
    'mqtts',
    'unix',
    ...(mosquittoSpeaksWebSocket ? (['ws', 'wss'] as const) : []),
  ]

  function flags(kind: Kind, { username, password }: Credentials, version: PeerVersion): string[] {
    const where = kind === 'unix' ? ['--unix', at('mqtt.sock')] : ['-h', 'localhost', '-p', `${ports[kind]}`]
    return [
      ...where,
      ...(kind === 'mqtts' || kind === 'wss' ? ['--cafile', at('ca.pem')] : []),
      ...(kind === 'ws' || kind === 'wss' ? ['--ws'] : []),
      ...['-V', version === 5 ? '5' : '311'],
      ...(username === undefined ? [] : ['-u', username]),
      ...(password === undefined ? [] : ['-P', password]),
    ]
  }
  // stdbuf: they hold their lines back when they go to a pipe.
  const start = (name: string, args: readonly string[], options = {}): Promise<Background> =>
    Background.start(['stdbuf', '-oL', `/usr/bin/mosquitto_${name}`, ...args], options)

  test.for(kinds)('%s: a message goes in and comes out', async (kind, context) => {
    needs(context, godwit, mosquittoPasswd, mosquitto)
    const at = ['-t', `home/${kind}-${version}`, '-q', '1']
    const subscribing = [...flags(kind, ann, version), ...at, '-d', '-C', '1', '-F', 'heard %p']
    const subscriber = await start('sub', subscribing, { ready: /received SUBACK/ })
    await (await start('pub', [...flags(kind, bob, version), ...at, '-m', 'x'])).success()
    await subscriber.success()
    expect(subscriber.output).toContain('heard x\n')
  })

  test.for(strangers)('%s is refused, and told', async ([_, who], context) => {
    needs(context, godwit, mosquittoPasswd, mosquitto)
    const publisher = await start('pub', [...flags('mqtt', who, version), '-t', 'home/kitchen', '-m', 'x'])
    expect(await publisher.ended).not.toBe(0)
    expect(publisher.output).toMatch(version === 5 ? /Not authorized/ : /Connection Refused: not authorised/)
  })

  test('a SUBSCRIBE beyond what the rules allow is refused in SUBACK', async (context) => {
    needs(context, godwit, mosquittoPasswd, mosquitto)
    const subscriber = await start('sub', [...flags('mqtt', bob, version), '-d', '-t', 'home/#'])
    await subscriber.ended
    expect(subscriber.output).toMatch(version === 5 ? /Subscribed \(mid: 1\): 135/ : /Subscribed \(mid: 1\): 128/)
    expect(subscriber.output).toContain('All subscription requests were denied')
  })
})

test.skipIf(mosquittoSpeaksWebSocket)("mosquitto's clients over WebSocket: those here know no --ws", ({ skip }) =>
  skip(),
)

describe.for([4, 5] as const)('MQTT.js at version %i', { concurrent: true }, (version) => {
  const program = fileURLToPath(new URL('mqtt-js-at-listener.mjs', import.meta.url))

  async function saidAt(kind: Kind, who: Credentials): Promise<string> {
    const url = kind === 'unix' ? `mqtt+unix://${at('mqtt.sock')}` : `${kind}://localhost:${ports[kind]}/mqtt`
    const topic = `home/${kind}-${version}`
    const task = { url, version, topic, ...who, ...(kind.endsWith('s') && kind !== 'ws' && { ca: at('ca.pem') }) }
    const client = await Background.start([process.execPath, program, JSON.stringify(task)])
    await client.ended
    return client.output
  }

  test.for(['mqtt', 'mqtts', 'ws', 'wss', 'unix'] as const)(
    '%s: its message comes back, and a SUBSCRIBE beyond the rules is refused',
    async (kind, context) => {
      needs(context, godwit, mosquittoPasswd, mqttJs)
      const refused = version === 5 ? 'Not authorized' : 'Unspecified error'
      expect(await saidAt(kind, ann)).toBe(`refused Subscribe error: ${refused}\nmessage home/${kind}-${version} x\n`)
    },
  )

  test.for(strangers)('%s is refused, and told', async ([_, who], context) => {
    needs(context, godwit, mosquittoPasswd, mqttJs)
    expect(await saidAt('mqtts', who)).toBe('error Connection refused: Not authorized\n')
  })
})

test('the log tells who was not let in, by address and user name, and no password', (context) => {
  needs(context, godwit, mosquittoPasswd, mosquitto)
  const told = broker.output.split('\n').filter((line) => line.includes('not authenticated'))
  expect(told.join('\n')).toMatch(/not authenticated.*eve/)
  for (const secret of ['guess', 'secret', 'hidden']) expect(broker.output).not.toContain(secret)
})
