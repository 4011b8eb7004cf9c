// What a person sees who sits at a terminal, and what stays out of pipes.
import { type Broker, createBroker } from '@godwit/broker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestTerminal } from './test-terminal.js'

let broker: Broker
let port: string
beforeAll(async () => {
  broker = await createBroker({})
  port = String((await broker.listen({ port: 0 })).port)
})
afterAll(() => broker.close())

function seen(): TestTerminal {
  const terminal = new TestTerminal()
  Object.assign(terminal.stdout, { isTTY: true, columns: 80 })
  Object.assign(terminal.stderr, { isTTY: true })
  return terminal
}

test('sub says that it has subscribed, unless it is asked for quiet or nobody looks', async () => {
  const terminal = seen()
  const ended = terminal.run('sub', '-p', port, '-t', 'a', '-C', '1')
  await terminal.printed(/^godwit sub: subscribed to 'a' at QoS 0; Ctrl-C ends it\n$/)
  await broker.publish('a', Buffer.from('b'))
  expect(await ended).toBe(0)
  for (const [quiet, ...flags] of [[seen(), '--quiet'], [new TestTerminal()]] as const) {
    expect(await quiet.run('sub', '-p', port, '-t', 'a', '-E', ...flags)).toBe(0)
    expect(quiet.errors).toBe('')
  }
})

test('--quiet and --debug are opposites', async () => {
  const terminal = new TestTerminal()
  expect(await terminal.run('sub', '-t', 'a', '--quiet', '--debug')).toBe(1)
  expect(terminal.errors).toBe('godwit sub: --quiet and --debug are opposites; leave one of them out\n')
})

const nasty = Buffer.from('\u001b[2Jx')
const bytes = Buffer.of(0xff, 0xd8, 0x00)

test.each<[string, TestTerminal, readonly string[], string | Buffer]>([
  ['on a terminal text cannot move the cursor, and bytes are hex', seen(), [], '\\u{1b}[2Jx\n(3 bytes) ffd800\n'],
  ['with a format, too', seen(), ['-F', '<%p>'], '<\\u{1b}[2Jx>\n<(3 bytes) ffd800>\n'],
  [
    'unless they are asked for',
    seen(),
    ['--as', 'raw'],
    Buffer.concat([nasty, Buffer.from('\n'), bytes, Buffer.from('\n')]),
  ],
  [
    'in a pipe they are what they are',
    new TestTerminal(),
    [],
    Buffer.concat([nasty, Buffer.from('\n'), bytes, Buffer.from('\n')]),
  ],
  ['as hex', new TestTerminal(), ['--as', 'hex'], '1b5b324a78\nffd800\n'],
])('%s', async (_, terminal, flags, expected) => {
  const ended = terminal.run('sub', '-p', port, '-t', 'b/#', '-C', '2', '-d', '--color', 'never', ...flags)
  await terminal.printed(/subscribed to/)
  await broker.publish('b/1', nasty)
  await broker.publish('b/2', bytes)
  expect(await ended).toBe(0)
  expect(terminal.outputBytes).toEqual(Buffer.from(expected))
})

test('a payload that is not what --as says is told, and nothing is printed', async () => {
  const terminal = new TestTerminal()
  const ended = terminal.run('sub', '-p', port, '-t', 'c', '-C', '2', '-d', '--as', 'json')
  await terminal.printed(/subscribed to/)
  await broker.publish('c', Buffer.from('warm'))
  await broker.publish('c', Buffer.from('{"t":1}'))
  expect(await ended).toBe(0)
  expect(terminal.output).toBe('{"t":1}\n')
  expect(terminal.errors).toContain("the message on 'c' is not JSON; print it with --as text or --as hex\n")
})

test('pub --every makes its messages anew, until it is stopped', async () => {
  const sub = new TestTerminal()
  const heard = sub.run('sub', '-p', port, '-t', 'd', '-C', '3', '-d')
  await sub.printed(/subscribed to/)
  const pub = seen()
  const ended = pub.run('pub', '-p', port, '-t', 'd', '--every', '10ms', '--template', '{"n": {{n}}}')
  expect(await heard).toBe(0)
  pub.interrupt()
  expect(await ended).toBe(0)
  expect(sub.output).toBe('{"n": 1}\n{"n": 2}\n{"n": 3}\n')
  expect(pub.errors).toBe("godwit pub: publishing to 'd'; Ctrl-C ends it\n")
})

test('--retain-handling', async () => {
  await broker.publish('e', Buffer.from('kept'), { retain: true })
  const terminal = new TestTerminal()
  expect(await terminal.run('sub', '-p', port, '-t', 'e', '--retain-handling', '2', '-W', '0.3')).toBe(27)
  expect(terminal.output).toBe('')
  const all = new TestTerminal()
  expect(await all.run('sub', '-p', port, '-t', 'e', '--retain-handling', '0', '-C', '1')).toBe(0)
  expect(all.output).toBe('kept\n')
})
