import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Message } from '../../src/message.js'
import { Metrics } from '../../src/metrics.js'
import { begin, type Deliveries, flushed, idle, messageOf, resume } from '../../src/store/deliveries.contract.js'
import { VirtualClock } from '../../src/testing/index.js'
import { BrokerTime } from '../../src/time/broker-time.js'
import { type Chore, Chores } from '../../src/time/chores.js'
import { DurableRig, nothing } from './durable-rig.js'
import { HeldLog } from './held-log.js'

const oneSecond = 1_000

class CountedChores extends Chores {
  /** How many were asked for. */
  count = 0

  override add(chore: Chore): void {
    this.count++
    super.add(chore)
  }
}

describe('what expires in a queue while the disk takes no commits', () => {
  let rig: DurableRig
  let log: HeldLog
  let clock: VirtualClock
  let time: BrokerTime
  let chores: CountedChores
  let metrics: Metrics
  beforeEach(async () => {
    clock = new VirtualClock()
    time = new BrokerTime(clock)
    chores = new CountedChores()
    metrics = new Metrics()
    rig = await new DurableRig({}, { time, chores, metrics }, (disk) => {
      log = new HeldLog(disk)
      return log
    }).open()
  })
  afterEach(async () => {
    log.release()
    await rig.dispose()
  })

  function passing(text: string, seconds = 1): Message {
    const message = messageOf(text)
    message.expiresAt = time.now() + seconds * oneSecond
    return message
  }

  /** A session with these messages, each second one of which expires, in one share on the disk. */
  async function withMessages(clientId: string, lasting: number, seconds = 1): Promise<Deliveries> {
    const session = begin(rig.store, clientId)
    for (let n = 1; n <= lasting; n++) {
      session.put(passing(`gone ${n}`, seconds))
      session.put(messageOf(`stays ${n}`))
    }
    await idle(rig.store)
    return session
  }

  /** So many seconds pass, and what is done then is done, as far as the disk lets it. */
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      clock.advance(oneSecond)
      rig.store.tick()
      for (let turn = 0; turn < 12; turn++) await nextTurn() // 256 shares take three or four
    }
  }

  const counted = ({ stored }: Deliveries) => stored.queue.messages
  const waiting = (session: Deliveries) => session.texts().filter((text) => text !== '-')
  const held = { messages: 2, texts: ['stays 1', 'stays 2'] }
  const seen = (session: Deliveries) => ({ messages: counted(session), texts: waiting(session) })

  it('is read by nobody: by a session that holds the share, by one that reads it again, nor by one that looks', async () => {
    const session = await withMessages('c', 2)
    expect(waiting(session)).toHaveLength(4)
    log.hold()
    await pass(2)
    expect([session.expired, seen(session)]).toEqual([2, held])
    session.stored.queue.rest()
    expect(seen(session)).toEqual(held)
    const { entries } = session.stored.queue.peek(1, session.tail)
    expect(entries.map(([number]) => number)).toEqual([2, 4])
    expect(session.stored.queue.next(1, session.tail)).toBe(2)
    log.release()
    await idle(rig.store)
    expect(seen(session)).toEqual(held)
    await rig.reopen()
    expect(seen(resume(rig.recovered, 'c'))).toEqual(held)
    expect(await rig.countsWhenEmpty()).toEqual(nothing)
    await rig.open()
  })

  it('does not take the share from the disk with what waits in it', async () => {
    const session = await withMessages('c', 2)
    session.stored.queue.rest()
    log.hold()
    await pass(2)
    Object.assign(session, { head: 2, next: 2 }) // of 1 there is no message
    session.finish(2)
    expect(session.texts()).toEqual(['-', 'stays 2'])
    log.release()
    await idle(rig.store)
    await rig.reopen()
    expect(resume(rig.recovered, 'c').texts()).toEqual(['-', 'stays 2'])
  })

  it('stays gone when all of a share is', async () => {
    const session = begin(rig.store, 'c')
    for (const text of ['a', 'b']) session.put(passing(text))
    await idle(rig.store)
    session.stored.queue.rest()
    log.hold()
    await pass(2)
    session.put(messageOf('new'))
    expect([session.expired, seen(session)]).toEqual([2, { messages: 1, texts: ['new'] }])
    log.release()
    await idle(rig.store)
    expect(seen(session)).toEqual({ messages: 1, texts: ['new'] })
    await rig.reopen()
    expect(resume(rig.recovered, 'c').stored.queue.messages).toBe(1)
    expect(await rig.countsWhenEmpty()).toEqual(nothing)
    await rig.open()
  })

  it('is remembered whatever else is read meanwhile', async () => {
    const other = begin(rig.store, 'other')
    const session = await withMessages('c', 2)
    for (let n = 0; n < 320; n++) other.put(messageOf('x'.repeat(32_768)))
    await idle(rig.store)
    for (const one of [session, other]) one.stored.queue.rest()
    expect(waiting(session)).toHaveLength(4)
    log.hold()
    await pass(2)
    expect(other.texts()).toHaveLength(320) // ten megabytes: all that was read before is forgotten
    expect(seen(session)).toEqual(held)
  })

  it('is counted once when more of the same share expires before that is on the disk', async () => {
    const session = begin(rig.store, 'c')
    session.put(passing('first', 1))
    session.put(passing('second', 20))
    session.put(messageOf('stays'))
    await idle(rig.store)
    log.hold()
    await pass(30)
    log.release()
    await idle(rig.store)
    await pass(2)
    await idle(rig.store)
    expect([session.expired, seen(session)]).toEqual([2, { messages: 1, texts: ['stays'] }])
    expect(metrics.queued.messages).toBe(1)
    await rig.reopen()
    expect(seen(resume(rig.recovered, 'c'))).toEqual({ messages: 1, texts: ['stays'] })
  })

  it('leaves the disk with what was done before it', async () => {
    const session = begin(rig.store, 'c')
    session.put(messageOf('done'))
    session.put(passing('expired'))
    await idle(rig.store)
    session.finish(1)
    await pass(2)
    await idle(rig.store)
    await rig.store.close()
    expect(await rig.counts()).toMatchObject({ shares: 0, due: 0 })
    await rig.open()
  })

  it('does not wait for what is due before it; each is looked at once, and no more than a bound', {
    timeout: 60_000,
  }, async () => {
    const sessions: Deliveries[] = []
    for (let n = 0; n < 2_100; n++) {
      const session = begin(rig.store, `c${n}`)
      session.put(passing('expires'))
      sessions.push(session)
    }
    await idle(rig.store)
    log.hold()
    const expired = () => sessions.reduce((sum, one) => sum + one.expired, 0)
    const after: number[] = []
    for (let second = 1; second <= 12; second++) {
      await pass(1)
      after.push(expired())
    }
    expect(after.slice(0, 3)).toEqual([256, 512, 768])
    expect(after.slice(-4)).toEqual([2048, 2048, 2048, 2048])
    const { count } = chores
    await pass(10)
    expect([count, chores.count]).toEqual([8, 8])
    log.release()
    await idle(rig.store)
    await pass(1)
    await idle(rig.store)
    expect([expired(), metrics.queued.messages]).toEqual([2_100, 0])
  })
})

it('what was put beside it and expires later is found', async () => {
  const clock = new VirtualClock()
  const time = new BrokerTime(clock)
  const rig = await new DurableRig({}, { time }).open()
  const session = begin(rig.store, 'c')
  const message = messageOf('m')
  message.expiresAt = time.now() + 5 * oneSecond
  await flushed(rig.store, session.put(message))
  for (let second = 0; second < 6; second++) {
    clock.advance(oneSecond)
    rig.store.tick()
    await idle(rig.store)
  }
  expect(session.expired).toBe(1)
  await rig.dispose()
})
