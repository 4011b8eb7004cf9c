// The commands against a broker in this process, with injected arguments, streams and signals.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, type BrokerOptions, createBroker } from '@godwit/broker'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Commands } from './commands.js'

let broker: Broker
let port: string
let godwit: Commands

/** What every command is told to speak. */
let version: '5' | '311'

async function start(options: BrokerOptions = {}): Promise<void> {
  broker = await createBroker({ sysIntervalSeconds: 0, ...options })
  port = String((await broker.listen({ port: 0 })).port)
  godwit = new Commands(port, '-V', version)
}

describe.each(['5', '311'] as const)('-V %s', (protocolVersion) => {
  beforeEach(async () => {
    version = protocolVersion
    await start()
  })
  afterEach(() => broker.close())

  describe('godwit pub and godwit sub', () => {
    test.each(['0', '1', '2'])('a message at QoS %s', async (qos) => {
      const sub = await godwit.sub('-t', 'a/+', '-q', qos, '-C', '1', '-F', '%t %q %r %p')
      expect((await godwit.ended('pub', '-t', 'a/b', '-m', 'grüezi', '-q', qos)).exitCode).toBe(0)
      expect(await sub.exitCode).toBe(0)
      expect(sub.terminal.output).toBe(`a/b ${qos} 0 grüezi\n`)
    })

    test('bytes from a file come out of the other end unchanged', async () => {
      const home = mkdtempSync(join(tmpdir(), 'godwit-live-'))
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => (n * n) % 251))
      writeFileSync(join(home, 'photo'), bytes)
      const sub = await godwit.sub('-t', 'photo', '-C', '1', '-N')
      expect((await godwit.ended('pub', '-t', 'photo', '-f', join(home, 'photo'))).exitCode).toBe(0)
      await sub.exitCode
      expect(sub.terminal.outputBytes).toEqual(bytes)
      rmSync(home, { recursive: true })
    })

    test('all of standard input as one message', async () => {
      const sub = await godwit.sub('-t', 'a', '-C', '1')
      const pub = godwit.start('pub', '-t', 'a', '-s')
      pub.terminal.stdin.write('one\n')
      pub.terminal.stdin.end('two')
      expect(await pub.exitCode).toBe(0)
      await sub.exitCode
      expect(sub.terminal.output).toBe('one\ntwo\n')
    })

    test.each(['0', '1', '2'])('3,000 lines of standard input, in order, at QoS %s', async (qos) => {
      const numbers = Array.from({ length: 3_000 }, (_, n) => `line ${n}\n`).join('')
      const sub = await godwit.sub('-t', 'a', '-q', qos, '-C', '3000')
      const pub = godwit.start('pub', '-t', 'a', '-l', '-q', qos)
      pub.terminal.stdin.end(numbers)
      expect(await pub.exitCode).toBe(0)
      expect(await sub.exitCode).toBe(0)
      expect(sub.terminal.output).toBe(numbers)
    })

    test('a line is published when it comes, not when the input ends', async () => {
      const sub = await godwit.sub('-t', 'a', '-v')
      const pub = godwit.start('pub', '-t', 'a', '-l')
      pub.terminal.stdin.write('first\n\nthi')
      await sub.terminal.printed(/^a first\na \(null\)\n$/)
      pub.terminal.stdin.end('rd')
      await sub.terminal.printed(/a third\n$/)
      expect(await pub.exitCode).toBe(0)
      sub.terminal.interrupt()
      expect(await sub.exitCode).toBe(0)
    })

    test('--repeat', async () => {
      const sub = await godwit.sub('-t', 'a', '-C', '3')
      expect(
        (await godwit.ended('pub', '-t', 'a', '-m', 'x', '--repeat', '3', '--repeat-delay', '0.01')).exitCode,
      ).toBe(0)
      expect(await sub.exitCode).toBe(0)
      expect(sub.terminal.output).toBe('x\nx\nx\n')
    })

    test('several filters, and what is filtered out does not count', async () => {
      const sub = await godwit.sub('-t', 'a/#', '-t', 'b', '-T', 'a/+/no', '-v', '-C', '2')
      for (const topic of ['a/x/no', 'a/x', 'c', 'b']) broker.publish(topic, 'x')
      expect(await sub.exitCode).toBe(0)
      expect(sub.terminal.output).toBe('a/x x\nb x\n')
    })

    test('-E ends as soon as the session has its subscription; -c then brings what came meanwhile', async () => {
      const session = ['-i', 'dash', '-c', '-t', 'a/#', '-q', '1']
      expect((await godwit.ended('sub', ...session, '-E')).exitCode).toBe(0)
      for (const text of ['1', '2', '3']) broker.publish('a/b', text, { qos: 1 })
      const first = await godwit.ended('sub', ...session, '-C', '2')
      expect(first.terminal.output).toBe('1\n2\n')
      const second = await godwit.ended('sub', ...session, '-C', '1')
      expect(second.terminal.output).toBe('3\n')
    })

    test('the will of a client that vanishes', async () => {
      const will = ['--will-topic', 'gone', '--will-payload', 'me', '--will-qos', '1', '--will-retain']
      const watcher = await godwit.sub('-t', 'gone', '-C', '1', '-q', '1', '-F', '%p %q')
      const first = await godwit.sub('-t', 'a', '-i', 'twin', ...will)
      const second = await godwit.sub('-t', 'a', '-i', 'twin') // takes over, and the first connection is closed
      expect(await watcher.exitCode).toBe(0)
      expect(watcher.terminal.output).toBe('me 1\n')
      for (const { terminal } of [first, second]) terminal.interrupt()
      expect(await second.exitCode).toBe(0)
      // At 5.0 it is told why, and does not come back to throw the other out in turn.
      expect(await first.exitCode).toBe(version === '5' ? 7 : 0)
    })
  })

  describe('retained messages', () => {
    beforeEach(() => {
      broker.publish('room/a', '1', { retain: true })
      broker.publish('room/b', '2', { retain: true })
    })

    test('are printed by default', async () => {
      const { terminal } = await godwit.ended('sub', '-t', 'room/a', '-C', '1', '-F', '%r %p')
      expect(terminal.output).toBe('1 1\n')
    })

    test('-R leaves them out', async () => {
      const sub = await godwit.sub('-t', 'room/#', '-R', '-C', '1')
      broker.publish('room/a', 'fresh')
      await sub.exitCode
      expect(sub.terminal.output).toBe('fresh\n')
    })

    test('--retained-only ends with the first that is not', async () => {
      const sub = await godwit.sub('-t', 'room/#', '--retained-only', '-v')
      broker.publish('room/c', 'fresh')
      expect(await sub.exitCode).toBe(0)
      expect(sub.terminal.output.split('\n').sort()).toEqual(['', 'room/a 1', 'room/b 2'])
    })

    test('godwit pub -r keeps one, -r -n clears it', async () => {
      await godwit.ended('pub', '-t', 'room/d', '-m', '4', '-r', '-q', '1')
      expect((await godwit.ended('sub', '-t', 'room/d', '-C', '1')).terminal.output).toBe('4\n')
      await godwit.ended('pub', '-t', 'room/d', '-n', '-r', '-q', '1')
      expect((await godwit.ended('sub', '-t', 'room/d', '-W', '0.05')).terminal.output).toBe('')
    })
  })

  describe('godwit rr', () => {
    test('prints the response', async () => {
      const answers = broker.subscribe('ask', ({ payload }) => broker.publish('answer', `${payload.length} bytes`))
      const { exitCode, terminal } = await godwit.ended('rr', '-t', 'ask', '-e', 'answer', '-m', 'time?', '-v')
      expect([exitCode, terminal.output]).toEqual([0, 'answer 5 bytes\n'])
      answers.unsubscribe()
    })

    test('-R does not take a retained message for the response', async () => {
      broker.publish('answer', 'yesterday', { retain: true })
      broker.subscribe('ask', () => broker.publish('answer', 'today'))
      expect((await godwit.ended('rr', '-t', 'ask', '-e', 'answer', '-n', '-R')).terminal.output).toBe('today\n')
      expect((await godwit.ended('rr', '-t', 'ask', '-e', 'answer', '-n')).terminal.output).toBe('yesterday\n')
    })

    test('nobody answers: exit code 27', async () => {
      const { exitCode, terminal } = await godwit.ended('rr', '-t', 'ask', '-e', 'answer', '-m', 'x', '-W', '0.05')
      expect([exitCode, terminal.errors]).toEqual([27, 'godwit rr: timed out after 0.05 s; --timeout sets the time\n'])
    })
  })

  describe('exit codes', () => {
    test('sub -W: 27, also after messages', async () => {
      broker.publish('a', 'x', { retain: true })
      const { exitCode, terminal } = await godwit.ended('sub', '-t', 'a', '-W', '0.1')
      expect([exitCode, terminal.output]).toEqual([27, 'x\n'])
      expect(terminal.errors).toBe('godwit sub: timed out after 0.1 s; --timeout sets the time\n')
    })

    test.each([
      ['not authorized', false, { '5': 135, '311': 5 }],
      ['bad user name or password', 'bad-credentials', { '5': 134, '311': 4 }],
      ['unavailable', 'unavailable', { '5': 136, '311': 3 }],
    ] as const)('refused, %s: the code of CONNACK', async (_words, admission, exitCodes) => {
      await broker.close()
      await start({ hooks: [{ authenticate: () => admission }] })
      for (const args of [
        ['pub', '-t', 'a', '-m', 'x'],
        ['sub', '-t', 'a'],
        ['rr', '-t', 'a', '-e', 'b', '-n'],
      ] as const) {
        const [name, ...rest] = args
        const { exitCode, terminal } = await godwit.ended(name, ...rest)
        expect(exitCode).toBe(exitCodes[version])
        expect(terminal.errors).toMatch(
          new RegExp(`^godwit ${name}: mqtt://localhost:${port}: the server refused .*; .*\n$`),
        )
      }
    })

    test('user name and password reach the server', async () => {
      await broker.close()
      const authenticate = ({
        username,
        password,
      }: {
        username?: string | undefined
        password?: Uint8Array | undefined
      }) => username === 'ann' && Buffer.from(password ?? '').toString() === 'secret'
      await start({ hooks: [{ authenticate }] })
      expect((await godwit.ended('pub', '-t', 'a', '-m', 'x', '-u', 'ann', '-P', 'secret')).exitCode).toBe(0)
      expect((await godwit.ended('pub', '-t', 'a', '-m', 'x', '-u', 'ann', '-P', 'wrong')).exitCode).toBe(
        version === '5' ? 135 : 5,
      )
    })

    test('nobody listens there: 1', async () => {
      await broker.close()
      for (const args of [
        ['pub', '-t', 'a', '-m', 'x'],
        ['sub', '-t', 'a'],
      ] as const) {
        const [name, ...rest] = args
        const { exitCode, terminal } = await godwit.ended(name, ...rest)
        expect(exitCode).toBe(1)
        expect(terminal.errors).toBe(
          `godwit ${name}: mqtt://localhost:${port}: nothing listens there; check --host and --port, and that the server runs\n`,
        )
      }
    })

    test('a message larger than the server takes: 1 where it has said so, 7 where it closes the connection', async () => {
      await broker.close()
      await start({ limits: { maxPacketBytes: 64 } })
      for (const qos of ['1', '2']) {
        const { exitCode, terminal } = await godwit.ended('pub', '-t', 'a', '-m', 'x'.repeat(64), '-q', qos)
        expect([exitCode, terminal.errors]).toEqual(
          version === '5'
            ? [1, expect.stringMatching(/^godwit pub: .*64.*\n$/)]
            : [7, expect.stringMatching(/^godwit pub: .*closed.*; the server's log should say why\n$/)],
        )
      }
    })

    test('a refused subscription: 1, and a warning when another was granted', async () => {
      await broker.close()
      await start({ hooks: [{ authorize: ({ topic }) => topic !== 'secret' }] })
      const refused = await godwit.ended('sub', '-t', 'secret')
      expect(refused.exitCode).toBe(1)
      expect(refused.terminal.errors).toMatch(/^godwit sub: the server refused the subscription to 'secret' .*\n$/)
      const partly = await godwit.sub('-t', 'secret', '-t', 'open', '-C', '1')
      expect(partly.terminal.errors).toContain("godwit sub: the server refused the subscription to 'secret'")
      broker.publish('open', 'x')
      expect(await partly.exitCode).toBe(0)
    })
  })

  test('sub comes back when the server does', async () => {
    const sub = await godwit.sub('-t', 'a', '-C', '1')
    await broker.close()
    await sub.terminal.printed(/trying again until it works/)
    broker = await createBroker()
    await broker.listen({ port: Number(port) })
    await sub.terminal.printed(/connected again; the server kept no session/)
    broker.publish('a', 'back', { retain: true }) // the subscription may come before or after
    expect(await sub.exitCode).toBe(0)
    expect(sub.terminal.output).toBe('back\n')
  })
})
