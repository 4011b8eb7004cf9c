import type { BatchListener, TraceEvent } from '@godwit/broker'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { streamTrace } from './trace-stream.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A trace between a broker whose packets the test makes, and a reader who may be slow. */
class Trace {
  readonly taken: object[] = []
  slow = false
  #onPackets: BatchListener<TraceEvent> | undefined
  #onLeft: () => void = () => {}

  readonly begun: Promise<void>

  constructor() {
    const broker = {
      trace: async (_: object, listener: BatchListener<TraceEvent>) => {
        this.#onPackets = listener
        return {
          stop: async () => {
            this.#onPackets = undefined
          },
        }
      },
    }
    this.begun = streamTrace(
      broker,
      { request: 'trace', client: 'x' },
      {
        send: (...answers) => {
          if (!this.slow) this.taken.push(...answers)
          return !this.slow
        },
        whenLeft: (callback) => {
          this.#onLeft = callback
        },
      },
    )
  }

  get isOn(): boolean {
    return this.#onPackets !== undefined
  }

  packets(count: number, missed = 0): void {
    const packet = { type: 'pingreq' } as const
    const event = (at: number): TraceEvent => ({ at, clientId: 'x', address: '', direction: 'in', packet })
    this.#onPackets?.(
      Array.from({ length: count }, (_, at) => event(at)),
      missed,
    )
  }

  leave(): void {
    this.#onLeft()
  }
}

test('it says when it has begun; packets follow, gathered for 50 ms', async () => {
  const trace = new Trace()
  await trace.begun
  expect(trace.taken.splice(0)).toEqual([{ tracing: true }])
  trace.packets(2)
  vi.advanceTimersByTime(49)
  expect(trace.taken).toEqual([])
  vi.advanceTimersByTime(1)
  expect(trace.taken).toMatchObject([{ at: 0 }, { at: 1 }])
})

test('beyond 1,000 of one time they are counted', async () => {
  const trace = new Trace()
  await trace.begun
  trace.packets(1_234)
  vi.advanceTimersByTime(50)
  expect(trace.taken).toHaveLength(1_002)
  expect(trace.taken.at(-1)).toEqual({ missed: 234 })
})

test('what a slow reader does not take is counted, and told before what follows', async () => {
  const trace = new Trace()
  await trace.begun
  trace.slow = true
  trace.packets(3)
  vi.advanceTimersByTime(50)
  trace.packets(4)
  vi.advanceTimersByTime(50)
  trace.taken.length = 0
  trace.slow = false
  trace.packets(1)
  vi.advanceTimersByTime(50)
  expect(trace.taken).toMatchObject([{ missed: 7 }, { at: 0 }])
})

test('a slow reader is told what it has missed also when nothing follows', async () => {
  const trace = new Trace()
  await trace.begun
  trace.slow = true
  trace.packets(3)
  vi.advanceTimersByTime(50)
  trace.slow = false
  vi.advanceTimersByTime(50)
  expect(trace.taken.at(-1)).toEqual({ missed: 3 })
})

test('when the reader leaves, the broker traces no more', async () => {
  const trace = new Trace()
  await trace.begun
  trace.packets(1)
  trace.leave()
  expect(trace.isOn).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
})

test('what the broker has left out is counted too', async () => {
  const trace = new Trace()
  await trace.begun
  trace.packets(2, 5)
  trace.packets(1)
  vi.advanceTimersByTime(50)
  expect(trace.taken.slice(1)).toMatchObject([{ at: 0 }, { at: 1 }, { missed: 6 }])
})

test('everybody is too much', async () => {
  const broker = { trace: async () => ({ async stop() {} }) }
  await expect(streamTrace(broker, { request: 'trace' }, { send: () => true, whenLeft() {} })).rejects.toThrow(
    'a trace needs a client or a topic',
  )
})
