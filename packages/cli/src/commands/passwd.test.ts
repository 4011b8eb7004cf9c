import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { passwordFile } from '@godwit/broker/access'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-passwd-'))
afterAll(() => rmSync(home, { recursive: true }))
let file: string
let files = 0
beforeEach(() => {
  file = join(home, `passwords-${files++}`)
})

const short = (text: string): string => text.replaceAll(file, 'FILE').trim()

async function ran(...args: readonly string[]) {
  const terminal = new TestTerminal()
  const code = await terminal.run('passwd', ...args)
  return { code, said: short(terminal.output), problem: short(terminal.errors) }
}

/** Whom a broker with this file lets in. */
async function letsIn(username: string, password: string): Promise<boolean> {
  const passwords = await passwordFile(file, { watchMs: 0 })
  const client = { clientId: 'c', username, address: '', version: 5, cleanStart: true } as const
  return (await passwords.check({ ...client, password: Buffer.from(password) })) === 'allow'
}

describe('passwd', () => {
  test('creates, adds, changes, checks and deletes', async () => {
    expect(await ran('-c', '-b', file, 'alice', 'wonder')).toEqual({ code: 0, said: 'FILE: added alice', problem: '' })
    expect(await ran('-b', file, 'bob', 'builder')).toMatchObject({ code: 0, said: 'FILE: added bob' })
    expect(await ran('-b', file, 'alice', 'land')).toMatchObject({ code: 0, said: 'FILE: changed alice' })
    expect([await letsIn('alice', 'land'), await letsIn('alice', 'wonder'), await letsIn('bob', 'builder')]).toEqual([
      true,
      false,
      true,
    ])
    expect(await ran('--check', '-b', file, 'bob', 'builder')).toMatchObject({
      code: 0,
      said: 'FILE: the password of bob is right',
    })
    expect(await ran('--check', '-b', file, 'bob', 'x')).toEqual({
      code: 1,
      said: '',
      problem: 'godwit passwd: FILE: the password is wrong',
    })
    expect(await ran('--check', file)).toMatchObject({ code: 0, said: 'FILE is right: 2 users' })
    expect(await ran('-D', file, 'bob')).toMatchObject({ code: 0, said: 'FILE: deleted bob' })
    expect(await letsIn('bob', 'builder')).toBe(false)
    expect(await ran('-D', file, 'bob')).toMatchObject({
      code: 1,
      problem: "godwit passwd: FILE: there is no user 'bob'",
    })
  })

  test('writes a file for its owner alone, and leaves nothing beside it; a link stays one', async () => {
    await ran('-c', '-b', file, 'alice', 'wonder')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toMatch(/^alice:\$scrypt\$ln=15,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}\n$/)
    const target = file
    file = join(home, `link-${files}`)
    symlinkSync(target, file)
    expect(await ran('-b', file, 'bob', 'builder')).toMatchObject({ code: 0 })
    expect(lstatSync(file).isSymbolicLink()).toBe(true)
    expect(readFileSync(target, 'utf8')).toContain('bob:')
    expect(readdirSync(home).filter((name) => name.endsWith('.new'))).toEqual([])
  })

  test('keeps comments and what mosquitto_passwd wrote', async () => {
    const old = `# ours\n\nold:$6$AAAA$${'A'.repeat(86)}==`
    writeFileSync(file, `${old}\n`)
    await ran('-b', file, 'alice', 'wonder')
    expect(readFileSync(file, 'utf8').startsWith(`${old}\nalice:$scrypt$`)).toBe(true)
  })

  test('takes the password from standard input', async () => {
    const terminal = new TestTerminal()
    terminal.stdin.end('wonder\nland\n')
    expect(await terminal.run('passwd', '-c', '--stdin', file, 'alice')).toBe(0)
    expect(await letsIn('alice', 'wonder')).toBe(true)
  })
})

/** A terminal with a person at it. */
class PersonsTerminal extends TestTerminal {
  readonly raw: boolean[] = []

  constructor() {
    super()
    Object.assign(this.stdin, { isTTY: true, setRawMode: (raw: boolean) => void this.raw.push(raw) })
  }

  async answer(question: string, typed: string): Promise<void> {
    await this.printed(new RegExp(question))
    this.stdin.write(typed)
  }
}

describe('asked for a password', () => {
  test('a person types it twice, and sees nothing of it', async () => {
    const terminal = new PersonsTerminal()
    const ended = terminal.run('passwd', '-c', file, 'alice')
    await terminal.answer('Password of alice: $', 'wonderx\u007f\r')
    await terminal.answer('Once more: $', 'wonder\r')
    expect(await ended).toBe(0)
    expect(terminal.errors).toBe('Password of alice: \nOnce more: \n')
    expect(terminal.raw).toEqual([true, false, true, false])
    expect(await letsIn('alice', 'wonder')).toBe(true)
  })

  test.each([
    ['one\r', 'two\r', 1, 'the two are not the same; nothing was changed'],
    ['one\r', '\u0003', 130, 'interrupted; nothing was changed'],
    ['one\r', '\u0004', 1, 'no password was given; nothing was changed'],
    ['\r', '\r', 1, 'the password is empty; nothing was changed'],
  ])('%j and %j: %i, %s', async (first, second, code, problem) => {
    const terminal = new PersonsTerminal()
    const ended = terminal.run('passwd', '-c', file, 'alice')
    await terminal.answer('Password of alice: $', first)
    await terminal.answer('Once more: $', second)
    expect(await ended).toBe(code)
    expect(terminal.errors).toMatch(new RegExp(`godwit passwd: ${problem}\n$`))
    expect(terminal.raw.at(-1)).toBe(false)
    expect(() => statSync(file)).toThrow()
  })

  test('nobody is there', async () => {
    expect(await ran('-c', file, 'alice')).toMatchObject({
      code: 1,
      problem: 'godwit passwd: there is nobody to ask for the password; use --stdin or --batch',
    })
  })
})

describe('one line and exit code 1', () => {
  test.each([
    [[], "missing required argument 'file'; see godwit passwd --help"],
    [['FILE'], 'name the user; see godwit passwd --help'],
    [['FILE', 'u', 'p'], 'a password on the command line needs --batch; see godwit passwd --help'],
    [['-b', 'FILE', 'u'], '--batch takes the password behind the user; see godwit passwd --help'],
    [['-c', '-D', 'FILE', 'u'], 'only one of --create, --delete and --check; see godwit passwd --help'],
    [['-b', '--stdin', 'FILE', 'u', 'p'], 'only one of --batch and --stdin; see godwit passwd --help'],
    [
      ['-c', '-b', 'FILE', 'a:b', 'p'],
      'a user name has no colon, no control character and no # in front; see godwit passwd --help',
    ],
    [['-b', 'FILE', 'u', 'p'], 'cannot read FILE: no such file or folder; -c makes a new one'],
    [['-c', '-b', 'FILE/x', 'u', 'p'], 'cannot write FILE/x: no such file or folder; it is as it was'],
    [['-c', '-b', 'FILE', 'u', 'x'.repeat(65_536)], 'MQTT carries passwords of up to 65535 bytes'],
  ])('godwit passwd %j', async (args, problem) => {
    const answer = await ran(...args.map((word) => word.replace('FILE', file)))
    expect(answer).toEqual({ code: 1, said: '', problem: `godwit passwd: ${problem}` })
  })

  test('a file that a broker would refuse is not touched', async () => {
    writeFileSync(file, 'alice:plain\n')
    expect(await ran('-b', file, 'bob', 'builder')).toMatchObject({
      code: 1,
      problem: expect.stringContaining('FILE:1: the password is not hashed'),
    })
    expect(readFileSync(file, 'utf8')).toBe('alice:plain\n')
  })
})
