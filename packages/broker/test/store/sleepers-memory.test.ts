// What sessions without a connection weigh in memory, beside what waits for them on the disk.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { lmdbStore } from '../../src/store/lmdb/index.js'
import { heapBytes } from '../garbage.js'
import { startRig } from '../rig.js'

const sessions = 2_000
const others = 500
/** A session with its subscription, and some 700 bytes that the test's side of its connection keeps. */
const idleBytes = 2_816
/** That something waits for it: where its last share ends, and its topic's matches as they were found. */
const queueBytes = 704
/** What 15 messages more weigh. */
const moreBytes = 96

it('a session that sleeps weighs the same, however much waits for it', {
  timeout: 60_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-sleepers-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const limits = { maxConnectsPerSecond: sessions, maxConnectsPerSecondPerAddress: sessions }
  const rig = await startRig({ store: lmdbStore({ directory }), limits })
  onTestFinished(() => rig.broker.close())

  async function come(from: number, to: number): Promise<void> {
    const clients = Array.from({ length: to - from }, (_, n) => {
      return rig.greet(`sleeper-${from + n}`, rig.durable).subscribe(`s/sleeper-${from + n}`, 1)
    })
    await Promise.all(clients.map((client) => client.next(2)))
    for (const client of clients) client.drop()
  }
  async function publish(to: readonly [number, number], times: number): Promise<void> {
    const text = 'x'.repeat(100)
    for (let time = 0; time < times; time++) {
      const all: Promise<unknown>[] = []
      for (let n = to[0]; n < to[1]; n++) all.push(rig.broker.publish(`s/sleeper-${n}`, text, { qos: 1 }))
      await Promise.all(all)
    }
  }
  /** Bytes on the heap, once all connections are gone and all is on the disk. */
  async function weight(): Promise<number> {
    await rig.broker.publish('nobody', 'x', { retain: true, qos: 1 })
    for (let turn = 0; turn < 10; turn++) await nextTurn()
    return heapBytes()
  }

  await come(0, others) // what is made once is there
  await publish([0, others], 5)
  const before = await weight()
  await come(others, others + sessions)
  const idle = await weight()
  await publish([others, others + sessions], 5)
  const few = await weight()
  await publish([others, others + sessions], 15)
  const many = await weight()
  expect((await rig.broker.metrics()).queued.messages).toBe(5 * others + 20 * sessions)
  const each = (bytes: number): number => bytes / sessions
  expect(each(idle - before)).toBeLessThan(idleBytes)
  expect(each(few - idle)).toBeLessThan(queueBytes)
  expect(each(many - few)).toBeLessThan(moreBytes)
})
