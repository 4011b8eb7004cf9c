import { expect, test } from 'vitest'
import { TestTerminal } from '../test/test-terminal.js'
import { CommandError } from './command-error.js'
import { failureLine } from './run.js'
import { version } from './version.js'

test.each([[], ['--help'], ['help']])('godwit %s lists the commands', async (...args) => {
  const terminal = new TestTerminal()
  expect(await terminal.run(...args)).toBe(0)
  for (const name of ['broker', 'pub', 'sub', 'rr']) expect(terminal.output).toContain(`\n  ${name} `)
})

test('godwit --version, and that of each command', async () => {
  for (const args of [['--version'], ['pub', '--version']]) {
    const terminal = new TestTerminal()
    expect(await terminal.run(...args)).toBe(0)
    expect(terminal.output).toBe(`godwit ${version}\n`)
  }
})

test.each(['nonsense', 'toString', '-p'])('there is no godwit %s', async (name) => {
  const terminal = new TestTerminal()
  expect(await terminal.run(name)).toBe(1)
  expect(terminal.errors).toBe(`godwit: there is no command '${name}'; see godwit --help\n`)
})

test('a failure is one line, whatever it quotes', () => {
  expect(failureLine('pub', new CommandError('a\nb\u001b[2J\u2028c; do this'))).toBe('godwit pub: a b [2J c; do this')
})

test('a failure nobody foresaw says where, and asks for a report', () => {
  expect(failureLine('sub', new TypeError('x is not a function'))).toMatch(
    /^godwit sub: unexpected TypeError: x is not a function \(at .*\); please report it$/,
  )
  expect(failureLine(undefined, 'thrown')).toBe('godwit: unexpected failure: thrown; please report it')
})
