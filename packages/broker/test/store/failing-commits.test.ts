import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Accounts } from '../../src/accounts.js'
import { Deliveries, flushed, idle, messageOf } from '../../src/store/deliveries.contract.js'
import type * as TablesModule from '../../src/store/lmdb/tables.js'
import { VirtualClock } from '../../src/testing/index.js'
import { BrokerTime } from '../../src/time/broker-time.js'
import { DurableRig, nothing } from './durable-rig.js'

/** What the disk refuses: a commit's writes, or their flush. */
const disk = vi.hoisted(() => ({
  refuses: 'nothing' as 'nothing' | 'writes' | 'flush',
  refused: 0,
  onRefused: () => {},
}))

vi.mock('../../src/store/lmdb/tables.js', async (original) => {
  const real = await original<typeof TablesModule>()
  const refuse = () => {
    disk.refused++
    disk.onRefused()
    return Promise.reject(new Error('EIO: no space left'))
  }
  return {
    ...real,
    openTables(file: string) {
      const tables = real.openTables(file)
      const root = new Proxy(tables.root, {
        get(target, name) {
          if (name === 'batch' && disk.refuses === 'writes') return refuse
          if (name === 'flushed' && disk.refuses === 'flush') return refuse()
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      return { ...tables, root }
    },
  }
})

describe('commits that fail', () => {
  let rig: DurableRig
  let lines: string[]
  let clock: VirtualClock
  let time: BrokerTime
  beforeEach(async () => {
    lines = []
    clock = new VirtualClock()
    time = new BrokerTime(clock)
    rig = await new DurableRig(
      {
        log: { log: (level, line) => void lines.push(`${level} ${line}`) },
      },
      { accounts: new Accounts({ maxWaitingBytes: 2500 }), time },
    ).open()
  })
  afterEach(async () => {
    disk.refuses = 'nothing'
    await rig.dispose()
  })

  function begin(clientId: string): Deliveries {
    const deliveries = new Deliveries(rig.store.session(clientId))
    deliveries.stored.connected(3600)
    return deliveries
  }

  function resume(clientId: string): Deliveries {
    const { stored, outgoing } = rig.recovered.sessions.find((one) => one.clientId === clientId)!
    return new Deliveries(stored, outgoing)
  }

  async function refused(times: number): Promise<void> {
    const from = disk.refused
    await new Promise<void>((resolve) => {
      disk.onRefused = () => {
        if (disk.refused - from >= times) resolve()
      }
    })
  }

  for (const what of ['writes', 'flush'] as const) {
    it(`are tried again until they succeed: ${what} refused; nothing is acknowledged, lost or overtaken`, async () => {
      const [a, b] = [begin('a'), begin('b')]
      await idle(rig.store)
      const before = rig.store.flushed
      const heard: number[] = []
      rig.store.onFlushed = () => heard.push(rig.store.flushed)
      disk.refuses = what
      const first = a.put(messageOf('a1'))
      await refused(1)
      const second = a.put(messageOf('a2'))
      b.put(messageOf('b1'))
      b.finish(1)
      b.put(messageOf('b2'))
      a.finish(1) // its message is in the commit that fails
      rig.store.setRetained('t', messageOf('r'))
      await refused(2)
      expect([rig.store.flushed, heard, second > first]).toEqual([before, [], true])
      expect([a.texts(), b.texts()]).toEqual([['a2'], ['b2']])
      disk.refuses = 'nothing'
      await flushed(rig.store, first)
      expect(rig.store.flushed).toBe(first)
      await flushed(rig.store, second)
      expect(lines).toEqual([
        'error a commit failed; nothing is acknowledged until it succeeds',
        'info the disk takes commits again',
      ])
      await rig.reopen()
      expect([resume('a').texts(), resume('b').texts()]).toEqual([['a2'], ['b2']])
      expect(rig.recovered.retained).toHaveLength(1)
      expect(await rig.countsWhenEmpty()).toEqual(nothing)
      await rig.open()
    })
  }

  it('leave a crash with what was flushed before', async () => {
    const session = begin('c')
    await flushed(rig.store, session.put(messageOf('safe')))
    disk.refuses = 'writes'
    session.put(messageOf('not yet'))
    const died = rig.crash('gathered') // of the commit that is refused
    await refused(1)
    disk.refuses = 'nothing'
    await died
    expect(resume('c').texts()).toEqual(['safe'])
  })

  it('let what makes room go ahead, and leave a crash with what that says: what had expired is there still, and counted', async () => {
    const [session, other] = [begin('c'), begin('other')]
    const expiring = messageOf('expired')
    expiring.expiresAt = time.now() + 1000
    for (const message of [expiring, messageOf('stays')]) session.put(message)
    other.put(messageOf('done'))
    await idle(rig.store)
    disk.refuses = 'writes'
    const from = disk.refused
    other.finish(1) // the room it makes is made first
    clock.advance(2000)
    rig.store.tick()
    while (session.expired === 0) await nextTurn()
    disk.onRefused = () => {
      if ((disk.refused - from) % 2 === 1) disk.refuses = 'nothing' // the commit is refused, what makes room is not
    }
    await rig.crash('committed')
    expect(resume('other').texts()).toEqual([])
    expect(resume('c').stored.queue.messages).toBe(2)
    expect(resume('c').texts()).toEqual(['expired', 'stays'])
  })

  it('let what makes room go ahead: nothing is said to be left of a queue whose last message was not written', async () => {
    const [session, other] = [begin('c'), begin('other')]
    session.stored.queue.rest() // nobody is connected
    session.put(messageOf('first'))
    other.put(messageOf('done'))
    await idle(rig.store)
    disk.refuses = 'writes'
    const from = disk.refused
    session.put(messageOf('second')) // its share is written anew, with the first
    session.finish(1)
    other.finish(1)
    disk.onRefused = () => {
      if ((disk.refused - from) % 2 === 1) disk.refuses = 'nothing' // the commit is refused, what makes room is not
    }
    await rig.crash('committed')
    expect(resume('c').stored.queue.messages).toBe(0)
    expect(resume('c').texts()).toEqual([])
  })

  it('hold intake back: the store is full until they succeed', async () => {
    const session = begin('c')
    await idle(rig.store)
    disk.refuses = 'writes'
    session.put(messageOf('x'.repeat(1000)))
    await refused(1)
    expect(rig.store.full).toBe(false)
    session.put(messageOf('x'.repeat(1500)))
    expect(rig.store.full).toBe(true)
    disk.refuses = 'nothing'
    await idle(rig.store)
    expect(rig.store.full).toBe(false)
  })

  it('hold intake back when it is retained messages that wait', async () => {
    begin('c')
    await idle(rig.store)
    disk.refuses = 'writes'
    for (let at = 0; at < 4; at++) rig.store.setRetained(`t${at}`, messageOf('x'.repeat(600)))
    await refused(1)
    expect(rig.store.full).toBe(true)
    disk.refuses = 'nothing'
    await idle(rig.store)
    expect(rig.store.full).toBe(false)
  })

  it('are waited for by close', async () => {
    const session = begin('c')
    await idle(rig.store)
    disk.refuses = 'writes'
    session.put(messageOf('m'))
    const closing = rig.store.close()
    await refused(2)
    disk.refuses = 'nothing'
    await closing
    await rig.open()
    expect(resume('c').texts()).toEqual(['m'])
  })

  it('free a session that ends meanwhile', async () => {
    const [gone, stays] = [begin('gone'), begin('stays')]
    await idle(rig.store)
    disk.refuses = 'writes'
    const one = messageOf('one')
    for (const session of [gone, stays]) session.put(one)
    await refused(1)
    for (const session of [gone, stays]) session.put(one)
    gone.stored.delete()
    disk.refuses = 'nothing'
    await idle(rig.store)
    await rig.store.close()
    expect(await rig.counts()).toEqual({ ...nothing, sessions: 1, cursors: 1, bodies: 2, shares: 2 })
    await rig.open()
    expect(resume('stays').texts()).toEqual(['one', 'one'])
  })
})
