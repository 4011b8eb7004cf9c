import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { NotEditable, NotThere } from '@godwit/admin/parts'
import { BrokerError } from '@godwit/broker'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BackupFolder } from './backup-folder.js'

let home: string
let folder: string
let backups: BackupFolder
const { signal } = new AbortController()
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'godwit-backups-'))
  folder = join(home, 'backups')
  backups = new BackupFolder(folder, { backup: makes('copy') })
})
afterEach(() => rmSync(home, { recursive: true }))

/** A store whose copy is this text. */
function makes(content: string) {
  return async (to: string) => {
    writeFileSync(to, content)
    return { bytes: content.length, createdAt: '' }
  }
}

test('backups are made, listed with the newest first, read and removed', async () => {
  expect(await backups.list()).toEqual([])
  const first = await backups.create(signal)
  expect(first).toEqual({
    name: `godwit-${first.createdAt.replaceAll(':', '-')}.backup`,
    bytes: 4,
    createdAt: new Date(first.createdAt).toISOString(),
  })
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  writeFileSync(join(folder, 'godwit-2001-01-01T00-00-00.000Z.backup'), 'old')
  writeFileSync(join(folder, 'passwords'), 'secret')
  const old = { name: 'godwit-2001-01-01T00-00-00.000Z.backup', bytes: 3, createdAt: '2001-01-01T00:00:00.000Z' }
  expect(await backups.list()).toEqual([first, old])
  const { bytes, stream } = await backups.open(old.name)
  expect([bytes, await text(stream)]).toEqual([3, 'old'])
  await backups.remove(old.name)
  expect(await backups.list()).toEqual([first])
})

test.each(['passwords', '../secret', 'godwit-2001-01-01T00-00-00.000Z.backup/../passwords', '', '.'])(
  'no name leads elsewhere: %j',
  async (name) => {
    await backups.create(signal)
    writeFileSync(join(home, 'secret'), 'x')
    writeFileSync(join(folder, 'passwords'), 'x')
    await expect(backups.open(name)).rejects.toThrow(NotThere)
    await expect(backups.remove(name)).rejects.toThrow(NotThere)
    expect(existsSync(join(home, 'secret')) && existsSync(join(folder, 'passwords'))).toBe(true)
  },
)

test('what was cut off is cleared away when it is old', async () => {
  await backups.create(signal)
  const coming = ['godwit-2001-01-01T00-00-00.000Z.backup.coming', 'godwit-2002-01-01T00-00-00.000Z.backup.coming']
  for (const name of coming) writeFileSync(join(folder, name), '')
  utimesSync(join(folder, coming[0]!), 1, 1)
  await backups.create(signal)
  expect(readdirSync(folder).filter((name) => name.endsWith('coming'))).toEqual([coming[1]])
})

test('what stands in the way is told', async () => {
  const refusal = (given: BackupFolder) => given.create(signal).catch((error) => error)
  expect(await refusal(new BackupFolder(undefined, { backup: makes('') }))).toEqual(
    new NotEditable(
      'no folder for backups is configured; name one in backup.directory, and reload the broker (godwit reload)',
    ),
  )
  expect(await refusal(new BackupFolder(folder, undefined))).toEqual(
    new NotEditable('this broker keeps nothing on disk, so that there is nothing to copy'),
  )
  expect(await refusal(new BackupFolder(join(home, 'a/b'), { backup: makes('') }))).toMatchObject({
    name: 'NotEditable',
    message: expect.stringMatching(
      /cannot be made or written to \(no such file or folder\); let the broker write there/,
    ),
  })
  const full = async (): Promise<never> => {
    throw new BrokerError('backup-failed', 'no backup was made: no room')
  }
  expect(await refusal(new BackupFolder(folder, { backup: full }))).toEqual(
    new NotEditable('no backup was made: no room'),
  )
})
