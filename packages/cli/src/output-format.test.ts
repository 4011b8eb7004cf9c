import type { PropertiesOf } from '@godwit/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outputFormat, plainFormat } from './output-format.js'
import type { PrintedMessage } from './printed-message.js'

const zone = process.env.TZ
beforeAll(() => {
  process.env.TZ = 'Europe/Berlin'
})
afterAll(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const came = Date.UTC(2026, 10, 22, 22, 25, 6) + 162.25

function message(payload: string | Uint8Array, fields: Partial<PrintedMessage> = {}): PrintedMessage {
  return {
    topic: 'fmt/a',
    payload: Buffer.from(payload),
    qos: 0,
    retain: false,
    packetId: undefined,
    properties: undefined,
    ...fields,
  }
}

function printed(format: string, of: PrintedMessage): string {
  const complain = (problem: string): never => expect.fail(problem)
  return Buffer.from(outputFormat(format, { newline: false, complain })(of, came)).toString()
}

describe('without a format', () => {
  const plain = plainFormat({ verbose: false, newline: true })
  const verbose = plainFormat({ verbose: true, newline: true })

  test('the payload exactly as it came, and a line feed', () => {
    expect(Buffer.from(plain(message(Buffer.from([0, 0xff, 1])), came))).toEqual(Buffer.from([0, 0xff, 1, 0x0a]))
  })

  test('the topic before it', () => {
    expect(Buffer.from(verbose(message('x'), came)).toString()).toBe('fmt/a x\n')
  })

  test('no line feed', () => {
    expect(Buffer.from(plainFormat({ verbose: true, newline: false })(message('x'), came)).toString()).toBe('fmt/a x')
  })

  test('an empty payload, as mosquitto_sub shows it', () => {
    expect(plain(message(''), came).length).toBe(0)
    expect(Buffer.from(verbose(message(''), came)).toString()).toBe('fmt/a (null)\n')
  })
})

describe('-F', () => {
  test.each([
    ['%t|%p|%x|%X', 'fmt/a|hé|68c3a9|68C3A9'],
    ['%q|%r|%m|%l', '1|1|12|3'],
    ['%%|%I|%U', '%|2026-11-22T23:25:06+0100|1795386306.162250000'],
    ['@Y-@m-@d @H:@M:@S.@N @@ @z', '2026-11-22 23:25:06.162250000 @ +0100'],
    ['\\t\\n\\\\\\e\\a\\v\\r\\0', '\t\n\\\x1b\x07\v\r\0'],
    ['[%A%C%D%E%F%P%R%S]', '[]'],
    ['[%3A]', '[   ]'],
    ['%10t|%-10t|%010t', '     fmt/a|fmt/a     |     fmt/a'],
    ['%3.3t|%.2t|%6.2t|%-4.1t', 'fmt|fm|    fm|f   '],
    ['%4l|%-4l|%04l|%-04l', '   3|3   |0003|3   '],
    ['%04m|%5q|%05r', '0012|1|1'],
    ['%5p|%-5p|%05p', '  hé|hé  |00hé'],
    ['%8x|%-8x|%08X', '  68c3a9|68c3a9  |0068C3A9'],
    ['%26I|%-26I|', '  2026-11-22T23:25:06+0100|2026-11-22T23:25:06+0100  |'],
    ['', ''],
    ['no sequence', 'no sequence'],
  ])('%o', (format, expected) => {
    expect(printed(format, message('hé', { qos: 1, retain: true, packetId: 12 }))).toBe(expected)
  })

  test('a payload that is not text passes through unharmed', () => {
    const format = outputFormat('<%p>', { newline: true, complain: () => {} })
    expect(Buffer.from(format(message(Buffer.from([0xff, 0, 0x80])), came)).toString('hex')).toBe('3cff00803e0a')
  })

  test('%m is 0 at QoS 0', () => {
    expect(printed('%m', message('x'))).toBe('0')
  })

  test.each([
    ['%z', 'there is no %z'],
    ['%5k', 'there is no %5k'],
    ['\\z', 'there is no \\z'],
    ['abc%', 'it is not complete at "%"'],
    ['abc%-10', 'it is not complete at "%-10"'],
    ['abc\\', 'it is not complete at'],
    ['%.t', 'it is not complete at "%.t"'],
    ['abc@', 'it is not complete at "@"'],
  ])('%o is refused', (format, problem) => {
    expect(() => outputFormat(format, { newline: true, complain: () => {} })).toThrow(problem)
  })
})

const properties: PropertiesOf<'publish'> = {
  payloadFormatIndicator: 1,
  messageExpiryInterval: 60,
  contentType: 'text/plain',
  responseTopic: 'r/t',
  correlationData: Buffer.from('ab"c'),
  subscriptionIdentifiers: [7, 300],
  topicAlias: 3,
  userProperties: [
    ['k', 'v'],
    ['k', 'v2'],
    ['z', 'a"b'],
  ],
}

describe('properties of MQTT 5.0', () => {
  test.each([
    ['%A|%C|%D|%E|%F|%P|%R|%S', '3|text/plain|ab"c|60|1|k:v k:v2 z:a"b|r/t|7 300'],
    ['%05E|%-5E|%5E|%04F|%05A', '00060|60   |   60|0001|00003'],
    ['%.2C|%12C|%-8R|%3.1R', 'te|  text/plain|r/t     |  r'],
  ])('-F %o', (format, expected) => {
    expect(printed(format, message('x', { properties }))).toBe(expected)
  })

  test('that are not there leave their padding', () => {
    expect(printed('%05E|%5C|%R|%3S|%02F', message('x'))).toBe('00000|     ||   |00')
  })

  test('correlation data passes through unharmed', () => {
    const format = outputFormat('%D', { newline: false, complain: () => {} })
    const bytes = Buffer.from([0, 0xff, 0x80])
    expect(Buffer.from(format(message('x', { properties: { correlationData: bytes } }), came))).toEqual(bytes)
  })

  test.each(['%j', '%J'])('%s has what the publisher said, by name, repeated ones repeated', (format) => {
    expect(printed(format, message('7', { properties }))).toContain(
      '"payloadlen":1,"properties":{"payload-format-indicator":1,"message-expiry-interval":60,"content-type":"text/plain",' +
        '"response-topic":"r/t","correlation-data":"ab\\"c",' +
        '"user-properties":{"k":"v","k":"v2","z":"a\\"b"}},"payload":',
    )
  })

  test('%j has none when the publisher said nothing', () => {
    expect(printed('%j', message('7', { properties: { subscriptionIdentifiers: [1], topicAlias: 2 } }))).not.toContain(
      'properties',
    )
  })

  test('a user property may be called __proto__', () => {
    const named = { properties: { userProperties: [['__proto__', 'x']] } } as const
    expect(printed('%j', message('7', named))).toContain('"user-properties":{"__proto__":"x"}')
  })
})

describe('JSON', () => {
  test('%j quotes the payload', () => {
    expect(printed('%j', message('say "hi"\n', { topic: 'a"b', qos: 2, retain: true, packetId: 7 }))).toBe(
      '{"tst":"2026-11-22T23:25:06.162250+0100","topic":"a\\"b","qos":2,"retain":1,"payloadlen":9,"mid":7,"payload":"say \\"hi\\"\\n"}',
    )
  })

  test('%j of an empty payload, and of bytes that are not UTF-8', () => {
    expect(JSON.parse(printed('%j', message('')))).toMatchObject({ payload: null, payloadlen: 0, qos: 0 })
    expect(JSON.parse(printed('%j', message(Buffer.from([0, 0xff]))))).toMatchObject({
      payload: '\0\ufffd',
      payloadlen: 2,
    })
  })

  test('%J takes the payload as it is, digits and all, on one line', () => {
    expect(printed('%J', message('{"t": 27.0,\n "id": 12345678901234567890}\n'))).toContain(
      '"payload":{"t": 27.0,  "id": 12345678901234567890}}',
    )
  })

  test('%J complains of what is not JSON, and prints the rest', () => {
    const problems: string[] = []
    const format = outputFormat('%t %J', { newline: true, complain: (problem) => problems.push(problem) })
    expect(Buffer.from(format(message('no'), came)).toString()).toBe('fmt/a \n')
    expect(problems).toEqual(["the message on 'fmt/a' is not JSON; print it with %j or %p"])
  })
})
