// A store behind which nothing becomes safe any more: what needs it is refused, all else goes on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Disk } from '../src/store/lmdb/disk.js'
import { lmdbStore } from '../src/store/lmdb/index.js'
import { startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'
import { LateLog } from './store/late-log.js'

/** A store as a cluster has it, and a client of 5.0 and one of 3.1.1 on it. */
async function start() {
  const store = new SteppedStore()
  store.isShared = true
  const rig = await startRig({ store }, 5)
  const come = async (clientId: string, version: 4 | 5) => {
    const client = rig.greet(clientId, { version, ...(version === 5 && rig.durable) })
    await client.heard()
    store.flush()
    expect(await client.heard()).toEqual(['connack 0'])
    return client
  }
  return { ...rig, store, five: await come('five', 5), three: await come('three', 4) }
}

describe('while nothing becomes safe', () => {
  it('publications are refused in the words of their version', async () => {
    const { store, broker, five, three } = await start()
    store.isSilent = true
    five.publish('t', 'x', 1, 1).publish('t', 'x', 2, 2)
    expect(await five.heardInFull()).toEqual([
      'puback 1 0x97 {"reasonString":"the server cannot make it safe now; send it again later"}',
      'pubrec 2 0x97 {"reasonString":"the server cannot make it safe now; send it again later"}',
    ])
    three.publish('t', 'x', 1, 1)
    await three.ended()
    expect(await three.heard()).toEqual([])
    expect((await broker.metrics()).dropped['log-silent']).toBe(3)
  })

  it('an answer that is owed comes before a refusal of its kind, in the order of the publications', async () => {
    const { store, five } = await start()
    five.publish('t', 'taken', 1, 1)
    await five.heard()
    store.isSilent = true
    five.publish('t', 'refused', 1, 2)
    expect(await five.heard()).toEqual([])
    store.isSilent = false
    store.flush()
    expect(await five.heardInFull()).toEqual([
      'puback 1 0x10',
      'puback 2 0x97 {"reasonString":"the server cannot make it safe now; send it again later"}',
    ])
  })

  it('nobody comes in, and nobody gets another durable subscription', async () => {
    const { store, greet, five } = await start()
    store.isSilent = true
    expect(await greet('new', { version: 5 }).heardInFull()).toEqual([
      'connack 88 {"reasonString":"the server can keep nothing now; try again later"}',
    ])
    expect(await greet('old', { version: 4 }).heard()).toEqual(['connack 88'])
    five.subscribe('more', 1)
    expect(await five.heard()).toEqual(['suback 1 [151]'])
  })

  it('what needs nothing goes on: QoS 0, pings, and, once it is over, all of it', async () => {
    const { store, five, three } = await start()
    three.subscribe('t')
    await three.heard()
    store.flush()
    expect(await three.heard()).toEqual(['suback 1 [0]'])
    store.isSilent = true
    five.publish('t', 'at once')
    three.send({ type: 'pingreq' })
    expect(await three.heard()).toEqual(['publish t "at once"', 'pingresp'])
    store.isSilent = false
    five.publish('t', 'again', 1, 1)
    await five.heard()
    store.flush()
    expect(await five.heard()).toEqual(['puback 1'])
  })
})

describe('a store on disk behind a log that falls silent', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'godwit-silent-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  class HushedLog extends LateLog {
    override isSilent = false
  }

  it('says so once, in log, readiness and metrics, and once that it is over', async () => {
    let hushed!: HushedLog
    const lines: string[] = []
    const store = lmdbStore({
      directory,
      log: { log: (level, line) => void lines.push(`${level} ${line}`) },
      commitLog: (disk) => {
        hushed = new HushedLog(disk as Disk)
        return hushed
      },
    })
    const { broker, pass } = await startRig({ store }, 5)
    const said = () => lines.filter((line) => line.includes(' safe ')).map((line) => line.split(' ')[0])
    hushed.isSilent = true
    for (let second = 0; second < 3; second++) await pass(1_000)
    expect([said(), (await broker.metrics()).store.isSilent]).toEqual([['error'], true])
    expect((await broker.readiness()).reasons).toEqual([
      'what must be kept is refused: nothing has become safe for too long',
    ])
    hushed.isSilent = false
    await pass(1_000)
    expect([said(), (await broker.metrics()).store.isSilent]).toEqual([['error', 'info'], false])
    await broker.close()
  })
})
