import { pbkdf2Sync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connack, encodeUtf8, type Packet, type Suback } from '@godwit/protocol'
import { ScriptedPeer } from '@godwit/protocol/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestTerminal } from './test-terminal.js'

/** Sequences to try: each takes some seconds. GODWIT_TEST_RELOAD_RUNS plays more. */
const numRuns = Number(process.env.GODWIT_TEST_RELOAD_RUNS ?? 3)

/** What a configuration says, as far as it is tried out from outside. */
interface Model {
  /** Which of three ports are listened on: the first is there always, so that there is one. */
  readonly second: boolean
  readonly third: boolean
  readonly metrics: boolean
  readonly user: 'ann' | 'bob' | undefined
  readonly allowAnonymous: boolean
  /** The one topic that may be subscribed to; `undefined`: all. */
  readonly topic: 'a' | 'b' | undefined
  readonly receiveMaximum: number
  readonly maximumQos: 0 | 1 | 2
}

/** What makes the whole of it wrong, at whatever part; `undefined`: nothing. */
const mistakes = {
  'a port that is in use': 'listener',
  'a certificate that is not there': 'tls',
  'a password file that is not there': 'passwords',
  'a rule file that is broken': 'rules',
  'a limit out of range': 'limit',
  'a log in a folder that is not there': 'log',
  'metrics where another program is': 'metrics',
} as const
type Mistake = keyof typeof mistakes | undefined

let home: string
let ports: readonly number[]
let taken: Server
let takenPort: number

const bound = async (server: Server): Promise<number> => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return (server.address() as { port: number }).port
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'godwit-reload-model-'))
  const servers = Array.from({ length: 4 }, () => createServer())
  ports = await Promise.all(servers.map(bound))
  for (const server of servers) await new Promise((closed) => server.close(closed))
  taken = createServer()
  takenPort = await bound(taken)
  for (const user of ['ann', 'bob']) {
    const salt = Buffer.from('salt of a test')
    const hash = pbkdf2Sync('secret', salt, 1, 64, 'sha512') // quick
    writeFileSync(join(home, user), `${user}:$7$1$${salt.toString('base64')}$${hash.toString('base64')}\n`)
  }
  writeFileSync(join(home, 'broken'), 'nonsense\n')
})
afterAll(() => {
  taken.close()
  rmSync(home, { recursive: true })
})

function textOf(model: Model, mistake: Mistake): string {
  const { second, third, metrics, user, allowAnonymous, topic, receiveMaximum, maximumQos } = model
  const kind = mistake && mistakes[mistake]
  const wanted = [ports[0], ...(second ? [ports[1]] : []), ...(third ? [ports[2]] : [])]
  const listeners: object[] = wanted.map((port) => ({ port }))
  if (kind === 'listener') listeners.push({ port: takenPort })
  if (kind === 'tls') listeners[0] = { ...listeners[0], protocol: 'mqtts', tls: { cert: 'none.pem', key: 'none.pem' } }
  return JSON.stringify({
    data: 'memory',
    listeners,
    allowAnonymous,
    ...(metrics && { metrics: ports[3] }),
    ...(kind === 'metrics' && { metrics: takenPort }),
    ...(user && { auth: { passwordFile: user } }),
    ...(kind === 'passwords' && { auth: { passwordFile: 'nobody' } }),
    ...(topic && { acl: { rules: [{ allow: ['publish', 'subscribe', 'receive'], filter: topic }] } }),
    ...(kind === 'rules' && { acl: { file: 'broken' } }),
    limits: { receiveMaximum: kind === 'limit' ? 0 : receiveMaximum },
    features: { maximumQos },
    ...(kind === 'log' && { log: { file: 'nowhere/broker.log' } }),
  })
}

/** What comes back for this, until the connection has so many packets or ends; `undefined` where nobody listens. */
function said(port: number, packets: readonly Packet[]): Promise<readonly Packet[] | undefined> {
  return new Promise((resolve) => {
    const heard: Packet[] = []
    const socket = createConnection({ port, host: '127.0.0.1' })
    const onPacket = (packet: Packet): void => {
      heard.push(packet)
      if (heard.length === packets.length) socket.destroy()
    }
    const peer = new ScriptedPeer((bytes) => void socket.write(bytes), { version: 5, onPacket })
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(heard))
    socket.on('connect', () => peer.send(...packets))
    socket.on('data', (chunk) => peer.hear(chunk))
  })
}

let names = 0

async function attempt(port: number, user?: string): Promise<object | 'refused' | 'nobody'> {
  const credentials = user === undefined ? {} : { username: user, password: encodeUtf8('secret') }
  const heard = await said(port, [
    {
      type: 'connect',
      version: 5,
      clientId: `client-${names++}`,
      cleanStart: true,
      keepAliveSeconds: 0,
      ...credentials,
    },
    { type: 'subscribe', packetId: 1, subscriptions: ['a', 'b'].map((filter) => ({ filter, qos: 2 }) as const) },
  ])
  if (heard === undefined) return 'nobody'
  const [connack, suback] = heard as readonly [Connack?, Suback?]
  if (!suback) return 'refused'
  const { receiveMaximum, maximumQos = 2 } = connack?.properties ?? {}
  return { receiveMaximum, maximumQos, subscribed: suback.reasonCodes }
}

/** What shows from outside of a broker that is as the model says. */
function expected({ second, third, metrics, user, allowAnonymous, topic, ...told }: Model): object {
  const subscribed = ['a', 'b'].map((one) => (topic === undefined || topic === one ? told.maximumQos : 0x87))
  const inside = { receiveMaximum: told.receiveMaximum, maximumQos: told.maximumQos, subscribed }
  const if_ = (yes: boolean): object | 'refused' => (yes ? inside : 'refused')
  const nameless = if_(user === undefined || allowAnonymous)
  return {
    nameless: [nameless, second ? nameless : 'nobody', third ? nameless : 'nobody'],
    ann: if_(user === undefined || user === 'ann'),
    bob: if_(user === undefined || user === 'bob'),
    metrics: metrics ? 200 : 'nobody',
  }
}

async function observed(): Promise<object> {
  const [first, second, third, metrics] = ports as [number, number, number, number]
  return {
    nameless: [await attempt(first), await attempt(second), await attempt(third)],
    ann: await attempt(first, 'ann'),
    bob: await attempt(first, 'bob'),
    metrics: await fetch(`http://127.0.0.1:${metrics}/healthz`).then(
      ({ status }) => status,
      () => 'nobody',
    ),
  }
}

const model: fc.Arbitrary<Model> = fc.record({
  second: fc.boolean(),
  third: fc.boolean(),
  metrics: fc.boolean(),
  user: fc.constantFrom('ann', 'bob', undefined),
  allowAnonymous: fc.boolean(),
  topic: fc.constantFrom('a', 'b', undefined),
  receiveMaximum: fc.integer({ min: 1, max: 65_535 }),
  maximumQos: fc.constantFrom(0, 1, 2),
})
const mistake: fc.Arbitrary<Mistake> = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom(...(Object.keys(mistakes) as (keyof typeof mistakes)[])),
)

test(
  'after any row of reloads a broker is wholly as one configuration says, the last that was right',
  async () => {
    const steps = fc.array(fc.tuple(model, mistake), { minLength: 4, maxLength: 8 })
    const played = async (first: Model, rest: readonly (readonly [Model, Mistake])[]): Promise<void> => {
      const config = join(home, 'godwit.yaml')
      const control = join(home, 'control.sock')
      writeFileSync(config, textOf(first, undefined))
      const terminal = new TestTerminal()
      const ended = terminal.run('broker', '--config', config, '--control', control)
      try {
        await terminal.printed(/an acknowledgement/)
        let inForce = first
        expect(await observed()).toEqual(expected(inForce))
        for (const [next, wrong] of rest) {
          writeFileSync(config, textOf(next, wrong))
          const asking = new TestTerminal()
          expect(await asking.run('reload', '--control', control), asking.errors).toBe(wrong ? 1 : 0)
          if (wrong) expect(asking.errors).toMatch(/^godwit reload: [^\n]+\n$/)
          else inForce = next
          expect(await observed()).toEqual(expected(inForce))
        }
      } finally {
        terminal.interrupt()
        await ended
      }
    }
    await fc.assert(fc.asyncProperty(model, steps, played), { numRuns, endOnFailure: true })
  },
  60_000 * numRuns,
)
