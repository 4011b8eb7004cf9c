import { encode as packed } from '@msgpack/msgpack'
import { encode as cbor } from 'cborg'
import { describe, expect, test } from 'vitest'
import { type Form, read } from './decode.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const asked = (payload: Uint8Array, form: Form = 'auto', topic = 'a', contentType?: string) =>
  read(payload, { form, topic, contentType })

/** `timestamp`, a metric of each kind that people have, and `seq`. */
const sparkplug = bytes(
  ...[0x08, 0x80, 0xa8, 0x81, 0xce, 0xa2, 0x34],
  ...[0x12, 0x0f, 0x0a, 0x04, 0x74, 0x65, 0x6d, 0x70, 0x20, 0x09, 0x65, 0x00, 0x00, 0xac, 0x41, 0x10, 0x05],
  ...[0x12, 0x0d, 0x0a, 0x01, 0x6e, 0x20, 0x03, 0x50, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x10, 0x02],
  ...[0x18, 0x07],
)

describe('a payload is read as what it seems to be', () => {
  test.each<[string, Uint8Array, string]>([
    ['text', utf8('on'), 'text'],
    ['a number', utf8('21.5'), 'text'],
    ['nothing', bytes(), 'text'],
    ['JSON', utf8('{"a":1}'), 'json'],
    ['what only begins as JSON', utf8('{not json'), 'text'],
    ['MessagePack', packed({ a: 1, b: [1, 2] }), 'messagePack'],
    ['CBOR', cbor({ a: 1, b: [1, 2] }), 'cbor'],
    ['a picture', bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a), 'image'],
    ['anything else', bytes(0xfe, 0x01, 0x02), 'hex'],
  ])('%s', async (_, payload, form) => {
    expect((await asked(payload)).form).toBe(form)
  })

  test('by its content type, and by the topics of Sparkplug', async () => {
    expect((await asked(cbor(5), 'auto', 'a', 'application/cbor')).form).toBe('cbor')
    expect((await asked(sparkplug, 'auto', 'spBv1.0/g/NDATA/n')).form).toBe('sparkplug')
    expect((await asked(utf8('on'), 'auto', 'a', 'application/json')).form).toBe('text')
  })
})

describe('what is in it', () => {
  const textIn = async (payload: Uint8Array, form: Form): Promise<unknown> => {
    const { decoded } = await asked(payload, form)
    return decoded.kind === 'text' ? JSON.parse(decoded.text) : decoded
  }

  test('of MessagePack, CBOR and Sparkplug', async () => {
    expect(
      await textIn(packed({ a: [1n, 'x', new Uint8Array([1, 255])] }, { useBigInt64: true }), 'messagePack'),
    ).toEqual({
      a: [1, 'x', '01 ff'],
    })
    expect(await textIn(cbor({ a: [1, 'x', Uint8Array.of(1, 255)] }), 'cbor')).toEqual({ a: [1, 'x', '01 ff'] })
    expect(await textIn(sparkplug, 'sparkplug')).toEqual({
      timestamp: '2026-11-30T00:00:00.000Z',
      seq: 7,
      metrics: [
        { name: 'temp', alias: 5, type: 'Float', value: 21.5 },
        { name: 'n', alias: 2, type: 'Int32', value: -1 },
      ],
    })
  })

  test('numbers, to be plotted', async () => {
    const { decoded } = await asked(utf8('{"temp":21.5,"on":true,"list":[{"v":1}],"name":"x"}'))
    expect(decoded.kind === 'text' && [...decoded.numbers]).toEqual([
      ['temp', 21.5],
      ['on', 1],
      ['list.0.v', 1],
    ])
    const number = await asked(utf8('21.5'))
    expect(number.decoded).toMatchObject({ numbers: new Map([['', 21.5]]) })
  })

  test('bytes', async () => {
    const { decoded } = await asked(utf8('godwit \u0000ÿ'), 'hex')
    expect(decoded).toMatchObject({ text: '0000  67 6f 64 77 69 74 20 00 c3 bf                    godwit ...' })
  })

  test.each<[Form, Uint8Array]>([
    ['json', utf8('x')],
    ['cbor', bytes(0xff)],
    ['messagePack', bytes(0xc1)],
    ['sparkplug', bytes(0x0a, 0xff)],
    ['image', utf8('<svg onload="alert(1)"/>')],
    ['text', bytes(0xff)],
  ])('is not %s, which is told', async (form, payload) => {
    await expect(asked(payload, form)).rejects.toThrow()
  })
})
