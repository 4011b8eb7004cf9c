import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TraceEvent } from '@godwit/broker'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'
import type { Answers } from '../control/answers.js'
import type { ControlRequest } from '../control/control-protocol.js'
import { ControlSocket } from '../control/control-socket.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-trace-'))
const path = join(home, 'control.sock')
afterAll(() => rmSync(home, { recursive: true }))

const packet: TraceEvent = {
  at: new Date(2026, 10, 23, 6, 25, 1, 42).getTime(),
  clientId: 'x\u009b2J\u{1f9d1}',
  address: '10.0.0.7',
  direction: 'in',
  packet: { type: 'publish', topic: 'a', qos: 0, payloadBytes: 1 },
}

let control: ControlSocket
let asked: ControlRequest
let reader: Answers
beforeEach(async () => {
  const serve = (request: ControlRequest, answers: Answers): void => {
    asked = request
    reader = answers
    answers.send({ tracing: true }, packet, { missed: 12 }, packet)
  }
  control = await ControlSocket.open(path, serve, { log() {} })
})
afterEach(() => control.close())

test('a line a packet until Ctrl-C, and how many were missed', async () => {
  const terminal = new TestTerminal()
  const ended = terminal.run('trace', '--control', path, '--client', 'x', '--topic', 'a/#')
  await terminal.printed(/(PUBLISH.*\n.*){2}/s)
  terminal.interrupt()
  expect(await ended).toBe(0)
  expect(asked).toEqual({ request: 'trace', client: 'x', topic: 'a/#' })
  const line = '06:25:01.042 "x\\u{9b}2J🧑" → PUBLISH topic=a qos=0 1 byte\n'
  expect(terminal.output).toBe(`${line}             … 12 more, not shown: they came too fast\n${line}`)
  expect(terminal.errors).toBe(
    'godwit trace: begun; Ctrl-C ends it\ngodwit trace: 12 packets were missed: they came faster than they were printed\n',
  )
})

test('--json', async () => {
  const terminal = new TestTerminal()
  const ended = terminal.run('trace', '--control', path, '--client', 'x', '--json')
  await terminal.printed(/(publish.*\n.*){2}/s)
  terminal.interrupt()
  expect(await ended).toBe(0)
  expect(
    terminal.output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toEqual([packet, { missed: 12 }, packet])
  expect(terminal.output).not.toContain('\u009b')
})

test('the broker ends', async () => {
  const terminal = new TestTerminal()
  const ended = terminal.run('trace', '--control', path, '--client', 'x')
  await terminal.printed(/PUBLISH/)
  reader.end(packet)
  expect(await ended).toBe(1)
  expect(terminal.errors).toMatch(/\ngodwit trace: the broker has ended\n$/)
})

test.each([
  [[], 'say which packets, with --client ID or --topic FILTER; see godwit trace --help'],
  [['--topic', 'a/#/b'], "--topic is 'a/#/b'; it takes a topic filter: .*; see godwit trace --help"],
  [['--client', 'x', '--control', join(home, 'none.sock')], 'no broker answers at .*none.sock; start one, or .*'],
])('godwit trace %j', async (flags, problem) => {
  const terminal = new TestTerminal()
  expect(await terminal.run('trace', '--control', path, ...flags)).toBe(1)
  expect(terminal.errors).toMatch(new RegExp(`^godwit trace: ${problem}\n$`))
})
