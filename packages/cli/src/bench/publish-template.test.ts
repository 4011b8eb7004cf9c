import { Decoder, type ReceivedPublish, Writer } from '@godwit/protocol'
import { expect, test } from 'vitest'
import { PublishTemplate } from './publish-template.js'
import { stampNumber, stampPublisher, stampTime } from './stamp.js'

test.each([4, 5] as const)('version %i: every message is a PUBLISH with its own packet id and stamp', (version) => {
  const template = new PublishTemplate('a/b', { qos: 1, size: 20, version }, 7)
  const writer = new Writer()
  const time = 2 ** 50 + 12_345 // a machine that has been up for 35 years
  for (const number of [0, 1, 65_534, 65_535]) template.writeTo(writer, time + number, number)
  const decoder = new Decoder({ version })
  decoder.push(writer.written())
  const seen = []
  for (let packet = decoder.next(); packet; packet = decoder.next()) {
    const { topic, qos, packetId, bytes, payloadStart, payloadEnd } = packet as ReceivedPublish
    expect([topic, qos, payloadEnd - payloadStart, stampPublisher(bytes, payloadStart)]).toEqual(['a/b', 1, 20, 7])
    seen.push([packetId, stampNumber(bytes, payloadStart), stampTime(bytes, payloadStart) - time])
  }
  expect(seen).toEqual([
    [1, 0, 0],
    [2, 1, 1],
    [65_535, 65_534, 65_534],
    [1, 65_535, 65_535],
  ])
})
