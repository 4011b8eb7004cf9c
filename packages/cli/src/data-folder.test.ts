import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { prepareDataFolder } from './data-folder.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-data-'))
afterAll(() => rmSync(home, { recursive: true }))

test('it is made when it is not there, with the folders above', () => {
  const folder = join(home, 'a/b/c')
  expect(prepareDataFolder(folder)).toBe(folder)
  expect(existsSync(folder)).toBe(true)
  expect(prepareDataFolder(folder)).toBe(folder)
})

test('a relative path counts from where the command was started', () => {
  expect(prepareDataFolder('.')).toBe(resolve('.'))
})

test.each([
  ['a file', '', 'there is a file of that name'],
  ['below a file', '/x', 'a part of the path is a file, not a folder'],
])('%s', (_what, below, problem) => {
  const path = join(home, 'file')
  writeFileSync(path, '')
  expect(() => prepareDataFolder(path + below)).toThrow(
    `cannot use the data folder ${path}${below}: ${problem}; choose another with --data FOLDER, or --data memory`,
  )
})

test.runIf(process.platform === 'linux')('where the system lets nobody write (Linux: /proc)', () => {
  expect(() => prepareDataFolder('/proc/godwit/data')).toThrow('cannot use the data folder /proc/godwit/data')
})
