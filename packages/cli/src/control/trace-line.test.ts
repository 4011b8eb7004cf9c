import type { TracedPacket, TraceEvent } from '@godwit/broker'
import { expect, test } from 'vitest'
import { traceLine } from './trace-line.js'

const at = new Date(2026, 10, 23, 6, 25, 1, 42).getTime()
const event = (packet: TracedPacket, more: Partial<TraceEvent> = {}): TraceEvent => ({
  at,
  clientId: 'app',
  address: '10.0.0.7',
  direction: 'in',
  packet,
  ...more,
})

test.each<[TracedPacket, string]>([
  [
    { type: 'publish', topic: 'home/door', qos: 1, packetId: 7, retain: true, dup: false, payloadBytes: 12 },
    'app → PUBLISH topic=home/door qos=1 id=7 retain 12 bytes',
  ],
  [{ type: 'puback', packetId: 7, reasonCode: 0 }, 'app → PUBACK id=7'],
  [{ type: 'puback', packetId: 7, reasonCode: 0x87 }, 'app → PUBACK id=7 0x87 (Not authorized)'],
  [{ type: 'connack', reasonCode: 0 }, 'app → CONNACK 0x00 (Success)'],
  [
    {
      type: 'subscribe',
      packetId: 1,
      filters: [
        { filter: 'a/+', qos: 1 },
        { filter: 'b c', qos: 0 },
      ],
    },
    'app → SUBSCRIBE id=1 filter=a/+ qos=1 filter="b c" qos=0',
  ],
  [
    { type: 'suback', packetId: 1, reasonCodes: [1, 0x87] },
    'app → SUBACK id=1 0x01 (Granted QoS 1), 0x87 (Not authorized)',
  ],
  [
    {
      type: 'publish',
      topic: 'a',
      properties: {
        contentType: 'text/plain',
        topicAlias: 3,
        userProperties: [
          ['room', 'kitchen'],
          ['a b', 'c=d'],
        ],
      },
    },
    'app → PUBLISH topic=a contentType=text/plain topicAlias=3 userProperty room=kitchen userProperty "a b"="c=d"',
  ],
  [
    { type: 'connect', version: 4, will: { topic: 'presence/app', qos: 1, retain: true, payloadBytes: 7 } },
    'app [10.0.0.7] → CONNECT version=4 will topic=presence/app qos=1 retain 7 bytes',
  ],
  [{ type: 'pingreq' }, 'app → PINGREQ'],
])('%j', (packet, line) => {
  expect(traceLine(event(packet))).toBe(`06:25:01.042 ${line}`)
})

test('what the broker sends', () => {
  expect(traceLine(event({ type: 'pingresp' }, { direction: 'out' }))).toBe('06:25:01.042 app ← PINGRESP')
})

test('CONNECT says where it comes from; before it nobody has a name', () => {
  expect(traceLine(event({ type: 'connect' }))).toBe('06:25:01.042 app [10.0.0.7] → CONNECT')
  expect(traceLine(event({ type: 'auth' }, { clientId: undefined }))).toBe('06:25:01.042 [10.0.0.7] → AUTH')
})

test('no client can move the cursor or forge a line', () => {
  const line = traceLine(event({ type: 'publish', topic: 'a\u001b[2J\nb', qos: 0 }, { clientId: 'x ← "y"\u202e' }))
  expect(line).toBe('06:25:01.042 "x ← \\"y\\"\\u{202e}" → PUBLISH topic="a\\u001b[2J\\nb" qos=0')
})
