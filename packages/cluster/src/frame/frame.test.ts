import { tableNames } from '@godwit/broker/store/lmdb'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDamage,
  frameKinds,
  frameVersion,
  headerBytes,
  NewerFrame,
} from './frame.js'
import { cut, decodeWrites, encodeWrites } from './writes.js'

const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const frames: fc.Arbitrary<Frame> = fc
  .record({
    kind: fc.constantFrom(...frameKinds),
    partition: fc.integer({ min: 0, max: 65_535 }),
    epoch: u48,
    instance: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    commit: u48,
    parts: fc.integer({ min: 1, max: 65_535 }),
    after: u48,
    wall: u48,
    body: fc.uint8Array({ maxLength: 200 }),
  })
  .chain((frame) => fc.integer({ min: 0, max: frame.parts - 1 }).map((part) => ({ ...frame, part })))

const writes = fc.array(
  fc.record({
    table: fc.constantFrom(...tableNames),
    key: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    value: fc.option(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      { nil: undefined },
    ),
  }),
  { maxLength: 30 },
)

describe('a frame', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const { body, ...rest } = decodeFrame(encodeFrame(frame))
        expect({ ...rest, body: [...body] }).toEqual({ ...frame, body: [...frame.body] })
      }),
    )
  })

  it('is refused with any bit changed, or cut short', () => {
    const anywhere = fc.nat()
    fc.assert(
      fc.property(frames, anywhere, fc.integer({ min: 0, max: 7 }), (frame, where, bit) => {
        const bytes = encodeFrame(frame)
        const changed = Uint8Array.from(bytes)
        changed[where % bytes.length]! ^= 1 << bit
        expect(() => decodeFrame(changed)).toThrow()
        expect(() => decodeFrame(bytes.subarray(0, where % bytes.length))).toThrow(FrameDamage)
      }),
    )
  })

  it('of a later version says so, whatever else is in it', () => {
    const later = Uint8Array.of(0x47, frameVersion + 1, 1, 2, 3)
    expect(() => decodeFrame(later)).toThrow(NewerFrame)
    expect(() => decodeFrame(later)).toThrow(`version ${frameVersion + 1}, and this Godwit reads up to ${frameVersion}`)
  })

  it('takes little beside its body', () => {
    expect(headerBytes).toBeLessThanOrEqual(64)
  })
})

describe('the writes of a commit', () => {
  it('are what they were, in their order, however they were cut', () => {
    fc.assert(
      fc.property(writes, fc.integer({ min: 1, max: 400 }), (given, most) => {
        const parts = cut(encodeWrites(given), most)
        expect(parts.every((part) => part.length <= most)).toBe(true)
        expect(decodeWrites(parts)).toEqual(given)
      }),
    )
  })

  it('are refused when a part is missing at the end', () => {
    const bytes = encodeWrites([{ table: 'facts', key: Buffer.from('key'), value: Buffer.from('value') }])
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeWrites([bytes.subarray(0, length)])).toThrow(FrameDamage)
    }
  })
})
