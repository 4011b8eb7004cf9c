import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytes, hexOf } from '../test/hex.js'
import { byteLength, decodeUtf8, encodeUtf8, writeUtf8 } from './bytes.js'

test.each([
  ['', ''],
  ['61', 'a'],
  ['efbbbf 61', '\uFEFFa'],
  ['c3a9', 'é'],
  ['e282ac', '€'],
  ['f09f98ba', '😺'],
  ['ed9fbf ee8080', '\uD7FF\uE000'],
  ['f48fbfbf', '\u{10FFFF}'],
  ['00', '\0'],
  ['efbfbd', '\uFFFD'],
])('%s is %j, both directions [MQTT-1.5.3-3]', (hex, text) => {
  const data = bytes(hex)
  expect(decodeUtf8(data, 0, data.length)).toBe(text)
  expect(hexOf(encodeUtf8(text))).toBe(hexOf(data))
  expect(byteLength(text)).toBe(data.length)
})

test.each(['ff', '80', 'c3', 'e282', 'c0af', 'c1bf', 'e08080', 'eda080', 'edbfbf', 'f0808080', 'f4908080', '61ff'])(
  '%s is no UTF-8 [MQTT-1.5.3-1] [MQTT-1.5.4-1]',
  (hex) => {
    const data = bytes(hex)
    expect(decodeUtf8(data, 0, data.length)).toBeUndefined()
  },
)

test('reads only what it is told to, in a view that starts anywhere', () => {
  const inside = bytes("ffff 'x' e282ac 'y' ff").subarray(1)
  expect(decodeUtf8(inside, 1, 6)).toBe('x€y')
  expect(decodeUtf8(inside, 3, 3)).toBe('')
  expect(decodeUtf8(inside, 2, 4)).toBeUndefined()
})

test('writes at the place and tells how far', () => {
  const target = new Uint8Array(10).fill(0xee).subarray(1)
  expect(writeUtf8(target, 2, 'é€')).toBe(5)
  expect(hexOf(target)).toBe('eeeec3a9e282aceeee')
})

test('surrogates alone are three bytes of U+FFFD', () => {
  for (const text of ['\ud800', '\udc00', 'a\ud800b', '\ud800\ud800\udc00', '\udc00\ud800']) {
    const data = encodeUtf8(text)
    const written = new Uint8Array(20)
    expect(byteLength(text)).toBe(data.length)
    expect(hexOf(written.subarray(0, writeUtf8(written, 0, text)))).toBe(hexOf(data))
    expect(decodeUtf8(data, 0, data.length)).toBe(Buffer.from(text).toString())
  }
})

test('any text comes back, and its length is known before', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat({ max: 5 }), (text, at) => {
      const target = new Uint8Array(at + text.length * 3)
      const size = writeUtf8(target, at, text)
      expect(size).toBe(byteLength(text))
      expect(decodeUtf8(target, at, at + size)).toBe(text)
    }),
  )
})

test('any bytes are text exactly when they come back the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), (data) => {
      const text = decodeUtf8(data, 0, data.length)
      const lossy = Buffer.from(data).toString()
      if (Buffer.from(lossy).equals(data)) expect(text).toBe(lossy)
      else expect(text).toBeUndefined()
    }),
    { numRuns: 2000 },
  )
})
