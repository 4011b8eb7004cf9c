import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { DuplexTransport } from './duplex.js'

/** A stream that takes what it is given at once, or when it is told to. */
class Sink extends Duplex {
  readonly taken: string[] = []
  slow = false
  #go: (() => void) | undefined

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.taken.push(chunk.toString())
    if (this.slow) this.#go = callback
    else callback()
  }

  go(): void {
    this.#go?.()
  }
}

function setUp() {
  const stream = new Sink()
  const transport = new DuplexTransport(stream, { transport: 'stream', address: '' })
  transport.start({ onData: () => {}, onPartial: () => {}, onEnd: () => {}, onClose: () => {} })
  const done: string[] = []
  const write = (...parts: string[]) =>
    transport.write(
      parts.map((part) => Buffer.from(part)),
      () => void done.push(parts.join('')),
    )
  return { stream, done, write }
}

it('gives the bytes back before write returns when they are on their way, and once', async () => {
  const t = setUp()
  t.write('a')
  t.write('b', 'c')
  expect(t.done).toEqual(['a', 'bc'])
  await nextTurn()
  expect(t.done).toEqual(['a', 'bc'])
  expect(t.stream.taken.join('')).toBe('abc')
})

it('gives them back when the stream has taken them, in order, if it takes its time', async () => {
  const t = setUp()
  t.write('a')
  t.stream.slow = true
  t.write('b')
  t.write('c')
  expect(t.done).toEqual(['a'])
  await nextTurn()
  expect(t.done).toEqual(['a'])
  t.stream.go()
  await nextTurn()
  expect(t.done).toEqual(['a', 'b'])
  t.stream.slow = false
  t.stream.go()
  await nextTurn()
  t.write('d')
  expect(t.done).toEqual(['a', 'b', 'c', 'd'])
  await nextTurn()
  expect(t.done).toEqual(['a', 'b', 'c', 'd'])
})

it('gives them back when the stream is gone', () => {
  const t = setUp()
  t.stream.destroy()
  t.write('a')
  expect(t.done).toEqual(['a'])
})

it('leaves no listener behind, however many writes wait for a slow stream', () => {
  const t = setUp()
  const listeners = (): number => t.stream.eventNames().reduce((sum, name) => sum + t.stream.listenerCount(name), 0)
  const before = listeners()
  t.stream.slow = true
  for (let n = 0; n < 100; n++) t.write('x'.repeat(10_000))
  expect(t.stream.writableNeedDrain).toBe(true)
  expect(listeners()).toBe(before)
})
