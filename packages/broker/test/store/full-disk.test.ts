import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createBroker } from '../../src/index.js'
import { Deliveries, flushed, idle, messageOf } from '../../src/store/deliveries.contract.js'
import { lmdbStore } from '../../src/store/lmdb/index.js'
import { quietLmdb } from '../../src/store/lmdb/quiet-lmdb.js'

const disk = mkdtempSync(join(tmpdir(), 'godwit-disk-'))
const isMounted = mount()
afterAll(() => {
  if (isMounted) execFileSync('umount', ['--lazy', disk])
  rmdirSync(disk)
})

function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

// What escapes from lmdb as an unhandled rejection fails the run by itself.
describe.skipIf(!isMounted)('a disk that is full (needs the right to mount a tmpfs)', () => {
  it('takes commits again once there is room; what waited is there, in order', async () => {
    const printed = vi.spyOn(console, 'error')
    const told: unknown[] = []
    const undo = quietLmdb((error) => told.push(error))
    const lines: string[] = []
    let failed = () => {}
    const failure = new Promise<void>((resolve) => {
      failed = resolve
    })
    const store = lmdbStore({
      directory: join(disk, 'data'),
      log: {
        log(level, line, fields) {
          lines.push(`${level} ${line}${fields?.error ? `: ${fields.error}` : ''}`)
          failed()
        },
      },
    })
    await store.open()
    const session = new Deliveries(store.session('c'))
    session.stored.connected(3600)
    await idle(store)
    writeFileSync(join(disk, 'fill'), Buffer.alloc(1_500_000))
    while (lines.length === 0) {
      const commit = session.put(messageOf(`${session.tail}:`.padEnd(20_000, '.')))
      await Promise.race([flushed(store, commit), failure])
    }
    const before = store.flushed
    for (let more = 0; more < 3; more++) session.put(messageOf(`${session.tail}:`))
    expect(store.flushed).toBe(before)
    rmSync(join(disk, 'fill'))
    await idle(store)
    await store.close()
    expect(lines).toEqual([
      expect.stringMatching(/^error a commit failed; .*: (No space left on device|Input\/output error)/),
      'info the disk takes commits again',
    ])

    const again = lmdbStore({ directory: join(disk, 'data') })
    const { sessions } = await again.open()
    const texts = new Deliveries(sessions[0]!.stored, sessions[0]!.outgoing).texts()
    expect(texts.map((text) => Number.parseInt(text, 10))).toEqual(texts.map((_, at) => at + 1))
    expect(texts).toHaveLength(session.tail - 1)
    await again.close()
    undo()
    expect(told).toEqual([]) // lmdb was not asked
    expect(printed).not.toHaveBeenCalled()
    printed.mockRestore()
  })

  it('makes the broker say that it is not ready, and why; with room it is again', async () => {
    const undo = quietLmdb(() => {})
    const broker = await createBroker({ store: lmdbStore({ directory: join(disk, 'ready') }) })
    expect(await broker.readiness()).toEqual({ ready: true, reasons: [] })
    let { commits } = await broker.metrics()
    expect([commits.writes.count, commits.latency.count, commits.fsync.count]).toEqual([1, 1, 1])
    writeFileSync(join(disk, 'fill'), Buffer.alloc(1_200_000))
    for (let n = 0; commits.failing === undefined && n < 500; n++) {
      const safe = broker.publish(`t/${n}`, '.'.repeat(20_000), { qos: 1, retain: true })
      const fails = async (): Promise<boolean> => (await broker.metrics()).commits.failing !== undefined
      await Promise.race([safe, vi.waitUntil(fails)])
      commits = (await broker.metrics()).commits
    }
    const reasons = [expect.stringMatching(/^the store takes no commits: .*; \d+ bytes are free in \/.*ready$/)]
    expect(await broker.readiness()).toEqual({ ready: false, reasons })
    expect((await broker.metrics()).commits.failures).toBeGreaterThan(0)
    rmSync(join(disk, 'fill'))
    await vi.waitUntil(async () => (await broker.readiness()).ready, { timeout: 10_000 })
    await broker.close()
    expect(await broker.readiness()).toEqual({ ready: false, reasons: ['the broker is shutting down'] })
    undo()
  })
})
