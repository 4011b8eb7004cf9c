import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Commit, commitNumbered, noCommit } from '../../commit.js'
import { silentLogger } from '../../log.js'
import { Metrics } from '../../metrics.js'
import type { CommitLog } from './commit-log.js'
import { CommitTurns } from './commit-turns.js'
import { Disk } from './disk.js'
import { openTables, type Tables, type Write } from './tables.js'

/** What every log must do, whatever makes a commit safe. */
export function commitLogContract(name: string, make: (disk: Disk) => CommitLog): void {
  describe(`CommitLog: ${name}`, () => {
    let folder: string
    let tables: Tables
    let log: CommitLog
    let applied: Commit[]
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'godwit-log-'))
      const file = join(folder, 'data.mdb')
      tables = openTables(file)
      const { commits: metrics } = new Metrics()
      const parts = { directory: folder, file, tables, turns: new CommitTurns(), metrics, log: silentLogger }
      log = make(new Disk({ ...parts, relief: () => [], onCommitted: () => {} }))
      applied = []
      log.onApplied = (commit) => void applied.push(commit)
    })
    afterEach(async () => {
      await tables.root.close()
      rmSync(folder, { recursive: true })
    })

    const key = (text: string): Buffer => Buffer.from(text)
    const put = (text: string, value: string): Write => ({ table: 'facts', key: key(text), value: Buffer.from(value) })
    const remove = (text: string): Write => ({ table: 'facts', key: key(text), value: undefined })
    const read = (text: string): string | undefined => {
      tables.root.resetReadTxn()
      return tables.facts.get(key(text))?.toString()
    }

    it('has all that is safe in the tables in the end, as the last commit left it', async () => {
      await log.append(commitNumbered(1), [put('a', '1'), put('b', '1')])
      await log.append(commitNumbered(2), [put('a', '2'), remove('b')])
      await log.append(commitNumbered(3), [put('c', '3')])
      await log.settled()
      expect([read('a'), read('b'), read('c')]).toEqual(['2', undefined, '3'])
    })

    it('says of each commit that it is applied, in their order, once it can be read', async () => {
      const seen: (string | undefined)[] = []
      log.onApplied = (commit) => {
        applied.push(commit)
        seen.push(read('n'))
      }
      for (let n = 1; n <= 10; n++) await log.append(commitNumbered(n), [put('n', String(n))])
      await log.settled()
      expect(applied).toEqual(Array.from({ length: 10 }, (_, at) => at + 1))
      for (const [at, value] of seen.entries()) expect(Number(value)).toBeGreaterThanOrEqual(at + 1)
    })

    it('takes a commit that is empty', async () => {
      await log.append(commitNumbered(1), [])
      await log.settled()
      expect(applied).toEqual([1])
    })

    it('lets an answer wait for nothing, or for the commit that it has had made', () => {
      const begun = commitNumbered(7)
      let gathered = 0
      const barrier = log.barrier(() => {
        gathered++
        return begun
      })
      expect([noCommit, begun]).toContain(barrier)
      expect(gathered).toBe(barrier === begun ? 1 : 0)
    })

    it('lets a message at QoS 1 wait for nothing, or for its own commit', () => {
      expect([noCommit, 5]).toContain(log.beforeQos1(commitNumbered(5)))
      expect(log.beforeQos1(noCommit)).toBe(noCommit)
    })

    it('is settled at once when nothing is under way, closing too', async () => {
      log.closing()
      await log.settled()
      expect(applied).toEqual([])
    })
  })
}
