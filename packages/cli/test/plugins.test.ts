import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Commands } from './commands.js'
import { TestTerminal } from './test-terminal.js'

let home: string
let terminal: TestTerminal
let ended: Promise<number> | undefined

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'godwit-plugins-'))
  terminal = new TestTerminal()
})
afterEach(async () => {
  terminal.interrupt()
  await ended
  ended = undefined
  rmSync(home, { recursive: true })
})

const file = (name: string, text: string): void => writeFileSync(join(home, name), text)

function configure(...plugins: readonly string[]): void {
  const lines = plugins.map((plugin) => `  - ${plugin}\n`)
  file('godwit.yaml', `data: memory\ncontrol: none\nlisteners: [{ port: 0 }]\nplugins:\n${lines.join('')}`)
}

/** A broker at work on that configuration, and commands for it. */
async function start(...flags: readonly string[]): Promise<Commands> {
  const notYet = terminal.hangUp
  ended = terminal.run('broker', '--config', join(home, 'godwit.yaml'), '--log-format', 'json', ...flags)
  const [, port = ''] = await terminal.printed(/listening on 127\.0\.0\.1:(\d+)/)
  while (terminal.hangUp === notYet) await new Promise(setImmediate) // its banner comes before it can be reloaded
  return new Commands(port)
}

/** A new configuration, or new files: when the log has told what became of them. */
async function reload(): Promise<string> {
  const before = terminal.errors.length
  terminal.hangUp()
  for (;;) {
    const [line] = /.*"message":"(not )?reloaded".*/.exec(terminal.errors.slice(before)) ?? []
    if (line !== undefined) return line
    await new Promise(setImmediate)
  }
}

const logged = (what: string): string[] => terminal.errors.split('\n').filter((line) => line.includes(what))

/** A plugin of plain JavaScript, as a person writes it without the package. */
const rules = (allowed: string, more = ''): string => `
  export default {
    name: 'rules',
    hooks: { authorize: ({ topic }) => topic === '${allowed}' },
    start(broker, { log }) { log.log('info', 'began with ${allowed}') },
    stop() { ${more} },
  }`

describe('plugins of a configuration', () => {
  const may = async (commands: Commands, topic: string): Promise<boolean> => {
    const { exitCode } = await commands.ended('pub', '-t', topic, '-m', 'x', '-q', '1', '-V', '5')
    return exitCode === 0
  }

  test('decide on what clients do, and are stopped with the broker', async () => {
    file('rules.mjs', rules('a', "console.error('stopped in order')"))
    configure('module: ./rules.mjs')
    const commands = await start('--control', join(home, 'control.sock'))
    expect([await may(commands, 'a'), await may(commands, 'b')]).toEqual([true, false])
    expect(logged('"plugin started"')).toEqual([expect.stringContaining('"plugin":"rules"')])
    const listed = new TestTerminal()
    expect(await listed.run('plugins', '--control', join(home, 'control.sock'))).toBe(0)
    expect(listed.output).toMatch(/^rules +runs +00:00:0\d .* \S+\/rules\.mjs$/m)
    terminal.interrupt()
    expect(await ended).toBe(0)
  })

  test('are started anew by a reload when their file has changed, and else go on', async () => {
    file('rules.mjs', rules('a'))
    file('other.mjs', "export default { name: 'other', start: (_, { log }) => log.log('info', 'began') }")
    configure('module: ./rules.mjs', 'module: ./other.mjs')
    const commands = await start()
    expect(await reload()).not.toContain('plugins')
    file('rules.mjs', rules('b'))
    expect(await reload()).toContain('"what":"plugins"')
    expect([await may(commands, 'a'), await may(commands, 'b')]).toEqual([false, true])
    expect(logged('plugin other: began')).toHaveLength(1)
    configure()
    expect(await reload()).toContain('"what":"plugins"')
    expect(await may(commands, 'c')).toBe(true)
  })

  test('stay as they are when a new one cannot start', async () => {
    file('rules.mjs', rules('a'))
    configure('module: ./rules.mjs')
    const commands = await start()
    file('rules.mjs', rules('b').replace('start(broker, { log }) {', "start() { throw new Error('no way');"))
    expect(await reload()).toContain('godwit.yaml:5:5: plugin rules did not start: no way')
    expect(await may(commands, 'a')).toBe(true)
    file('rules.mjs', 'nothing that is JavaScript')
    expect(await reload()).toContain('cannot load')
    expect(await may(commands, 'a')).toBe(true)
  })

  test('may know users, asked after the password file, and keep who authenticates until the next has started', async () => {
    await new TestTerminal().run('passwd', '-c', '-b', join(home, 'users'), 'ann', 'of-file')
    const users = (password: string): string => `
      export default {
        name: 'users',
        authenticator: () => ({
          check: ({ username, password }) => (username === 'bob' ? (String(password) === '${password}' ? 'allow' : 'deny') : 'not mine'),
        }),
      }`
    file('users.mjs', users('one'))
    configure('module: ./users.mjs')
    const { GODWIT_AUTH__PASSWORD_FILE: before } = process.env
    process.env.GODWIT_AUTH__PASSWORD_FILE = join(home, 'users')
    try {
      const commands = await start()
      const comes = async (user: string, password: string): Promise<boolean> =>
        (await commands.ended('pub', '-t', 'a', '-n', '-u', user, '-P', password)).exitCode === 0
      expect([await comes('ann', 'of-file'), await comes('bob', 'one'), await comes('eve', 'x')]).toEqual([
        true,
        true,
        false,
      ])
      file('users.mjs', users('two'))
      await reload()
      expect([await comes('bob', 'one'), await comes('bob', 'two'), await comes('ann', 'of-file')]).toEqual([
        false,
        true,
        true,
      ])
    } finally {
      if (before === undefined) delete process.env.GODWIT_AUTH__PASSWORD_FILE
    }
  })
})

test('a plugin that knows users may come by a reload, and go by one', async () => {
  file(
    'users.mjs',
    "export default { name: 'u', authenticator: () => ({ check: ({ username }) => username === 'bob' ? 'allow' : 'not mine' }) }",
  )
  configure()
  const commands = await start()
  const comes = async (...as: readonly string[]): Promise<boolean> =>
    (await commands.ended('pub', '-t', 'a', '-n', ...as)).exitCode === 0
  expect(await comes()).toBe(true)
  configure('module: ./users.mjs')
  expect(await reload()).toContain('"what":"plugins"')
  expect([await comes(), await comes('-u', 'bob', '-P', 'x')]).toEqual([false, true])
  configure()
  expect(await reload()).toContain('"what":"plugins"')
  expect(await comes()).toBe(true)
})

test.skipIf(!(process.features as { typescript?: unknown }).typescript)(
  'a plugin may be TypeScript where Node runs that',
  async () => {
    file('plugin.ts', "export default { name: 'typed' as string }")
    configure('module: ./plugin.ts')
    await start()
    expect(logged('"plugin started"')).toEqual([expect.stringContaining('"plugin":"typed"')])
  },
)

describe('a broker does not start, and config check says the same of', () => {
  const problemOf = async (): Promise<string> => {
    const check = new TestTerminal()
    expect(await check.run('config', 'check', join(home, 'godwit.yaml'))).toBe(1)
    const broker = new TestTerminal()
    expect(await broker.run('broker', '--config', join(home, 'godwit.yaml'))).toBe(1)
    const inOneLine = (text: string): string =>
      text
        .replace(/^godwit \w+: /, '')
        .replaceAll(home, '~')
        .trim()
    expect(inOneLine(check.errors)).toBe(inOneLine(broker.errors))
    return inOneLine(check.errors)
  }

  test.each([
    [
      'a file that is not there',
      'module: ./none.mjs',
      /^~\/godwit\.yaml:5:5: plugins\[0\]\.module: cannot read ~\/none\.mjs: no such file or folder/,
    ],
    [
      'a package that is not there',
      'module: no-such-plugin',
      /^~\/godwit\.yaml:5:5: there is no package no-such-plugin for ~ or for this command; npm install/,
    ],
    [
      'a module without a plugin',
      'module: ./empty.mjs',
      /^~\/godwit\.yaml:5:5: ~\/empty\.mjs has no default export; it takes export default definePlugin/,
    ],
    [
      'hooks that are none',
      'module: ./hooks.mjs',
      /^~\/godwit\.yaml:5:5: plugin h: hooks has no authorise; did you mean authorize\?$/,
    ],
    [
      'options for which there are no words',
      '{ module: ./plain.mjs, options: { a: 1 } }',
      /^~\/godwit\.yaml:5:28: plugins\[0\]\.options: this plugin takes none$/,
    ],
    [
      'an option that is wrong',
      "{ module: '@godwit/plugin-influx', options: { url: 'http://localhost:8086', database: d, points: [{ filter: 7 }] } }",
      /^~\/godwit\.yaml:5:105: plugins\[0\]\.options\.points\[0\]\.filter: /,
    ],
    [
      'a module that fails',
      'module: ./fails.mjs',
      /^~\/godwit\.yaml:5:5: cannot load ~\/fails\.mjs: Error: not today \(line 2\)$/,
    ],
  ])('%s', async (_, plugin, problem) => {
    file('empty.mjs', 'export const nothing = 1')
    file('hooks.mjs', "export default { name: 'h', hooks: { authorise: () => true } }")
    file('plain.mjs', "export default { name: 'p' }")
    file('fails.mjs', "// first\nthrow new Error('not today')")
    configure(plugin)
    expect(await problemOf()).toMatch(problem)
  })

  test('two plugins of one name', async () => {
    file('plain.mjs', "export default { name: 'p' }")
    configure('module: ./plain.mjs', 'module: ./plain.mjs')
    expect(await problemOf()).toBe(
      '~/godwit.yaml:6:5: two plugins are called p; give this one another name, as name: p-2',
    )
    configure('module: ./plain.mjs', '{ module: ./plain.mjs, name: p-2 }')
    expect(await new TestTerminal().run('config', 'check', join(home, 'godwit.yaml'))).toBe(0)
  })

  test.skipIf(process.platform === 'win32')('a file or a folder that others may write', async () => {
    mkdirSync(join(home, 'open'))
    file('open/plugin.mjs', "export default { name: 'p' }")
    configure('module: ./open/plugin.mjs')
    chmodSync(join(home, 'open/plugin.mjs'), 0o666)
    expect(await problemOf()).toBe(
      '~/godwit.yaml:5:5: ~/open/plugin.mjs is not loaded: it can be written by every user of this machine; chmod o-w ~/open/plugin.mjs',
    )
    chmodSync(join(home, 'open/plugin.mjs'), 0o644)
    chmodSync(join(home, 'open'), 0o777)
    expect(await problemOf()).toBe(
      '~/godwit.yaml:5:5: ~/open/plugin.mjs is not loaded: ~/open, in which it lies, can be written by every user of this machine; chmod o-w ~/open',
    )
  })

  test.skipIf((process.features as { typescript?: unknown }).typescript)(
    'TypeScript, which this Node does not run',
    async () => {
      file('plugin.ts', "export default { name: 'p' as string }")
      configure('module: ./plugin.ts')
      expect(await problemOf()).toMatch(
        /plugin\.ts is TypeScript, which Node \S+ does not run by itself: take Node 22\.18 or newer, or name a file of JavaScript$/,
      )
    },
  )
})

test('config print shows no secret of a plugin', async () => {
  configure(
    "{ module: '@godwit/plugin-webhook', options: { url: 'https://me:pw@h.example/', secret: sesame, headers: { a: sesame } } }",
  )
  const check = new TestTerminal()
  expect(await check.run('config', 'print', join(home, 'godwit.yaml'))).toBe(0)
  expect(check.output).toContain('https://<secret>@h.example/')
  expect(check.output).not.toMatch(/sesame|pw@/)
})
