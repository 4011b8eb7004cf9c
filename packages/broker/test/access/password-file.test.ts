import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Authenticator, hashPassword, type PasswordFileOptions, passwordFile } from '../../src/access/index.js'
import { parsePasswordHash } from '../../src/access/password-hash.js'
import { VirtualClock } from '../../src/testing/index.js'
import { connectRequest } from './requests.js'

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>()
  return { ...crypto, scrypt: vi.fn(crypto.scrypt) }
})
const { scrypt } = await import('node:crypto')
const hashes = vi.mocked(scrypt)

const home = mkdtempSync(join(tmpdir(), 'godwit-passwords-'))
afterAll(() => rmSync(home, { recursive: true }))

const cheap = { ln: 8, r: 8, p: 1 }
const log: string[] = []
const opened: Authenticator[] = []
beforeEach(() => void log.splice(0))
afterEach(() => {
  for (const file of opened.splice(0)) file.close?.()
})

let files = 0
function write(...lines: readonly string[]): string {
  const path = join(home, `passwords-${files++}`)
  writeFileSync(path, lines.join('\n'))
  return path
}

async function open(path: string, options: PasswordFileOptions = {}): Promise<Authenticator> {
  const file = await passwordFile(path, {
    watchMs: 0,
    log: { log: (level, text) => void log.push(`${level} ${text}`) },
    ...options,
  })
  opened.push(file)
  return file
}

const lineOf = async (user: string, password: string): Promise<string> =>
  `${user}:${await hashPassword(Buffer.from(password), cheap)}`

describe('a password file', () => {
  it('lets in who knows the password', async () => {
    const file = await open(write('# users', '', await lineOf('alice', 'wonder'), await lineOf('a:b', 'x')))
    expect(await file.check(connectRequest('alice', 'wonder'))).toBe('allow')
    expect(await file.check(connectRequest('a:b', 'x'))).toBe('allow')
    expect(await file.check(connectRequest('alice', 'wrong'))).toBe('deny')
    expect(await file.check(connectRequest('alice', ''))).toBe('deny')
    expect(await file.check(connectRequest('alice', undefined))).toBe('deny')
    expect(await file.check(connectRequest('bob', 'wonder'))).toBe('deny')
    expect(await file.check(connectRequest(undefined, 'wonder'))).toBe('not mine')
  })

  it('answers an unknown user as a wrong password, at the cost of one hash with the same parameters', async () => {
    const file = await open(write(await lineOf('alice', 'wonder')))
    const costOf = async (username: string): Promise<unknown> => {
      hashes.mockClear()
      expect(await file.check(connectRequest(username, 'wrong'))).toBe('deny')
      expect(hashes).toHaveBeenCalledTimes(1)
      const [, salt, length, options] = hashes.mock.calls[0]!
      return { salt: (salt as Buffer).length, length, options }
    }
    expect(await costOf('nobody')).toEqual(await costOf('alice'))
  })

  it('knows a right password again for a while, a wrong one never', async () => {
    const clock = new VirtualClock()
    const file = await open(write(await lineOf('alice', 'wonder')), { clock, cacheSeconds: 10 })
    const costOf = async (password: string): Promise<number> => {
      hashes.mockClear()
      await file.check(connectRequest('alice', password))
      return hashes.mock.calls.length
    }
    expect([await costOf('wonder'), await costOf('wonder'), await costOf('wrong'), await costOf('wrong')]).toEqual([
      1, 0, 1, 1,
    ])
    clock.advance(10_000)
    expect(await costOf('wonder')).toBe(1)
    await file.reload?.()
    expect(await costOf('wonder')).toBe(1)
  })

  it('works out few hashes at once, and tells those it cannot serve to come again', async () => {
    const file = await open(write(await lineOf('alice', 'wonder')), {
      maxConcurrentHashes: 1,
      maxWaiting: 2,
      cacheSeconds: 0,
    })
    const answers = await Promise.all(Array.from({ length: 5 }, () => file.check(connectRequest('alice', 'wonder'))))
    expect(answers).toEqual(['allow', 'allow', 'allow', 'unavailable', 'unavailable'])
    expect(await file.check(connectRequest('alice', 'wonder'))).toBe('allow')
  })

  it('is read again when it changes; a user who has gone is not remembered', async () => {
    const path = write(await lineOf('alice', 'wonder'))
    const file = await open(path)
    expect(await file.check(connectRequest('alice', 'wonder'))).toBe('allow')
    writeFileSync(path, await lineOf('bob', 'builder'))
    await file.reload?.()
    expect(await file.check(connectRequest('alice', 'wonder'))).toBe('deny')
    expect(await file.check(connectRequest('bob', 'builder'))).toBe('allow')
  })

  it('does not refuse whose password is being looked at when it is read again', async () => {
    const path = write(await lineOf('alice', 'wonder'))
    const file = await open(path)
    const answer = file.check(connectRequest('alice', 'wonder'))
    await file.reload?.()
    expect(await answer).toBe('allow')
  })

  it('stays in force when what was put in its place is broken, and the log names the line', async () => {
    const path = write(await lineOf('alice', 'wonder'))
    const file = await open(path)
    writeFileSync(path, `${await lineOf('alice', 'other')}\nbob:plain`)
    await expect(file.reload?.()).rejects.toThrow(`${path}:2: the password is not hashed`)
    expect(log).toEqual([
      `error ${path}:2: the password is not hashed; make the line again with godwit passwd; what was read before stays in force`,
    ])
    expect(await file.check(connectRequest('alice', 'wonder'))).toBe('allow')
  })

  it('is watched: a file put in its place is found', async () => {
    const path = write(await lineOf('alice', 'wonder'))
    const found = new Promise<string>((resolve) => {
      void open(path, { watchMs: 20, log: { log: (_, text) => resolve(text) } }).then(async () => {
        writeFileSync(`${path}.new`, `${await lineOf('bob', 'builder')}\n`)
        renameSync(`${path}.new`, path)
      })
    })
    expect(await found).toBe(`read ${path} again`)
    expect(await opened[0]!.check(connectRequest('bob', 'builder'))).toBe('allow')
  })
})

describe('start is refused', () => {
  const tooDear = `$scrypt$ln=25,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
  it.each([
    ['alice', 'a line is USER:HASH; make it with godwit passwd'],
    [':$6$a$b', 'a line is USER:HASH; make it with godwit passwd'],
    ['alice:secret', 'the password is not hashed; make the line again with godwit passwd'],
    ['alice:$1$a$b', "there is no hash '$1$' here; make the line again with godwit passwd"],
    ['alice:$scrypt$ln=15,r=8$AAAA$AAAA', 'the hash is damaged; make the line again with godwit passwd'],
    ['alice:$7$101$AAAA$AAAA', 'the hash is damaged; make the line again with godwit passwd'],
    [`alice:${tooDear}`, 'ln=25,r=8,p=1 costs more than a broker can pay for each client; lower it'],
  ])('%s', async (line, problem) => {
    const path = write('# one', line)
    await expect(open(path)).rejects.toThrow(`${path}:2: ${problem}`)
  })

  it('a user twice', async () => {
    const path = write(await lineOf('alice', 'a'), await lineOf('alice', 'b'))
    await expect(open(path)).rejects.toThrow(`${path}:2: the user 'alice' has a line already; remove one`)
  })

  it('no file', async () => {
    const path = join(home, 'none')
    await expect(open(path)).rejects.toThrow(`cannot read ${path}: `)
  })
})

// ---- mosquitto's

const withArgon2 = await import('@node-rs/argon2' as string).then(
  () => true,
  () => false,
)
const argon2Line = 'alice:$argon2id$v=19$m=47104,t=1,p=1$c2FsdHNhbHRzYWx0$3nFbPmwLnuVUSt6OBlLlWiZYjXVbgJyd3mzTfV7Vw0k'

describe("mosquitto's hashes", () => {
  // Made by hand from the formulas in mosquitto's password_mosq.c: salt `saltsaltsalt`, password `wonder`.
  it.each(['sha512', 'sha512-pbkdf2'])('%s made here from its definition', async (kind) => {
    const { createHash, pbkdf2Sync } = await import('node:crypto')
    const salt = Buffer.from('saltsaltsalt')
    const hash =
      kind === 'sha512'
        ? `$6$${salt.toString('base64')}$${createHash('sha512').update('wonder').update(salt).digest('base64')}`
        : `$7$101$${salt.toString('base64')}$${pbkdf2Sync('wonder', salt, 101, 64, 'sha512').toString('base64')}`
    const parsed = await parsePasswordHash(hash)
    expect(await parsed.matches(Buffer.from('wonder'))).toBe(true)
    expect(await parsed.matches(Buffer.from('wonder!'))).toBe(false)
  })

  it.skipIf(withArgon2)('argon2id without its package: refused, naming line and package', async () => {
    const path = write(argon2Line)
    await expect(open(path)).rejects.toThrow(
      `${path}:1: argon2id needs the package @node-rs/argon2; npm install @node-rs/argon2`,
    )
  })

  it.skipIf(!withArgon2)('argon2id, where @node-rs/argon2 is installed', async () => {
    const { hash } = (await import('@node-rs/argon2' as string)) as { hash(password: string): Promise<string> }
    const file = await open(write(`alice:${await hash('wonder')}`))
    expect(await file.check(connectRequest('alice', 'wonder'))).toBe('allow')
    expect(await file.check(connectRequest('alice', 'wrong'))).toBe('deny')
  })
})

const mosquittoPasswd = ['/usr/bin/mosquitto_passwd', '/usr/local/bin/mosquitto_passwd'].find(existsSync)

describe.skipIf(!mosquittoPasswd)('files of mosquitto_passwd (skipped where it is not installed)', () => {
  it.each([
    ['as it comes', []],
    ['-H sha512', ['-H', 'sha512']],
    ['-H sha512-pbkdf2', ['-H', 'sha512-pbkdf2']],
  ])('%s', async (_, flags) => {
    const path = write('')
    const made = (...args: readonly string[]): Buffer =>
      execFileSync(mosquittoPasswd!, [...flags, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    made('-c', '-b', path, 'alice', 'wonder')
    made('-b', path, 'bob', 'pässwört')
    const file = await open(path)
    expect(await file.check(connectRequest('alice', 'wonder'))).toBe('allow')
    expect(await file.check(connectRequest('bob', 'pässwört'))).toBe('allow')
    expect(await file.check(connectRequest('bob', 'wonder'))).toBe('deny')
  })
})
