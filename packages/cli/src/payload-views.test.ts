import { encode as msgpack } from '@msgpack/msgpack'
import { encode as cbor } from 'cborg'
import { describe, expect, test } from 'vitest'
import { indentedJson, payloadView, terminalView, type ViewName } from './payload-views.js'

async function shown(view: ViewName, payload: Uint8Array | string, pretty = false, isTerminal = false) {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const text = (await payloadView(view, { pretty, isTerminal }))(bytes)
  return text === undefined ? undefined : Buffer.from(text).toString('latin1')
}

const value = { a: 1, list: [true, null, 'x'], bytes: Uint8Array.of(1, 255) }
const asJson = '{"a":1,"list":[true,null,"x"],"bytes":"01ff"}'

describe('--as', () => {
  test.each<[ViewName, Uint8Array | string, string | undefined]>([
    ['json', ' {"a": 12345678901234567890}\n', '{"a": 12345678901234567890}'],
    ['json', 'warm', undefined],
    ['hex', Uint8Array.of(0, 1, 255), '0001ff'],
    ['msgpack', msgpack(value), asJson],
    ['msgpack', Uint8Array.of(0xc1), undefined],
    ['msgpack', msgpack(new Date(0)), '"1970-01-01T00:00:00.000Z"'],
    ['msgpack', Uint8Array.of(0xcf, 255, 255, 255, 255, 255, 255, 255, 255), '18446744073709551615'],
    ['cbor', cbor(value), '{"a":1,"list":[true,null,"x"],"bytes":"01ff"}'],
    ['cbor', Uint8Array.of(0xff), undefined],
    ['cbor', Uint8Array.of(0xa1, 0x01, 0x02), '{"1":2}'],
    ['cbor', Uint8Array.of(0xc1, 0x18, 0x2a), '{"tag":1,"value":42}'],
    ['text', 'a\u001b[2J', 'a\u001b[2J'],
    ['raw', Uint8Array.of(0, 27, 255), '\u0000\u001b\u00ff'],
  ])('%s', async (view, payload, expected) => {
    const sorted = (text: string | undefined) => (text?.startsWith('{') ? JSON.parse(text) : text)
    const text = await shown(view, payload)
    if (expected === asJson) expect(sorted(text)).toEqual(sorted(expected))
    else expect(text).toBe(expected)
  })

  test('text on a terminal cannot move the cursor', async () => {
    expect(await shown('text', 'a\u001b[2J\tb', false, true)).toBe('a\\u{1b}[2J\tb')
  })

  test('--pretty', async () => {
    expect(await shown('json', '{"a":[1,{"b":"x: {"}],"c":{},"d":[]}', true)).toBe(
      '{\n  "a": [\n    1,\n    {\n      "b": "x: {"\n    }\n  ],\n  "c": {},\n  "d": []\n}',
    )
    expect(indentedJson('[1.50e3]')).toBe('[\n  1.50e3\n]')
  })
})

test.each([
  ['21.5 °C', '21.5 °C'],
  ['a\u001b]0;x\u0007', 'a\\u{1b}]0;x\\u{7}'],
  ['\u202egnp', '\\u{202e}gnp'],
])('a terminal shows %j as text without harm', (text, expected) => {
  expect(terminalView(Buffer.from(text))).toBe(expected)
})

test('a terminal shows bytes as hex, and not all of many', () => {
  expect(terminalView(Uint8Array.of(0xff, 0xd8))).toBe('(2 bytes) ffd8')
  expect(terminalView(new Uint8Array(1000))).toBe(`(1000 bytes) ${'00'.repeat(64)}…`)
})
