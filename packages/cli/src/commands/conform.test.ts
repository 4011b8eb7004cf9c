import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import type { JsonReport } from '@godwit/conformance'
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

/** A server of 3.1.1 alone; its PINGRESP has a body. */
async function olderServer(): Promise<{ url: string; server: Server }> {
  const answers: Readonly<Record<number, readonly number[]>> = { 4: [0x20, 2, 0, 0], 5: [0x20, 2, 0, 1] }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      if (bytes[0] === 0x10) socket.write(Uint8Array.from(answers[bytes[8]!]!))
      if (bytes[0] === 0xc0) socket.write(Uint8Array.of(0xd0, 1, 0))
      if (bytes[8] === 5) socket.end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

describe('a server that breaks a rule', () => {
  const refused = ['--only', '3.12.4-1', '--standard', '3.1.1']
  let url: string
  let server: Server
  beforeAll(async () => {
    ;({ url, server } = await olderServer())
  })
  afterAll(() => {
    server.close()
  })

  test('is told in words, and with what was said; the exit code is 1', async () => {
    const { code, output } = await ran(url, ...refused, '-v')
    expect(code).toBe(1)
    expect(output).toMatch(
      /^mqtt:\S+: accepts no client of MQTT 5\.0\n\nfail 3\.1\.1 MQTT-3\.12\.4-1 \d+ ms {2}expected PINGRESP \[d0 00\]; came /,
    )
    expect(output).toMatch(/FAIL MQTT-3\.12\.4-1 \(MQTT 3\.1\.1\)\n {2}expected PINGRESP .*\[d0 01 00\]/)
    expect(output).toMatch(/ {4}\S+ sends PINGREQ \[c0 00\]/)
  })

  test('is written as JUnit and as a page', async () => {
    const [junit, page] = [join(folder, 'report.xml'), join(folder, 'report.md')]
    await ran(url, ...refused, '--junit', junit, '--markdown', page)
    expect(readFileSync(junit, 'utf8')).toMatch(
      /<testsuite name="MQTT 3\.1\.1 3\.12 PINGREQ" tests="1" failures="1" skipped="0">\n.*<failure message="expected PINGRESP/,
    )
    expect(readFileSync(page, 'utf8')).toMatch(
      /## Failures\n\n- \*\*MQTT-3\.12\.4-1\*\* \(3\.1\.1\) .*\n {2}expected PINGRESP/,
    )
  })
})

test('statements of a version that the server does not speak are skipped', async () => {
  const { url, server } = await olderServer()
  const { code, output } = await ran(url, '--only', '3.13', '--only', '3.12', '--json')
  expect(code).toBe(1)
  expect(
    (JSON.parse(output) as JsonReport).statements.map(({ version, outcome, detail }) => [version, outcome, detail]),
  ).toEqual([
    ['3.1.1', 'fail', expect.stringContaining('expected PINGRESP')],
    [
      '5.0',
      'skip',
      'does not apply: the server does not speak MQTT 5.0 (CONNACK, reasonCode 0x84 (Unsupported Protocol Version) [20 02 00 01])',
    ],
  ])
  const { code: asked, output: nothing, errors } = await ran(url, '--version', '5.0')
  expect([asked, nothing]).toEqual([1, ''])
  expect(errors).toMatch(
    /^godwit conform: mqtt:\S+: it does not speak MQTT 5\.0 \(.*\); --version says which to ask for\n$/,
  )
  server.close()
})

test('a run that is stopped proves nothing: exit code 1', async () => {
  const terminal = new TestTerminal()
  const running = terminal.run('conform', url, '--only', '3.12', '--only', '3.14', '--jobs', '1')
  await terminal.printed(/every feature/)
  terminal.interrupt()
  expect(await running).toBe(1)
  expect(terminal.errors).toMatch(/^stopped: \d of 13 checks were run\n$/)
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
    [['mqtt://127.0.0.1', '--version', '4'], "--standard is '4'; it takes 3.1.1, 5, 5.0, both"],
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

  test('a server that wants credentials, and gets none or wrong ones', async () => {
    const { code, output, errors } = await ran(url, '--username', 'nobody')
    expect([code, output]).toEqual([1, ''])
    expect(errors).toMatch(
      /^godwit conform: mqtt:\S+: it does not let the checks in \(CONNACK, reasonCode 0x87 \(Not authorized\).*\); give --username and --password\n$/,
    )
  })
})
