import { describe, expect, it } from 'vitest'
import { Message } from './message.js'

const sourceOf = (bytes: Uint8Array) =>
  ({ topic: 't', qos: 0, retain: false, bytes, payloadStart: 2, payloadEnd: 5 }) as const

describe('Message', () => {
  it('is a window on the chunk it came in', () => {
    const message = new Message(sourceOf(Uint8Array.of(1, 2, 3, 4, 5, 6)), 'me')
    expect([message.payloadBytes, ...message.payload]).toEqual([3, 3, 4, 5])
  })

  it.each([
    ['Uint8Array', Uint8Array.of(1, 2, 3, 4, 5, 6)],
    ['Buffer, whose slice() is only a view', Buffer.from([1, 2, 3, 4, 5, 6])],
  ])('has its own copy of a %s once it is kept', (_, chunk) => {
    const message = new Message(sourceOf(chunk), 'me').keep()
    chunk.fill(0)
    expect([...message.payload]).toEqual([3, 4, 5])
    expect(message.bytes.buffer.byteLength).toBeLessThan(chunk.buffer.byteLength) // nor does it hold the chunk in memory
  })

  it('is copied once, however many keep it', () => {
    const message = new Message(sourceOf(Uint8Array.of(1, 2, 3, 4, 5, 6)), 'me').keep()
    const { bytes } = message
    expect(message.keep().bytes).toBe(bytes)
  })
})
