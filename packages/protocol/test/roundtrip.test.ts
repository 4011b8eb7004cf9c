import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decoder, encode, type Packet, ProtocolError, type ProtocolVersion } from '../src/index.js'
import { anyPacket, packetsOf } from './arbitraries.js'
import { attempt, concat, hexOf, plain } from './hex.js'

const versions: readonly ProtocolVersion[] = [3, 4, 5]
const kinds = versions.flatMap((version) =>
  Object.entries(packetsOf(version)).map(([type, arbitrary]) => ({ type, version, arbitrary })),
)

/** What a decoder makes of the bytes until it wants more, or stops with an error. */
function readAll(data: Uint8Array, version: ProtocolVersion): (Packet | ProtocolError)[] {
  const decoder = new Decoder({ version })
  decoder.push(data)
  const found: (Packet | ProtocolError)[] = []
  for (;;) {
    const next = attempt(() => decoder.next())
    if (next === undefined) return found
    if (next instanceof ProtocolError) return [...found, next]
    found.push(plain(next))
  }
}

/** The packets there are, at most so many. */
function drain(decoder: Decoder, most = Number.POSITIVE_INFINITY): Packet[] {
  const found: Packet[] = []
  while (found.length < most) {
    const packet = decoder.next()
    if (packet === undefined) break
    found.push(plain(packet))
  }
  return found
}

type Piece = readonly [size: number, detach: boolean, reads: number]

/** Cuts the bytes into copies of these sizes, used over and over. */
function inPieces(whole: Uint8Array, pieces: readonly Piece[], take: (piece: Uint8Array, how: Piece) => void): void {
  let at = 0
  for (let turn = 0; at < whole.length; turn++) {
    const how = pieces[turn % pieces.length]!
    take(whole.slice(at, at + how[0]), how)
    at += how[0]
  }
}

describe('there and back', () => {
  test.each(kinds)('$version: $type', ({ version, arbitrary }) => {
    fc.assert(
      fc.property(arbitrary, (packet) => {
        expect(readAll(encode(packet, version), version)).toStrictEqual([packet])
      }),
    )
  })
})

describe('any chunking of the same bytes', () => {
  /** Of each piece: its size, whether the decoder is told to let go of it, and after how many packets. */
  const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean(), fc.nat({ max: 2 })), {
    minLength: 1,
    maxLength: 12,
  })

  test.each(versions)('%i: gives the same packets, and none is changed when the chunk is reused', (version) => {
    fc.assert(
      fc.property(fc.array(anyPacket(version), { maxLength: 8 }), cuts, fc.boolean(), (packets, pieces, asBuffer) => {
        const whole = concat(...packets.map((packet) => encode(packet, version)))
        const decoder = new Decoder({ version })
        const found: Packet[] = []
        inPieces(whole, pieces, (piece, [, detach, reads]) => {
          const chunk = asBuffer ? Buffer.from(piece.buffer) : piece
          decoder.push(chunk)
          if (detach) {
            found.push(...drain(decoder, reads))
            decoder.detach()
            chunk.fill(0xff)
          }
          found.push(...drain(decoder))
          chunk.fill(0xff)
        })
        expect(found).toStrictEqual(packets)
        expect(decoder.bufferedBytes).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  test('pushes without a read between them are joined', () => {
    fc.assert(
      fc.property(fc.array(anyPacket(5), { maxLength: 5 }), cuts, (packets, pieces) => {
        const whole = concat(...packets.map((packet) => encode(packet, 5)))
        const decoder = new Decoder({ version: 5 })
        inPieces(whole, pieces, (piece) => decoder.push(piece))
        expect(decoder.bufferedBytes).toBe(whole.length)
        expect(drain(decoder)).toStrictEqual(packets)
      }),
    )
  })

  test('CONNECT sets the version for what follows it, in one chunk and byte by byte', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom(...versions)
          .chain((version) =>
            fc.tuple(fc.constant(version), packetsOf(version).connect!, fc.array(anyPacket(version), { maxLength: 4 })),
          ),
        ([version, connect, others]) => {
          const whole = concat(...[connect, ...others].map((packet) => encode(packet, version)))
          expect(readAll(whole, 4)).toStrictEqual([connect, ...others])
          const decoder = new Decoder()
          const found: Packet[] = []
          for (const byte of whole) {
            decoder.push(Uint8Array.of(byte))
            found.push(...drain(decoder))
          }
          expect(found).toStrictEqual([connect, ...others])
          expect(decoder.version).toBe(version)
        },
      ),
    )
  })
})

describe('bytes nobody would send', () => {
  test.each(versions)('%i: random ones give packets or ProtocolErrors', (version) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (data) => {
        readAll(data, version)
      }),
      { numRuns: 3000 },
    )
  })

  test.each(versions)('%i: random bodies with a right header', (version) => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 100 }), (first, body) => {
        readAll(concat(Uint8Array.of(first, body.length), body), version)
      }),
      { numRuns: 3000 },
    )
  })

  /** A packet with some of its bytes changed, its header as it was: still one packet, or none. */
  const mutated = (version: ProtocolVersion) =>
    fc.tuple(
      fc.oneof(...Object.values(packetsOf(version))).map((packet) => encode(packet, version)),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
    )

  test.each(versions)('%i: mutated packets are read within their bounds', (version) => {
    fc.assert(
      fc.property(mutated(version), fc.uint8Array({ maxLength: 20 }), ([good, changes], behind) => {
        const data = good.slice()
        let header = 1
        while (data[header]! > 127) header++
        header++
        if (data.length === header) return
        for (const [at, value] of changes) data[header + (at % (data.length - header))] = value
        const [alone] = readAll(data, version)
        // What follows makes no difference to it: neither to a packet nor to an error.
        const [followed] = readAll(concat(data, behind), version)
        if (alone instanceof ProtocolError) expect(followed).toMatchObject({ message: alone.message, code: alone.code })
        else expect(followed).toStrictEqual(alone)
        if (alone instanceof ProtocolError) return
        // And a mutant that is read as a packet may be written: in the shortest form, which stays the same from then on.
        const spoken = alone!.type === 'connect' ? alone!.version : version
        const written = encode(alone!, spoken)
        const [again] = readAll(written, spoken)
        expect(hexOf(encode(again as Packet, spoken))).toBe(hexOf(written))
      }),
      { numRuns: 1500 },
    )
  })
})
