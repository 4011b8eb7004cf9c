import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashPassword } from '@godwit/broker/access'
import { connect, SubscriptionRefusedError } from '@godwit/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { selfSigned } from '../../test/self-signed.js'
import { TestTerminal } from '../../test/test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-reload-'))
afterAll(() => rmSync(home, { recursive: true }))

const at = (name: string, text: string): string => {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}

/** A `godwit broker` with these arguments, once it listens. */
async function started(...args: readonly string[]): Promise<{ terminal: TestTerminal; stop: () => Promise<void> }> {
  const terminal = new TestTerminal()
  const ended = terminal.run('broker', ...args)
  await terminal.printed(/an acknowledgement/)
  const stop = async (): Promise<void> => {
    terminal.interrupt()
    expect(await ended).toBe(0)
  }
  return { terminal, stop }
}

async function reload(...args: readonly string[]) {
  const terminal = new TestTerminal()
  return { code: await terminal.run('reload', ...args), output: terminal.output, errors: terminal.errors }
}

describe('a broker with files', () => {
  const control = ['--control', join(home, 'control.sock')]
  let tls: { cert: string; key: string }
  let passwords: string
  let stop: () => Promise<void>
  let url: string

  const configured = (more = ''): string =>
    at(
      'godwit.yaml',
      `data: memory
listeners:
  - port: 0
  - protocol: mqtts
    port: 0
    tls: { cert: ${join(home, 'cert.pem')}, key: ${join(home, 'key.pem')} }
auth:
  passwordFile: ${join(home, 'passwords')}
acl:
  file: ${join(home, 'acl')}
${more}`,
    )

  beforeAll(async () => {
    tls = await selfSigned()
    passwords = `ann:${await hashPassword(Buffer.from('secret'))}\n`
    asItWas()
    const broker = await started('--config', configured(), ...control)
    const [, port] = await broker.terminal.printed(/listening on 127\.0\.0\.1:(\d+)/)
    url = `mqtt://127.0.0.1:${port}`
    stop = broker.stop
  })
  beforeEach(asItWas)
  afterAll(() => stop())

  function asItWas(): void {
    at('passwords', passwords)
    at('acl', 'user ann\ntopic readwrite home/#\n')
    at('cert.pem', tls.cert)
    at('key.pem', tls.key)
    configured()
  }

  /** Whether ann may subscribe to what the access rules allow only later. */
  async function mayEnter(place: string): Promise<boolean> {
    await using client = await connect(url, { username: 'ann', password: 'secret', reconnect: false })
    try {
      await client.subscribe(`${place}/#`)
      return true
    } catch (error) {
      if (error instanceof SubscriptionRefusedError) return false
      throw error
    }
  }

  test.each([
    ['the password file', () => at('passwords', 'ann\n'), /passwords:1/],
    ['the access rules', () => at('acl', 'user ann\ntopic readwrite garden/#\nnonsense x\n'), /acl:3/],
    ['a certificate', () => at('cert.pem', 'none'), /cert\.pem/],
    ['a key that is not there', () => rmSync(join(home, 'key.pem')), /cannot read tls\.key .*key\.pem: no such file/],
    ['the configuration', () => configured('limits: { maxInflight: no }'), /godwit\.yaml:11:\d+: limits\.maxInflight/],
    ['a listener', () => configured('allowAnonymus: true'), /godwit\.yaml:11:1: there is no key 'allowAnonymus'/],
  ])('%s is broken: nothing is taken up', async (_, spoil, problem) => {
    at('acl', 'user ann\ntopic readwrite garden/#\n')
    spoil()
    const { code, output, errors } = await reload(...control)
    expect([code, output]).toEqual([1, ''])
    expect(errors).toMatch(/^godwit reload: .*\n$/)
    expect(errors).toMatch(problem)
    expect(await mayEnter('garden')).toBe(false)
  })

  test('all is well: all of it is read again', async () => {
    expect(await mayEnter('garden')).toBe(false)
    at('acl', 'user ann\ntopic readwrite garden/#\n')
    expect(await reload(...control)).toEqual({
      code: 0,
      output: 'reloaded: password file\nreloaded: access rules\nreloaded: certificates\n',
      errors: '',
    })
    expect(await mayEnter('garden')).toBe(true)
  })

  test('what needs a restart is named, and the rest is taken up', async () => {
    at('acl', 'user ann\ntopic readwrite attic/#\n')
    configured('limits: { maxInflight: 9 }\nfeatures: { mqtt31: true, willsAfterRestart: drop }')
    expect(await reload(...control)).toEqual({
      code: 0,
      output: `reloaded: limits.maxInflight
reloaded: features.mqtt31
reloaded: password file
reloaded: access rules
reloaded: certificates
features.willsAfterRestart: needs a restart
`,
      errors: '',
    })
    expect(await mayEnter('attic')).toBe(true)
  })
})

describe('where the control socket is', () => {
  const nothingToDo = 'the configuration is right, and as it was; it names no files to read again\n'

  test('in the data folder', async () => {
    const folder = join(home, 'data')
    const { stop } = await started('--port', '0', '--data', folder)
    expect(await reload('--data', folder)).toEqual({ code: 0, output: nothingToDo, errors: '' })
    await stop()
    expect(await reload('--data', folder)).toEqual({
      code: 1,
      output: '',
      errors: `godwit reload: no broker answers at ${folder}/control.sock; start one, or name its data folder with --data or its control socket with --control\n`,
    })
  })

  test('nowhere, where nothing is kept', async () => {
    expect(await reload('--data', 'memory')).toEqual({
      code: 1,
      output: '',
      errors:
        'godwit reload: a broker that keeps nothing has a control socket only when it is given one: name it, there and here, with --control PATH\n',
    })
  })

  test('not where another broker has its own', async () => {
    const control = join(home, 'mine.sock')
    const { stop } = await started('--port', '0', '--data', 'memory', '--control', control)
    const second = new TestTerminal()
    expect(await second.run('broker', '--port', '0', '--data', 'memory', '--control', control)).toBe(1)
    expect(second.errors.split('\n').slice(-2).join('\n')).toBe(
      `godwit broker: a running program listens on ${control}; end it, or name another path with --control PATH\n`,
    )
    expect(await reload('--control', control)).toEqual({ code: 0, output: nothingToDo, errors: '' })
    await stop()
  })

  test.runIf(process.platform === 'linux')('nowhere, where its path is too long (Linux)', async () => {
    const folder = join(home, 'x'.repeat(100))
    mkdirSync(folder)
    const { terminal, stop } = await started('--port', '0', '--data', folder)
    expect(terminal.errors).toMatch(
      /"warn","message":"there is no control socket: the path .* has \d+ bytes, and .* --control PATH"}\n/,
    )
    const { code, errors } = await reload('--data', folder)
    expect(code).toBe(1)
    expect(errors).toMatch(/^godwit reload: the path .* has \d+ bytes, and that of a socket at most 107; give .*\n$/)
    await stop()
  })

  test('nowhere, where it is switched off', async () => {
    const folder = join(home, 'off')
    const { stop } = await started('--port', '0', '--data', folder, '--control', 'none')
    expect((await reload('--data', folder)).errors).toMatch(/no broker answers at .*off\/control\.sock/)
    await stop()
  })
})
