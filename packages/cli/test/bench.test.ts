// `godwit bench` against a broker in this process: short runs in which every message is accounted for.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { type Broker, createBroker, memoryStore } from '@godwit/broker'
import type { Packet } from '@godwit/protocol'
import { ScriptedPeer } from '@godwit/protocol/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BenchResult } from '../src/bench/result.js'
import { TestTerminal } from './test-terminal.js'

let broker: Broker
let url: string
beforeEach(async () => {
  broker = await createBroker()
  url = `127.0.0.1:${(await broker.listen({ port: 0 })).port}`
})
afterEach(() => broker.close())

/** A bench that has begun, with its load in this thread: others would need a build (bench-process.test.ts). */
function start(...args: readonly string[]): { ended: Promise<number>; terminal: TestTerminal } {
  const terminal = new TestTerminal()
  return { ended: terminal.run('bench', ...args, '--workers', '1'), terminal }
}

async function bench(...args: readonly string[]): Promise<{ exitCode: number; terminal: TestTerminal }> {
  const { ended, terminal } = start(...args)
  return { exitCode: await ended, terminal }
}

async function resultOf(...args: readonly string[]): Promise<BenchResult> {
  const { exitCode, terminal } = await bench(...args, url, '--json')
  expect([terminal.errors, exitCode]).toEqual(['', 0])
  expect(terminal.output.indexOf('\n')).toBe(terminal.output.length - 1)
  return JSON.parse(terminal.output) as BenchResult
}

describe('what was sent has come, once', () => {
  test.each([
    [['pipe', '--count', '3000'], 3000, 3000],
    [['pipe', '--qos', '1', '--count', '3000'], 3000, 3000],
    [['pipe', '--qos', '2', '--count', '3000', '-V', '5'], 3000, 3000],
    [['pipe', '--qos', '2', '--count', '2000', '--clean', '0'], 2000, 2000],
    [['pipe', '--qos', '1', '--count', '20', '--size', '100000', '-V', '5'], 20, 20],
    [['pub', '--count', '3000'], 3000, 3000],
    [['pub', '--qos', '1', '--count', '3000', '--pubs', '3', '-V', '5'], 3000, 3000],
    [['fanout', '--subs', '40', '--count', '50', '--qos', '1'], 50, 2000],
    [['fanin', '--pubs', '20', '--subs', '2', '--count', '400', '--qos', '1'], 400, 800],
    [['p2p', '--pubs', '10', '--count', '1005', '--qos', '1'], 1005, 1005],
    [['p2p', '--pubs', '5', '--count', '100', '--rate', '2000', '--qos', '2'], 100, 100],
  ])('%o', async (args, sent, received) => {
    const result = await resultOf(...args)
    expect(result.messages).toEqual({
      sent,
      expected: received,
      received,
      missing: 0,
      repeated: 0,
      refused: 0,
      late: 0,
    })
    expect(result.latencyMicros?.count).toBe(received)
    expect(result.messagesPerSecond).toBeGreaterThan(0)
  })

  test('sessions that were kept are gone afterwards', async () => {
    const store = memoryStore()
    await using keeping = await createBroker({ store })
    const { port } = await keeping.listen({ port: 0 })
    const { exitCode } = await bench('pipe', `127.0.0.1:${port}`, '--clean', '0', '--qos', '1', '--count', '10')
    expect(exitCode).toBe(0)
    await keeping.close()
    await using again = await createBroker({ store })
    expect(again.recovered.sessions).toBe(0)
  })

  test('retained: whole replays, and nothing is left behind', async () => {
    const result = await resultOf('retained', '--topics', '300', '--subs', '2', '--seconds', '0.2', '--warmup', '0')
    const { sent, received, missing } = result.messages
    expect(sent).toBeGreaterThanOrEqual(600)
    expect([sent % 300, received, missing]).toEqual([0, sent, 0])
    expect(result.latencyMicros?.count).toBe(sent / 300)
    const left: string[] = []
    broker.subscribe('#', ({ topic }) => left.push(topic)) // retained messages would come at once
    expect(left).toEqual([])
  })

  test('conn: so many connections, held', async () => {
    const result = await resultOf('conn', '--clients', '50', '--rate', '1000', '--seconds', '0.1')
    expect(result.connections).toMatchObject({ count: 50, latencyMicros: { count: 50 } })
    expect(result).toMatchObject({ messagesPerSecond: null, latencyMicros: null, broker: null })
  })

  test('sub: what others publish', async () => {
    const { ended, terminal } = start('sub', url, '--count', '3', '--json', '--topic', 'news')
    while (terminal.output === '') {
      broker.publish('news/one', 'x')
      await setImmediate()
    }
    expect(await ended).toBe(0)
    expect(JSON.parse(terminal.output)).toMatchObject({ scenario: 'sub', latencyMicros: null })
    expect(JSON.parse(terminal.output).messages.received).toBeGreaterThanOrEqual(3)
  })
})

describe('what people see', () => {
  test('a result as JSON', async () => {
    const result = await resultOf('p2p', '--pubs', '2', '--count', '100', '--qos', '1', '--pid', String(process.pid))
    const percentiles = Object.fromEntries(
      ['count', 'min', 'mean', 'p50', 'p90', 'p99', 'p999', 'max'].map((name) => [name, expect.any(Number)]),
    )
    expect(result).toEqual({
      ...{ scenario: 'p2p', server: url, version: '3.1.1', qos: 1, size: 64, pubs: 2, subs: 2, topics: null },
      ...{ clean: true, rate: null, window: 100, workers: 1, seconds: expect.any(Number) },
      messages: { sent: 100, expected: 100, received: 100, missing: 0, repeated: 0, refused: 0, late: 0 },
      messagesPerSecond: expect.any(Number),
      latencyMicros: percentiles,
      connections: { count: 4, perSecond: expect.any(Number), latencyMicros: percentiles },
      broker: {
        cpuMicrosPerMessage: expect.any(Number),
        cpuShare: expect.any(Number),
        cpuMicrosPerConnection: expect.any(Number),
        memoryBytes: { before: expect.any(Number), connected: expect.any(Number), end: expect.any(Number) },
        memoryBytesPerConnection: expect.any(Number),
      },
    })
    const { min, p50, p99, max } = result.latencyMicros!
    expect([min, p50, p99, max]).toEqual([min, p50, p99, max].sort((a, b) => a - b))
  })

  test('a result in words', async () => {
    const { exitCode, terminal } = await bench('fanin', url, '--pubs', '3', '--count', '30', '--qos', '1')
    expect([exitCode, terminal.errors]).toEqual([0, ''])
    expect(terminal.output).toMatch(
      /^fanin at [\d.:]+: 3 publishers, 1 subscriber, QoS 1, 64 bytes, window 1, MQTT 3\.1\.1, 1 worker\n/,
    )
    expect(terminal.output).toMatch(/\n {2}messages {6}30 sent, 30 received, 0 missing\n/)
    expect(terminal.output).toMatch(
      /\n {2}latency {7}p50 [\d.]+, p90 [\d.]+, p99 [\d.]+, p99\.9 [\d.]+, max [\d.]+ ms\n/,
    )
  })

  test('Ctrl-C: what was measured so far', async () => {
    const { ended, terminal } = start('pipe', url, '--warmup', '0', '--seconds', '600', '--topic', 't')
    await new Promise<void>((resolve) => broker.subscribe('t/#', () => resolve()))
    terminal.interrupt()
    expect(await ended).toBe(0)
    expect(terminal.output).toMatch(/ received, 0 missing\n/)
  })

  test('a broker that goes away: one line', async () => {
    const { ended, terminal } = start('pipe', url, '--seconds', '600', '--topic', 't')
    await new Promise<void>((resolve) => broker.subscribe('t/#', () => resolve()))
    await broker.close()
    expect(await ended).toBe(1)
    expect(terminal.output).toBe('')
    expect(terminal.errors).toMatch(/^godwit bench: \w+ 0 lost its connection: .*; see the server's log\n$/)
  })

  test('nobody there', async () => {
    await broker.close()
    const { exitCode, terminal } = await bench('pipe', url)
    expect(exitCode).toBe(1)
    expect(terminal.errors).toBe(
      `godwit bench: cannot reach mqtt://${url}: nothing listens there; check the URL, and that the server runs\n`,
    )
  })

  test('a process that is not there', async () => {
    const { exitCode, terminal } = await bench('pipe', url, '--pid', '4194304')
    expect(exitCode).toBe(1)
    expect(terminal.errors).toMatch(/^godwit bench: there is no process 4194304 in \/proc; .*\n$/)
  })

  test('a server that lets nobody in', async () => {
    await using strict = await createBroker({ hooks: [{ authenticate: () => false }] })
    const { port } = await strict.listen({ port: 0 })
    const { exitCode, terminal } = await bench('conn', `127.0.0.1:${port}`)
    expect(exitCode).toBe(1)
    expect(terminal.errors).toMatch(/^godwit bench: the server refused client \d+: .*\n$/)
  })

  test.each([
    ['pipe', 'the server refused the subscription of subscriber 0'],
    ['retained', 'the server refused a retained message: not authorized'],
    ['pub', 'the server refused 10 messages; its log should say why'],
  ])('%s where nothing is allowed', async (scenario, problem) => {
    await using strict = await createBroker({ hooks: [{ authorize: () => false }] })
    const { port } = await strict.listen({ port: 0 })
    const args = scenario === 'retained' ? [] : ['--count', '10']
    const { exitCode, terminal } = await bench(scenario, `127.0.0.1:${port}`, '-V', '5', '--qos', '1', ...args)
    expect(exitCode).toBe(1)
    expect(terminal.errors.toLowerCase()).toBe(`godwit bench: ${problem}\n`)
  })
})

test('a server that falls behind the rate does not hide it: latency counts from when a message was to be sent', async () => {
  await using slow = await slowServer(5)
  const args = ['--rate', '1000', '--window', '1', '--count', '40', '--qos', '1', '--json']
  const { exitCode, terminal } = await bench('pub', `127.0.0.1:${slow.port}`, ...args)
  expect(exitCode).toBe(0)
  const { latencyMicros, messages } = JSON.parse(terminal.output) as BenchResult
  expect(messages).toMatchObject({ sent: 40, received: 40, late: 0 })
  // Each waits 5 ms for its acknowledgement, and 4 ms longer than the one before it for its turn: 20 × 4 in the middle.
  expect(latencyMicros?.p50).toBeGreaterThan(60_000)
  expect(latencyMicros?.max).toBeGreaterThan(140_000)
})

/** Answers CONNECT at once, and each PUBLISH after so many milliseconds. */
async function slowServer(delayMs: number): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const onPacket = (packet: Packet): void => {
      if (packet.type === 'connect') peer.send({ type: 'connack', sessionPresent: false, reasonCode: 0 })
      if (packet.type !== 'publish') return
      const { packetId = 0 } = packet
      setTimeout(() => peer.send({ type: 'puback', packetId }), delayMs)
    }
    const peer = new ScriptedPeer((bytes) => void socket.write(bytes), { onPacket })
    socket.on('error', () => {})
    socket.on('data', (chunk) => peer.hear(chunk))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
