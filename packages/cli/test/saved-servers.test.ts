import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TestTerminal } from './test-terminal.js'

let home: string
let broker: Broker
let port: number
/** As whom clients came, with which password. */
let came: (string | undefined)[]
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'godwit-servers-'))
  vi.stubEnv('XDG_CONFIG_HOME', home)
  came = []
  broker = await createBroker({
    hooks: [
      {
        name: 'test',
        authenticate: ({ username, password }) => {
          came.push(`${username}:${password && Buffer.from(password).toString()}`)
          return true
        },
      },
    ],
  })
  port = (await broker.listen({ port: 0 })).port
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await broker.close()
  rmSync(home, { recursive: true })
})

const file = (): string => join(home, 'godwit/servers.json')

async function ran(...args: readonly string[]): Promise<{ code: number; output: string; errors: string }> {
  const terminal = new TestTerminal()
  const code = await terminal.run(...args)
  return { code, output: terminal.output, errors: terminal.errors }
}

describe('godwit server', () => {
  test('saves, lists, replaces and removes; the file is for its owner', async () => {
    expect(await ran('server', 'add', 'plant', `mqtt://127.0.0.1:${port}`, '--username', 'ann')).toEqual({
      code: 0,
      output: 'saved @plant\n',
      errors: '',
    })
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect((await ran('server', 'list')).output).toBe(
      `  @plant  mqtt://127.0.0.1:${port}, as ann (asks for the password)\n`,
    )
    expect((await ran('server', 'list', '--names')).output).toBe('@plant\n')
    expect((await ran('server', 'add', 'plant', 'mqtt://other')).errors).toBe(
      "godwit server: 'plant' is saved already; choose another name, or add --replace\n",
    )
    expect((await ran('server', 'add', 'plant', 'mqtt://other', '--replace')).code).toBe(0)
    expect((await ran('server', 'remove', '@plant')).output).toBe('removed @plant\n')
    expect((await ran('server', 'list')).errors).toMatch(/^no server is saved yet; save one: /)
  })

  test.each([
    ['in the URL', ['mqtt://ann:sesame@127.0.0.1']],
    ['as an option', ['mqtt://127.0.0.1', '-u', 'ann', '-P', 'sesame']],
    ['of the proxy', ['mqtt://127.0.0.1', '--proxy', 'socks5h://u:sesame@proxy']],
  ])('a password %s is saved only when that is said', async (_, args) => {
    const refused = await ran('server', 'add', 'plant', ...args)
    expect(refused.code).toBe(1)
    expect(refused.errors).toContain(`a saved password can be read in ${file()} (mode 0600); add --save-password`)
    const saved = await ran('server', 'add', 'plant', ...args, '--save-password')
    expect(saved.output).toBe(`saved @plant; ${file()} holds its password in the clear, for you alone to read\n`)
    expect((await ran('server', 'list')).output).not.toContain('sesame')
  })

  test.each([
    [['ad'], "server takes add, list or remove, not 'ad'; did you mean add? See godwit server --help"],
    [['add', 'a b', 'mqtt://x'], "name is 'a b'; it takes letters, digits, - and _; see godwit server add --help"],
    [['remove', 'x'], "no server is saved as 'x'; save one: godwit server add x mqtts://HOST"],
    [['add', 'x', 'mqtts://x', '--cafile', '/none'], 'there is no /none; name another file'],
  ])('%j is refused', async (args, problem) => {
    expect(await ran('server', ...args)).toEqual({ code: 1, output: '', errors: `godwit server: ${problem}\n` })
  })

  test('a file that is none any more is said, and left', async () => {
    await ran('server', 'add', 'plant', 'mqtt://x')
    writeFileSync(file(), '{')
    expect((await ran('server', 'list')).errors).toMatch(/servers\.json does not hold saved servers any more: /)
    expect(readFileSync(file(), 'utf8')).toBe('{')
  })
})

describe('@name', () => {
  test('is that server, with what is saved of it; flags go before', async () => {
    writeFileSync(join(home, 'pw'), 'from file\nnot this\n')
    const url = `mqtt://127.0.0.1:${port}`
    await ran('server', 'add', 'plant', url, '-u', 'ann', '--pw-file', join(home, 'pw'))
    expect(await ran('pub', '@plant', '-t', 'a', '-m', 'b')).toMatchObject({ code: 0, errors: '' })
    expect((await ran('pub', '@plant', '-t', 'a', '-m', 'b', '-u', 'bob', '-P', 'x')).code).toBe(0)
    expect(came).toEqual(['ann:from file', 'bob:x'])
  })

  test('a password that is not saved is asked for at a keyboard', async () => {
    await ran('server', 'add', 'plant', `mqtt://127.0.0.1:${port}`, '-u', 'ann')
    const terminal = new TestTerminal()
    Object.assign(terminal.stdin, { isTTY: true, setRawMode() {} })
    const ended = terminal.run('pub', '@plant', '-t', 'a', '-m', 'b')
    await terminal.printed(/^password of ann at @plant: $/)
    terminal.stdin.write('sesame\r')
    expect(await ended).toBe(0)
    expect(came).toEqual(['ann:sesame'])
    expect((await ran('pub', '@plant', '-t', 'a', '-m', 'b')).code).toBe(0) // nobody can be asked
    expect(came).toEqual(['ann:sesame', 'ann:undefined'])
  })

  test('is mistyped', async () => {
    await ran('server', 'add', 'plant', 'mqtt://x')
    expect((await ran('sub', '@plnat', '-t', 'a')).errors).toBe(
      "godwit sub: no server is saved as 'plnat'; did you mean @plant?\n",
    )
  })
})

describe('GODWIT_URL', () => {
  test('is the server where nothing else names one', async () => {
    await ran('server', 'add', 'plant', `mqtt://127.0.0.1:${port}`, '-u', 'ann', '-P', 'x', '--save-password')
    vi.stubEnv('GODWIT_URL', '@plant')
    expect((await ran('pub', '-t', 'a', '-m', 'b')).code).toBe(0)
    vi.stubEnv('GODWIT_URL', `mqtt://bob:y@127.0.0.1:${port}`)
    expect((await ran('pub', '-t', 'a', '-m', 'b')).code).toBe(0)
    expect(came).toEqual(['ann:x', 'bob:y'])
    expect((await ran('pub', '-p', '1', '-t', 'a', '-m', 'b')).errors).toContain('mqtt://localhost:1: ')
  })

  test('that is none is told, without what it says', async () => {
    vi.stubEnv('GODWIT_URL', 'me:sesame@x')
    const { errors } = await ran('sub', '-t', 'a')
    expect(errors).toBe('godwit sub: GODWIT_URL: it takes @NAME of a saved server, or a URL such as mqtt://localhost\n')
  })

  test('is no setting of the broker', async () => {
    vi.stubEnv('GODWIT_URL', 'mqtt://x')
    expect((await ran('config', 'print')).code).toBe(0)
  })
})
