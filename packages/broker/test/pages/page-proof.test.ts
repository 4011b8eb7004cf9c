import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkPages } from '../../src/store/lmdb/page-check.js'
import { Random, seed } from '../crash/random.js'
import { type DamageKind, damages, moveToAnotherBoot } from './damage.js'
import { type Ended, lmdbProcess } from './lmdb-process.js'

const rounds = Number(process.env.GODWIT_TEST_PAGE_ROUNDS ?? 6)
/** A folder for the files of rounds that failed, as they were before lmdb had them. */
const keepIn = process.env.GODWIT_TEST_PAGE_KEEP
const kinds = Object.keys(damages) as DamageKind[]
/** Of the files that are called damaged, this share is given to lmdb all the same: to see that it would have mattered. */
const shareTried = 0.2

const folder = mkdtempSync(join(tmpdir(), 'godwit-pages-'))
const random = new Random()
afterAll(() => rmSync(folder, { recursive: true }))

describe('the check of pages', () => {
  const files: string[] = []

  beforeAll(
    async () => {
      for (let i = 0; i < 2 + rounds / 50; i++) {
        const path = join(folder, `data${i}.mdb`)
        for (let process = 0; process < 3; process++) {
          const killAfterMs = random.chance(0.5) ? random.between(0, 1500) : undefined
          const { errors } = await lmdbProcess('fill', path, newSeed(), { killAfterMs })
          expect(errors).toBe('')
        }
        files.push(path)
      }
    },
    60_000 + rounds * 2_000,
  )

  it('raises no alarm over what lmdb has written, whenever its process is killed, also after another boot', {
    timeout: 60_000 + rounds * 5_000,
  }, async () => {
    const path = join(folder, 'killed.mdb')
    const otherBoot = join(folder, 'other-boot.mdb')
    let commits = 0
    for (let round = 0; round < rounds; round++) {
      if (round % 20 === 0) rmSync(path, { force: true })
      const killAfterMs = random.between(0, 400)
      const { lines } = await lmdbProcess('fill', path, newSeed(), { commits: 1000, killAfterMs })
      commits += lines
      expect(checkPages(path).damage, `seed ${seed}, round ${round}`).toEqual([])
      const bytes = readFileSync(path)
      moveToAnotherBoot(bytes)
      writeFileSync(otherBoot, bytes)
      expect(checkPages(otherBoot).damage, `seed ${seed}, round ${round}, another boot`).toEqual([])
    }
    process.stdout.write(`pages: ${rounds} kills in ${commits} commits, no false alarm (seed ${seed})\n`)
  })

  it('calls no file sound that lmdb dies of, hangs over or fails on', {
    timeout: 60_000 + rounds * 20_000,
  }, async () => {
    const path = join(folder, 'damaged.mdb')
    const sound: Record<Fate, number> = { ...noFate }
    const damaged: Record<Fate | 'not tried', number> = { ...noFate, 'not tried': 0 }
    const failures: string[] = []
    for (let round = 0; round < rounds; round++) {
      const { bytes, done } = damageOne(files)
      writeFileSync(path, bytes)
      rmSync(`${path}-lock`, { force: true })
      const isSound = checkPages(path).damages === 0
      if (!isSound && !random.chance(shareTried)) {
        damaged['not tried']++
        continue
      }
      const ended = await lmdbProcess('use', path, round)
      const after = checkPages(path).damage
      const fate = fateOf(ended)
      if (!isSound) damaged[fate]++
      else sound[fate]++
      if (!isSound || (fate === 'went on' && after.length === 0)) continue
      failures.push(`round ${round}, ${done}: ${fate} ${ended.signal} ${ended.errors} ${after}`)
      if (keepIn) writeFileSync(join(keepIn, `${seed}-${round}.mdb`), bytes)
    }
    const told = JSON.stringify({ rounds, sound, damaged, seed })
    process.stdout.write(`pages: what lmdb did by what the check said: ${told}\n`)
    expect(failures, `seed ${seed}`).toEqual([])
  })
})

/** What became of lmdb over a file. */
type Fate = 'died' | 'hung' | 'failed' | 'went on'
const noFate: Readonly<Record<Fate, number>> = { died: 0, hung: 0, failed: 0, 'went on': 0 }

function fateOf({ hung, signal, code, errors }: Ended): Fate {
  if (hung) return 'hung'
  if (signal !== null) return 'died'
  return code === 0 && errors === '' ? 'went on' : 'failed'
}

function damageOne(files: readonly string[]): { readonly bytes: Buffer; readonly done: readonly DamageKind[] } {
  const bytes = readFileSync(random.pick(files))
  if (random.chance(0.2)) moveToAnotherBoot(bytes)
  const done = Array.from({ length: random.pick([1, 1, 1, 2, 8]) }, () => random.pick(kinds))
  for (const kind of done) damages[kind](bytes, random)
  return { bytes, done }
}

function newSeed(): number {
  return random.between(0, 1e9)
}
