import { describe, expect, test } from 'vitest'
import { encodeInto, type Packet, Writer } from '../src/index.js'
import { vectors } from './vectors.js'

/** A writer whose memory comes to an end: the n-th time room is asked for there is none. */
class FailingWriter extends Writer {
  left = Number.POSITIVE_INFINITY

  override ensure(more: number): void {
    if (this.left-- <= 0) throw new RangeError('Array buffer allocation failed')
    super.ensure(more)
  }
}

const nothing = new Uint8Array(0)

describe('whatever fails while a packet is written, nothing of it is left behind', () => {
  test('every packet, at every step', () => {
    let failures = 0
    for (const { packet, versions } of vectors.filter(({ only }) => only !== 'decode')) {
      for (let step = 0, done = false; !done; step++) {
        expect(step).toBeLessThan(1000)
        const writer = new FailingWriter(8)
        writer.u8(7)
        writer.left = step
        try {
          encodeInto(writer, packet, versions[0]!)
          done = true
        } catch {
          failures += 1
          expect([writer.position, writer.bytes[0]]).toEqual([1, 7])
        }
      }
    }
    expect(failures).toBeGreaterThan(vectors.length)
  })
})

test('text or bytes of the wrong type are refused, not written as something else', () => {
  const publish = { type: 'publish', topic: 'a', qos: 0, retain: false, dup: false } as const
  const connect = { type: 'connect', version: 5, clientId: 'a', cleanStart: true, keepAliveSeconds: 0 } as const
  const wrong: unknown[] = [
    { ...publish, payload: Float32Array.of(1, 2) },
    { ...publish, payload: BigInt64Array.of(1n) },
    { ...publish, payload: new DataView(new ArrayBuffer(2)) },
    { ...publish, payload: new ArrayBuffer(2) },
    { ...publish, payload: 'text' },
    { ...publish, payload: [1, 2] },
    { ...publish, payload: undefined },
    { ...publish, topic: 5, payload: nothing },
    { ...publish, payload: nothing, properties: { correlationData: Uint16Array.of(1) } },
    { ...publish, payload: nothing, properties: { contentType: 5 } },
    { ...publish, payload: nothing, properties: { userProperties: [5] } },
    { ...publish, payload: nothing, properties: { userProperties: { a: 'b' } } },
    { ...connect, clientId: 5 },
    { ...connect, username: 5 },
    { ...connect, password: 12345 },
    { ...connect, password: 'text' },
    { ...connect, will: { topic: 'w', payload: Uint16Array.of(1), qos: 0, retain: false } },
    { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 5, qos: 0 }] },
    { type: 'unsubscribe', packetId: 1, filters: [5] },
  ]
  for (const packet of wrong) {
    const writer = new Writer()
    expect(() => encodeInto(writer, packet as Packet, 5)).toThrow(expect.objectContaining({ name: 'ProtocolError' }))
    expect(writer.position).toBe(0)
  }
})
