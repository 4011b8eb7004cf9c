import { expect, test } from 'vitest'
import { Background } from './background.mjs'

const node = (script: string): string[] => [process.execPath, '-e', script]

test('a program is ready when its output says so, and stops when asked', async () => {
  const program = await Background.start(node("console.log('listening'); setInterval(() => {}, 1000)"), {
    ready: /listening/,
  })
  expect(await program.stop()).toBe('SIGTERM')
})

test('a program that ends before it is ready is reported with what it said', async () => {
  const started = Background.start(node("console.error('port in use'); process.exit(3)"), { ready: /listening/ })
  await expect(started).rejects.toThrow(/ended with 3\nport in use/)
})

test('a program that is never ready is stopped and reported', async () => {
  const started = Background.start(node('setInterval(() => {}, 1000)'), { ready: /listening/, readyMs: 1 })
  await expect(started).rejects.toThrow('did not say /listening/ within 1 ms')
})

test('a program that does not exist is reported, not thrown past the caller', async () => {
  const program = await Background.start(['/nowhere/godwit'])
  await expect(program.success()).rejects.toThrow(/ended with 127\n.*ENOENT/)
})

test('each line of its output is handed over', async () => {
  const lines: string[] = []
  const program = await Background.start(node("process.stdout.write('one\\ntwo\\n')"), {
    onLine: (line) => lines.push(line),
  })
  await program.success()
  expect(lines).toEqual(['one', 'two'])
})
