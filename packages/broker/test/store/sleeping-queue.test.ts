import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { begin, type Deliveries, flushed, idle, messageOf, resume } from '../../src/store/deliveries.contract.js'
import { DurableRig, nothing, type Step } from './durable-rig.js'

describe('what comes for a session that has no connection, a commit each', () => {
  let rig: DurableRig
  beforeEach(async () => {
    rig = await new DurableRig().open()
  })
  afterEach(() => rig.dispose())

  function asleep(clientId: string): Deliveries {
    const session = begin(rig.store, clientId)
    session.stored.queue.rest()
    return session
  }

  async function put(session: Deliveries, count: number, size = 0): Promise<void> {
    for (let n = 0; n < count; n++) {
      await flushed(rig.store, session.put(messageOf(`m${session.tail}`.padEnd(size, '.'))))
    }
  }

  async function counts(): Promise<Record<string, number>> {
    await rig.store.close()
    const counts = await rig.counts()
    await rig.open()
    return counts
  }

  const named = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `m${from + at}`)

  it('lies in few records, however small the commits', async () => {
    await put(asleep('small'), 100)
    await put(asleep('large'), 20, 1_000)
    expect(await counts()).toMatchObject({ shares: 1 + 4 })
    const small = resume(rig.recovered, 'small')
    expect(small.texts()).toEqual(named(1, 100))
    for (let number = 1; number <= 100; number++) small.finish(number)
    expect(await counts()).toMatchObject({ shares: 4 })
    expect(await rig.countsWhenEmpty()).toEqual(nothing)
    await rig.open()
  })

  it('keeps what it takes in account: memory while it waits, and the queue', async () => {
    const session = asleep('c')
    await put(session, 10)
    const { bytes, messages } = session.stored.queue
    await rig.reopen()
    const { queue } = resume(rig.recovered, 'c').stored
    expect([queue.bytes, queue.messages]).toEqual([bytes, messages])
  })

  it('holds what many sessions have once, and frees it with the last of them', async () => {
    const sessions = ['a', 'b', 'c'].map(asleep)
    for (let n = 1; n <= 12; n++) {
      const message = messageOf(`m${n}`)
      for (const session of sessions) session.put(message)
      await idle(rig.store)
    }
    expect(await counts()).toMatchObject({ shares: 3, bodies: 12 })
    for (const clientId of ['a', 'b', 'c']) {
      const session = resume(rig.recovered, clientId)
      expect(session.texts()).toEqual(named(1, 12))
      for (let number = 1; number <= 12; number++) session.finish(number)
      await idle(rig.store)
    }
    expect(await counts()).toMatchObject({ shares: 0, bodies: 0, readers: 0 })
  })

  it('goes at once when the session wakes and is done with it in the commit that went on with it', async () => {
    const session = asleep('c')
    await put(session, 3)
    session.put(messageOf('m4'))
    expect(session.texts()).toEqual(named(1, 4))
    for (let number = 1; number <= 4; number++) session.finish(number)
    expect(session.texts()).toEqual([])
    await idle(rig.store)
    const { queue } = session.stored
    expect([queue.messages, queue.bytes]).toEqual([0, 0])
    await put(session, 1)
    expect(session.texts()).toEqual(['m5'])
    expect(await counts()).toMatchObject({ shares: 1 })
  })

  it('is cleared away with a session that ends in the commit that went on with it', async () => {
    const [gone, stays] = [asleep('gone'), asleep('stays')]
    const shared = [messageOf('m1'), messageOf('m2')]
    for (const message of shared) {
      for (const session of [gone, stays]) session.put(message)
      await idle(rig.store)
    }
    gone.put(messageOf('m3'))
    gone.stored.delete()
    await idle(rig.store)
    expect(await counts()).toMatchObject({ shares: 1, bodies: 2, due: 0, ended: 0 })
    expect(resume(rig.recovered, 'stays').texts()).toEqual(named(1, 2))
  })

  for (const step of ['gathered', 'committed', 'flushed'] as const satisfies Step[]) {
    it(`is there once after a crash at "${step}"`, async () => {
      const session = asleep('c')
      await put(session, 3)
      session.put(messageOf('m4'))
      await rig.crash(step)
      expect(resume(rig.recovered, 'c').texts()).toEqual(named(1, step === 'gathered' ? 3 : 4))
      expect(await rig.countsWhenEmpty()).toEqual(nothing)
      await rig.open()
    })
  }
})
