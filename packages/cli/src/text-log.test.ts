import type { LogFields } from '@godwit/broker'
import { describe, expect, test } from 'vitest'
import { textLine } from './text-log.js'

function logged(message: string, fields: LogFields = {}): string {
  return textLine({ at: new Date('2026-11-22T22:25:06.162Z'), level: 'info', message, fields })
}

test('time, level, message, fields', () => {
  expect(logged('client connected', { clientId: 'sensor-1', address: '127.0.0.1', port: 5, first: true })).toBe(
    '2026-11-22T22:25:06.162Z info  client connected clientId=sensor-1 address=127.0.0.1 port=5 first=true',
  )
})

test('a field without a value is left out', () => {
  expect(logged('hello', { username: undefined })).toBe('2026-11-22T22:25:06.162Z info  hello')
})

describe('what a client calls itself cannot forge a log', () => {
  test.each([
    ['', '""'],
    ['two words', '"two words"'],
    ['a=b', '"a=b"'],
    ['say "x"', '"say \\"x\\""'],
    ['back\\slash', '"back\\\\slash"'],
    ['x\n2026 info  all is well', '"x\\n2026 info  all is well"'],
    ['x\r\u001b[2J', '"x\\r\\u001b[2J"'],
    ['x\u0085y\u2028z', '"x\\u{85}y\\u{2028}z"'],
    ['\u202etxt.exe', '"\\u{202e}txt.exe"'],
    ['a\u200bb', '"a\\u{200b}b"'],
    ['\u{e0041}', '"\\u{e0041}"'],
    ['\ud800', '"\\ud800"'],
    ['Jürgen', '"Jürgen"'],
  ])('%o', (clientId, shown) => {
    expect(logged('client gone', { clientId })).toBe(`2026-11-22T22:25:06.162Z info  client gone clientId=${shown}`)
  })

  test('nor can a message that quotes it', () => {
    expect(logged('odd\n2026 info  fine')).toBe('2026-11-22T22:25:06.162Z info  odd\\u{a}2026 info  fine')
  })
})
