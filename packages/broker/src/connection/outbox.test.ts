import { Decoder, encodeUtf8, type Packet, type QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { lineOf } from '../../test/test-client.js'
import { Account } from '../accounts.js'
import { Batches } from '../batches.js'
import { commitNumbered, noCommit } from '../commit.js'
import { Faults } from '../faults.js'
import { Message } from '../message.js'
import { Metrics } from '../metrics.js'
import type { QueuedMessage } from '../store/queue.js'
import type { Transport } from '../transport/transport.js'
import { AheadCopy } from './ahead-copy.js'
import { Commits } from './commits.js'
import { Outbox, WriterPool } from './outbox.js'
import { defaultTerms, EncodedOnce } from './publish-encoder.js'
import { Tracing } from './tracing.js'
import type { Gathering, Turn } from './turn.js'

interface Write {
  readonly parts: readonly Uint8Array[]
  readonly done: () => void
}

function delivered(message: Message, qos: QoS): QueuedMessage {
  return { message, qos, retain: false, identifiers: undefined }
}

function setUp(maxOutboxBytes = 1000) {
  const store = { flushed: noCommit, barrier: () => noCommit }
  const commits = new Commits(store)
  const writes: Write[] = []
  const told: string[] = []
  const gathering: Gathering[] = []
  const decoder = new Decoder()
  const turn = { add: (one: Gathering) => void gathering.push(one) } as Turn
  const writers = new WriterPool()
  const metrics = new Metrics()
  const transport = {
    bytesTaken: 0,
    write: (parts: readonly Uint8Array[], done: () => void) => void writes.push({ parts, done }),
  } as unknown as Transport
  const owner = {
    peer: { transport: 'memory', address: '' },
    client: undefined,
    clientId: undefined,
    onFault: () => void told.push('fault'),
    onFull: () => void told.push('full'),
    onDrained: () => void told.push('drained'),
    onReply: () => {},
    end: (why: string) => void told.push(why),
  }
  const now = (): number => 0
  const tracing = new Tracing(now, new Batches(new Faults()))
  const parts = {
    turn,
    writers,
    encodedOnce: new EncodedOnce(),
    copies: new AheadCopy(),
    commits,
    metrics,
    tracing,
    waiting: new Account(),
    limits: { maxOutboxBytes },
    time: { now },
  }
  const outbox = new Outbox(transport, parts, owner, defaultTerms)
  let heard = 0
  return {
    outbox,
    writes,
    told,
    metrics,
    writers,
    reply: (type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'unsuback', packetId: number, commit = 0) =>
      outbox.reply({
        packet: { type, packetId, ...(type === 'unsuback' && { reasonCodes: [] }) } as Packet,
        commit: commitNumbered(commit),
      }),
    publish: (text: string, qos: QoS = 0, packetId = 0, commit = 0) =>
      outbox.publish(delivered(Message.of('t', encodeUtf8(text)), qos), false, packetId, commitNumbered(commit)),
    flushCommit: (commit: number) => {
      store.flushed = commitNumbered(commit)
      commits.onFlushed()
    },
    endTurn: () => {
      for (const one of gathering.splice(0)) one.flush()
    },
    /** The packets written since the last time, once the turn is over. */
    sent(): string[] {
      this.endTurn()
      const lines: string[] = []
      for (const { parts } of writes.slice(heard)) {
        for (const part of parts) {
          decoder.push(part)
          for (let packet = decoder.next(); packet; packet = decoder.next()) lines.push(lineOf(packet))
        }
      }
      heard = writes.length
      return lines
    },
  }
}

describe('Outbox', () => {
  it('writes once a turn, whatever was sent in it, in order', () => {
    const t = setUp()
    t.reply('puback', 1)
    t.publish('a')
    t.publish('b', 1, 7)
    t.outbox.reply({ packet: { type: 'pingresp' }, commit: noCommit })
    expect(t.writes).toHaveLength(0)
    expect(t.sent()).toEqual(['puback 1', 'publish t "a"', 'publish t "b" qos 1 id 7', 'pingresp'])
    expect(t.writes).toHaveLength(1)
    expect([t.metrics.packetsSent, t.metrics.publishSent, t.metrics.publishBytesSent]).toEqual([4, 2, 2])
    t.endTurn()
    expect(t.writes).toHaveLength(1)
  })

  describe('commits', () => {
    it('holds an acknowledgement until its commit is flushed', () => {
      const t = setUp()
      t.reply('puback', 1, 5)
      expect(t.sent()).toEqual([])
      t.flushCommit(4)
      expect(t.sent()).toEqual([])
      t.flushCommit(5)
      expect(t.sent()).toEqual(['puback 1'])
    })

    it('keeps the order within a kind, also for one that needs no commit', () => {
      const t = setUp()
      t.reply('pubrec', 2, 1)
      t.reply('puback', 1, 2)
      t.reply('puback', 3)
      t.reply('pubrec', 4, 3)
      t.reply('puback', 5, 1)
      expect(t.sent()).toEqual([])
      t.flushCommit(1)
      expect(t.sent()).toEqual(['pubrec 2'])
      t.flushCommit(2)
      expect(t.sent()).toEqual(['puback 1', 'puback 3', 'puback 5'])
      t.flushCommit(3)
      expect(t.sent()).toEqual(['pubrec 4'])
    })

    it('lets PINGRESP, other kinds and deliveries pass what is held', () => {
      const t = setUp()
      t.reply('puback', 1, 5)
      t.outbox.reply({ packet: { type: 'pingresp' }, commit: noCommit })
      t.reply('unsuback', 2)
      t.publish('a')
      t.publish('b', 1, 3)
      expect(t.sent()).toEqual(['pingresp', 'unsuback 2', 'publish t "a"', 'publish t "b" qos 1 id 3'])
    })

    it('lets nothing pass CONNACK, which is the first packet there is [MQTT-3.2.0-1]', () => {
      const t = setUp()
      t.outbox.reply({
        packet: { type: 'connack', sessionPresent: true, reasonCode: 0 },
        commit: commitNumbered(2),
        sent: () => t.publish('queued'),
      })
      t.outbox.reply({ packet: { type: 'pingresp' }, commit: noCommit })
      t.reply('puback', 1, 1)
      t.flushCommit(1)
      expect(t.sent()).toEqual([])
      t.flushCommit(2)
      expect(t.sent()).toEqual(['connack 0 present', 'publish t "queued"', 'pingresp', 'puback 1'])
    })

    it('holds a PUBLISH that needs one, and keeps its payload', () => {
      const t = setUp()
      const chunk = Buffer.from('payload')
      const source = { topic: 't', qos: 2, retain: false, bytes: chunk, payloadStart: 0, payloadEnd: 7 } as const
      t.outbox.publish(delivered(new Message(source, ''), 2), false, 1, commitNumbered(3))
      chunk.fill('x')
      expect(t.sent()).toEqual([])
      t.flushCommit(3)
      expect(t.sent()).toEqual(['publish t "payload" qos 2 id 1'])
    })

    it('keeps messages at QoS 0 in order behind one that waits [MQTT-4.6.0-6]', () => {
      const t = setUp()
      t.publish('a', 0, 0, 1)
      t.publish('b')
      t.publish('c', 0, 0, 2)
      t.publish('d')
      expect(t.sent()).toEqual([])
      t.flushCommit(1)
      expect(t.sent()).toEqual(['publish t "a"', 'publish t "b"'])
      t.flushCommit(2)
      expect(t.sent()).toEqual(['publish t "c"', 'publish t "d"'])
    })

    it('is full when too much waits for a commit, and tells when that is out', () => {
      const t = setUp(1000)
      t.publish('a', 0, 0, 1)
      while (!t.outbox.full) t.publish('b')
      expect(t.told).toEqual([]) // the client is not to blame
      t.flushCommit(1)
      expect(t.outbox.full).toBe(false)
      expect(t.sent()).toEqual(['publish t "a"', 'publish t "b"', 'publish t "b"', 'publish t "b"'])
      expect(t.told).toEqual(['drained'])
    })

    it('tells of a client that is slow while the disk is too', () => {
      const t = setUp(1000)
      t.publish('a', 0, 0, 1)
      while (!t.outbox.full) t.publish('b')
      while (t.outbox.waitingBytes <= 1000) t.reply('pubcomp', 1)
      expect([t.outbox.full, t.told]).toEqual([true, ['full']])
      t.flushCommit(1)
      expect(t.told).toEqual(['full'])
      t.endTurn()
      for (const { done } of t.writes) done()
      expect(t.told).toEqual(['full', 'drained'])
    })

    it('calls what comes after a reply only once it is on its way, and keeps what that sends behind what waits', () => {
      const t = setUp()
      t.outbox.reply({
        packet: { type: 'suback', packetId: 1, reasonCodes: [0] },
        commit: commitNumbered(1),
        sent: () => t.publish('retained', 2, 9, 3),
      })
      t.publish('live', 2, 8, 2)
      t.flushCommit(1)
      expect(t.sent()).toEqual(['suback 1 [0]'])
      t.flushCommit(3)
      expect(t.sent()).toEqual(['publish t "live" qos 2 id 8', 'publish t "retained" qos 2 id 9'])
    })

    it('sends nothing that was held once it is closed', () => {
      const t = setUp()
      t.reply('puback', 1)
      t.reply('puback', 2, 5)
      t.outbox.close()
      t.flushCommit(5)
      t.reply('puback', 3)
      t.publish('late')
      expect(t.sent()).toEqual(['puback 1'])
    })
  })

  describe('payloads', () => {
    it('passes a large one on as it is, between the packets around it', () => {
      const t = setUp(1_000_000)
      const large = new Uint8Array(5000).fill(97)
      t.publish('before')
      t.outbox.publish(delivered(Message.of('t', large), 0), false, 0, noCommit)
      t.publish('after')
      expect(t.sent()).toEqual(['publish t "before"', 'publish t <5000 bytes>', 'publish t "after"'])
      const [{ parts }] = t.writes as [Write]
      expect(parts.some((part) => part.buffer === large.buffer)).toBe(true)
      expect(parts).toHaveLength(3)
    })

    it('does not gather without end within a turn', () => {
      const t = setUp(10_000_000)
      for (let n = 0; n < 100; n++) t.publish('x'.repeat(2000))
      expect(t.writes.length).toBeGreaterThan(1)
      expect(t.sent()).toHaveLength(100)
    })
  })

  describe('bounds', () => {
    it('tells when more waits than should, and when the socket has taken half of it', () => {
      const t = setUp(1000)
      const writeOne = () => {
        t.publish('x'.repeat(395)) // 400 bytes each
        t.endTurn()
        return t.outbox.full
      }
      expect([writeOne(), writeOne(), writeOne()]).toEqual([false, false, true])
      expect(t.outbox.full).toBe(true)
      expect(t.told).toEqual(['full'])
      t.writes[0]!.done()
      expect([t.outbox.full, ...t.told]).toEqual([false, 'full']) // below the bound, but not yet half empty
      t.writes[1]!.done()
      expect(t.told).toEqual(['full', 'drained'])
      expect(t.outbox.progress).toBe(2)
      expect([writeOne(), writeOne()]).toEqual([false, true])
      expect(t.told).toEqual(['full', 'drained', 'full'])
    })

    it('counts what is gathered and not yet written', () => {
      const t = setUp(100)
      t.publish('x'.repeat(200))
      expect(t.outbox.full).toBe(true)
      expect(t.outbox.overfull).toBe(true)
    })

    it('never refuses a reply', () => {
      const t = setUp(10)
      for (let id = 1; id <= 50; id++) t.reply('puback', id)
      expect(t.sent()).toHaveLength(50)
    })
  })

  describe('output buffers', () => {
    it('are used again only after their write is done', () => {
      const t = setUp()
      t.publish('first')
      t.endTurn()
      t.publish('second')
      t.endTurn()
      const [first, second] = t.writes as [Write, Write]
      expect(first.parts[0]!.buffer).not.toBe(second.parts[0]!.buffer)
      first.done()
      t.publish('third')
      t.endTurn()
      const third = t.writes[2]!
      expect(third.parts[0]!.buffer).toBe(first.parts[0]!.buffer)
      expect(Buffer.from(second.parts[0]!).toString()).toContain('second')
    })

    it('are not kept when they have grown large', () => {
      const t = setUp(1e9)
      t.publish('x'.repeat(4000))
      t.outbox.reply({
        packet: { type: 'suback', packetId: 1, reasonCodes: new Array(300_000).fill(0) },
        commit: noCommit,
      })
      t.endTurn()
      const [{ parts, done }] = t.writes as [Write]
      done()
      expect(t.writers.take().bytes.buffer).not.toBe(parts.at(-1)!.buffer)
    })

    it('go back when there is nothing to write', () => {
      const t = setUp()
      t.outbox.close()
      t.reply('puback', 1)
      t.endTurn()
      expect(t.writes).toHaveLength(0)
    })
  })

  it('tells when the last reply is on its way', () => {
    const t = setUp()
    const packet = { type: 'connack', sessionPresent: false, reasonCode: 0x87 } as const
    t.outbox.reply({ packet, commit: noCommit, close: true })
    expect(t.told).toEqual(['connection refused'])
    expect(t.sent()).toEqual(['connack 87'])
  })
})

describe('WriterPool', () => {
  it('gives out again what was given back, empty', () => {
    const pool = new WriterPool()
    const writer = pool.take()
    writer.u8(1)
    pool.give(writer)
    expect(pool.take()).toBe(writer)
    expect(writer.position).toBe(0)
  })

  it('keeps a bounded number of bytes', () => {
    const pool = new WriterPool()
    const writers = Array.from({ length: 40 }, () => pool.take())
    for (const writer of writers) {
      writer.ensure(262_144)
      pool.give(writer)
    }
    const kept = writers.filter(() => pool.take().bytes.length === 262_144)
    expect(kept).toHaveLength(32) // 8 MiB
  })
})
