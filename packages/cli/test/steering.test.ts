// godwit clients, sessions, subscriptions, retained, plugins, kick, users and backup with a broker in this process.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PluginState } from '@godwit/admin/parts'
import { type Broker, createBroker } from '@godwit/broker'
import { authenticationChain, passwordFile } from '@godwit/broker/access'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import { connect } from '@godwit/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BackupFolder } from '../src/backup-folder.js'
import { controlRequests } from '../src/control/control-requests.js'
import { ControlSocket } from '../src/control/control-socket.js'
import { EditedFile } from '../src/editing/edited-file.js'
import { UsersEditor } from '../src/editing/users-editor.js'
import { controlled } from './controlled.js'
import { TestTerminal } from './test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-steering-'))
const path = join(home, 'control.sock')
const passwords = join(home, 'passwords')
const logged: string[] = []
const log = {
  log: (_: string, message: string, fields: object = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`),
}
let broker: Broker
let url: string
let control: ControlSocket

beforeAll(async () => {
  writeFileSync(passwords, '')
  const chain = authenticationChain([await passwordFile(passwords, { watchMs: 0 }), anybody])
  const store = lmdbStore({ directory: join(home, 'data') })
  broker = await createBroker({
    sysIntervalSeconds: 0,
    hooks: [chain],
    store,
    controlCharacters: true,
  })
  url = `mqtt://127.0.0.1:${(await broker.listen({ port: 0 })).port}`
  const users = new UsersEditor(new EditedFile(passwords, () => chain.reload()))
  const backups = new BackupFolder(join(home, 'backups'), store)
  control = await ControlSocket.open(path, controlRequests(controlled(broker, { users, backups, plugins, log })), log)
})
afterAll(async () => {
  await control.close()
  await broker.close()
  rmSync(home, { recursive: true })
})

const anybody = {
  name: 'anybody',
  check: ({ username }: { readonly username?: string | undefined }) => (username === undefined ? 'allow' : 'not mine'),
} as const

/** Nothing of a plugin but what is shown of it. */
const plugins: { views: readonly PluginState[] } = { views: [] }

async function ran(command: string, ...args: readonly string[]) {
  const terminal = new TestTerminal()
  const code = await terminal.run(command, '--control', path, ...args)
  return { code, lines: terminal.output.trimEnd().split('\n'), problem: terminal.errors.trimEnd() }
}

const columns = (line: string): string[] => line.split(/ {2,}/)

describe('what is listed', () => {
  test('clients, by a part of their name, by user, sorted, as JSON', async () => {
    await using _lamp = await connect(url, { clientId: 'lamp' })
    await using door = await connect(url, { clientId: 'front door \u001b[2J' })
    await door.subscribe('a')
    const { lines } = await ran('clients')
    expect(columns(lines[0]!)).toEqual(
      'CLIENT USER ADDRESS VIA QUEUED UNSENT INFLIGHT SUBSCRIPTIONS FOR MQTT'.split(' '),
    )
    expect(columns(lines[1]!).slice(0, 8)).toEqual([
      '"front door \\u001b[2J"',
      '-',
      '127.0.0.1',
      'tcp',
      '0',
      '0 B',
      '0',
      '1',
    ])
    expect(columns(lines[2]!)[0]).toBe('lamp')
    expect((await ran('clients', 'LAMP')).lines).toHaveLength(2)
    expect((await ran('clients', '--user', 'nobody')).lines).toHaveLength(1)
    expect((await ran('clients', '--sort', 'subscriptions', '--limit', '1')).lines[1]).toContain('front door')
    const json = await ran('clients', '--json')
    expect(json.lines.map((line) => JSON.parse(line).clientId)).toEqual(['front door \u001b[2J', 'lamp'])
    expect(json.lines.join('')).not.toContain('\u001b')
  })

  test('a table fits a terminal', async () => {
    await using _ = await connect(url, { clientId: 'x'.repeat(200) })
    const terminal = new TestTerminal()
    Object.assign(terminal.stdout, { isTTY: true, columns: 60 })
    await terminal.run('clients', '--control', path, '--color', 'never')
    const lines = terminal.output.trimEnd().split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60)
    expect(lines[1]).toMatch(/^x+… /)
  })

  test('sessions and what waits in them; one is ended', async () => {
    const away = await connect(url, { clientId: 'away', sessionExpirySeconds: 3600 })
    await away.subscribe('news', { qos: 1 })
    await away.close()
    await broker.publish('news', 'x', { qos: 1 })
    const { lines } = await ran('sessions', 'away')
    expect(columns(lines[1]!)).toEqual([
      'away',
      'no',
      '1',
      '0',
      '1',
      expect.stringMatching(/^in (01:00:00|00:59:\d\d)$/),
    ])
    expect(await ran('kick', 'away')).toMatchObject({ code: 1, problem: 'godwit kick: no client away is connected' })
    expect(await ran('kick', 'away', '--end-session')).toMatchObject({ lines: ['ended the session of away'] })
    expect(await ran('kick', 'away', '--end-session')).toMatchObject({
      code: 1,
      problem: 'godwit kick: no client away is connected, and it has no session',
    })
    expect((await ran('sessions', 'away')).lines).toHaveLength(1)
  })

  test('subscriptions, of a client or with a filter', async () => {
    await using lamp = await connect(url, { clientId: 'lamp' })
    await lamp.subscribe('home/#', { qos: 1, noLocal: true })
    await lamp.subscribe('$share/g/work')
    const { lines } = await ran('subscriptions', '--client', 'lamp')
    expect(lines.map(columns)).toEqual([
      ['CLIENT', 'FILTER', 'QOS', 'OPTIONS'],
      ['lamp', '$share/g/work', expect.any(String), expect.any(String)],
      ['lamp', '"home/#"', '1', expect.stringMatching(/^no local/)],
    ])
    expect((await ran('subscriptions', '--filter', 'home/#', '--json')).lines).toHaveLength(1)
  })

  test('retained messages, without what is in them; some are deleted', async () => {
    await broker.publish('old/a', 'secret', { retain: true })
    await broker.publish('old/b', 'more secret', { retain: true })
    await broker.publish('new', 'x', { retain: true })
    const { lines } = await ran('retained', 'old/#', '--sort', 'bytes')
    expect(lines.map(columns)).toEqual([
      ['TOPIC', 'BYTES', 'QOS', 'AGE', 'PUBLISHER', 'EXPIRES'],
      ['old/b', '11 B', '0', expect.stringMatching(/^00:00:/), '-', 'never'],
      ['old/a', '6 B', '0', expect.stringMatching(/^00:00:/), '-', 'never'],
    ])
    expect((await ran('retained', '--json')).lines.join('')).not.toContain('secret')
    expect(await ran('retained', '--delete')).toMatchObject({ code: 1 })
    expect(await ran('retained', 'a/#/b')).toMatchObject({ code: 1 })
    expect((await ran('retained', 'old/#', '--delete')).lines).toEqual(['deleted 2 retained messages'])
    expect((await ran('retained')).lines).toHaveLength(2)
  })

  test('as much as there is, however slowly it is read', async () => {
    for (let n = 0; n < 3_000; n++) broker.publish(`many/${'x'.repeat(500)}/${n}`, 'x', { retain: true })
    expect((await ran('retained', 'many/#', '--json')).lines).toHaveLength(3_000)
    expect((await ran('retained', 'many/#', '--json', '--limit', '10')).lines).toHaveLength(10)
    await ran('retained', 'many/#', '--delete')
  })
})

describe('plugins', () => {
  test('there are none', async () => {
    plugins.views = []
    expect((await ran('plugins')).lines).toEqual(['there are no plugins'])
    expect((await ran('plugins', '--json')).lines).toEqual(['[]'])
  })

  test('one that looks on, and one that writes into two places, of which one is away', async () => {
    const since = Date.now() - 65_000
    const figures = { batches: 3, failed: 2, refused: 1 }
    plugins.views = [
      { name: 'rules', module: './rules.mjs', since, authenticates: false, counts: {}, outlets: [] },
      {
        name: 'to sql\u001b[2J',
        module: '@godwit/plugin-postgres',
        since,
        authenticates: true,
        counts: { written: 1_500 },
        outlets: [
          { clientId: 'one', problem: undefined, since, queued: 0, written: 1_500, ...figures },
          { clientId: 'two', problem: 'it is away', since, queued: 12_000, written: 0, ...figures },
        ],
      },
    ]
    const { lines } = await ran('plugins')
    expect(lines.map(columns)).toEqual([
      ['PLUGIN', 'STATE', 'FOR', 'QUEUED', 'WRITTEN', 'FAILED', 'REFUSED', 'PROBLEM', 'COUNTED', 'MODULE'],
      ['rules', 'runs', expect.stringMatching(/^00:01:0\d$/), '-', '-', '-', '-', '-', '-', './rules.mjs'],
      [
        expect.stringMatching(/^"to sql\\u001b\[2J"$/),
        ...['goes out', expect.stringMatching(/^00:01:0\d$/), '0', '1,500', '2', '1', '-', '1,500 written'],
        '@godwit/plugin-postgres',
      ],
      [
        expect.stringMatching(/^"to sql/),
        ...['waits', expect.stringMatching(/^00:01:0\d$/), '12,000', '0', '2', '1', '"it is away"', '1,500 written'],
        '@godwit/plugin-postgres',
      ],
    ])
    const json = JSON.parse((await ran('plugins', '--json')).lines.join())
    expect(json).toMatchObject([{ name: 'rules' }, { outlets: [{ clientId: 'one' }, { problem: 'it is away' }] }])
  })
})

describe('what is done', () => {
  test('a client is disconnected', async () => {
    await using _ = await connect(url, { clientId: 'lamp', reconnect: false })
    logged.length = 0
    expect(await ran('kick', 'lamp')).toMatchObject({ code: 0, lines: ['disconnected lamp'] })
    expect(await broker.clients.get('lamp')).toBeUndefined()
    expect(logged).toContain('client disconnected {"clientId":"lamp","by":"the control socket"}')
  })

  test('a user is added, comes in, gets another password, and is removed', async () => {
    const add = async (password: string): Promise<string> => {
      const terminal = new TestTerminal()
      const ended = terminal.run('users', '--control', path, 'add', 'alice', '--stdin')
      terminal.stdin.end(`${password}\n`)
      await ended
      return terminal.output + terminal.errors
    }
    const comes = (password: string) =>
      connect(url, { clientId: 'hers', username: 'alice', password, reconnect: false, version: 5 })
    await expect(comes('wonder')).rejects.toThrow()
    expect(await add('wonder')).toBe('added alice\n')
    const hers = await comes('wonder')
    expect(await add('land')).toBe('changed the password of alice; who is connected stays so\n')
    expect((await ran('users')).lines).toEqual(['alice'])
    expect((await ran('users', 'list', '--json')).lines).toEqual(['["alice"]'])
    logged.length = 0
    expect((await ran('users', 'remove', 'alice')).lines).toEqual(['removed alice, and disconnected 1 client'])
    expect(await broker.clients.get('hers')).toBeUndefined()
    await hers.close()
    await expect(comes('land')).rejects.toThrow()
    expect(logged.join()).toContain('user removed {"username":"alice","disconnected":1,"by":"the control socket"}')
    expect(await ran('users', 'remove', 'alice')).toMatchObject({
      code: 1,
      problem: `godwit users: there is no user 'alice' in ${passwords}`,
    })
    expect(readFileSync(`${passwords}.before`, 'utf8')).toMatch(/^alice:/)
  })

  test('a backup is made, and restored into a folder that is empty', async () => {
    await broker.publish('kept', 'x', { retain: true, qos: 1 })
    const { lines } = await ran('backup')
    const [, made = ''] = /^made (\S+), [\d.]+ KiB$/.exec(lines[0]!) ?? []
    expect(existsSync(made)).toBe(true)
    const terminal = new TestTerminal()
    expect(await terminal.run('restore', made, join(home, 'restored'))).toBe(0)
    expect(terminal.output).toMatch(/restored is as the broker's data was at \d{4}-/)
    const restored = await createBroker({ store: lmdbStore({ directory: join(home, 'restored') }) })
    expect((await restored.retained.get('kept'))?.payload.toString()).toBe('x')
    await restored.close()
    const again = new TestTerminal()
    expect(await again.run('restore', made, join(home, 'restored'))).toBe(1)
    expect(again.errors).toMatch(/is not empty; name a new one, or move away what is in it/)
  })
})
