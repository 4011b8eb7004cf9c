import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import { afterAll, describe, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'
import { helped } from '../command-line.js'
import { brokerSettings } from './broker.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-broker-'))
afterAll(() => rmSync(home, { recursive: true }))

describe('flags', () => {
  const defaults = {
    listeners: [{ protocol: 'mqtt', host: '127.0.0.1' }],
    allowAnonymous: false,
    auth: {},
    acl: {},
    data: './godwit-data',
    limits: {},
    features: {},
    log: { level: 'info', format: 'auto' },
  }
  const at = (host: string, port: number) => ({ listeners: [{ protocol: 'mqtt', host, port }] })

  function configOf(...args: string[]) {
    const settings = brokerSettings(args, new TestTerminal(), {})
    if (settings === helped) throw new Error('helped')
    return settings.config
  }

  test.each([
    ['', {}],
    ['--host ::1 --port 0', at('::1', 0)],
    ['--port=1884', at('127.0.0.1', 1884)],
    ['--host 0.0.0.0 --allow-anonymous', { listeners: [{ protocol: 'mqtt', host: '0.0.0.0' }], allowAnonymous: true }],
    ['--data memory', { data: 'memory' }],
    ['--commit flushed', {}],
    ['--mqtt31', { features: { mqtt31: true } }],
    ['--log-level debug', { log: { level: 'debug', format: 'auto' } }],
    ['--log-format json', { log: { level: 'info', format: 'json' } }],
    ['--max-inflight 65535', { limits: { maxInflight: 65_535 } }],
    ['--max-queued 10000000', { limits: { maxQueuedMessages: 10_000_000 } }],
    ['--max-queued-bytes 512MiB', { limits: { maxQueuedBytes: 536_870_912 } }],
  ])('godwit broker %s', (line, settings) => {
    expect(configOf(...line.split(' ').filter(Boolean))).toMatchObject({ ...defaults, ...settings })
  })

  test('go before the configuration file, limit by limit', () => {
    const config = join(home, 'godwit.json')
    writeFileSync(config, '{"listeners": [{"port": 1}], "limits": {"maxInflight": 5, "maxQueuedBytes": "1KiB"}}')
    expect(configOf('--config', config, '--port', '2', '--max-inflight', '7')).toMatchObject({
      ...defaults,
      ...at('127.0.0.1', 2),
      limits: { maxInflight: 7, maxQueuedBytes: 1024 },
    })
  })
})

describe('one line and exit code 1', () => {
  test.each([
    ['--port abc', "--port is 'abc'; it takes a whole number from 0 to 65535; see godwit broker --help"],
    ['--port', '--port needs a value; see godwit broker --help'],
    ['--max-inflight 0', "--max-inflight is '0'; it takes a whole number from 1 to 65535; see godwit broker --help"],
    [
      '--max-inflight 65536',
      "--max-inflight is '65536'; it takes a whole number from 1 to 65535; see godwit broker --help",
    ],
    ['--max-queued 0', "--max-queued is '0'; it takes a whole number of 1 or more; see godwit broker --help"],
    [
      '--max-queued-bytes 0',
      "--max-queued-bytes is '0'; it takes a size above 0, such as 1048576, 64KB or 512MiB; see godwit broker --help",
    ],
    ['--log-level loud', "--log-level is 'loud'; it takes debug, info, warn, error; see godwit broker --help"],
    ['--log-format xml', "--log-format is 'xml'; it takes auto, text, json; see godwit broker --help"],
    ['--prot 1', "there is no option '--prot'; did you mean --port? See godwit broker --help"],
    ['extra', 'there are words that belong to no option; quote values with spaces; see godwit broker --help'],
    [
      '--host 0.0.0.0',
      '0.0.0.0 can be reached by other machines and nobody is asked for a password; configure auth, or add --allow-anonymous to let anyone in',
    ],
    ['--config none.json', 'cannot read the configuration none.json: no such file or folder; name a YAML or JSON file'],
  ])('godwit broker %s', async (line, problem) => {
    const terminal = new TestTerminal()
    expect(await terminal.run('broker', ...line.split(' '))).toBe(1)
    expect(terminal.errors).toBe(`godwit broker: ${problem}\n`)
    expect(terminal.output).toBe('')
  })

  test('a data folder that cannot be used', async () => {
    const file = join(home, 'file')
    writeFileSync(file, '')
    const terminal = new TestTerminal()
    expect(await terminal.run('broker', '--data', file)).toBe(1)
    expect(terminal.errors).toMatch(/^godwit broker: cannot use the data folder .*; choose another .*\n$/)
  })

  test('a limit in the configuration file that the broker refuses', async () => {
    const config = join(home, 'limits.json')
    writeFileSync(config, '{"data": "memory", "limits": {"maxInflight": 99999}}')
    const terminal = new TestTerminal()
    expect(await terminal.run('broker', '--config', config)).toBe(1)
    expect(terminal.errors).toMatch(
      `godwit broker: ${config}:1:31: limits.maxInflight: it takes 65535 or less, not 99999`,
    )
  })

  test('a port in use', async () => {
    await using other = await createBroker()
    const { port } = await other.listen({ port: 0 })
    const terminal = new TestTerminal()
    expect(await terminal.run('broker', '--data', 'memory', '--port', String(port))).toBe(1)
    expect(terminal.errors).toMatch(new RegExp(`^godwit broker: cannot listen on 127.0.0.1:${port}: .*in use.*\n$`))
    expect(terminal.output).toBe('')
  })
})

describe('running', () => {
  test('the banner says where it listens, who may connect, where data is and what an acknowledgement means', async () => {
    const terminal = new TestTerminal()
    const folder = join(home, 'data')
    const ended = terminal.run('broker', '--port', '0', '--data', folder)
    await terminal.printed(/listening on 127\.0\.0\.1:\d+/)
    await terminal.printed(/who may connect .*this machine/)
    await terminal.printed(new RegExp(`sessions, messages +${folder}, nothing there yet`))
    await terminal.printed(/an acknowledgement +means "on disk"/)
    terminal.interrupt()
    expect(await ended).toBe(0)
    expect(terminal.errors).toMatch(/"level":"info","message":"stopping"}\n$/)
  })

  test('--data memory says that nothing is kept', async () => {
    const terminal = new TestTerminal()
    const ended = terminal.run('broker', '--port', '0', '--data', 'memory')
    await terminal.printed(/in memory only \(--data memory\): all is forgotten when it ends/)
    terminal.interrupt()
    expect(await ended).toBe(0)
  })

  test('what was kept is there at the next start, and the banner says so', async () => {
    const folder = join(home, 'kept')
    const first = new TestTerminal()
    const firstEnded = first.run('broker', '--port', '0', '--data', folder)
    const [, port] = await first.printed(/listening on 127\.0\.0\.1:(\d+)/)
    const publisher = new TestTerminal()
    expect(await publisher.run('pub', '-p', String(port), '-t', 'kept', '-m', 'x', '-q', '1', '-r')).toBe(0)
    first.interrupt()
    expect(await firstEnded).toBe(0)

    const second = new TestTerminal()
    const secondEnded = second.run('broker', '--port', '0', '--data', folder)
    await second.printed(/found 0 sessions, 0 messages that wait, 1 retained/)

    const third = new TestTerminal()
    expect(await third.run('broker', '--port', '0', '--data', folder)).toBe(1)
    expect(third.errors).toMatch(/^godwit broker: the data folder .* is in use by process \d+; .*\n$/)
    second.interrupt()
    expect(await secondEnded).toBe(0)
  })

  test.each([
    ['--mqtt31', 0],
    ['--log-level=info', 1],
  ])('%s: a client of MQTT 3.1 ends with exit code %i', async (flag, exitCode) => {
    const terminal = new TestTerminal()
    const ended = terminal.run('broker', '--port', '0', '--data', 'memory', flag)
    const [, port] = await terminal.printed(/listening on 127\.0\.0\.1:(\d+)/)
    expect(await new TestTerminal().run('pub', '-p', String(port), '-V', 'mqttv31', '-t', 'a', '-n')).toBe(exitCode)
    terminal.interrupt()
    expect(await ended).toBe(0)
  })

  test('each listener of the configuration is open', async () => {
    const config = join(home, 'listeners.yaml')
    writeFileSync(config, 'data: memory\nlisteners:\n  - port: 0\n  - host: "::1"\n    port: 0\n')
    const terminal = new TestTerminal()
    const ended = terminal.run('broker', '--config', config)
    const [, one, other] = await terminal.printed(/listening on 127\.0\.0\.1:(\d+), \[::1\]:(\d+)/)
    for (const [host, port] of [
      ['127.0.0.1', one],
      ['::1', other],
    ]) {
      expect(await new TestTerminal().run('pub', '-h', String(host), '-p', String(port), '-t', 'a', '-n')).toBe(0)
    }
    terminal.interrupt()
    expect(await ended).toBe(0)
  })

  test('--allow-anonymous says who may come in', async () => {
    const terminal = new TestTerminal()
    const ended = terminal.run('broker', '--host', '0.0.0.0', '--port', '0', '--data', 'memory', '--allow-anonymous')
    await terminal.printed(/who may connect .*ANYONE/)
    terminal.interrupt()
    expect(await ended).toBe(0)
  })
})

test('--help has examples', async () => {
  const terminal = new TestTerminal()
  expect(await terminal.run('broker', '--help')).toBe(0)
  expect(terminal.output).toMatch(/Usage: godwit broker.*Examples:\n {2}godwit broker/s)
  expect(terminal.errors).toBe('')
})
