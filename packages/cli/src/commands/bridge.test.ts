import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-bridge-'))
afterAll(() => rmSync(home, { recursive: true }))

let far: Broker
let port: number
beforeEach(async () => {
  far = await createBroker({
    sysIntervalSeconds: 0,
    hooks: [
      {
        authenticate: ({ password }) => password === undefined || password.toString() === 'sesame',
        authorize: ({ action, topic }) => action === 'publish' || !topic.startsWith('secret'),
      },
    ],
  })
  port = (await far.listen({ port: 0 })).port
})
afterEach(() => far.close())

/** The configuration, with these bridges. */
function configured(bridges: string): string {
  const path = join(home, 'godwit.yaml')
  writeFileSync(path, `data: memory\nlisteners: [{ port: 0 }]\nhttp: { listen: none }\nbridges:\n${bridges}`)
  return path
}

const one = (name: string, more = ''): string =>
  `  - name: ${name}\n    url: mqtt://127.0.0.1:${port}\n    clientId: ${name}\n    topics: [{ filter: '${name}/#', direction: both }]\n${more}`

async function run(...args: readonly string[]) {
  const terminal = new TestTerminal()
  return { code: await terminal.run(...args), output: terminal.output, errors: terminal.errors }
}

test('test: what is granted, what is refused, and that nobody can be reached', async () => {
  const config = configured(
    one('a') +
      `  - name: b\n    url: mqtt://127.0.0.1:${port}\n    topics: [{ filter: 'secret/#', direction: in, qos: 2 }, { filter: x, direction: out }]\n`,
  )
  expect(await run('bridge', 'test', 'a', '--config', config)).toEqual({
    code: 0,
    output:
      `connected to mqtt://127.0.0.1:${port}, MQTT 5.0\n` +
      'taken for a client, not for a bridge: in a ring or a net, name its user in features.bridgeUsers over there\n' +
      'in: "a/#": granted at QoS 1\n',
    errors: '',
  })
  expect(await run('bridge', 'test', 'b', '--config', config)).toMatchObject({
    code: 1,
    output: expect.stringContaining('in: "secret/#": refused: Not authorized\n'),
  })
  expect(await run('bridge', 'test', 'c', '--config', config)).toMatchObject({
    code: 1,
    errors: expect.stringContaining('there is no bridge c; there is a, b'),
  })
  expect(await far.sessions.count()).toBe(0)
})

test.each<[string, RegExp]>([
  [
    `  - name: a\n    url: http://far\n    topics: [{ filter: a, direction: in }]\n`,
    /bridges\[0\]\.url: it takes mqtt:\/\//,
  ],
  [
    `  - name: a\n    url: mqtt://far\n    topics: [{ filter: 'a#', direction: in }]\n`,
    /godwit\.yaml:5.*"a#" is not a topic filter/,
  ],
  [
    `  - name: a\n    url: mqtt://far\n    passwordFrom: none.pw\n    topics: [{ filter: a, direction: in }]\n`,
    /cannot read passwordFrom .*none\.pw: no such file/,
  ],
  [
    `  - name: a\n    url: mqtt://far\n    tls: { ca: x }\n    topics: [{ filter: a, direction: in }]\n`,
    /tls is for mqtts:\/\/ and wss:\/\//,
  ],
  [
    `  - { name: a, url: 'mqtt://far', topics: [{ filter: a, direction: in }] }\n  - { name: a, url: 'mqtt://far', topics: [{ filter: b, direction: in }] }\n`,
    /there is a bridge a already/,
  ],
])('config check: %j', async (bridges, message) => {
  expect(await run('config', 'check', configured(bridges))).toMatchObject({
    code: 1,
    errors: expect.stringMatching(message),
  })
})

test('a broker runs bridges, and reload starts, changes and ends them, and leaves others alone', async () => {
  writeFileSync(join(home, 'far.pw'), 'sesame\n')
  const control = ['--control', join(home, 'control.sock')]
  const config = configured(one('a') + one('b'))
  const terminal = new TestTerminal()
  const ended = terminal.run('broker', '--config', config, ...control)
  await terminal.printed(/an acknowledgement/)
  const connected = async (...names: readonly string[]): Promise<void> => {
    for (;;) {
      const found = []
      for await (const { clientId } of far.clients.list()) found.push(clientId)
      if (found.sort().join() === names.join()) return
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  await connected('a', 'b')
  const since = (await far.clients.get('a'))?.connectedAt
  configured(one('a') + one('c', '    username: me\n    passwordFrom: far.pw\n'))
  expect((await run('reload', ...control)).output).toBe('reloaded: bridge b\nreloaded: bridge c\n')
  await connected('a', 'c')
  expect((await far.clients.get('a'))?.connectedAt).toBe(since)
  writeFileSync(join(home, 'far.pw'), 'wrong\n')
  expect((await run('reload', ...control)).output).toBe('reloaded: bridge c\n')
  await connected('a')
  const { output } = await run('bridge', ...control)
  expect(output).toMatch(/^BRIDGE +STATE/)
  expect(output).toMatch(/^a +connected .* mqtt:\/\/127/m)
  expect(output).toMatch(/^c +tries again +00:00:0\d /m)
  terminal.interrupt()
  expect(await ended).toBe(0)
})
