import { encodeUtf8 } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { Message } from '../message.js'
import { MemoryQueue } from './memory-queue.js'

const entry = (text: string) =>
  ({ message: Message.of('t', encodeUtf8(text), 1), qos: 1, retain: false, identifiers: undefined }) as const

describe('MemoryQueue', () => {
  it('counts its bytes through put, delete and release', () => {
    const queue = new MemoryQueue()
    for (const [number, text] of [
      [1, 'a'],
      [2, 'bb'],
      [3, 'ccc'],
      [4, 'dddd'],
    ] as const)
      queue.put(number, entry(text))
    expect(queue.bytes).toBe(10 + 4 * (100 + 't'.length))
    queue.delete(2)
    queue.delete(2)
    queue.delete(99)
    expect(queue.bytes).toBe(8 + 3 * 101)
    queue.release(3)
    expect(queue.get(3)).toBeUndefined()
    expect(queue.bytes).toBe(5 + 2 * 101)
  })

  it('gives a message its own bytes: the chunk it came in is reused', () => {
    const chunk = Buffer.from('--payload--')
    const source = { topic: 't', qos: 1, retain: false, bytes: chunk, payloadStart: 2, payloadEnd: 9 } as const
    const queue = new MemoryQueue()
    queue.put(1, { message: new Message(source, ''), qos: 1, retain: false, identifiers: undefined })
    chunk.fill('x')
    expect(Buffer.from(queue.get(1)!.message.payload).toString()).toBe('payload')
  })
})
