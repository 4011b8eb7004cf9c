import { afterEach, describe, expect, test, vi } from 'vitest'
import { TestTerminal } from '../test/test-terminal.js'
import { CommandError } from './command-error.js'
import { commands } from './commands.js'
import { textWidth } from './control/columns.js'
import { failureLine } from './run.js'
import { version } from './version.js'

afterEach(() => vi.unstubAllEnvs())

async function printed(...args: readonly string[]): Promise<string> {
  const terminal = new TestTerminal()
  expect(await terminal.run(...args), terminal.errors).toBe(0)
  return terminal.output
}

/** What a person sees who sits at a terminal of so many columns. */
async function seen(columns: number, ...args: readonly string[]): Promise<string> {
  const terminal = new TestTerminal()
  Object.assign(terminal.stdout, { isTTY: true, columns })
  expect(await terminal.run(...args), terminal.errors).toBe(0)
  return terminal.output
}

describe('asking for help', () => {
  test.each([[], ['--help'], ['-h'], ['help']])('godwit %s lists the commands', async (...args) => {
    const text = await printed(...args)
    for (const name of Object.keys(commands)) expect(text).toContain(`\n  ${name} `)
  })

  test.each(['broker', 'sub', 'passwd', 'server', 'service'])('godwit help %s is godwit %s --help', async (name) => {
    const text = await printed('help', name)
    expect(text).toMatch(new RegExp(`^Usage: godwit ${name} `))
    expect(await printed(name, '--help')).toBe(text)
    // Where -h is the host, it means help when nothing else is said.
    expect(await printed(name, '-h')).toBe(text)
  })

  test('of a command below a command', async () => {
    expect(await printed('help', 'config', 'import')).toMatch(/^Usage: godwit config import /)
    expect(await printed('help', 'server', 'add')).toMatch(/^Usage: godwit server add /)
  })

  test.each(Object.keys(commands))('godwit %s --help has no line that is wider than the terminal', async (name) => {
    for (const columns of [40, 60, 80, 132]) {
      const text = await seen(columns, name, '--help', '--color', 'never')
      const tooWide = text.split('\n').filter((line) => textWidth(line) > columns && /\S \S*[^\s\\]/.test(line.trim()))
      expect(tooWide).toEqual([])
    }
  })

  test('nor has the list of commands', async () => {
    for (const columns of [40, 80]) {
      const lines = (await seen(columns, '--color', 'never')).split('\n')
      expect(lines.filter((line) => textWidth(line) > columns)).toEqual([])
    }
  })

  test('the version', async () => {
    for (const args of [['--version'], ['-v'], ['-V'], ['version'], ['pub', '--version']]) {
      expect(await printed(...args)).toBe(`godwit ${version}\n`)
    }
  })
})

describe('colours', () => {
  const isColoured = expect.stringContaining('\u001b[')

  test('on a terminal', async () => {
    expect(await seen(80, 'help')).toEqual(isColoured)
    expect(await printed('help')).not.toEqual(isColoured)
  })

  test('as --color says', async () => {
    expect(await seen(80, 'sub', '--help', '--color', 'never')).not.toEqual(isColoured)
    expect(await printed('sub', '--help', '--color=always')).toEqual(isColoured)
    expect(await printed('--color', 'always')).toEqual(isColoured)
  })

  test('not with NO_COLOR, nor on a terminal that has none', async () => {
    vi.stubEnv('NO_COLOR', '1')
    expect(await seen(80, 'help')).not.toEqual(isColoured)
    vi.stubEnv('NO_COLOR', '')
    vi.stubEnv('TERM', 'dumb')
    expect(await seen(80, 'help')).not.toEqual(isColoured)
    vi.stubEnv('FORCE_COLOR', '1')
    expect(await printed('help')).toEqual(isColoured)
  })
})

describe('a mistyped command', () => {
  test.each([
    ['subb', 'sub'],
    ['publish', 'pub'],
    ['start', 'broker'],
    ['brokr', 'broker'],
    ['PUB', 'pub'],
    ['mosquitto_sub', 'sub'],
    ['stats', 'top'],
  ])('godwit %s: did you mean %s?', async (typed, meant) => {
    const terminal = new TestTerminal()
    expect(await terminal.run(typed)).toBe(1)
    expect(terminal.errors).toBe(
      `godwit: there is no command '${typed}'; did you mean godwit ${meant}? See godwit --help\n`,
    )
  })

  test.each(['nonsense', 'toString', '__proto__'])('there is no godwit %s', async (name) => {
    const terminal = new TestTerminal()
    expect(await terminal.run(name)).toBe(1)
    expect(terminal.errors).toBe(`godwit: there is no command '${name}'; see godwit --help\n`)
  })

  test('options come after the command', async () => {
    const terminal = new TestTerminal()
    expect(await terminal.run('-t', 'a')).toBe(1)
    expect(terminal.errors).toBe(
      "godwit: there is no command '-t'; a command comes first, as in godwit sub -t …: see godwit --help\n",
    )
  })
})

describe('a failure', () => {
  test('is one line, whatever it quotes', () => {
    expect(failureLine('pub', new CommandError('a\nb\u001b[2J\u2028c; do this'))).toBe('godwit pub: a b [2J c; do this')
  })

  test('that nobody foresaw says where, and asks for a report', () => {
    expect(failureLine('sub', new TypeError('x is not a function'))).toMatch(
      /^godwit sub: unexpected TypeError: x is not a function \(at .*\); please report it$/,
    )
    expect(failureLine(undefined, 'thrown')).toBe('godwit: unexpected failure: thrown; please report it')
  })
})
