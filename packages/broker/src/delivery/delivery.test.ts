import { encodeUtf8, type QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { makeBasics } from '../basics.js'
import type { Drops } from '../drops.js'
import type { Limits } from '../limits.js'
import { Message } from '../message.js'
import { type DropReason, Metrics } from '../metrics.js'
import { checkOptions } from '../options.js'
import { memoryStore } from '../store/memory.js'
import { MemoryQueue } from '../store/memory-queue.js'
import type { QueuedMessage } from '../store/queue.js'
import type { OutgoingState, QueuedCount, RecoveredSession } from '../store/store.js'
import { Delivery, type DeliveryOptions } from './delivery.js'
import type { Sink } from './sink.js'
import type { Terms } from './terms.js'

/** Writes down what it is given: `x qos 1 id 3 retain dup`, `pubrel 3`. */
class FakeSink implements Sink {
  full = false
  /** Full after this many more messages. */
  room = Number.POSITIVE_INFINITY
  readonly #lines: string[] = []

  /** Packets it takes; larger ones are not sent. */
  largest = Number.POSITIVE_INFINITY

  refusal({ message }: QueuedMessage): 'too-large' | undefined {
    return message.payloadBytes <= this.largest ? undefined : 'too-large'
  }

  publish({ message, qos, retain }: QueuedMessage, dup: boolean, packetId: number): void {
    const text = Buffer.from(message.payload).toString()
    this.#lines.push(`${text}${qos ? ` qos ${qos} id ${packetId}` : ''}${retain ? ' retain' : ''}${dup ? ' dup' : ''}`)
    if (--this.room === 0) this.full = true
  }

  onFault(): void {}

  pubrel(packetId: number): void {
    this.#lines.push(`pubrel ${packetId}`)
  }

  drainFor(count: number): void {
    this.full = false
    this.room = count
  }

  heard(): string[] {
    return this.#lines.splice(0)
  }
}

function message(text: string, qos: QoS = 1): Message {
  return Message.of('t', encodeUtf8(text), qos)
}

/** What a plain subscription with this QoS comes to. */
function granted(qos: QoS): Terms {
  return { qos, retainAsPublished: false, identifiers: undefined }
}

type Options = Partial<DeliveryOptions> & { limits?: Partial<Limits>; maxInflight?: number; offline?: boolean }

function setUp(options: Options = {}) {
  const drops: DropReason[] = []
  const sink = new FakeSink()
  const delivery = new Delivery({
    clientId: 'c',
    queue: new MemoryQueue(),
    durable: true,
    ...options,
    parts: {
      ...makeBasics(checkOptions({ limits: options.limits ?? {} }), new Metrics()),
      drops: { report: (reason: DropReason) => void drops.push(reason) } as unknown as Drops,
    },
  })
  if (!options.offline) delivery.attach(sink, options.maxInflight ?? 10)
  return { delivery, sink, drops }
}

describe('Delivery', () => {
  it('delivers at the lower of the published and the granted QoS', () => {
    const { delivery, sink } = setUp()
    for (const qos of [0, 1, 2] as const) {
      for (const most of [0, 1, 2] as const) delivery.deliver(message(`${qos}/${most}`, qos), granted(most))
    }
    expect(sink.heard()).toEqual([
      ...['0/0', '0/1', '0/2', '1/0'],
      ...['1/1 qos 1 id 1', '1/2 qos 1 id 2', '2/0', '2/1 qos 1 id 3', '2/2 qos 2 id 4'],
    ])
  })

  describe('within the window', () => {
    it('sends no more than are acknowledged, in order', () => {
      const { delivery, sink } = setUp({ maxInflight: 2 })
      for (const text of ['a', 'b', 'c', 'd']) delivery.deliver(message(text), granted(1))
      expect(sink.heard()).toEqual(['a qos 1 id 1', 'b qos 1 id 2'])
      expect(delivery.waiting).toBe(2)
      expect(delivery.acknowledge(2)).toBe(true)
      expect(sink.heard()).toEqual(['c qos 1 id 3'])
      expect(delivery.acknowledge(1)).toBe(true)
      expect(sink.heard()).toEqual(['d qos 1 id 4'])
      expect([delivery.acknowledge(3), delivery.acknowledge(4)]).toEqual([true, true])
      expect([delivery.waiting, delivery.queue.bytes]).toEqual([0, 0])
    })

    it('lets nothing overtake what waits in the queue', () => {
      const { delivery, sink } = setUp({ maxInflight: 1 })
      delivery.deliver(message('a'), granted(1))
      delivery.deliver(message('b'), granted(1))
      sink.full = true
      delivery.acknowledge(1)
      sink.full = false
      delivery.deliver(message('c'), granted(1)) // the window has room, but b is first
      delivery.pump()
      expect(sink.heard()).toEqual(['a qos 1 id 1', 'b qos 1 id 2'])
    })

    it('goes on when the socket has room again', () => {
      const { delivery, sink } = setUp()
      sink.full = true
      delivery.deliver(message('a'), granted(1))
      expect(sink.heard()).toEqual([])
      sink.full = false
      delivery.pump()
      expect(sink.heard()).toEqual(['a qos 1 id 1'])
    })

    it('keeps what a session without a future has not sent, and forgets it once sent', () => {
      const { delivery, sink } = setUp({ durable: false, maxInflight: 1 })
      delivery.deliver(message('a'), granted(1))
      delivery.deliver(message('b'), granted(1))
      expect(delivery.queue.bytes).toBe(message('b').heldBytes)
      delivery.acknowledge(1)
      expect(sink.heard()).toEqual(['a qos 1 id 1', 'b qos 1 id 2'])
      expect(delivery.queue.bytes).toBe(0)
    })
  })

  describe('QoS 0', () => {
    it('is dropped when the socket takes nothing more, or nobody is there', () => {
      const { delivery, sink, drops } = setUp()
      sink.full = true
      delivery.deliver(message('a', 0), granted(2))
      delivery.detach()
      delivery.deliver(message('b', 0), granted(2))
      expect(drops).toEqual(['slow-consumer', 'offline-qos0'])
      expect(delivery.waiting).toBe(0)
    })
  })

  describe('queue limits', () => {
    it('drops the message beyond the number, and keeps the order of the others', () => {
      const { delivery, sink, drops } = setUp({ offline: true, limits: { maxQueuedMessages: 2 } })
      for (const text of ['a', 'b', 'c']) delivery.deliver(message(text), granted(1))
      expect(drops).toEqual(['queue-full'])
      delivery.attach(sink, 10)
      expect(sink.heard()).toEqual(['a qos 1 id 1', 'b qos 1 id 2'])
      delivery.deliver(message('d'), granted(1))
      expect(sink.heard()).toEqual(['d qos 1 id 3'])
    })

    it('drops the message beyond the bytes; a smaller one may still fit', () => {
      const { delivery, sink, drops } = setUp({
        offline: true,
        limits: { maxQueuedBytes: message('aaa').heldBytes + message('cc').heldBytes },
      })
      for (const text of ['aaa', 'bbb', 'cc']) delivery.deliver(message(text), granted(1))
      expect(drops).toEqual(['queue-full'])
      delivery.attach(sink, 10)
      expect(sink.heard()).toEqual(['aaa qos 1 id 1', 'cc qos 1 id 2'])
    })

    it('does not apply to what can be sent at once', () => {
      const { delivery, drops } = setUp({ limits: { maxQueuedMessages: 1 } })
      for (const text of ['a', 'b', 'c']) delivery.deliver(message(text), granted(1))
      expect(drops).toEqual([])
    })
  })

  describe('QoS 2', () => {
    it('goes through PUBREC and PUBCOMP, each once', () => {
      const { delivery, sink } = setUp()
      delivery.deliver(message('a', 2), granted(2))
      expect(sink.heard()).toEqual(['a qos 2 id 1'])
      expect(delivery.complete(1)).toBe(false) // PUBCOMP before PUBREC
      expect(delivery.release(1)).toBe(0)
      expect(delivery.queue.bytes).toBe(0) // the message is never sent again [MQTT-4.3.3-1]
      expect(delivery.release(1)).toBe('repeated') // a repeated PUBREC gets its PUBREL again
      expect(delivery.complete(1)).toBe(true)
      expect(delivery.complete(1)).toBe(false)
    })

    it('answers PUBREC for an unknown id, so that the client can end its handshake', () => {
      expect(setUp().delivery.release(77)).toBe('unknown')
    })

    it('takes no acknowledgement of the other QoS', () => {
      const { delivery } = setUp()
      delivery.deliver(message('a', 1), granted(2))
      delivery.deliver(message('b', 2), granted(2))
      expect(delivery.release(1)).toBe('wrong')
      expect(delivery.complete(1)).toBe(false)
      expect(delivery.acknowledge(2)).toBe(false)
      expect([delivery.acknowledge(1), delivery.release(2), delivery.complete(2)]).toEqual([true, 0, true])
    })

    it('holds its place in the window until PUBCOMP', () => {
      const { delivery, sink } = setUp({ maxInflight: 1 })
      delivery.deliver(message('a', 2), granted(2))
      delivery.deliver(message('b', 2), granted(2))
      delivery.release(1)
      expect(sink.heard()).toEqual(['a qos 2 id 1'])
      delivery.complete(1)
      expect(sink.heard()).toEqual(['b qos 2 id 2'])
    })
  })

  describe('after a reconnection', () => {
    it('sends again what is unfinished, in its first order, with DUP and the same ids', () => {
      const { delivery, sink } = setUp({ maxInflight: 4 })
      for (const [text, qos] of [
        ['a', 1],
        ['b', 2],
        ['c', 1],
        ['d', 2],
        ['e', 1],
      ] as const) {
        delivery.deliver(message(text, qos), granted(2))
      }
      delivery.acknowledge(3)
      delivery.release(2)
      sink.heard()
      delivery.detach()
      delivery.deliver(message('f'), granted(1))
      expect(sink.heard()).toEqual([])
      delivery.attach(sink, 4)
      expect(sink.heard()).toEqual(['a qos 1 id 1 dup', 'pubrel 2', 'd qos 2 id 4 dup', 'e qos 1 id 5 dup'])
      delivery.acknowledge(1)
      expect(sink.heard()).toEqual(['f qos 1 id 6']) // never sent before: no DUP
    })
  })

  describe('after a crash', () => {
    const recovered = (outgoing: Partial<OutgoingState & QueuedCount>, expiresAt?: number): RecoveredSession => ({
      clientId: 'c',
      stored: memoryStore().session('c'),
      subscriptions: [],
      owed: [],
      received: [],
      outgoing: {
        head: 1,
        next: 1,
        tail: 3,
        handshakes: new Uint8Array(0),
        maxInflight: 10,
        mayHaveSentMore: false,
        messages: 2,
        ...outgoing,
      },
      expirySeconds: 3600,
      expiresAt,
    })
    const queueOf = (...texts: string[]): MemoryQueue => {
      const queue = new MemoryQueue()
      for (const [at, text] of texts.entries()) queue.put(at + 1, { message: message(text), qos: 1, retain: false })
      return queue
    }

    it('sends with DUP what may have been sent before: whatever fits the window [MQTT-3.3.1-1]', () => {
      const { delivery, sink } = setUp({ offline: true, queue: queueOf('a', 'b') })
      delivery.restore(recovered({ maxInflight: 1 }))
      delivery.attach(sink, 1)
      expect(sink.heard()).toEqual(['a qos 1 id 1 dup'])
      delivery.acknowledge(1)
      expect(sink.heard()).toEqual(['b qos 1 id 2'])
    })

    it('still knows so after a second crash, until the client has come', () => {
      const first = setUp({ offline: true, queue: queueOf('a', 'b') })
      first.delivery.restore(recovered({}))
      const second = setUp({ offline: true, queue: queueOf('a', 'b') })
      second.delivery.restore(recovered(first.delivery.state(), Date.UTC(2030, 0, 1)))
      second.delivery.attach(second.sink, 2)
      expect(second.sink.heard()).toEqual(['a qos 1 id 1 dup', 'b qos 1 id 2 dup'])
      expect(second.delivery.state().mayHaveSentMore).toBe(false)
    })
  })

  describe('replay of retained messages', () => {
    const retained = (count: number, qos: QoS = 0) =>
      Array.from({ length: count }, (_, at) => message(`r${at + 1}`, qos))[Symbol.iterator]()

    /** As SUBSCRIBE does it. */
    function replay(delivery: Delivery, filter: string, messages: Iterator<Message>, qos: QoS): void {
      delivery.replay(filter, messages, granted(qos), () => {})
      delivery.pump()
    }

    it('marks them RETAIN', () => {
      const { delivery, sink } = setUp()
      replay(delivery, '#', [message('a', 0), message('b', 2)][Symbol.iterator](), 1)
      expect(sink.heard()).toEqual(['a retain', 'b qos 1 id 1 retain'])
    })

    it('waits for the socket, and drops nothing', () => {
      const { delivery, sink, drops } = setUp()
      sink.room = 2
      replay(delivery, '#', retained(5), 0)
      expect(sink.heard()).toEqual(['r1 retain', 'r2 retain'])
      sink.drainFor(2)
      delivery.pump()
      expect(sink.heard()).toEqual(['r3 retain', 'r4 retain'])
      sink.drainFor(9)
      delivery.pump()
      expect(sink.heard()).toEqual(['r5 retain'])
      expect(drops).toEqual([])
    })

    it('waits for the window', () => {
      const { delivery, sink } = setUp({ maxInflight: 2 })
      replay(delivery, '#', retained(4, 1), 1)
      expect(sink.heard()).toEqual(['r1 qos 1 id 1 retain', 'r2 qos 1 id 2 retain'])
      expect(delivery.waiting).toBe(0) // it is not the queue that fills
      delivery.acknowledge(1)
      expect(sink.heard()).toEqual(['r3 qos 1 id 3 retain'])
    })

    it('starts again with a new SUBSCRIBE, and the first one is over', () => {
      const { delivery, sink } = setUp()
      sink.room = 2
      replay(delivery, '#', retained(4), 0)
      replay(delivery, 'other', [message('o', 0)][Symbol.iterator](), 0)
      replay(delivery, '#', retained(3), 0)
      expect(sink.heard()).toEqual(['r1 retain', 'r2 retain'])
      sink.drainFor(99)
      delivery.pump()
      expect(sink.heard()).toEqual(['o retain', 'r1 retain', 'r2 retain', 'r3 retain'])
    })

    it('ends with UNSUBSCRIBE', () => {
      const { delivery, sink } = setUp()
      sink.room = 1
      replay(delivery, '#', retained(4), 0)
      delivery.cancelReplay('#')
      sink.drainFor(99)
      delivery.pump()
      expect(sink.heard()).toEqual(['r1 retain'])
    })

    it('gives others their turn after some hundred', async () => {
      const { delivery, sink } = setUp()
      replay(delivery, '#', retained(1200), 0)
      expect(sink.heard()).toHaveLength(500)
      delivery.pump()
      expect(sink.heard()).toHaveLength(500)
      delivery.pump()
      expect(sink.heard()).toEqual([]) // that was enough for this turn, whoever asks
      await new Promise((resolve) => setImmediate(resolve))
      expect(sink.heard()).toHaveLength(200) // nobody has to ask
    })

    it('has its next turns by itself, with a long queue too', async () => {
      const { delivery, sink } = setUp({ offline: true, limits: { maxQueuedMessages: 5_000 } })
      for (let n = 1; n <= 2_500; n++) delivery.deliver(message(`m${n}`), granted(1))
      delivery.attach(sink, 65_535)
      const turns = [sink.heard().length]
      for (let turn = 0; turn < 2; turn++) {
        await new Promise((resolve) => setImmediate(resolve))
        turns.push(sink.heard().length)
      }
      expect(turns).toEqual([1_000, 1_000, 500])
    })

    it('goes on after a reconnection', () => {
      const { delivery, sink } = setUp()
      sink.room = 1
      replay(delivery, '#', retained(2), 0)
      delivery.detach()
      sink.drainFor(99)
      delivery.attach(sink, 10)
      expect(sink.heard()).toEqual(['r1 retain', 'r2 retain'])
    })
  })
})
