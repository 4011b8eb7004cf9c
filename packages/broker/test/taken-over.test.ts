import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalLog } from '../src/store/lmdb/commit-log.js'
import type { Disk } from '../src/store/lmdb/disk.js'
import { type CommitLog, type LogDisk, lmdbStore, openCopy, positionWrite } from '../src/store/lmdb/index.js'
import { VirtualClock } from '../src/testing/index.js'
import { type Rig, settled, startRig } from './rig.js'
import type { ConnectOptions, TestClient } from './test-client.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'godwit-taken-over-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const start = (epoch: number, graceAfterRestartSeconds = 30): Promise<Rig> =>
  startRig({ store: lmdbStore({ directory }), clock: new VirtualClock(epoch), graceAfterRestartSeconds }, 5)

const will = { topic: 'w', payload: 'gone' }
/** Its session ends with its connection: nothing of it is stored but its will. */
const brief: ConnectOptions = { version: 5, cleanStart: true, will }
const lasting: ConnectOptions = { version: 5, cleanStart: false, will, properties: { sessionExpiryInterval: 10 } }
const began = Date.UTC(2026, 0, 1)

/** All that was written is on disk, and whoever waited for it has been told. */
async function flushed({ broker }: Rig): Promise<void> {
  await broker.publish('r', 'retained', { qos: 1, retain: true })
  await settled()
}

/** A client that is greeted once its session is on disk. */
async function come(rig: Rig, clientId: string, options: ConnectOptions): Promise<TestClient> {
  const client = rig.greet(clientId, options)
  await client.next()
  return client
}

/** A broker with two clients that have wills is left at once, and another takes its data up. */
async function takeOver(downMs = 0, graceSeconds?: number): Promise<{ rig: Rig; watcher: TestClient }> {
  const first = await start(began)
  await come(first, 'brief', brief)
  await come(first, 'lasting', lasting)
  await flushed(first)
  await first.broker.abandon()
  const rig = await start(began + downMs, graceSeconds)
  const watcher = await rig.connect('watcher', { version: 5 })
  watcher.subscribe('w')
  await watcher.heard()
  await flushed(rig)
  return { rig, watcher }
}

describe('a broker that takes over', () => {
  it('publishes no will of a client that comes back in time', async () => {
    const { rig, watcher } = await takeOver()
    await rig.pass(20_000)
    await come(rig, 'brief', brief)
    await come(rig, 'lasting', lasting)
    await rig.pass(60_000)
    expect(await watcher.heard()).toEqual([])
  })

  it('publishes the others once the grace is over, also of those who come back later', async () => {
    const { rig, watcher } = await takeOver()
    await rig.pass(28_000)
    expect(await watcher.heard()).toEqual([])
    await rig.pass(4_000)
    expect(await watcher.heard()).toEqual(['publish w "gone"', 'publish w "gone"'])
    await come(rig, 'brief', brief)
    await rig.pass(60_000)
    expect(await watcher.heard()).toEqual([])
  })

  it('keeps a session that fell due meanwhile until the grace is over', async () => {
    const { rig } = await takeOver(5_000)
    await rig.pass(20_000) // its 10 s are over
    expect(await rig.broker.sessions.count()).toBe(2)
    await rig.pass(15_000)
    expect(await rig.broker.sessions.count()).toBe(1)
  })

  it('waits for nobody without a grace', async () => {
    const { rig } = await takeOver(0, 0)
    expect((await rig.broker.metrics()).willsPublished).toBe(2)
  })
})

describe('time without anybody who serves', () => {
  const expiring = { qos: 1, retain: true, properties: { messageExpiryInterval: 20 } } as const
  /** What is left of a message that lives for 20 seconds, after a minute without a broker. */
  const leftAfter = async (commitLog?: (disk: LogDisk) => CommitLog): Promise<number> => {
    const first = await start(began)
    await first.broker.publish('r', 'lives for 20 s', expiring)
    await first.broker.abandon()
    const options = { directory, ...(commitLog && { commitLog }) }
    const rig = await startRig({ store: lmdbStore(options), clock: new VirtualClock(began + 60_000) }, 5)
    await rig.pass(2_000)
    const count = await rig.broker.retained.count()
    await rig.broker.close()
    return count
  }

  it('counts for a broker that is alone', async () => {
    expect(await leftAfter()).toBe(0)
  })

  it('counts for nothing where a log says when the last one stopped', async () => {
    class StoppedLog extends LocalLog {
      readonly stoppedAt = began + 1_000
    }
    expect(await leftAfter((disk) => new StoppedLog(disk as Disk))).toBe(1)
  })
})

describe('a broker that is left', () => {
  it('cuts its clients off without a word, and publishes no will', async () => {
    const rig = await start(began)
    const watcher = await rig.connect('watcher', { version: 5 })
    watcher.subscribe('w')
    await come(rig, 'brief', brief)
    await watcher.heard()
    await rig.broker.abandon()
    await watcher.ended()
    expect(await watcher.heard()).toEqual([])
    expect((await rig.broker.metrics()).willsPublished).toBe(0)
    expect(await rig.broker.clients.count()).toBe(0)
  })

  it('writes nothing more', async () => {
    const rig = await start(began)
    await come(rig, 'lasting', lasting)
    await flushed(rig)
    const lost = rig.broker.publish('s', 'late', { qos: 1, retain: true })
    const left = rig.broker.abandon()
    await expect(lost).rejects.toThrow('closed')
    await left
    const next = await start(began)
    expect(next.broker.recovered).toMatchObject({ sessions: 1, retained: 1, wills: 1 })
  })
})

describe("a node's copy", () => {
  it('is refused by a broker that runs alone', async () => {
    const copy = await openCopy(directory)
    expect([copy.isEmpty, copy.position()]).toEqual([true, undefined])
    await copy.apply([positionWrite(Buffer.from('here'))])
    expect([copy.isEmpty, copy.position()?.toString()]).toEqual([false, 'here'])
    await copy.close()
    await expect(start(began)).rejects.toThrow("is a node's copy of a cluster")
  })
})
