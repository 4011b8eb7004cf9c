import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultLimits } from '../../src/limits.js'
import { Deliveries, flushed, messageOf } from '../../src/store/deliveries.contract.js'
import { Backups } from '../../src/store/lmdb/backup.js'
import { checkStore, lmdbStore, restoreBackup, type StoreOnDisk } from '../../src/store/lmdb/index.js'
import { openData } from '../../src/store/lmdb/open-data.js'

let root: string
let store: StoreOnDisk
let deliveries: Deliveries
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'godwit-backup-'))
  store = lmdbStore({ directory: at('data') })
  await store.open()
  deliveries = new Deliveries(store.session('c'))
  deliveries.stored.connected(3600)
})
afterEach(async () => {
  await store.close()
  rmSync(root, { recursive: true })
})

const at = (name: string): string => join(root, name)

/** Puts messages as fast as they are acknowledged, until it is stopped. */
class Load {
  acknowledged = 0
  #isStopped = false
  readonly #ended: Promise<void>

  constructor() {
    this.#ended = this.#run()
  }

  async #run(): Promise<void> {
    for (let n = 0; !this.#isStopped; n++) {
      await flushed(store, deliveries.put(messageOf(`${n} ${'.'.repeat(2_000)}`)))
      this.acknowledged = n + 1
    }
  }

  async until(acknowledged: number): Promise<void> {
    while (this.acknowledged < acknowledged) await new Promise((resolve) => setImmediate(resolve))
  }

  stop(): Promise<void> {
    this.#isStopped = true
    return this.#ended
  }
}

/** What a session of a restored folder has. */
async function restored(backup: string): Promise<string[]> {
  await restoreBackup(backup, at('restored'))
  const found = await checkStore(at('restored'))
  expect(found.damage).toEqual([])
  const again = lmdbStore({ directory: at('restored') })
  const { sessions } = await again.open()
  const texts = sessions.flatMap(({ stored, outgoing }) => new Deliveries(stored, outgoing).texts())
  await again.close()
  return texts.map((text) => text.split(' ')[0]!)
}

describe('a backup', () => {
  it('has all that was acknowledged before it began, while more is acknowledged', async () => {
    const load = new Load()
    await load.until(200)
    const before = load.acknowledged
    const made = await store.backup(at('one'))
    const during = load.acknowledged
    await load.stop()
    expect(during).toBeGreaterThan(before)
    expect(made.bytes).toBe(statSync(at('one')).size)
    expect(statSync(at('one')).mode & 0o777).toBe(0o600)
    const texts = await restored(at('one'))
    expect(texts.length).toBeGreaterThanOrEqual(before)
    expect(texts).toEqual(texts.map((_, n) => `${n}`)) // and nothing but what came first
    expect(statSync(at('restored/p0/data.mdb')).mode & 0o777).toBe(0o600)
  })

  it('opens the file only between two commits, and ends in time when there is no such moment', async () => {
    const data = await openData(at('other'))
    const parts = { ...data, limits: defaultLimits, isLow: () => false }
    let end = (): void => {}
    const commit = data.turns.take(
      () =>
        new Promise<void>((resolve) => {
          end = resolve
        }),
    )
    await expect(new Backups().make(parts, at('late'), { timeoutMs: 3_000 })).rejects.toThrow('it took longer than 3 s')
    end()
    await commit
    await new Backups().make(parts, at('one'), {})
    await data.close('in order')
    expect(await restored(at('one'))).toEqual([])
  })

  it('loses nothing of what is acknowledged while the file is opened for it', async () => {
    const load = new Load()
    for (let n = 0; n < 5; n++) await store.backup(at(`${n}`))
    await load.stop()
    await store.close()
    store = lmdbStore({ directory: at('data') })
    const [session] = (await store.open()).sessions
    const texts = new Deliveries(session!.stored, session!.outgoing).texts().map((text) => text.split(' ')[0])
    expect(texts).toEqual(Array.from({ length: load.acknowledged }, (_, n) => `${n}`))
  })

  it('is smaller than a file with room in it', async () => {
    const load = new Load()
    await load.until(500)
    await load.stop()
    for (let n = 1; n <= 490; n++) deliveries.finish(n)
    await flushed(store, store.check())
    await store.backup(at('one'))
    expect(statSync(at('one')).size).toBeLessThan(statSync(at('data/p0/data.mdb')).size / 4)
  })

  it('that takes too long, is called off, or meets the end of the store leaves nothing', async () => {
    const load = new Load()
    await load.until(50)
    await load.stop()
    await expect(store.backup(at('late'), { timeoutMs: 1 })).rejects.toThrow(
      'no backup was made: it took longer than 0.001 s',
    )
    const calledOff = new AbortController()
    const made = store.backup(at('off'), { signal: calledOff.signal })
    await expect(store.backup(at('second'))).rejects.toThrow('no backup was made: another is being made; wait for it')
    calledOff.abort()
    await expect(made).rejects.toMatchObject({
      code: 'backup-failed',
      message: 'no backup was made: it was called off',
    })
    const last = store.backup(at('last'))
    await Promise.all([store.close(), expect(last).rejects.toThrow('it was called off')])
    await expect(store.backup(at('never'))).rejects.toThrow('the store is not open')
    expect(readdirSync(root)).toEqual(['data'])
  })

  it('needs a folder, and room beside the reserve', async () => {
    await expect(store.backup(at('none/one'))).rejects.toThrow(
      `no backup was made: ${at('none')} cannot be written: no such file or directory`,
    )
    await store.close()
    store = lmdbStore({ directory: at('data') })
    const { defaultLimits } = await import('../../src/limits.js')
    await store.open({ limits: { ...defaultLimits, diskReserveBytes: 2 ** 52, diskReservePercent: 90 } })
    await expect(store.backup(at('one'))).rejects.toThrow(/^no backup was made: .*reserve/)
    expect(readdirSync(root)).toEqual(['data'])
  })
})

describe('a restore', () => {
  it('refuses a folder that has something in it, and what is no backup or not as it was written', async () => {
    await flushed(store, deliveries.put(messageOf('kept')))
    await store.backup(at('one'))
    await expect(restoreBackup(at('one'), root)).rejects.toThrow(
      `the data folder ${root} is not empty; name a new one, or move away what is in it`,
    )
    const bytes = readFileSync(at('one'))
    const refusals: Record<string, string> = {}
    const tried = async (name: string, changed: Uint8Array): Promise<void> => {
      writeFileSync(at(name), changed)
      await restoreBackup(at(name), at(`${name}-folder`)).catch((error) => {
        refusals[name] = error.message.replace(at(name), 'FILE')
      })
      await expect(checkStore(at(`${name}-folder`))).rejects.toThrow('is not a data folder of godwit')
    }
    await tried('short', bytes.subarray(0, -1))
    await tried('text', Buffer.from('hello'))
    await tried('middle', Buffer.concat([bytes.subarray(0, 4096), bytes.subarray(8192)]))
    await tried('flipped', Buffer.from(bytes).fill('X', 5_000, 5_001))
    await tried(
      'newer',
      Buffer.from(bytes.toString('latin1').replace('backup, format 2', 'backup, format 9'), 'latin1'),
    )
    expect(refusals).toEqual({
      short: 'FILE is no backup of godwit, or its end is missing; name another one',
      text: 'FILE is no backup of godwit, or its end is missing; name another one',
      middle: 'FILE is no backup of godwit, or its end is missing; name another one',
      flipped: 'FILE is not as it was written; name another one',
      newer: 'FILE was written by a newer version (format 9, this one reads 2); use that version',
    })
    expect(await restored(at('one'))).toEqual(['kept'])
  })
})
