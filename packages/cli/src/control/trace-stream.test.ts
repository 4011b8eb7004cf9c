import type { TraceEvent } from '@godwit/broker'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { streamTrace } from './trace-stream.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A trace between a broker whose packets the test makes, and a reader who may be slow. */
class Trace {
  readonly taken: object[] = []
  slow = false
  #onPacket: ((event: TraceEvent) => void) | undefined
  #onLeft: () => void = () => {}

  constructor() {
    const broker = {
      trace: (_: object, listener: (event: TraceEvent) => void) => {
        this.#onPacket = listener
        return {
          stop: () => {
            this.#onPacket = undefined
          },
        }
      },
    }
    streamTrace(
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
    return this.#onPacket !== undefined
  }

  packets(count: number): void {
    for (let at = 0; at < count; at++) {
      this.#onPacket?.({ at, clientId: 'x', address: '', direction: 'in', packet: { type: 'pingreq' } })
    }
  }

  leave(): void {
    this.#onLeft()
  }
}

test('it says when it has begun; packets follow, gathered for 50 ms', () => {
  const trace = new Trace()
  expect(trace.taken.splice(0)).toEqual([{ tracing: true }])
  trace.packets(2)
  vi.advanceTimersByTime(49)
  expect(trace.taken).toEqual([])
  vi.advanceTimersByTime(1)
  expect(trace.taken).toMatchObject([{ at: 0 }, { at: 1 }])
})

test('beyond 1,000 of one time they are counted', () => {
  const trace = new Trace()
  trace.packets(1_234)
  vi.advanceTimersByTime(50)
  expect(trace.taken).toHaveLength(1_002)
  expect(trace.taken.at(-1)).toEqual({ missed: 234 })
})

test('what a slow reader does not take is counted, and told before what follows', () => {
  const trace = new Trace()
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

test('a slow reader is told what it has missed also when nothing follows', () => {
  const trace = new Trace()
  trace.slow = true
  trace.packets(3)
  vi.advanceTimersByTime(50)
  trace.slow = false
  vi.advanceTimersByTime(50)
  expect(trace.taken.at(-1)).toEqual({ missed: 3 })
})

test('when the reader leaves, the broker traces no more', () => {
  const trace = new Trace()
  trace.packets(1)
  trace.leave()
  expect(trace.isOn).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
})

test('everybody is too much', () => {
  expect(() =>
    streamTrace({ trace: () => ({ stop() {} }) }, { request: 'trace' }, { send: () => true, whenLeft() {} }),
  ).toThrow('a trace needs a client or a topic')
})
