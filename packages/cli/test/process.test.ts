// The built command as a process of its own: signals, pipes, exit codes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createBroker } from '@godwit/broker'
import { encode } from '@godwit/protocol'
import { afterEach, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

beforeAll(() => {
  expect(main, 'npm run build makes it').toSatisfy(existsSync)
})

/** `godwit` with these arguments. */
class Godwit {
  readonly child: ChildProcess
  readonly exitCode: Promise<number | null>
  output = ''
  errors = ''

  constructor(...args: readonly string[]) {
    const fitting = { GODWIT_LIMITS__MAX_CONNECTIONS: '1000' } // any machine lets it open as many files
    this.child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...fitting } })
    started.push(this.child)
    this.child.stdout?.on('data', (chunk) => (this.output += chunk))
    this.child.stderr?.on('data', (chunk) => (this.errors += chunk))
    this.exitCode = once(this.child, 'close').then(([code]) => code as number | null)
  }

  async printed(form: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = form.exec(this.output) ?? form.exec(this.errors)
      if (found) return found
      if (this.child.exitCode !== null) throw new Error(`ended without ${form}: ${this.output}${this.errors}`)
      await Promise.race([once(this.child.stdout!, 'data'), once(this.child.stderr!, 'data'), this.exitCode])
    }
  }
}

/** A `godwit broker` on any free port. */
async function startBroker(): Promise<{ broker: Godwit; port: string }> {
  const broker = new Godwit('broker', '--port', '0', '--data', 'memory')
  const [, port = ''] = await broker.printed(/listening on 127\.0\.0\.1:(\d+)/)
  return { broker, port }
}

test('broker, pub and sub; SIGTERM ends the broker in order', async () => {
  const { broker, port } = await startBroker()
  const sub = new Godwit('sub', '-p', port, '-t', 'a/#', '-q', '2', '-C', '2', '-v', '-d')
  await sub.printed(/subscribed to/)
  const pub = new Godwit('pub', '-p', port, '-t', 'a/b', '-q', '2', '-l')
  pub.child.stdin?.end('one\ntwo')
  expect(await pub.exitCode).toBe(0)
  expect(await sub.exitCode).toBe(0)
  expect(sub.output).toBe('a/b one\na/b two\n')
  broker.child.kill('SIGTERM')
  expect(await broker.exitCode).toBe(0)
  expect(broker.errors).toMatch(/"message":"stopping"}\n/)
})

test('a client id cannot forge a line of the log', async () => {
  const { broker, port } = await startBroker()
  const pub = new Godwit('pub', '-p', port, '-t', 'a', '-n', '-i', 'x level=info "all is well"')
  await pub.exitCode
  await broker.printed(/"clientId":"x level=info \\"all is well\\""/)
})

test('in a pipe, the log is a JSON object a line: who came, from where, and why they went', async () => {
  const { broker, port } = await startBroker()
  await new Godwit('pub', '-p', port, '-t', '$SYS/a', '-m', 'sesame', '-q', '1', '-i', 'ann', '-P', 'secret').exitCode
  await broker.printed(/client gone/)
  broker.child.kill('SIGTERM')
  expect(await broker.exitCode).toBe(0)
  const lines = broker.errors
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const ann = { time, clientId: 'ann', address: '127.0.0.1' }
  expect(lines).toEqual([
    {
      time,
      level: 'info',
      message: 'started',
      version: expect.any(String),
      listeners: `127.0.0.1:${port}`,
      data: 'memory',
    },
    { ...ann, level: 'info', message: 'client connected' },
    { ...ann, level: 'warn', message: 'message dropped', reason: 'system-topic', topic: '$SYS/a' },
    { ...ann, level: 'info', message: 'client gone', reason: 'disconnected by the client' },
    { time, level: 'info', message: 'stopping' },
  ])
  expect(broker.errors).not.toMatch(/sesame|secret/)
})

test('a second signal ends the broker at once, whoever still holds a connection', async () => {
  const { broker, port } = await startBroker()
  const stuck = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true }) // never says goodbye
  stuck.write(encode({ type: 'connect', version: 4, clientId: 'stuck', cleanStart: true, keepAliveSeconds: 0 }, 4))
  await broker.printed(/"clientId":"stuck"/)
  broker.child.kill('SIGTERM')
  await broker.printed(/stopping/)
  broker.child.kill('SIGINT')
  expect(await broker.exitCode).toBe(130)
  stuck.destroy()
})

test('a port in use: one line, exit code 1', async () => {
  const { port } = await startBroker()
  const second = new Godwit('broker', '--port', port, '--data', 'memory')
  expect(await second.exitCode).toBe(1)
  expect(second.errors).toMatch(new RegExp(`^godwit broker: cannot listen on 127.0.0.1:${port}: .*\n$`))
  expect(second.output).toBe('')
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends sub in order', async (signal) => {
  await using broker = await createBroker()
  const { port } = await broker.listen({ port: 0 })
  const sub = new Godwit('sub', '-p', String(port), '-t', 'a', '-d', '--will-topic', 'will', '--will-payload', 'x')
  await sub.printed(/subscribed to/)
  const wills: string[] = []
  broker.subscribe('will', ({ topic }) => wills.push(topic))
  sub.child.kill(signal)
  expect(await sub.exitCode).toBe(0)
  expect(wills).toEqual([]) // it has said DISCONNECT
})

test('sub ends quietly when its reader has gone', async () => {
  await using broker = await createBroker()
  const { port } = await broker.listen({ port: 0 })
  const sub = new Godwit('sub', '-p', String(port), '-t', 'a', '-d')
  await sub.printed(/subscribed to/)
  sub.child.stdout?.destroy()
  broker.publish('a', 'x', { retain: true })
  expect(await sub.exitCode).toBe(0)
  expect(sub.errors).not.toMatch(/EPIPE|unexpected/)
})

test('sub prints bytes as they are', async () => {
  await using broker = await createBroker()
  const { port } = await broker.listen({ port: 0 })
  broker.publish('a', Uint8Array.of(0, 0xff, 0x0a, 0x80), { retain: true })
  const sub = new Godwit('sub', '-p', String(port), '-t', 'a', '-C', '1', '-N')
  const chunks: Buffer[] = []
  sub.child.stdout?.on('data', (chunk) => chunks.push(chunk))
  expect(await sub.exitCode).toBe(0)
  expect(Buffer.concat(chunks).toString('hex')).toBe('00ff0a80')
})

test('sub -W: exit code 27', async () => {
  await using broker = await createBroker()
  const { port } = await broker.listen({ port: 0 })
  expect(await new Godwit('sub', '-p', String(port), '-t', 'a', '-W', '0.1').exitCode).toBe(27)
})

const bin = fileURLToPath(new URL('../bin/godwit.js', import.meta.url))

/** What `node -e` prints of the command that is started with these arguments, when it ends. */
async function atItsEnd(print: string, ...args: readonly string[]): Promise<string> {
  const script = `process.argv.splice(1, 0, 'godwit'); process.on('exit', () => console.error(${print})); require(${JSON.stringify(bin)})`
  const child = spawn(process.execPath, ['-e', script, ...args])
  started.push(child)
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  await once(child, 'close')
  return errors
}

test('the bundle is the same command, and what is not in it runs from its modules', async () => {
  expect(existsSync(fileURLToPath(new URL('../dist/quick.cjs', import.meta.url))), 'npm run build makes it').toBe(true)
  for (const name of ['pub', 'broker', 'config']) {
    const [bundled, whole] = [bin, main].map((path) => spawn(process.execPath, [path, name, '--help']))
    const [one, other] = await Promise.all([bundled!, whole!].map(text))
    expect(one).toMatch(new RegExp(`^Usage: godwit ${name} `))
    expect(one).toBe(other)
  }
})

test('what a plain connection does without is not loaded', async () => {
  const { port } = await startBroker()
  const loaded = await atItsEnd('process.moduleLoadList.join()', 'pub', '-p', port, '-t', 'a', '-m', 'b')
  expect(loaded).toContain('NativeModule net,')
  for (const module of ['tls', 'http', 'https', 'zlib', 'worker_threads']) {
    expect(loaded).not.toContain(`NativeModule ${module},`)
  }
})

async function text({ stdout }: ChildProcess): Promise<string> {
  let all = ''
  for await (const chunk of stdout!) all += chunk
  return all
}

test('a plugin that blocks the broker is named while it does', async () => {
  const home = mkdtempSync(join(tmpdir(), 'godwit-blocking-'))
  const blocks = `export default {
    name: 'house-rules',
    hooks: { authorize: () => { const from = Date.now(); while (Date.now() - from < 2000); return true } },
  }`
  writeFileSync(join(home, 'rules.mjs'), blocks)
  const configuration = 'data: memory\nlisteners: [{ port: 0 }]\nplugins: [{ module: ./rules.mjs }]\n'
  writeFileSync(join(home, 'godwit.yaml'), configuration)
  const broker = new Godwit('broker', '--config', join(home, 'godwit.yaml'))
  const [, port = ''] = await broker.printed(/listening on 127\.0\.0\.1:(\d+)/)
  const pub = new Godwit('pub', '-p', port, '-t', 'a', '-m', 'x', '-q', '1')
  await broker.printed(/"message":"plugin house-rules blocks the broker in authorize","forMs":1\d{3}}\n/)
  expect(pub.child.exitCode).toBe(null) // it is told before that ends
  expect(await pub.exitCode).toBe(0)
  await broker.printed(/"message":"the broker goes on, it was blocked","forMs":\d{4}}\n/)
  writeFileSync(join(home, 'godwit.yaml'), `${configuration}log: { file: broker.log }\n`) // where the next one is told
  broker.child.kill('SIGHUP')
  const logged = (): string =>
    existsSync(join(home, 'broker.log')) ? readFileSync(join(home, 'broker.log'), 'utf8') : ''
  while (!logged().includes('"reloaded"')) await pause(20)
  expect(await new Godwit('pub', '-p', port, '-t', 'a', '-m', 'x', '-q', '1').exitCode).toBe(0)
  expect(logged()).toMatch(/"message":"plugin house-rules blocks the broker in authorize","forMs":1\d{3}}\n/)
  broker.child.kill('SIGTERM')
  expect(await broker.exitCode).toBe(0)
  rmSync(home, { recursive: true })
})
