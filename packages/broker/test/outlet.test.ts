import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InsideRig } from './inside-rig.js'
import { Destination, startOutlet, until } from './outlet-rig.js'
import { type Rig, settled } from './rig.js'

const texts = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index))

let stage: InsideRig
let rig: Rig
let away: Destination

async function publish(from: number, to: number, qos: 0 | 1 | 2 = 1): Promise<void> {
  await Promise.all(texts(from, to).map((text) => rig.broker.publish('a/b', text, { qos })))
}

const lines = (what: string): string[] => rig.log.filter((line) => line.includes(what))

describe.each(['memory', 'lmdb'] as const)('an outlet, its store %s', (kind) => {
  beforeEach(async () => {
    stage = new InsideRig(kind)
    rig = await stage.open()
    away = new Destination()
  })
  afterEach(() => stage.dispose())

  it('writes what comes, in batches and in order, and acknowledges it', async () => {
    const plugin = await startOutlet(rig, { filters: ['a/#'], write: away.write, maxBatchMessages: 4, lingerMs: 100 })
    await publish(1, 10)
    await until(() => away.has.length === 8)
    expect(away.batches).toEqual([4, 4]) // the rest waits for more
    await rig.pass(100)
    await until(() => away.has.length === 10)
    expect(away.has).toEqual(texts(1, 10))
    await settled()
    expect(plugin.outlet.counts).toEqual({ written: 10, batches: 3, failed: 0, refused: 0 })
    expect(await rig.broker.sessions.get('plugin-out')).toMatchObject({ queued: 0, inflight: 0 })
    await plugin.stop()
  })

  it('waits while the destination is away, and loses nothing', async () => {
    const options = {
      filters: ['a/#'],
      write: away.write,
      maxBatchMessages: 3,
      lingerMs: 0,
      firstRetryMs: 500,
      mostRetryMs: 2000,
    }
    const plugin = await startOutlet(rig, options)
    away.isAway = true
    await publish(1, 30)
    await until(() => plugin.outlet.counts.failed === 1)
    for (const ms of [500, 1000, 2000, 2000]) await rig.pass(ms)
    await until(() => plugin.outlet.counts.failed === 5)
    expect(away.has).toEqual([])
    expect(await rig.broker.sessions.get('plugin-out')).toMatchObject({ queued: 24, inflight: 6 })
    away.isAway = false
    await rig.pass(2000)
    await until(() => away.has.length === 30)
    expect(away.has).toEqual(texts(1, 30))
    expect(lines('messages wait')).toEqual([
      expect.stringMatching(/^warn plugin out: messages wait.*"error":"nobody is there".*"retryMs":500/),
    ])
    expect(lines('messages go out again')).toEqual([expect.stringContaining('"afterMs":7500')])
    await plugin.stop()
  })

  it('shows what waits, why, and since when', async () => {
    const began = rig.clock.now()
    const plugin = await startOutlet(rig, { filters: ['a/#'], write: away.write, lingerMs: 0, firstRetryMs: 500 })
    expect(plugin.outlets).toEqual([
      { clientId: 'plugin-out', problem: undefined, since: began, queued: 0, ...plugin.outlet.counts },
    ])
    await rig.pass(1_000)
    away.isAway = true
    await publish(1, 1)
    await until(() => plugin.outlet.counts.failed === 1)
    expect(plugin.outlets).toMatchObject([{ problem: 'nobody is there', since: began + 1_000, queued: 1, failed: 1 }])
    away.isAway = false
    await rig.pass(500)
    await until(() => away.has.length === 1)
    await settled()
    expect(plugin.outlets).toMatchObject([{ problem: undefined, since: began + 1_500, queued: 0, written: 1 }])
    await plugin.stop()
    expect(plugin.outlets).toEqual([])
  })

  it('finds by halves what the destination refuses, and sets it aside', async () => {
    const aside: string[] = []
    rig.broker.subscribe(
      'refused',
      (message) => void aside.push(`${message.text()} ${message.properties?.userProperties}`),
    )
    away.refuses.add('3').add('7')
    const options = { filters: ['a/#'], write: away.write, maxBatchMessages: 8, lingerMs: 50, refusedTopic: 'refused' }
    const plugin = await startOutlet(rig, options)
    await publish(1, 8)
    await until(() => plugin.outlet.counts.written === 6)
    expect(away.has).toEqual(['1', '2', '4', '5', '6', '8'])
    expect(plugin.outlet.counts).toMatchObject({ refused: 2, failed: 0 })
    expect(aside).toEqual([
      expect.stringMatching(/^3 topic,a\/b,id,\S+,reason,not 3$/),
      expect.stringMatching(/^7 topic,a\/b,id,\S+,reason,not 7$/),
    ])
    expect(lines('message refused')).toHaveLength(1)
    await settled()
    expect(await rig.broker.sessions.get('plugin-out')).toMatchObject({ queued: 0, inflight: 0 })
    await plugin.stop()
  })

  it.each(['heeds', 'ignores'] as const)('ends an attempt that takes too long and %s its signal', async (hangs) => {
    const plugin = await startOutlet(rig, { filters: ['a/#'], write: away.write, timeoutMs: 1000, lingerMs: 0 })
    away.hangs = hangs
    await publish(1, 1)
    await until(() => away.batches.length === 1)
    away.hangs = undefined
    await rig.pass(1000)
    await until(() => plugin.outlet.counts.failed === 1)
    await rig.pass(500)
    await until(() => away.has.length === 1)
    expect(lines('messages wait')).toEqual([expect.stringContaining('no answer in 1000 ms')])
    await plugin.stop()
  })

  it('gives a write under way its grace when the plugin ends', async () => {
    const plugin = await startOutlet(rig, { filters: ['a/#'], write: away.write, graceMs: 1000, lingerMs: 0 })
    away.hangs = 'heeds'
    await publish(1, 1)
    await until(() => away.batches.length === 1)
    const stopped = plugin.stop()
    await settled()
    expect((await rig.broker.sessions.get('plugin-out'))?.connected).toBe(true)
    await rig.pass(1000)
    await stopped
    expect(await rig.broker.sessions.get('plugin-out')).toMatchObject({ connected: false, inflight: 1 })
  })

  it('goes on in its session when a later run of the plugin begins before the earlier one has ended', async () => {
    const options = { filters: ['a/#'], write: away.write, lingerMs: 0 }
    const first = await startOutlet(rig, options)
    const second = await startOutlet(rig, options)
    await publish(1, 3)
    await until(() => away.has.length === 3)
    await first.stop()
    await publish(4, 6)
    await rig.pass(100)
    await until(() => away.has.length === 6)
    expect(away.has).toEqual(texts(1, 6))
    expect(lines('session is not there')).toEqual([])
    await second.stop()
  })

  it('opens its session again when somebody has ended that', async () => {
    const plugin = await startOutlet(rig, { filters: ['a/#'], write: away.write, lingerMs: 0 })
    await rig.broker.disconnect('plugin-out')
    await settled()
    await publish(1, 2) // into its queue
    await rig.pass(100)
    await until(() => away.has.length === 2)
    expect(lines('session is not there')).toEqual([expect.stringMatching(/administrative action/i)])
    await plugin.stop()
  })

  it('takes what a slow destination can take, at QoS 0 too', async () => {
    away.hangs = 'heeds'
    const plugin = await startOutlet(rig, { filters: ['a/#'], write: away.write, maxBatchMessages: 2, lingerMs: 0 })
    await publish(1, 20, 0)
    await until(() => away.batches.length === 1)
    away.hangs = undefined
    await rig.pass(30_000)
    await rig.pass(500)
    await until(() => away.has.length === 20)
    expect(away.has).toEqual(texts(1, 20))
    await plugin.stop()
  })

  it('lets a watch see when its function is entered and left', async () => {
    const calls: string[] = []
    const watch = {
      register: (_: string, call: string) => calls.push(call),
      enter: (call: number) => void calls.push(`> ${calls[call - 1]}`),
      leave() {},
    }
    const plugin = await startOutlet(rig, { filters: ['a/#'], write: away.write, lingerMs: 0 }, watch)
    await publish(1, 1)
    await until(() => away.has.length === 1)
    expect(calls).toContain('> write')
    await plugin.stop()
  })

  it('ends with the broker', async () => {
    const plugin = await startOutlet(rig, { filters: ['a/#'], write: away.write })
    await rig.broker.close()
    await plugin.outlet.close()
    await plugin.stop()
    expect(lines('session is not there')).toEqual([])
  })
})

describe('the id of a message', () => {
  beforeEach(async () => {
    stage = new InsideRig('lmdb')
    rig = await stage.open()
    away = new Destination()
  })
  afterEach(() => stage.dispose())

  const options = (): Parameters<typeof startOutlet>[1] => ({
    filters: ['a/#'],
    write: away.write,
    lingerMs: 0,
    idPrefix: 'site-7:',
  })

  it('is the same when it comes again after a crash', async () => {
    const seen: string[] = []
    const write: typeof away.write = async (messages) => {
      for (const message of messages) seen.push(`${message.text()} ${message.id}`)
      throw new Error('it dies before it knows')
    }
    await startOutlet(rig, { ...options(), write })
    await publish(1, 2)
    await until(() => seen.length === 2)
    rig = await stage.crash()
    const plugin = await startOutlet(rig, options())
    await until(() => away.has.length === 2)
    expect(away.has.map((text, at) => `${text} ${away.ids[at]}`)).toEqual(seen)
    expect(away.ids[0]).toMatch(/^site-7:\w+-1$/)
    await plugin.stop()
  })

  it('is another one when the session began anew, though its numbers are those of before', async () => {
    const plugin = await startOutlet(rig, options())
    await publish(1, 1)
    await until(() => away.has.length === 1)
    await plugin.stop()
    await rig.broker.sessions.end('plugin-out')
    const again = await startOutlet(rig, options())
    await publish(2, 2)
    await until(() => away.has.length === 2)
    expect(new Set(away.ids).size).toBe(2)
    await again.stop()
  })

  it('stays when filters change, and what is wanted no more does not come', async () => {
    const plugin = await startOutlet(rig, { ...options(), filters: ['a/#', 'c'] })
    await publish(1, 1)
    await until(() => away.has.length === 1)
    await plugin.stop()
    const again = await startOutlet(rig, { ...options(), filters: [{ filter: 'a/+', qos: 2 }] })
    await rig.broker.publish('c', 'no', { qos: 1 })
    await publish(2, 2)
    await until(() => away.has.length === 2)
    expect(away.ids.map((id) => id.split('-')[1]?.split(':')[1])).toEqual([expect.any(String), expect.any(String)])
    expect(new Set(away.ids.map((id) => id.slice(0, id.lastIndexOf('-')))).size).toBe(1)
    const [subscription, ...more] = (await rig.broker.subscriptions.page({ clientId: 'plugin-out' })).items
    expect([subscription?.filter, subscription?.qos, more]).toEqual(['a/+', 2, []])
    await again.stop()
  })

  it('is random where the broker offers no Subscription Identifiers', async () => {
    await stage.dispose()
    stage = new InsideRig('lmdb')
    rig = await stage.open({ subscriptionIdentifiers: false })
    const plugin = await startOutlet(rig, options())
    await publish(1, 1)
    await until(() => away.has.length === 1)
    expect(away.ids).toEqual([expect.stringMatching(/^site-7:[0-9a-f-]{36}$/)])
    await plugin.stop()
  })
})

it.each([
  [{ filters: [] }, /filters is \[\]; it takes a list/],
  [{ filters: ['a/#/b'] }, /"a\/#\/b" is not a topic filter/],
  [{ filters: [{ filter: 'a', qos: 3 }] }, /qos is 3; it takes 0, 1 or 2/],
  [{ filters: ['a'], maxBatchMessages: 0 }, /maxBatchMessages is 0; it takes whole numbers from 1 to 10000/],
  [{ filters: ['a'], linger: 5 }, /openOutlet has no linger; did you mean lingerMs\?/],
  [{ filters: ['$share/g/a/#'], refusedTopic: 'a/refused' }, /a topic that no filter matches; \$share\/g\/a\/# does/],
])('refuses %j', async (options, problem) => {
  const rig = await new InsideRig('memory').open()
  const opened = startOutlet(rig, { write: async () => {}, ...options } as never)
  await expect(opened).rejects.toThrow(problem)
  await rig.broker.close()
})
