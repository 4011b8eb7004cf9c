import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ByteStream, type ConnectOptions, connect, type OpenStream } from '../src/index.js'

/** A server that takes connections and never says a word. */
const deaf: OpenStream = (_, events) => {
  const stream: ByteStream = {
    write: () => true,
    end: () => events.onClose(),
    destroy: () => events.onClose(),
    pause() {},
    resume() {},
  }
  queueMicrotask(() => events.onOpen())
  return stream
}

const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
beforeEach(() => {
  vi.useFakeTimers()
  warn.mockClear()
})
afterEach(() => void vi.useRealTimers())

async function waited(options: ConnectOptions, ms: number): Promise<unknown[][]> {
  const ended = connect('mqtt://broker.example', { openStream: deaf, ...options }).then(
    (client) => client.close({ timeoutMs: 0 }),
    () => {},
  )
  await vi.advanceTimersByTimeAsync(ms)
  const told = warn.mock.calls.map((call) => [...call])
  await vi.advanceTimersByTimeAsync(60_000)
  await ended
  return told
}

test('connect() that has waited for 2 seconds says once what for, and how long it goes on', async () => {
  expect(await waited({}, 1_999)).toEqual([])
  warn.mockClear()
  const told = [['connect: mqtt://broker.example: no answer yet; trying for 28 s more', { type: 'GodwitWarning' }]]
  expect(await waited({}, 2_000)).toEqual(told)
  warn.mockClear()
  expect(await waited({}, 29_000)).toEqual(told)
})

test('after an attempt that failed it says why', async () => {
  const [[text] = []] = await waited({ attemptTimeoutMs: 1_000 }, 2_000)
  expect(text).toMatch(/^connect: mqtt:\/\/broker\.example: no CONNACK within 1000 ms; trying for 28 s more$/)
})

test.each([{ warnAfterMs: 0 }, { background: true }])('not with %j', async (options) => {
  expect(await waited(options, 29_000)).toEqual([])
})
