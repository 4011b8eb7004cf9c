import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'
import type { Answers } from '../control/answers.js'
import { ControlSocket } from '../control/control-socket.js'
import type { TopSnapshot } from '../control/top-snapshot.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-top-'))
const path = join(home, 'control.sock')
afterAll(() => rmSync(home, { recursive: true }))

const snapshot = (second: number): TopSnapshot => ({
  version: '1.2.3',
  pid: 4711,
  at: second * 1_000,
  elapsedMs: second * 1_000,
  uptimeSeconds: second,
  clients: 1,
  sessions: 1,
  subscriptions: 1,
  retained: 0,
  retainedBytes: 0,
  totals: {
    messagesIn: second * 100,
    messagesOut: second * 200,
    bytesIn: 0,
    bytesOut: 0,
    dropped: 0,
    connects: 1,
    refused: 0,
    cpuMs: second * 10,
  },
  memoryBytes: 1_048_576,
  eventLoopDelayMs: { mean: 0, max: 0 },
  slowest: [{ clientId: 'x\u009b2J', outboxBytes: 1 }],
  deepest: [],
  busiest: [],
})

/** A terminal that somebody sits at. */
class Screen extends TestTerminal {
  raw: boolean | undefined

  constructor() {
    super()
    Object.assign(this.stdout, { isTTY: true, columns: 80, rows: 24 })
    const setRawMode = (raw: boolean): void => {
      this.raw = raw
    }
    Object.assign(this.stdin, { isTTY: true, setRawMode })
  }

  type(keys: string): void {
    this.stdin.write(keys)
  }

  resize(columns: number, rows: number): void {
    Object.assign(this.stdout, { columns, rows }).emit('resize')
  }
}

let control: ControlSocket
/** Who asked for snapshots. */
let reader: Answers
beforeEach(async () => {
  const serve = (_: object, answers: Answers): void => {
    reader = answers
    answers.send(snapshot(10), snapshot(11))
  }
  control = await ControlSocket.open(path, serve, { log() {} })
})
afterEach(() => control.close())

describe('printed', () => {
  test.each([
    ['where the output is no terminal', []],
    ['with --once', ['--once']],
  ])('once %s', async (_, flags) => {
    const terminal = new TestTerminal()
    expect(await terminal.run('top', '--control', path, ...flags)).toBe(0)
    expect(terminal.output).toMatch(/^godwit 1\.2\.3 {3}process 4711 {3}up 00:00:11\n1 client, .*\nCPU 1 %, /)
    expect(terminal.output).toMatch(/\nmessages +100 +200 +1,100 +2,200\n/)
    expect(terminal.output).toContain('\n"x\\u{9b}2J" ')
    expect(terminal.output).not.toContain('\u001b')
    expect(terminal.errors).toBe('')
  })

  test('as JSON, with rates, once', async () => {
    const terminal = new TestTerminal()
    expect(await terminal.run('top', '--control', path, '--json', '--once')).toBe(0)
    expect(JSON.parse(terminal.output)).toEqual({
      ...snapshot(11),
      perSecond: { ...snapshot(0).totals, messagesIn: 100, messagesOut: 200, connects: 0, cpuMs: 10 },
    })
    expect(terminal.output).not.toContain('\u009b')
  })

  test('as JSON, an object a second, until Ctrl-C', async () => {
    const terminal = new TestTerminal()
    const ended = terminal.run('top', '--control', path, '--json')
    await terminal.printed(/"at":11000.*\n/)
    reader.send(snapshot(12))
    await terminal.printed(/"at":12000.*\n/)
    terminal.interrupt()
    expect(await ended).toBe(0)
  })
})

const entered = '\u001b[?1049h\u001b[?25l'
const left = '\u001b[?25h\u001b[?1049l'

describe('live', () => {
  test('on a screen of its own, and what was there comes back when q is pressed', async () => {
    const screen = new Screen()
    const ended = screen.run('top', '--control', path)
    await screen.printed(/up 00:00:11 {3}q ends it/)
    expect(screen.raw).toBe(true)
    reader.send(snapshot(12))
    await screen.printed(/up 00:00:12 {3}q ends it/)
    screen.type('xq')
    expect(await ended).toBe(0)
    expect(screen.output.startsWith(entered)).toBe(true)
    expect(screen.output.endsWith(left)).toBe(true)
    expect(screen.raw).toBe(false)
    expect(screen.errors).toBe('')
  })

  test.each([
    ['Ctrl-C, which is a key there', (screen: Screen) => screen.type('\u0003')],
    ['a signal', (screen: Screen) => screen.interrupt()],
  ])('it ends with %s', async (_, end) => {
    const screen = new Screen()
    const ended = screen.run('top', '--control', path)
    await screen.printed(/q ends it/)
    end(screen)
    expect(await ended).toBe(0)
    expect(screen.output.endsWith(left)).toBe(true)
  })

  test('it is drawn again when the terminal has another size', async () => {
    const screen = new Screen()
    const ended = screen.run('top', '--control', path)
    await screen.printed(/BUSIEST TOPICS {43}MESSAGES/)
    screen.resize(50, 24)
    await screen.printed(/BUSIEST TOPICS {15}MESSAGES/)
    screen.type('q')
    expect(await ended).toBe(0)
  })

  test('the broker ends: so does it, and says so on the screen that was there before', async () => {
    const screen = new Screen()
    const ended = screen.run('top', '--control', path)
    await screen.printed(/q ends it/)
    reader.end(snapshot(12))
    expect(await ended).toBe(1)
    expect(screen.output.endsWith(left)).toBe(true)
    expect(screen.errors).toBe('godwit top: the broker has ended\n')
  })

  test('a process that ends in any other way restores the terminal too', async () => {
    const screen = new Screen()
    const before = process.listeners('exit')
    const ended = screen.run('top', '--control', path)
    await screen.printed(/q ends it/)
    const [restore] = process.listeners('exit').filter((listener) => !before.includes(listener))
    restore?.(1)
    expect(screen.output.endsWith(left)).toBe(true)
    expect(screen.raw).toBe(false)
    screen.interrupt()
    expect(await ended).toBe(0)
    expect(process.listeners('exit')).toEqual(before)
  })

  test('no broker there: the screen is left as it is', async () => {
    const screen = new Screen()
    expect(await screen.run('top', '--control', join(home, 'none.sock'))).toBe(1)
    expect(screen.output).toBe('')
    expect(screen.errors).toMatch(/^godwit top: no broker answers at .*none\.sock; start one, or .*\n$/)
  })
})
