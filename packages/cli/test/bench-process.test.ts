// The built `godwit bench` as a process: threads of its own, and Ctrl-C.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Broker, createBroker } from '@godwit/broker'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
let broker: Broker
let url: string
beforeAll(() => {
  expect(main, 'npm run build makes it').toSatisfy(existsSync)
})
beforeEach(async () => {
  broker = await createBroker()
  url = `127.0.0.1:${(await broker.listen({ port: 0 })).port}`
})
afterEach(() => broker.close())

/** `godwit bench` with two workers. */
function bench(...args: readonly string[]) {
  const child = spawn(process.execPath, [main, 'bench', ...args, '--workers', '2'])
  const printed = { output: '', errors: '' }
  child.stdout.on('data', (chunk) => (printed.output += chunk))
  child.stderr.on('data', (chunk) => (printed.errors += chunk))
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode, ...printed }))
  return { child, ended }
}

test.each([
  [['p2p', '--pubs', '5', '--count', '500', '--qos', '1'], 500],
  [['fanout', '--pubs', '3', '--subs', '5', '--count', '300'], 1500],
  [['fanin', '--pubs', '5', '--subs', '3', '--count', '200', '--qos', '2'], 600],
  [['pub', '--pubs', '2', '--rate', '2000', '--count', '200'], 200],
])('threads: %o', async (args, received) => {
  const { exitCode, output, errors } = await bench(...args, url, '--json').ended
  expect([exitCode, errors]).toEqual([0, ''])
  const result = JSON.parse(output)
  expect(result.messages).toMatchObject({ received, missing: 0, repeated: 0, late: 0 })
  expect(result.latencyMicros.count).toBe(received)
})

test('SIGINT: what was measured so far, exit code 0', async () => {
  const { child, ended } = bench('p2p', url, '--pubs', '3', '--warmup', '0', '--seconds', '600', '--topic', 't')
  await new Promise<void>((resolve) => broker.subscribe('t/#', () => resolve()))
  child.kill('SIGINT')
  const { exitCode, output, errors } = await ended
  expect([exitCode, errors]).toEqual([0, ''])
  expect(output).toMatch(/ received, 0 missing\n/)
})

test('a broker that goes away: one line, exit code 1', async () => {
  const { ended } = bench('p2p', url, '--pubs', '3', '--seconds', '600', '--topic', 't')
  await new Promise<void>((resolve) => broker.subscribe('t/#', () => resolve()))
  await broker.close()
  const { exitCode, output, errors } = await ended
  expect([exitCode, output]).toEqual([1, ''])
  expect(errors).toMatch(/^godwit bench: \w+ \d lost its connection: .*\n$/)
})
