import type { LogFields, LogLevel } from '@godwit/broker'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TestTerminal } from '../test/test-terminal.js'
import { logOf } from './log.js'

const at = new Date('2026-11-22T22:25:06.162Z')

function logged(format: 'auto' | 'text' | 'json', isTerminal: boolean, message: string, fields?: LogFields): string {
  const terminal = new TestTerminal()
  Object.assign(terminal.stderr, { isTTY: isTerminal })
  logOf({ level: 'debug', format }, terminal, () => at).log('info', message, fields)
  terminal.exit()
  return terminal.errors
}

const text = '2026-11-22T22:25:06.162Z info  client connected clientId=sensor-1 first=true\n'
const json =
  '{"time":"2026-11-22T22:25:06.162Z","level":"info","message":"client connected","clientId":"sensor-1","first":true}\n'

test.each([
  ['auto', true, text],
  ['auto', false, json],
  ['text', false, text],
  ['json', true, json],
] as const)('format %s, stderr is a terminal: %s', (format, isTerminal, line) => {
  expect(logged(format, isTerminal, 'client connected', { clientId: 'sensor-1', first: true })).toBe(line)
})

test('in JSON, a field without a value is left out, and none takes the place of time, level or message', () => {
  expect(
    JSON.parse(logged('json', false, 'hello', { username: undefined, level: 'debug', time: 0, message: 'x' })),
  ).toEqual({
    time: at.toISOString(),
    level: 'info',
    message: 'hello',
  })
})

test.each([
  'two\nlines',
  'a\u001b[2J',
  'y\u2028z',
  '\u202etxt.exe',
  '\u{e0041}',
  '\ud800',
  'a\u0085b',
  '"}, {"',
  'Jürgen',
])('in JSON, %j is one line of visible characters, and the same when it is read', (clientId) => {
  const line = logged('json', false, 'client gone', { clientId })
  expect(line.slice(0, -1)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
  expect(JSON.parse(line)).toMatchObject({ clientId })
})

test.each<[LogLevel, LogLevel[]]>([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
])('at level %s', (level, shown) => {
  for (const format of ['text', 'json'] as const) {
    const terminal = new TestTerminal()
    const log = logOf({ level, format }, terminal)
    for (const one of ['debug', 'info', 'warn', 'error'] as const) log.log(one, `a ${one}`)
    expect(terminal.errors.match(/a \w+/g)).toEqual(shown.map((one) => `a ${one}`))
  }
})

describe('lines of 20 ms', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function started() {
    const terminal = new TestTerminal()
    const write = vi.spyOn(terminal.stderr, 'write')
    const log = logOf({ level: 'info', format: 'text' }, terminal, () => at)
    const writes = () => write.mock.calls.map(([lines]) => String(lines).match(/an? \w+(?=\n)/g))
    return { terminal, log, writes }
  }

  test('are one write', () => {
    const { log, writes } = started()
    log.log('info', 'a first')
    log.log('info', 'a second')
    expect(writes()).toEqual([])
    vi.advanceTimersByTime(20)
    log.log('info', 'a third')
    vi.advanceTimersByTime(20)
    expect(writes()).toEqual([['a first', 'a second'], ['a third']])
  })

  test.each(['warn', 'error'] as const)('do not wait when one is of level %s', (level) => {
    const { log, writes } = started()
    log.log('info', 'a line')
    log.log(level, 'a trouble')
    expect(writes()).toEqual([['a line', 'a trouble']])
  })

  test('do not wait when they are many', () => {
    const { log, writes } = started()
    for (let line = 0; line < 2_000; line++) log.log('info', 'a line')
    expect(writes()).toHaveLength(1)
  })

  test('are written when the process ends', () => {
    const { terminal, log, writes } = started()
    log.log('info', 'an end')
    terminal.exit()
    expect(writes()).toEqual([['an end']])
  })

  test('are written before the log is closed', async () => {
    const { log, writes } = started()
    log.log('info', 'an end')
    await log.close()
    expect(writes()).toEqual([['an end']])
  })
})
