import { setTimeout as after } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { BadDisk, type Refusal } from './bad-disk.js'
import { BrokerProcess } from './broker-process.js'
import { report } from './findings.js'
import { Lab } from './lab.js'
import { Random } from './random.js'
import { Scene } from './scene.js'

const rounds = Number(process.env.GODWIT_TEST_BAD_DISK_ROUNDS ?? 1)
/** Each of them is met by a commit, or by what is tried again. */
const timesRefused = 3
/** What shows that the broker goes on. */
const messagesAfter = 10

/** lmdb 3.5.6 puts down which write was refused in 100 bytes, which may be too few: then the C library ends the process. */
const overrun = /^Write error: .*(malloc|free|realloc|corrupted|double)/s

const lab = new Lab('bad-disk')
const { missing } = lab

const refusals: Readonly<Record<string, Refusal>> = {
  'every write, no space': { calls: 'writes', every: 1, with: 'ENOSPC' },
  'every 7th write, no space': { calls: 'writes', every: 7, with: 'ENOSPC' },
  'every 3rd write': { calls: 'writes', every: 3, with: 'EIO' },
  'half of every 5th write': { calls: 'writes', every: 5, with: 'half' },
  'every sync': { calls: 'syncs', every: 1, with: 'EIO' },
  'every 2nd sync': { calls: 'syncs', every: 2, with: 'EIO' },
  'one header': { calls: 'writes', every: 1, with: 'EIO', page: 0 },
  'the other header': { calls: 'writes', every: 1, with: 'EIO', page: 1 },
  'one page': { calls: 'writes', every: 1, with: 'EIO', page: 9 },
}

describe.skipIf(missing)('a disk that refuses', () => {
  it.for(Object.entries(refusals))(
    '%s: the broker says so once, goes on when it can, and has all that it acknowledged',
    { timeout: 20_000 + rounds * 10_000 },
    async ([what, refusal]) => {
      const directory = lab.directory('data')
      const scene = new Scene(2, ['offline', 'online'], new Random())
      let disk = new BadDisk(lab.library('refuse'), directory)
      let broker = new BrokerProcess([], disk.env)
      try {
        await broker.open({ directory })
        await scene.begin(broker)
        for (let round = 0; round < rounds; round++) {
          await scene.load(broker)
          disk.refuse(refusal)
          await disk.hasRefused(timesRefused, broker)
          disk.recover()
          const before = scene.acknowledged
          while (scene.acknowledged < before + messagesAfter && !broker.isGone) await after(5)
          if (broker.isGone) expect(broker.complaints).toMatch(overrun)
          else {
            const lines = await broker.lines()
            // From the second round on, the folder is that of a process that was killed.
            expect(lines.filter((line) => !line.startsWith('warn took over '))).toEqual([
              expect.stringMatching(/^error a commit failed; nothing is acknowledged until it succeeds: /),
              'info the disk takes commits again',
            ])
          }
          await broker.kill()
          await scene.lost()
          disk.dispose()
          disk = new BadDisk(lab.library('refuse'), directory)
          broker = new BrokerProcess([], disk.env)
          await broker.open({ directory })
          await scene.verify(broker)
        }
      } finally {
        await broker.kill()
        disk.dispose()
      }
      const { findings, acknowledged } = scene
      report({ suite: 'bad disk', mode: `refuses ${what}`, rounds, acknowledged, findings })
      expect(findings.all).toEqual({})
    },
  )

  it('lets the broker close, and start', async () => {
    const directory = lab.directory('data')
    const scene = new Scene(1, ['offline'], new Random())
    const disk = new BadDisk(lab.library('refuse'), directory)
    const broker = new BrokerProcess([], disk.env)
    try {
      await broker.open({ directory })
      await scene.begin(broker)
      await scene.load(broker)
      disk.refuse({ calls: 'syncs', every: 1, with: 'EIO' })
      await disk.hasRefused(timesRefused, broker)
      await broker.close()
      await scene.lost()
      await expect(broker.open({ directory })).rejects.toThrow(
        /^the data folder .* cannot be made or written to \(EIO\)/,
      )
      disk.recover()
      await broker.open({ directory })
      await scene.verify(broker)
      expect(scene.findings.all).toEqual({})
    } finally {
      await broker.kill()
      disk.dispose()
    }
  })
})
