import { encode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { connectBytes, field, fromHex, packetBytes, toHex } from './raw-packets.js'

describe('packets made by hand', () => {
  it('are those the encoder writes, where they are right', () => {
    const connect = connectBytes({ flags: 0xc2, payload: ['id', 'name', 'secret'].map(field) })
    const wanted = encode(
      {
        type: 'connect',
        version: 4,
        clientId: 'id',
        cleanStart: true,
        keepAliveSeconds: 60,
        username: 'name',
        password: fromHex('736563726574'),
      },
      4,
    )
    expect(toHex(connect)).toBe(toHex(wanted))
  })

  it.each([
    [0, '30 00'],
    [127, '30 7f'],
    [128, '30 80 01'],
    [16_383, '30 ff 7f'],
    [16_384, '30 80 80 01'],
    [2_097_152, '30 80 80 80 01'],
  ])('write a length of %i as the standard does', (length, head) => {
    const bytes = packetBytes(0x30, new Uint8Array(length))
    expect(toHex(bytes.subarray(0, head.split(' ').length))).toBe(head)
    expect(bytes).toHaveLength(length + head.split(' ').length)
  })

  it('take hex with spaces, and nothing else', () => {
    expect(fromHex('c0 00')).toEqual(Uint8Array.of(0xc0, 0))
    expect(() => fromHex('c0 0')).toThrow('not hex: c0 0')
    expect(() => fromHex('xx')).toThrow('not hex: xx')
  })
})
