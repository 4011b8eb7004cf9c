import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'

const folder = mkdtempSync(join(tmpdir(), 'godwit-conform-'))
let broker: Broker
let url: string

beforeAll(async () => {
  broker = await createBroker({ hooks: [{ name: 'door', authenticate: ({ username }) => username !== 'nobody' }] })
  url = `mqtt://127.0.0.1:${(await broker.listen({ port: 0 })).port}`
})
afterAll(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

async function ran(...args: string[]) {
  const terminal = new TestTerminal()
  return { code: await terminal.run('conform', ...args), output: terminal.output, errors: terminal.errors }
}

test('a chapter, as a table', async () => {
  const { code, output, errors } = await ran(url, '--only', '3.12')
  expect([code, errors]).toEqual([0, ''])
  expect(output.split('\n').map((line) => line.split(/ {2,}/).join(' | '))).toEqual([
    expect.stringMatching(/^mqtt:\S+: QoS up to 2, Receive Maximum \d+, .*, every feature$/),
    '',
    'MQTT | chapter | pass | fail | skip',
    '3.1.1 | 3.12 | PINGREQ | 1 | 0 | 0',
    '5.0 | 3.12 | PINGREQ | 1 | 0 | 0',
    'all | 2 | 0 | 0',
    '',
  ])
})

test('a statement of one version, as JSON', async () => {
  const { code, output } = await ran(url, '--version', '5', '--only', 'MQTT-3.12.4-1', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(output)).toEqual({
    target: url,
    statements: [{ id: 'MQTT-3.12.4-1', version: '5.0', outcome: 'pass', ms: expect.any(Number), detail: '' }],
    totals: { pass: 1, fail: 0, skip: 0 },
  })
})

describe('a server that breaks a rule: here it lets nobody in', () => {
  const refused = ['--username', 'nobody', '--only', 'MQTT-3.12.4-1', '--standard', '3.1.1']

  test('is told in words, and with what was said; the exit code is 1', async () => {
    const { code, output } = await ran(url, ...refused, '-v')
    expect(code).toBe(1)
    expect(output).toMatch(
      /^mqtt:\S+: accepts no client of MQTT 5\.0\n\nfail 3\.1\.1 MQTT-3\.12\.4-1 \d+ ms {2}expected CONNACK/,
    )
    expect(output).toMatch(/FAIL MQTT-3\.12\.4-1 \(MQTT 3\.1\.1\)\n {2}expected CONNACK.*returnCode 5|0x87/)
    expect(output).toMatch(/ {4}\S+ sends 10 /)
  })

  test('is written as JUnit and as a page', async () => {
    const [junit, page] = [join(folder, 'report.xml'), join(folder, 'report.md')]
    await ran(url, ...refused, '--junit', junit, '--markdown', page)
    expect(readFileSync(junit, 'utf8')).toMatch(
      /<testsuite name="MQTT 3\.1\.1 3\.12 PINGREQ" tests="1" failures="1" skipped="0">\n.*<failure message="expected CONNACK/,
    )
    expect(readFileSync(page, 'utf8')).toMatch(
      /## Failures\n\n- \*\*MQTT-3\.12\.4-1\*\* \(3\.1\.1\) .*\n {2}expected CONNACK/,
    )
  })
})

test('credentials go into CONNECT', async () => {
  expect((await ran(url, '--username', 'me', '--password', 'x', '--only', '3.12')).code).toBe(0)
})

describe('one line and exit code 1', () => {
  test.each([
    [[], "missing required argument 'url'"],
    [['mqtt://127.0.0.1:1'], 'cannot connect to mqtt://127.0.0.1:1: '],
    [['http://127.0.0.1'], "url is 'http://127.0.0.1'; there is no way to speak MQTT over http: use mqtt://"],
    [['nonsense'], "url is 'nonsense'; it takes mqtt://"],
    [['mqtt://127.0.0.1', '--only', 'x'], "--only is 'x'; it takes an id such as MQTT-3.8.4-1, a chapter such as 3.3"],
    [['mqtt://127.0.0.1', '--only', '9.9'], 'no check is called 9.9; see docs/conformance.md'],
    [
      ['mqtts://127.0.0.1', '--cafile', '/none'],
      'cannot read /none: no such file or folder; name another with --cafile',
    ],
    [['--unix', '/none.sock'], 'cannot connect to unix:///none.sock: '],
    [['--unix', '/x', '--ws'], 'a Unix domain socket has no host, port, WebSocket or TLS'],
  ])('godwit conform %j', async (args, problem) => {
    const { code, output, errors } = await ran(...args)
    expect([code, output]).toEqual([1, ''])
    expect(errors).toContain(`godwit conform: ${problem}`)
    expect(errors.trimEnd().split('\n')).toHaveLength(1)
  })
})
