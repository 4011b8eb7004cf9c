import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EditConflict, NotEditable, NotThere, Unacceptable } from '@godwit/admin/parts'
import { parsePasswordLines } from '@godwit/broker/access'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EditedFile } from './edited-file.js'
import { UsersEditor } from './users-editor.js'

let home: string
let path: string
let taken: number
let users: UsersEditor
/** What taking it up throws. */
let problem: Error | undefined
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'godwit-users-'))
  path = join(home, 'passwords')
  taken = 0
  problem = undefined
  users = new UsersEditor(
    new EditedFile(path, async () => {
      taken++
      if (problem) throw problem
    }),
  )
})
afterEach(() => rmSync(home, { recursive: true }))

const hash = '$scrypt$ln=1,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
const text = (): string => readFileSync(path, 'utf8')
const put = (content: string): void => writeFileSync(path, content)
const mode = (name: string): number => statSync(join(home, name)).mode & 0o777

/** Whether that is the user's password, by what the broker reads. */
async function isRight(user: string, password: string): Promise<boolean | undefined> {
  return (await parsePasswordLines(text(), path)).get(user)?.hash.matches(Buffer.from(password))
}

describe('users', () => {
  test('are added, given another password and removed; all else in the file stays', async () => {
    put(`# ours\r\n\r\nbob:${hash}\r\n# gone: eve:x\r\n`)
    chmodSync(path, 0o640)
    const { etag, ...created } = await users.set('alice', 'wonder')
    expect(created).toEqual({ created: true })
    expect(await isRight('alice', 'wonder')).toBe(true)
    expect(await users.set('alice', 'land', { etag })).toMatchObject({ created: false })
    expect([await isRight('alice', 'land'), await isRight('alice', 'wonder')]).toEqual([true, false])
    expect(await users.list()).toEqual({
      etag: expect.any(String),
      users: [{ username: 'bob' }, { username: 'alice' }],
    })
    await users.remove('alice')
    expect(text()).toBe(`# ours\r\n\r\nbob:${hash}\r\n# gone: eve:x\r\n`)
    expect(mode('passwords')).toBe(0o640)
    expect(taken).toBe(3)
  })

  test('leave the version before, for its owner alone, and nothing else', async () => {
    put(`bob:${hash}\n`)
    chmodSync(path, 0o644)
    await users.remove('bob')
    expect(text()).toBe('')
    expect(readFileSync(`${path}.before`, 'utf8')).toBe(`bob:${hash}\n`)
    expect(mode('passwords.before')).toBe(0o600)
    expect(readdirSync(home).sort()).toEqual(['passwords', 'passwords.before'])
  })

  test.each(['a:b', 'a\nb', 'a\rb', 'a\u0085b', '\0', '', '#a', '\uFEFFa', 'a\ud800', 'a'.repeat(65_536)])(
    'cannot be called %j',
    async (name) => {
      put('')
      await expect(users.set(name, 'x')).rejects.toThrow(Unacceptable)
      expect(text()).toBe('')
    },
  )

  test.each([[''], ['a'.repeat(65_536)]])('have a password that MQTT can carry', async (password) => {
    put('')
    await expect(users.set('a', password)).rejects.toThrow(Unacceptable)
  })

  test('are not there, which is told', async () => {
    put(`bob:${hash}\n`)
    await expect(users.remove('bo')).rejects.toThrow(NotThere)
    await expect(users.remove('bob:')).rejects.toThrow(NotThere)
    expect([text(), taken]).toEqual([`bob:${hash}\n`, 0])
  })
})

describe('an editor who was quicker', () => {
  test('is noticed by what was read', async () => {
    put('')
    const { etag } = await users.list()
    put(`bob:${hash}\n`)
    const conflict = await users.set('alice', 'x', { etag }).catch((error) => error)
    expect(conflict).toBeInstanceOf(EditConflict)
    expect(conflict.etag).toBe((await users.list()).etag)
    expect(text()).toBe(`bob:${hash}\n`)
  })

  test('is noticed while a text is being made', async () => {
    put('')
    const file = new EditedFile(path, async () => {})
    const change = (): string => {
      put('theirs')
      return 'ours'
    }
    const edit = file.edit({ etag: undefined, change })
    await expect(edit).rejects.toThrow(EditConflict)
    expect(text()).toBe('theirs')
  })

  test('may be another page: one edit after the other', async () => {
    put('')
    const { etag } = await users.list()
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => users.set(name, 'x', { etag })))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await users.list()).users).toHaveLength(1)
    await Promise.all(['d', 'e', 'f'].map((name) => users.set(name, 'x')))
    expect((await users.list()).users).toHaveLength(4)
  })
})

describe('what cannot be edited', () => {
  test('is a change that the broker does not take up: it is as it was', async () => {
    put(`bob:${hash}\n`)
    problem = new Error('rules.yaml:1:1: broken')
    await expect(users.remove('bob')).rejects.toThrow(
      new NotEditable(`${path} is as it was, since the broker could not take the change up: rules.yaml:1:1: broken`),
    )
    expect(text()).toBe(`bob:${hash}\n`)
  })

  test('is a file that is not there, or not UTF-8', async () => {
    await expect(users.list()).rejects.toThrow(new NotEditable(`cannot read ${path}: no such file or folder`))
    writeFileSync(path, Buffer.from([0x23, 0xff, 0x0a]))
    await expect(users.set('a', 'x')).rejects.toThrow(
      `${path} is not UTF-8; write it anew in UTF-8 with an editor first`,
    )
  })

  test('is one in a folder that cannot be written', async () => {
    put(`bob:${hash}\n`)
    writeFileSync(`${path}.before.${process.pid}.new`, '') // in the way, also of root
    await expect(users.remove('bob')).rejects.toThrow(
      `${path} cannot be written (there is a file of that name); let the broker write into ${home}, under systemd by ReadWritePaths=${home} in "systemctl edit godwit", or edit the file as a user who may`,
    )
    expect(text()).toBe(`bob:${hash}\n`)
    expect(readdirSync(home)).toHaveLength(2)
  })
})
