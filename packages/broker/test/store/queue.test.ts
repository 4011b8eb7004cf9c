import { Decoder, encode, encodeUtf8, type Publish, type ReceivedPublish } from '@godwit/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Commit, noCommit } from '../../src/commit.js'
import { Message } from '../../src/message.js'
import { Metrics } from '../../src/metrics.js'
import { plainGrant } from '../../src/router/subscriber.js'
import { Deliveries, flushed, idle, messageOf, textAt } from '../../src/store/deliveries.contract.js'
import { LocalLog } from '../../src/store/lmdb/commit-log.js'
import type { Disk } from '../../src/store/lmdb/disk.js'
import { DurableRig, nothing } from './durable-rig.js'
import { LateLog } from './late-log.js'

const logs = [
  ['on disk', (disk: Disk) => new LocalLog(disk)],
  ['on disk later than they are safe', (disk: Disk) => new LateLog(disk)],
] as const

/** A message as a connection has it. */
function offTheWire(text: string): Message {
  const decoder = new Decoder({ version: 5 })
  const payload = encodeUtf8(text)
  decoder.push(
    encode({ type: 'publish', topic: 't', payload, qos: 1, retain: false, dup: false, packetId: 1 }, 5).slice(),
  )
  return new Message(decoder.next() as ReceivedPublish, 'p')
}

describe.each(logs)('queues %s', (_, makeLog) => {
  let rig: DurableRig
  beforeEach(async () => {
    rig = await new DurableRig({}, {}, makeLog).open()
  })
  afterEach(() => rig.dispose())

  function begin(clientId: string): Deliveries {
    const deliveries = new Deliveries(rig.store.session(clientId))
    deliveries.stored.connected(3600)
    return deliveries
  }

  function resume(clientId: string): Deliveries {
    const { stored, outgoing } = rig.recovered.sessions.find((one) => one.clientId === clientId)!
    return new Deliveries(stored, outgoing)
  }

  const named = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `m${from + at}`)

  it('holds a message once for many sessions, and frees it when the last is done', async () => {
    const sessions = Array.from({ length: 100 }, (_, at) => begin(`c${at}`))
    const message = messageOf('x'.repeat(50_000))
    for (const session of sessions) session.put(message)
    await rig.reopen()
    const batch = rig.recovered.sessions.length
    expect(batch).toBe(100)
    await rig.store.close()
    expect(await rig.counts()).toMatchObject({ bodies: 1, shares: 100 })
    await rig.open()
    const last = resume('c99')
    for (let at = 0; at < 99; at++) resume(`c${at}`).finish(1)
    await idle(rig.store)
    expect(last.texts()).toEqual(['x'.repeat(50_000)])
    last.finish(1)
    await idle(rig.store)
    await rig.store.close()
    expect(await rig.counts()).toEqual({ ...nothing, sessions: 100, cursors: 100 })
    await rig.open()
  })

  it('takes messages of every kind out of chunks that are read into again', async () => {
    const { store } = rig
    const session = begin('c')
    const chunk = new Uint8Array(65_536)
    const expected: string[] = []
    for (let round = 0; round < 4; round++) {
      let end = 0
      const put = (payload: string, topic = 't', properties?: Publish['properties']) => {
        const rest = { qos: 1, retain: false, dup: false, packetId: 1, properties } as const
        const packet = encode({ type: 'publish', topic, payload: encodeUtf8(payload), ...rest }, 5)
        chunk.set(packet, end)
        end += packet.length
        expected.push(payload)
      }
      for (let n = 0; n < 50; n++) {
        put(`${round} ${n}`.padEnd(n * 10, '.'))
        put(`${round} ${n} ü`, 'töpic', { contentType: 'c', userProperties: [['a', 'b']] })
        if (n % 20 === 7) put(`${round} ${n}`.padEnd(9_000, '-'))
      }
      const decoder = new Decoder({ version: 5 })
      decoder.push(chunk.subarray(0, end))
      let commit: Commit = noCommit
      for (let packet = decoder.next(); packet; packet = decoder.next()) {
        commit = session.put(new Message(packet as ReceivedPublish, 'p'))
        store.endOfPart()
      }
      chunk.fill(120)
      if (round % 2 === 0) await flushed(store, commit)
    }
    expect(session.texts()).toEqual(expected)
    await idle(store)
    expect(session.texts()).toEqual(expected)
    expect(session.stored.queue.get(2)!.message).toMatchObject({
      topic: 'töpic',
      publisher: 'p',
      properties: { contentType: 'c', userProperties: [['a', 'b']] },
    })
  })

  it('writes of what came off the wire what is not done when its commit is closed', async () => {
    const session = begin('c')
    const texts = ['a', 'b', 'c', 'd', 'e']
    for (const text of texts) session.put(offTheWire(text))
    for (const number of [1, 3]) session.finish(number)
    expect(session.stored.queue.get(3)).toBe(undefined)
    session.put(messageOf('written at once'))
    session.put(offTheWire('f'))
    session.finish(5)
    const left = ['b', 'd', 'written at once', 'f']
    expect(session.texts()).toEqual(left)
    await idle(rig.store)
    expect(session.texts()).toEqual(left)
    const { messages } = session.stored.queue
    expect(messages).toBe(4)
    await rig.reopen()
    const again = resume('c')
    expect(again.texts()).toEqual(left)
    for (const number of [2, 4, 6, 7]) again.finish(number)
    await idle(rig.store)
    expect([again.stored.queue.messages, again.stored.queue.bytes]).toEqual([0, 0])
    await rig.store.close()
    expect(await rig.counts()).toEqual({ ...nothing, sessions: 1, cursors: 1 })
    await rig.open()
  })

  it('gives out messages that stay as they are when the room of their commit is used again', async () => {
    const [reader, other] = [begin('reader'), begin('other')]
    reader.put(messageOf('as it was'))
    const early = reader.stored.queue.get(1)!.message
    await idle(rig.store)
    for (let commit = 0; commit < 20; commit++) {
      for (let n = 0; n < 50; n++) other.put(messageOf('z'.repeat(500)))
      await idle(rig.store)
    }
    expect([Buffer.from(early.payload).toString(), early.topic]).toEqual(['as it was', 't'])
    expect(early.bytes.buffer.byteLength).toBeLessThan(1_000) // it keeps nothing else
  })

  it('writes nothing for a message that is done within its commit', async () => {
    const [quick, slow] = [begin('quick'), begin('slow')]
    for (const text of ['a', 'b']) {
      quick.put(messageOf(text))
      quick.send()
    }
    quick.finish(1)
    quick.finish(2)
    expect(quick.stored.queue.bytes).toBe(2 * (1 + 't'.length + 100)) // until its commit is made
    slow.put(messageOf('c'))
    await idle(rig.store)
    expect(quick.stored.queue.bytes).toBe(0)
    quick.put(messageOf('d'))
    expect(quick.texts()).toEqual(['d'])
    await rig.store.close()
    expect(await rig.counts()).toMatchObject({ bodies: 0, shares: 2 })
    await rig.open()
  })

  // More batches than a queue holds positions of; then what comes while the next page is read.
  for (const count of [62, 63, 64, 65, 126, 127, 128]) {
    it(`pages through ${count} commits of an earlier process, and takes more meanwhile`, async () => {
      const before = begin('c')
      for (let at = 1; at <= count; at++) await flushed(rig.store, before.put(messageOf(`m${at}`)))
      await rig.reopen()
      const session = resume('c')
      session.put(messageOf(`m${count + 1}`))
      expect(textAt(session.stored.queue, count + 1)).toBe(`m${count + 1}`)
      session.put(messageOf(`m${count + 2}`)) // of the same commit, after the page that showed it was read
      expect(session.texts()).toEqual(named(1, count + 2))
      await idle(rig.store)
      session.put(messageOf(`m${count + 3}`))
      expect(session.texts()).toEqual(named(1, count + 3))
      for (let number = 1; number <= count + 3; number++) session.finish(number)
      expect(session.texts()).toEqual([])
      await rig.store.close()
      expect(await rig.counts()).toMatchObject({ bodies: 0, shares: 0 })
      await rig.open()
    })

    it(`pages through ${count} commits of its own with two more on their way`, async () => {
      const session = begin('c')
      for (let at = 1; at <= count; at++) await flushed(rig.store, session.put(messageOf(`m${at}`)))
      const inFlight = new Promise<void>((resolve) => {
        rig.onStep = (step) => {
          if (step === 'gathered') resolve()
        }
      })
      session.put(messageOf(`m${count + 1}`))
      await inFlight
      session.put(messageOf(`m${count + 2}`))
      expect(textAt(session.stored.queue, count + 2)).toBe(`m${count + 2}`)
      session.put(messageOf(`m${count + 3}`))
      expect(session.texts()).toEqual(named(1, count + 3))
      for (let number = 1; number <= count + 3; number++) session.finish(number)
      await idle(rig.store)
      expect(session.stored.queue.bytes).toBe(0)
      await rig.store.close()
      expect(await rig.counts()).toMatchObject({ bodies: 0, shares: 0 })
      await rig.open()
    })
  }

  it('numbers commits anew after the newest batch left, without meeting old shares again', async () => {
    const [a, b] = [begin('a'), begin('b')]
    for (let at = 1; at <= 5; at++) {
      a.put(messageOf(`a${at}`))
      if (at < 3) b.put(messageOf(`b${at}`))
      await idle(rig.store)
    }
    for (let number = 1; number <= 5; number++) a.finish(number)
    await rig.reopen()
    const [a2, b2] = [resume('a'), resume('b')]
    a2.put(messageOf('a6'))
    b2.put(messageOf('b3'))
    await rig.reopen()
    expect(resume('a').texts()).toEqual(['a6'])
    expect(resume('b').texts()).toEqual(['b1', 'b2', 'b3'])
  })
})

describe('a session that ends with messages in its queue', () => {
  for (const size of [1, 511, 512, 1100]) {
    it(`is cleared away in slices: ${size} shares`, async () => {
      const rig = await new DurableRig().open()
      const [gone, stays] = ['gone', 'stays'].map((clientId) => new Deliveries(rig.store.session(clientId)))
      for (const { stored } of [gone!, stays!]) stored.connected(3600)
      gone!.stored.setSubscription('a', plainGrant(1), false)
      gone!.stored.setReceived(1, new Uint8Array(128).fill(1))
      for (let at = 0; at < size; at++) {
        gone!.put(messageOf('x'))
        if (at % 100 === 0) stays!.put(messageOf(`s${at}`))
        await flushed(rig.store, rig.store.latest)
      }
      let slices = 0
      rig.onStep = (step) => {
        if (step === 'gathered') slices++
      }
      gone!.stored.delete()
      await idle(rig.store)
      expect(slices).toBeGreaterThanOrEqual(1 + Math.ceil((size + 1) / 512))
      await rig.reopen()
      expect(rig.recovered.sessions.map(({ clientId }) => clientId)).toEqual(['stays'])
      await rig.store.close()
      const left = Math.ceil(size / 100)
      expect(await rig.counts()).toEqual({ ...nothing, sessions: 1, cursors: 1, shares: left })
      await rig.open()
      const { stored, outgoing } = rig.recovered.sessions[0]!
      expect(new Deliveries(stored, outgoing).texts()).toHaveLength(left)
      expect(await rig.countsWhenEmpty()).toEqual(nothing)
      await rig.open()
      await rig.dispose()
    })
  }

  for (const step of ['gathered', 'committed', 'flushed'] as const) {
    it(`does not rise again and leaves nothing when the process dies at "${step}", again and again`, async () => {
      const rig = await new DurableRig().open()
      const session = new Deliveries(rig.store.session('gone'))
      session.stored.connected(3600)
      for (let at = 0; at < 1100; at++) await flushed(rig.store, session.put(messageOf('x')))
      await flushed(rig.store, session.stored.delete())
      for (let life = 0; life < 6; life++) {
        await rig.crash(step)
        expect(rig.recovered.sessions).toEqual([])
      }
      await idle(rig.store)
      await rig.store.close()
      expect(await rig.counts()).toEqual(nothing)
      await rig.open()
      await rig.dispose()
    })
  }

  it('frees its shares of a batch in flight and of the open one', async () => {
    const rig = await new DurableRig().open()
    const [gone, stays] = ['gone', 'stays'].map((clientId) => new Deliveries(rig.store.session(clientId)))
    for (const { stored } of [gone!, stays!]) stored.connected(3600)
    await idle(rig.store)
    const inFlight = new Promise<void>((resolve) => {
      rig.onStep = (step) => {
        if (step === 'gathered') resolve()
      }
    })
    const [one, two] = [messageOf('one'), messageOf('two')]
    for (const session of [gone!, stays!]) session.put(one)
    await inFlight
    for (const session of [gone!, stays!]) session.put(two)
    gone!.stored.delete()
    await idle(rig.store)
    await rig.store.close()
    expect(await rig.counts()).toEqual({ ...nothing, sessions: 1, cursors: 1, bodies: 2, shares: 2 })
    await rig.open()
    const { stored, outgoing } = rig.recovered.sessions[0]!
    expect(new Deliveries(stored, outgoing).texts()).toEqual(['one', 'two'])
    await rig.dispose()
  })
})

describe('a session that ends while what it is done with is still to be written', () => {
  it('takes nothing from others', async () => {
    const rig = await new DurableRig().open()
    const [gone, stays] = ['gone', 'stays'].map((clientId) => new Deliveries(rig.store.session(clientId)))
    for (const { stored } of [gone!, stays!]) stored.connected(3600)
    for (const session of [gone!, stays!]) session.put(messageOf('kept'))
    await idle(rig.store)
    const inFlight = new Promise<void>((resolve) => {
      rig.onStep = (step) => {
        if (step === 'gathered') resolve()
      }
    })
    rig.store.setWill('w', undefined)
    await inFlight
    gone!.finish(1)
    gone!.stored.delete()
    await idle(rig.store)
    await rig.reopen()
    const { stored, outgoing } = rig.recovered.sessions[0]!
    expect(new Deliveries(stored, outgoing).texts()).toEqual(['kept'])
    expect(await rig.countsWhenEmpty()).toEqual(nothing)
    await rig.open()
    await rig.dispose()
  })
})

describe('a session that cannot say where it stands', () => {
  it('holds up nobody else: their commits go on, and it is counted', async () => {
    const metrics = new Metrics()
    const rig = await new DurableRig({}, { metrics }).open()
    const [broken, other] = ['broken', 'other'].map((clientId) => new Deliveries(rig.store.session(clientId)))
    for (const { stored } of [broken!, other!]) stored.connected(3600)
    await idle(rig.store)
    broken!.state = () => {
      throw new Error('for the test')
    }
    broken!.put(messageOf('b'))
    await flushed(rig.store, other!.put(messageOf('o')))
    expect(metrics.internalErrors).toBe(1)
    await rig.reopen()
    const { stored, outgoing } = rig.recovered.sessions.find(({ clientId }) => clientId === 'other')!
    expect(new Deliveries(stored, outgoing).texts()).toEqual(['o'])
    await rig.dispose()
  })
})

describe('a crash', () => {
  it('leaves whole commits: all of one, or nothing of it', async () => {
    for (const step of ['gathered', 'committed', 'flushed'] as const) {
      const rig = await new DurableRig().open()
      const session = new Deliveries(rig.store.session('c'))
      session.stored.connected(3600)
      await flushed(rig.store, session.put(messageOf('safe')))
      session.stored.setSubscription('f', plainGrant(1), false)
      session.put(messageOf('m'))
      await rig.crash(step)
      const [{ stored, outgoing, subscriptions } = expect.fail('no session')] = rig.recovered.sessions
      expect([new Deliveries(stored, outgoing).texts(), subscriptions]).toEqual(
        step === 'gathered' ? [['safe'], []] : [['safe', 'm'], [['f', plainGrant(1)]]],
      )
      await rig.dispose()
    }
  })
})
