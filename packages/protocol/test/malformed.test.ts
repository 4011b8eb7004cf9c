import { describe, expect, test } from 'vitest'
import { Decoder, ProtocolError } from '../src/index.js'
import { attempt, bytes, concat } from './hex.js'
import { type Malformed, malformedConnects, malformedHeaders, malformedPackets } from './malformed.js'

const reasonCodes = {
  'malformed-packet': 0x81,
  'protocol-error': 0x82,
  'unsupported-protocol-version': 0x84,
  'unsupported-protocol-name': 0x84,
  'topic-filter-invalid': 0x8f,
  'topic-name-invalid': 0x90,
  'topic-alias-invalid': 0x94,
  'packet-too-large': 0x95,
} as const

const cases = (rows: readonly Malformed[]) =>
  rows.flatMap(([title, versions, hex, code, says]) => versions.map((version) => ({ title, hex, code, says, version })))

/** What the decoder says to these bytes; it may not answer with a packet. */
function refusal(data: Uint8Array, version: 3 | 4 | 5): ProtocolError {
  const decoder = new Decoder({ version })
  decoder.push(data)
  const answer = attempt(() => decoder.next())
  expect(answer).toBeInstanceOf(ProtocolError)
  return answer as ProtocolError
}

describe('a wrong fixed header', () => {
  test.each(cases(malformedHeaders))('$version: $title', ({ hex, code, says, version }) => {
    const error = refusal(bytes(hex), version)
    expect(error).toMatchObject({ code, reasonCode: reasonCodes[code] })
    expect(error.message).toContain(says)
  })
})

describe('a wrong packet', () => {
  test.each(cases([...malformedConnects, ...malformedPackets]))('$version: $title', ({ hex, code, says, version }) => {
    const whole = bytes(hex)
    const padded = whole[1]! >= 0x80
    expect(whole.length, 'the row itself').toBe(padded ? 3 + (whole[1]! & 127) : 2 + whole[1]!)
    const error = refusal(whole, version)
    expect(error).toMatchObject({ code, reasonCode: reasonCodes[code] })
    expect(error.message).toContain(says)
    expect(error.message).not.toContain('\n')
    // Whatever follows is another packet: the answer stays the same [packets are read within their bounds].
    for (const next of ['c000', '00000000000000', 'ffffffffffffffff', "300400016178'"]) {
      const behind = refusal(concat(whole, bytes(next.replace("'", ''))), version)
      expect(behind.message).toBe(error.message)
    }
  })

  test('the level asked for is told', () => {
    expect(refusal(bytes("10 08 0004 'MQTT' 63 ff"), 4).level).toBe(99)
    expect(refusal(bytes("10 0a 0006 'MQIsdp' 63 ff"), 4).level).toBeUndefined()
  })

  test('what the other side sent is quoted no longer than a line', () => {
    const long = bytes(`82 8520 0001 1000 '${'x'.repeat(4095)}#' 00`)
    expect(refusal(long, 4).message.length).toBeLessThan(200)
    const name = bytes(`10 8620 1000 '${'x'.repeat(4096)}' 04 02 003c`)
    expect(refusal(name, 4).message.length).toBeLessThan(200)
  })
})

describe('after an error', () => {
  test('the decoder gives nothing but the same error', () => {
    const decoder = new Decoder()
    decoder.push(bytes('400100 c000'))
    const first = attempt(() => decoder.next())
    expect(first).toBeInstanceOf(ProtocolError)
    expect(attempt(() => decoder.next())).toBe(first)
    decoder.push(bytes('c000'))
    expect(attempt(() => decoder.next())).toBe(first)
  })
})

describe('what is only refused at 5.0', () => {
  test.each(['6a 02 0007', "8a 06 0001 0001 'a' 00", "aa 05 0001 0001 'a'"])('3.1 sends again with DUP: %s', (hex) => {
    const decoder = new Decoder({ version: 3 })
    decoder.push(bytes(hex))
    expect(decoder.next()).toBeDefined()
    expect(decoder.bufferedBytes).toBe(0)
  })
})

describe('allowControlCharacters', () => {
  test.each(['01', '7f', 'c29f', 'efbfbf', 'f09fbfbe'])('lets %s into a topic, and only then', (hex) => {
    const packet = bytes(`30 0${2 + hex.length / 2} 000${hex.length / 2} ${hex}`)
    const lenient = new Decoder({ allowControlCharacters: true })
    lenient.push(packet)
    expect(lenient.next()).toMatchObject({ topic: Buffer.from(hex, 'hex').toString() })
    expect(refusal(packet, 4).code).toBe('malformed-packet')
  })

  test('never U+0000', () => {
    const lenient = new Decoder({ allowControlCharacters: true })
    lenient.push(bytes('30 03 0001 00'))
    expect(() => lenient.next()).toThrow('U+0000')
  })
})
