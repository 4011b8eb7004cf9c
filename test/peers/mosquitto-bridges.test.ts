// The kinds of `connection` that mosquitto's manual has: each beside its translation, at the same other broker. What flows where, and
// what is told of the connection, is the same.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect } from '@godwit/client'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { Authority } from '../../packages/broker/test/transports/certificates.js'
import { importMosquitto } from '../../packages/cli/src/config-import/mosquitto-import.js'
import { Background, freePort } from '../../scripts/background.mjs'
import { godwitMain, godwitMissing } from './godwit-command.js'
import { mosquittoProgram, runningMosquitto } from './mosquitto-at-work.js'
import { needs } from './needs.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-bridges-'))
afterAll(() => rmSync(home, { recursive: true }))

beforeAll(async () => {
  const authority = await Authority.create('bridges')
  put('ca.pem', authority.cert)
  for (const name of ['near', 'localhost']) {
    const { cert, key } = await authority.issue(name)
    put(`${name}.pem`, cert)
    put(`${name}.key`, key)
  }
  if (mosquittoProgram.missing !== undefined) return
  execFileSync('mosquitto_passwd', ['-b', '-c', join(home, 'passwords'), 'far', 'sesame'], { stdio: 'ignore' })
})

/** Ends something when the test ends, the last one first. */
type WhenOver = (end: () => Promise<unknown>) => void

type Side = 'here' | 'there'
/** Where something is published, and what: `topic`, or `topic retained`. */
type Play = readonly [side: Side, what: string, qos?: 0 | 1 | 2]

interface Kind {
  /** `FAR` is the port of the other broker, `DEAD` one where nobody listens. */
  readonly lines: readonly string[]
  /** Of the other broker, besides its listener. */
  readonly far?: readonly string[]
  readonly plays: readonly Play[]
  /** What each side then has that was published on the other one; of each way the last is what was played last. */
  readonly flows: { readonly here: readonly string[]; readonly there: readonly string[] }
  /** What each side is told of the connection while it stands; on the other one, a will says `0` when this side has died. */
  readonly states?: { readonly here?: string; readonly there?: string }
}

const state = '$SYS/broker/connection/c/state'
const named = ['connection c', 'remote_clientid c']
const toldBoth = { here: `${state} 1`, there: `${state} 1` }

const kinds: Readonly<Record<string, Kind>> = {
  'all topics out, at QoS 0': {
    lines: [...named, 'address 127.0.0.1:FAR', 'topic #'],
    plays: [
      ['there', 'a/back', 1],
      ['here', 'a/b', 0],
      ['here', 'a/c', 1],
      ['here', 'a/d retained', 2],
    ],
    flows: { here: [], there: ['a/b qos 0', 'a/c qos 0', 'a/d qos 0 retained'] },
    states: toldBoth,
  },
  'prefixes, and one topic that is both': {
    lines: [
      ...named,
      'address 127.0.0.1:FAR',
      'topic clients/+ in 1 org/ plant/',
      'topic # both 2 local/topic/ remote/topic/',
      'topic "" out 1 here there',
    ],
    plays: [
      ['here', 'here', 2],
      ['here', 'here/below', 2],
      ['here', 'org/clients/x', 2],
      ['here', 'local/topic/x', 2],
      ['there', 'plant/clients/total', 2],
      ['there', 'plant/clients/total/x', 2],
      ['there', 'there', 2],
      ['there', 'remote/topic/y retained', 2],
    ],
    flows: {
      here: ['org/clients/total qos 1', 'local/topic/y qos 2 retained'],
      there: ['there qos 1', 'remote/topic/x qos 2'],
    },
  },
  'several addresses, of which the first is dead': {
    lines: [...named, 'addresses 127.0.0.1:DEAD 127.0.0.1:FAR', 'restart_timeout 1', 'topic a out 1'],
    plays: [['here', 'a', 1]],
    flows: { here: [], there: ['a qos 1'] },
  },
  'user name and password': {
    lines: [...named, 'address 127.0.0.1:FAR', 'remote_username far', 'remote_password sesame', 'topic a both 1'],
    far: ['allow_anonymous false', `password_file ${join(home, 'passwords')}`],
    plays: [
      ['here', 'a', 1],
      ['there', 'a', 0],
    ],
    flows: { here: ['a qos 0'], there: ['a qos 1'] },
  },
  'TLS with a certificate': {
    lines: [
      ...named,
      'address localhost:FAR',
      `bridge_cafile ${join(home, 'ca.pem')}`,
      `bridge_certfile ${join(home, 'near.pem')}`,
      `bridge_keyfile ${join(home, 'near.key')}`,
      'topic a both 1',
    ],
    far: [
      'allow_anonymous true',
      'listener TLS 127.0.0.1',
      `cafile ${join(home, 'ca.pem')}`,
      `certfile ${join(home, 'localhost.pem')}`,
      `keyfile ${join(home, 'localhost.key')}`,
      'require_certificate true',
    ],
    plays: [
      ['here', 'a retained', 1],
      ['there', 'a', 1],
    ],
    flows: { here: ['a qos 1'], there: ['a qos 1 retained'] },
    states: toldBoth,
  },
  '5.0, RETAIN left out, its state under another topic': {
    lines: [
      ...named,
      'address 127.0.0.1:FAR',
      'bridge_protocol_version mqttv50',
      'bridge_outgoing_retain false',
      'notification_topic state/c',
      'topic a/# both 2',
    ],
    plays: [
      ['here', 'a/b retained', 2],
      ['there', 'a/c retained', 2],
    ],
    flows: { here: ['a/c qos 2 retained'], there: ['a/b qos 2'] },
    states: { here: 'state/c 1', there: 'state/c 1' },
  },
  'its state told here alone': {
    lines: [...named, 'address 127.0.0.1:FAR', 'notifications_local_only true', 'topic a out 1'],
    plays: [['here', 'a', 1]],
    flows: { here: [], there: ['a qos 1'] },
    states: { here: `${state} 1` },
  },
  'its state told to nobody': {
    lines: [...named, 'address 127.0.0.1:FAR', 'notifications false', 'try_private false', 'topic a out 1'],
    plays: [['here', 'a', 1]],
    flows: { here: [], there: ['a qos 1'] },
    states: {},
  },
}

test.for(
  Object.entries(kinds).flatMap(([name, kind]) =>
    (['mosquitto', 'godwit'] as const).map((broker) => [name, broker, kind] as const),
  ),
)('%s: %s', { concurrent: true }, async ([, broker, kind], context) => {
  const { expect } = context
  needs(context, mosquittoProgram, { missing: godwitMissing })
  const whenOver: WhenOver = (end) => context.onTestFinished(async () => void (await end()))
  const tls = await freePort()
  const far = await runningMosquitto([
    'listener PORT 127.0.0.1',
    ...(kind.far ?? ['allow_anonymous true']).map((line) => line.replace('TLS', `${tls}`)),
  ])
  whenOver(() => far.stop())
  const there = await Watched.at(far.port, whenOver)
  const ports = { FAR: kind.far?.some((line) => line.includes('TLS')) ? tls : far.port, DEAD: await freePort() }
  const near = await startNear(
    broker,
    whenOver,
    kind.lines.map((line) => line.replace(/FAR|DEAD/g, (name) => `${ports[name as 'FAR']}`)),
  )
  const here = await Watched.at(near.port, whenOver)
  const sides = { here, there }
  for (const [from, to] of [['here', 'there'] as const, ['there', 'here'] as const]) {
    if (kind.flows[to].length > 0) await flowing(kind, sides, from, to, expect)
  }
  for (const [side, what, qos = 0] of kind.plays) {
    const [topic = '', retained] = what.split(' ')
    await sides[side].client.publish(topic, side, { qos, retain: retained === 'retained' })
  }
  await expect
    .poll(() => ({ here: here.of('there'), there: there.of('here') }), { timeout: 10_000 })
    .toEqual(kind.flows)
  const own = (side: Side): number => kind.plays.filter(([where]) => where === side).length
  expect([here.of('here').length, there.of('there').length]).toEqual([own('here'), own('there')]) // no echo
  if (!kind.states) return
  const states = kind.states
  await expect.poll(() => [here.state, there.state], { timeout: 10_000 }).toEqual([states.here, states.there])
  process.kill(near.pid, 'SIGKILL')
  await expect.poll(() => there.state, { timeout: 10_000 }).toBe(states.there?.replace(' 1', ' 0'))
})

/** Has something go that way that nobody notes, again and again, until it arrives. */
async function flowing(
  kind: Kind,
  sides: Readonly<Record<Side, Watched>>,
  from: Side,
  to: Side,
  { poll }: TestContext['expect'],
): Promise<void> {
  const [, what = ''] = kind.plays.findLast(([side]) => side === from)!
  await poll(
    async () => {
      await sides[from].client.publish(what.split(' ')[0]!, 'probe', { qos: 1 })
      return sides[to].probes > 0
    },
    { timeout: 20_000, interval: 50 },
  ).toBe(true)
}

/** A broker, and one who has subscribed to all of it. */
class Watched {
  readonly client: Client
  /** The last that was said of a connection. */
  state: string | undefined
  probes = 0
  readonly #seen: (readonly [from: string, line: string])[] = []

  static async at(port: number, whenOver: WhenOver): Promise<Watched> {
    const credentials = { username: 'far', password: 'sesame' }
    const client = await connect(`mqtt://127.0.0.1:${port}`, { ...credentials, connectTimeoutMs: 10_000 })
    whenOver(() => client.close({ timeoutMs: 0 }))
    return await new Watched(client).watch()
  }

  constructor(client: Client) {
    this.client = client
  }

  async watch(): Promise<this> {
    const onState = (message: { topic: string; text(): string }): void => {
      this.state = `${message.topic} ${message.text()}`
    }
    await this.client.subscribe('$SYS/broker/connection/+/state', { onMessage: onState })
    await this.client.subscribe('#', {
      qos: 2,
      retainAsPublished: true,
      onMessage: (message) => {
        const { topic, qos, retain } = message
        const text = message.text()
        if (topic.startsWith('state/')) onState(message)
        else if (text === 'probe') this.probes++
        else this.#seen.push([text, `${topic} qos ${qos}${retain ? ' retained' : ''}`])
      },
    })
    return this
  }

  /** What was published on that side. */
  of(side: Side): readonly string[] {
    return this.#seen.filter(([from]) => from === side).map(([, line]) => line)
  }
}

/** The broker that has the bridge: mosquitto with these lines, or ours with what becomes of them. */
async function startNear(
  broker: 'mosquitto' | 'godwit',
  whenOver: WhenOver,
  lines: readonly string[],
): Promise<{ port: number; pid: number }> {
  if (broker === 'mosquitto') {
    const running = await runningMosquitto(['listener PORT 127.0.0.1', 'allow_anonymous true', ...lines])
    whenOver(() => running.stop())
    return running
  }
  const port = await freePort()
  const original = put(`${port}.conf`, [`listener ${port} 127.0.0.1`, 'allow_anonymous true', ...lines].join('\n'))
  const { yaml, refused, untranslated, secrets } = importMosquitto(original, {
    passwords: join(home, `${port}`, 'passwords'),
  })
  expect([...refused, ...untranslated]).toEqual([])
  mkdirSync(join(home, `${port}`))
  for (const [file, text] of secrets) writeFileSync(file, text, { mode: 0o600 })
  const config = put(`${port}.yaml`, yaml)
  const command = [process.execPath, godwitMain, 'broker', '--config', config, '--data', 'memory', '--http', 'none']
  const running = await Background.start(command, { ready: /an acknowledgement/ })
  whenOver(() => running.stop())
  return { port, pid: running.pid }
}

function put(name: string, text: string): string {
  writeFileSync(join(home, name), text)
  return join(home, name)
}
