// godwit trace, top and the control socket with a broker in this process.
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Broker, createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { controlRequests } from '../src/control/control-requests.js'
import { ControlSocket } from '../src/control/control-socket.js'
import type { TopSnapshot } from '../src/control/top-snapshot.js'
import { version } from '../src/version.js'
import { controlled } from './controlled.js'
import { TestTerminal } from './test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-control-'))
const path = join(home, 'control.sock')
let broker: Broker
let url: string
let control: ControlSocket

beforeAll(async () => {
  broker = await createBroker({ sysIntervalSeconds: 0 })
  url = `mqtt://127.0.0.1:${(await broker.listen({ port: 0 })).port}`
  control = await ControlSocket.open(path, controlRequests(controlled(broker, { listeners: () => [url] })), {
    log() {},
  })
})
afterAll(async () => {
  await control.close()
  await broker.close()
  rmSync(home, { recursive: true })
})

async function tracing(...flags: readonly string[]) {
  const terminal = new TestTerminal()
  const ended = terminal.run('trace', '--control', path, ...flags)
  await terminal.printed(/begun/)
  const stop = async (): Promise<string[]> => {
    terminal.interrupt()
    expect(await ended).toBe(0)
    return terminal.output
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^[\d:.]+ /, ''))
  }
  return { terminal, stop }
}

describe.each([4, 5] as const)('at version %i', (version) => {
  const options = { version, reconnect: false, username: 'ann', password: 'hunter2' } as const

  test('trace --client shows each packet of the client, and no payload and no password', async () => {
    const { terminal, stop } = await tracing('--client', 'app')
    const client = await connect(url, {
      ...options,
      clientId: 'app',
      will: { topic: 'gone', payload: 'classified' },
    })
    await using other = await connect(url, { ...options, clientId: 'other' })
    await other.publish('not/traced', 'x', { qos: 1 })
    const home = await client.subscribe('home/+', { qos: 0 })
    await client.publish('home/door', 'classified', { qos: 1 })
    expect((await home[Symbol.asyncIterator]().next()).value?.text()).toBe('classified')
    await client.close()
    await terminal.printed(/DISCONNECT/)
    const lines = await stop()
    const packets = lines.map((line) => /^app (?:\[.*\] )?(→|←) (\w+)(?: (.*))?$/.exec(line))
    expect(packets.map((packet) => `${packet?.[1]} ${packet?.[2]}`).sort()).toEqual(
      [
        '→ CONNECT',
        '← CONNACK',
        '→ SUBSCRIBE',
        '← SUBACK',
        '→ PUBLISH',
        '← PUBLISH',
        '← PUBACK',
        '→ DISCONNECT',
      ].sort(),
    )
    expect(lines.find((line) => line.startsWith('app → PUBLISH'))).toMatch(
      /^app → PUBLISH .*topic=home\/door.* qos=1.* 10 bytes/,
    )
    expect(terminal.output).not.toMatch(/classified|hunter2/)
  })

  test('trace --topic shows the messages of all clients to a topic', async () => {
    const { terminal, stop } = await tracing('--topic', 'home/#')
    await using one = await connect(url, { ...options, clientId: 'one' })
    await using two = await connect(url, { ...options, clientId: 'two' })
    await one.publish('home/one', 'x')
    await one.publish('elsewhere', 'x', { qos: 1 })
    await two.publish('home/two', 'x', { qos: 1 })
    await terminal.printed(/home\/two/)
    const lines = await stop()
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^one → PUBLISH .*topic=home\/one/)
    expect(lines[1]).toMatch(/^two → PUBLISH .*topic=home\/two/)
  })
})

test('top shows the deepest queues and the busiest topics', async () => {
  const away = await connect(url, { clientId: 'away', sessionExpirySeconds: 60 })
  await away.subscribe('queue', { qos: 1 })
  await away.close()
  const terminal = new TestTerminal()
  const ended = terminal.run('top', '--control', path, '--json')
  await using client = await connect(url, { clientId: 'here' })
  await expect
    .poll(
      async () => {
        await client.publish('queue', '12345', { qos: 1 })
        return terminal.output
      },
      { timeout: 10_000 },
    )
    .toMatch(/"busiest":\[\{.*\n/)
  terminal.interrupt()
  expect(await ended).toBe(0)
  const [first] = terminal.output.split('\n')
  const { clients, deepest, busiest, perSecond } = JSON.parse(first!) as TopSnapshot & {
    perSecond: TopSnapshot['totals']
  }
  expect(clients).toBe(1)
  expect(deepest).toMatchObject([{ clientId: 'away', connected: false }])
  expect(deepest?.[0]?.queued).toBeGreaterThan(0)
  expect(busiest).toMatchObject([{ topic: 'queue' }])
  expect(busiest[0]!.bytes).toBeCloseTo(busiest[0]!.messages * 5)
  expect(perSecond.messagesIn).toBeGreaterThan(0)
})

test('status, for scripts', async () => {
  const socket = createConnection({ path, allowHalfOpen: true })
  socket.end('{"request":"status"}\n')
  expect(JSON.parse(await text(socket))).toEqual({
    version,
    pid: process.pid,
    uptimeSeconds: expect.any(Number),
    listeners: [url],
  })
})
