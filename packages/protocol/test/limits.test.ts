import { describe, expect, test } from 'vitest'
import { Decoder, encode, ProtocolError } from '../src/index.js'
import { attempt, bytes, concat } from './hex.js'

/** Bytes of array buffers that live, after what is garbage is gone. */
function arrayBuffers(): number {
  return process.memoryUsage().arrayBuffers
}

describe('maxPacketBytes', () => {
  const publish = encode(
    { type: 'publish', topic: 'a', payload: new Uint8Array(95), qos: 0, retain: false, dup: false },
    4,
  )

  test('counts the fixed header: exactly as much passes, one more does not', () => {
    expect(publish.length).toBe(100)
    const just = new Decoder({ maxPacketBytes: 100 })
    just.push(publish)
    expect(just.next()).toMatchObject({ topic: 'a' })
    const less = new Decoder({ maxPacketBytes: 99 })
    less.push(publish)
    expect(attempt(() => less.next())).toMatchObject({ code: 'packet-too-large', reasonCode: 0x95 })
  })

  test('may be changed between packets', () => {
    const decoder = new Decoder()
    decoder.push(concat(publish, publish))
    expect(decoder.next()).toBeDefined()
    decoder.maxPacketBytes = 99
    expect(() => decoder.next()).toThrow('a packet of 100 bytes; the limit is 99')
  })

  test.each([
    ['remaining-length-max-header-only', '30 ff ff ff 7f'],
    ['connect-remaining-length-max', "10 ff ff ff 7f 0004 'MQTT'"],
  ])('%s: refused from the header, whole or byte by byte', (_title, hex) => {
    const data = bytes(hex)
    const whole = new Decoder({ maxPacketBytes: 1_048_576 })
    whole.push(data)
    expect(attempt(() => whole.next())).toMatchObject({ code: 'packet-too-large' })
    const slow = new Decoder({ maxPacketBytes: 1_048_576 })
    const answers = Array.from(data.subarray(0, 5), (byte) => {
      slow.push(Uint8Array.of(byte))
      return attempt(() => slow.next())
    })
    expect(answers.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined])
    expect(answers[4]).toBeInstanceOf(ProtocolError)
  })
})

describe('without a limit', () => {
  test('256 MB are not allocated because a header claims them', () => {
    const before = arrayBuffers()
    const decoders = Array.from({ length: 20 }, () => new Decoder())
    for (const decoder of decoders) {
      decoder.push(bytes("30 ff ff ff 7f 0001 'a'"))
      expect(decoder.next()).toBeUndefined()
      expect(decoder.bufferedBytes).toBe(8)
    }
    expect(arrayBuffers() - before).toBeLessThan(20 * 70_000)
  })

  test('memory grows with what has come, at most twofold', () => {
    const decoder = new Decoder()
    const before = arrayBuffers()
    decoder.push(bytes('30 ff ff ff 7f'))
    decoder.next()
    const chunk = new Uint8Array(65_536)
    for (let sent = 1; sent <= 64; sent++) {
      decoder.push(chunk)
      expect(decoder.next()).toBeUndefined()
      expect(decoder.bufferedBytes).toBe(5 + sent * chunk.length)
    }
    // What was outgrown may not have been collected yet: 2 + 1 + 0.5 + … times.
    expect(arrayBuffers() - before).toBeLessThan(5 * decoder.bufferedBytes)
  })

  test('2 MiB in small pieces are copied a bounded number of times', () => {
    const payload = Uint8Array.from({ length: 2_097_152 }, (_, at) => at * 7)
    const whole = encode({ type: 'publish', topic: 'a', payload, qos: 0, retain: false, dup: false }, 4)
    const decoder = new Decoder()
    for (let at = 0; at < whole.length - 1000; at += 1000) {
      decoder.push(whole.subarray(at, at + 1000))
      expect(decoder.next()).toBeUndefined()
    }
    decoder.push(whole.subarray(whole.length - (whole.length % 1000 || 1000)))
    const packet = decoder.next()
    expect(packet?.type === 'publish' && Buffer.compare(packet.payload, payload)).toBe(0)
  })
})

describe('bufferedBytes', () => {
  test('counts what was pushed and not read, and nothing else', () => {
    const decoder = new Decoder()
    expect(decoder.bufferedBytes).toBe(0)
    decoder.push(bytes('c000 c000 c0'))
    expect(decoder.bufferedBytes).toBe(5)
    decoder.next()
    expect(decoder.bufferedBytes).toBe(3)
    decoder.detach()
    expect(decoder.bufferedBytes).toBe(3)
    decoder.next()
    expect(decoder.next()).toBeUndefined()
    expect(decoder.bufferedBytes).toBe(1)
    decoder.push(bytes('00'))
    expect(decoder.next()).toEqual({ type: 'pingreq' })
    expect(decoder.bufferedBytes).toBe(0)
  })
})

describe('10,000 packets in one chunk', () => {
  test('flood-pingreq-10000', () => {
    const decoder = new Decoder()
    decoder.push(bytes('c000'.repeat(10_000)))
    let count = 0
    while (decoder.next()) count++
    expect(count).toBe(10_000)
  })

  test('subscribe-10000-filters', () => {
    const subscriptions = Array.from({ length: 10_000 }, (_, n) => ({ filter: `f/${n}`, qos: 1 as const }))
    const decoder = new Decoder()
    decoder.push(encode({ type: 'subscribe', packetId: 1, subscriptions }, 4))
    expect(decoder.next()).toEqual({ type: 'subscribe', packetId: 1, subscriptions })
  })

  test('connect-clientid-65535 and publish-65535-slashes', () => {
    const decoder = new Decoder()
    const clientId = 'c'.repeat(65_535)
    decoder.push(encode({ type: 'connect', version: 4, clientId, cleanStart: true, keepAliveSeconds: 0 }, 4))
    expect(decoder.next()).toMatchObject({ clientId })
    const topic = '/'.repeat(65_535)
    decoder.push(encode({ type: 'publish', topic, payload: new Uint8Array(0), qos: 0, retain: false, dup: false }, 4))
    expect(decoder.next()).toMatchObject({ topic })
  })
})
