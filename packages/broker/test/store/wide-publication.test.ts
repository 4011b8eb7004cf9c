// One publication that very many durable sessions get: how much of it is one commit.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { QoS } from '@godwit/protocol'
import { expect, it, onTestFinished } from 'vitest'
import { lmdbStore } from '../../src/store/lmdb/index.js'
import { startRig } from '../rig.js'

const sessions = 2_600

it.for<[QoS, number]>([
  [1, 3],
  [2, 1],
])('at QoS %i it is gathered into %i commits, and safe with the last', async ([qos, commits]) => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-wide-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  let [gathered, flushed] = [0, 0]
  const onStep = (step: 'gathered' | 'committed' | 'flushed'): void => {
    if (step === 'gathered') gathered++
    if (step === 'flushed') flushed++
  }
  const rig = await startRig({
    store: lmdbStore({ directory, onStep }),
    limits: { maxConnectsPerSecond: sessions, maxConnectsPerSecondPerAddress: sessions },
  })
  onTestFinished(() => rig.broker.close())
  const clients = Array.from({ length: sessions }, (_, n) => rig.greet(`c${n}`, rig.durable).subscribe('t', 2))
  await Promise.all(clients.map((client) => client.next(2)))
  for (const client of clients) client.drop()
  await rig.broker.publish('nobody', '', { retain: true, qos: 1 }) // what was written before is on the disk
  gathered = 0
  flushed = 0
  await rig.broker.publish('t', 'x', { qos })
  expect([gathered, flushed]).toEqual([commits, commits])
  expect((await rig.broker.metrics()).queued.messages).toBe(sessions)
})
