import { describe, expect, test } from 'vitest'
import { Decoder, encode, encodeInto, ProtocolError, Writer } from '../src/index.js'
import { attempt, bytes, concat, hexOf, plain } from './hex.js'
import { vectors } from './vectors.js'

const cases = vectors.flatMap((vector) => vector.versions.map((version) => ({ ...vector, version })))
const readable = cases.filter(({ only }) => only !== 'encode')
const writable = cases.filter(({ only }) => only !== 'decode')
/** Those whose last byte can be cut off by changing one byte of length; what a PUBLISH loses is payload. */
const cuttable = readable.filter(({ hex }) => {
  const [first, length] = bytes(hex)
  return first! >> 4 !== 3 && length! >= 1 && length! < 128
})
/** A list loses an item; a reason loses the property length behind it: these may still be whole. */
const wholeWhenCut = ['suback', 'unsuback', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'disconnect', 'auth']

describe('bytes to packets', () => {
  test.each(readable)('$version: $title', ({ hex, packet, version }) => {
    const decoder = new Decoder({ version })
    decoder.push(bytes(hex))
    expect(plain(decoder.next()!)).toStrictEqual(packet)
    expect(decoder.next()).toBeUndefined()
    expect(decoder.bufferedBytes).toBe(0)
  })

  test.each(cuttable)('one byte short, the next packet is not touched: $version: $title', ({ hex, version }) => {
    const cut = bytes(hex).slice(0, -1)
    cut[1]!--
    const decoder = new Decoder({ version })
    decoder.push(concat(cut, bytes('c000')))
    const read = attempt(() => decoder.next())
    if (read instanceof ProtocolError) return
    expect(wholeWhenCut).toContain(read?.type)
    expect(decoder.next()).toEqual({ type: 'pingreq' })
  })
})

describe('packets to bytes', () => {
  test.each(writable)('$version: $title', ({ hex, packet, version }) => {
    expect(hexOf(encode(packet, version))).toBe(hexOf(bytes(hex)))
  })

  test('all in a row, into writers of any first size', () => {
    for (const version of [3, 4, 5] as const) {
      const mine = writable.filter((c) => c.version === version)
      const expected = concat(...mine.map(({ hex }) => bytes(hex)))
      for (let room = 0; room < 64; room++) {
        const writer = new Writer(room)
        for (const { packet } of mine) encodeInto(writer, packet, version)
        expect(Buffer.compare(writer.written(), expected)).toBe(0)
      }
    }
  })

  test.each(writable.filter(({ hex }) => hex.length < 500))(
    'ending at the end of the room: $version: $title',
    ({ hex, packet, version }) => {
      const whole = bytes(hex)
      for (let room = 1; room <= whole.length + 2; room++) {
        const writer = new Writer(room)
        encodeInto(writer, packet, version)
        expect(hexOf(writer.written())).toBe(hexOf(whole))
      }
    },
  )
})

test('the table has all 15 packets, and every version of those that each version has', () => {
  const seen = new Set(cases.map(({ packet, version }) => `${packet.type} ${version}`))
  expect(seen.size).toBe(14 * 3 + 1)
})
