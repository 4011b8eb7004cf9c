import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { lockFolder } from '../../src/store/lmdb/folder-lock.js'

const directory = mkdtempSync(join(tmpdir(), 'godwit-lock-'))
const lock = join(directory, 'lock')
afterEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true })
})
afterAll(() => rmSync(directory, { recursive: true }))

const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
/** The lock of a process that had this pid before. */
const stale = (n: number): string => JSON.stringify({ pid: process.pid, startedAt: `${n}`, bootId, nonce: 'x' })

describe('processes that meet one lock at the same moment', () => {
  const count = 8
  const processes: ChildProcess[] = []
  beforeAll(async () => {
    const main = fileURLToPath(new URL('locker.mjs', import.meta.url))
    for (let n = 0; n < count; n++) processes.push(fork(main, { execArgv: [] }))
    await Promise.all(processes.map((child) => once(child, 'message')))
  })
  afterAll(() => {
    for (const child of processes) child.kill('SIGKILL')
  })

  async function race(): Promise<string[]> {
    const answers = processes.map(async (child) => String((await once(child, 'message'))[0]))
    for (const child of processes) child.send({ directory, at: Date.now() + 20 })
    return Promise.all(answers)
  }

  async function release(child: ChildProcess): Promise<void> {
    const released = once(child, 'message')
    child.send('release')
    await released
  }

  it.each([
    ['no lock', 20, () => {}, 'taken'],
    ['the lock of a process that is gone', 60, (n: number) => writeFileSync(lock, stale(n)), 'taken over'],
    ['a lock cut short by a crash', 5, () => writeFileSync(lock, '{"pid":'), 'taken over'],
    ['an empty lock', 5, () => writeFileSync(lock, ''), 'taken over'],
  ])(
    `${count} of them meet %s, %i times: one has it, the others are told`,
    { timeout: 60_000 },
    async (_, rounds, lay, won) => {
      for (let round = 0; round < rounds; round++) {
        lay(round)
        const answers = await race()
        const winners = answers.filter((answer) => answer.startsWith('taken'))
        expect(winners, answers.join('\n')).toEqual([won])
        const told = /in use by process \d+; end that|is being opened by another process at this moment; try again/
        for (const answer of answers) if (answer !== won) expect(answer).toMatch(told)
        await release(processes[answers.indexOf(won)]!)
        expect(readdirSync(directory)).toEqual([])
      }
    },
  )
})

describe('a lock', () => {
  it('is taken over too when who was about to take it over has ended', async () => {
    writeFileSync(lock, stale(1))
    let over = lock
    for (let n = 2; n < 4; n++) {
      over = join(directory, claimOn(over))
      writeFileSync(over, stale(n))
    }
    const taken = await lockFolder(directory)
    expect(taken.wasTakenOver).toBe(true)
    expect(readdirSync(directory).sort()).toEqual(['lock', 'lock.sock'])
    taken.release()
    expect(readdirSync(directory)).toEqual([])
  })

  it('is not taken over while another is about to', async () => {
    const { pid, startedAt } = await ownHolder()
    writeFileSync(lock, stale(1))
    writeFileSync(join(directory, claimOn(lock)), JSON.stringify({ pid, startedAt, bootId }))
    await expect(lockFolder(directory)).rejects.toThrow(/is being opened by another process at this moment; try again/)
    expect(readFileSync(lock, 'utf8')).toBe(stale(1))
  })

  it('of a process that cannot be seen is respected from the moment it can be read', async () => {
    const taken = await lockFolder(directory)
    const { socket } = JSON.parse(readFileSync(lock, 'utf8'))
    expect(socket).toMatch(/^lock\.[0-9a-f]{16}\.sock$/)
    writeFileSync(lock, JSON.stringify({ ...JSON.parse(stale(1)), socket }))
    await expect(lockFolder(directory)).rejects.toThrow(/in use by a process of another container/)
    taken.release()
    expect(readdirSync(directory)).toEqual(['lock']) // it was not its own any longer
  })

  it.each(['', '{"pid":', 'null', '5', '{}', '{"pid":"x"}', '{"pid":-1}', '\0\0\0\0'])(
    'that says %j is nobody’s',
    async (text) => {
      writeFileSync(lock, text)
      const taken = await lockFolder(directory)
      expect(taken.wasTakenOver).toBe(true)
      taken.release()
    },
  )

  it('that is a folder is left alone, and told of', async () => {
    mkdirSync(lock)
    await expect(lockFolder(directory)).rejects.toThrow(
      `the data folder ${directory} has a lock that cannot be read (EISDIR); let this user read ${lock}, or remove it when no process uses the folder`,
    )
    expect(readdirSync(directory)).toEqual(['lock'])
  })

  it.skipIf(process.getuid?.() === 0)(
    'that may not be read is left alone (root may read anything: skipped)',
    async () => {
      writeFileSync(lock, stale(1))
      chmodSync(lock, 0)
      await expect(lockFolder(directory)).rejects.toThrow(/cannot be read \(EACCES\)/)
    },
  )
})

/** The file that gives the right to take over what is there. */
function claimOn(file: string): string {
  const hash = createHash('sha256').update(file).update(readFileSync(file, 'utf8'))
  return `lock.claim-${hash.digest('hex').slice(0, 32)}`
}

async function ownHolder(): Promise<{ pid: number; startedAt: string }> {
  const taken = await lockFolder(directory)
  const holder = JSON.parse(readFileSync(lock, 'utf8'))
  taken.release()
  return holder
}
