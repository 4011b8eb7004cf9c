// biome-ignore-all lint/suspicious/noConsole: what lmdb does with it is what this file is about
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { quietLmdb } from './quiet-lmdb.js'

const require = createRequire(import.meta.url)
const lmdbFolder = join(dirname(require.resolve('lmdb')), '..')
const elsewhere = mkdtempSync(join(tmpdir(), 'godwit-not-lmdb-'))
afterAll(() => rmSync(elsewhere, { recursive: true }))

type Say = (...said: unknown[]) => void
/** A function in a file of that name that says something by `console.error`. */
function fileThatSays(path: string): Say {
  return runInThisContext('(...said) => console.error(...said)', { filename: path }) as Say
}
const lmdb = fileThatSays(join(lmdbFolder, 'write.js'))
const other = fileThatSays(join(elsewhere, 'lmdb', 'write.js'))

const original = console.error
let printed: unknown[][] = []
const print: Say = (...said) => void printed.push(said)
beforeEach(() => {
  printed = []
  console.error = print
})
afterEach(() => {
  console.error = original
})

describe('quietLmdb', () => {
  it('gives what lmdb says to the store, and lets all else through untouched, whatever it says', () => {
    const told: unknown[] = []
    const undo = quietLmdb((error) => told.push(error))
    const failure = new Error('No space left on device')
    lmdb(failure)
    lmdb('In aftercommit callback', failure)
    lmdb('Supplied buffer had an invalid address', 5)
    other(failure, 1)
    console.error('lmdb', failure)
    expect(told).toEqual([failure, failure, 'Supplied buffer had an invalid address 5'])
    expect(printed).toEqual([
      [failure, 1],
      ['lmdb', failure],
    ])
    undo()
    lmdb(failure)
    expect(printed.at(-1)).toEqual([failure])
    expect(console.error).toBe(print)
  })

  it('lets through what a callback says that lmdb calls', () => {
    const undo = quietLmdb(() => expect.fail('not of lmdb'))
    const call = runInThisContext('(callback) => callback()', { filename: join(lmdbFolder, 'write.js') }) as (
      c: () => void,
    ) => void
    call(() => console.error('mine'))
    expect(printed).toEqual([['mine']])
    undo()
  })

  it('works as long as one of several stores is open', () => {
    const told: string[] = []
    const first = quietLmdb(() => told.push('first'))
    const second = quietLmdb(() => told.push('second'))
    lmdb('x')
    first()
    first()
    lmdb('y')
    second()
    expect(told).toEqual(['first', 'second', 'second'])
    expect([printed, console.error]).toEqual([[], print])
  })

  it('works when others have wrapped console.error meanwhile, and leaves theirs in place', () => {
    const told: unknown[] = []
    const undo = quietLmdb((error) => told.push(error))
    const inner = console.error
    const wrapper: Say = (...said) => inner('wrapped', ...said)
    console.error = wrapper
    lmdb('x')
    console.error('y')
    expect([told, printed]).toEqual([['wrapped x'], [['wrapped', 'y']]])
    undo()
    expect(console.error).toBe(wrapper)
    lmdb('z')
    expect(printed.at(-1)).toEqual(['wrapped', 'z'])
    const again = quietLmdb((error) => told.push(error))
    lmdb('again')
    expect(told.at(-1)).toBe('again')
    again()
    expect(console.error).toBe(wrapper)
  })
})
