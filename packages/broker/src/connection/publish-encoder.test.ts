import {
  Decoder,
  encode,
  encodeUtf8,
  type ProtocolVersion,
  type Publish,
  type QoS,
  type ReceivedPublish,
  Writer,
} from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { Message } from '../message.js'
import { AheadCopy } from './ahead-copy.js'
import { defaultTerms, EncodedOnce, PublishEncoder } from './publish-encoder.js'

const shared = { encodedOnce: new EncodedOnce(), copies: new AheadCopy(), time: { now: () => 0 } }
/** What each encoder's client speaks. */
const versions = new WeakMap<PublishEncoder, ProtocolVersion>()

function forMany(text: string, topic = 'a/b'): Message {
  const message = Message.of(topic, encodeUtf8(text), 2)
  message.goesTo(2)
  return message
}

/** What the client gets. */
function sent(encoder: PublishEncoder, message: Message, qos: QoS, dup = false, packetId = 0): Publish {
  const writer = new Writer()
  const payload = encoder.write(writer, { message, qos, retain: false }, dup, packetId)
  const decoder = new Decoder({ version: versions.get(encoder)! })
  decoder.push(writer.written().slice())
  if (payload) decoder.push(payload)
  return decoder.next() as Publish
}

describe.each([4, 5] as const)('a message for many, at version %d', (version) => {
  const receiver = () => {
    const encoder = new PublishEncoder(shared, { ...defaultTerms, version })
    versions.set(encoder, version)
    return encoder
  }

  it('is encoded once; each receiver gets its own packet id and DUP', () => {
    const message = forMany('x')
    const first = sent(receiver(), message, 1, false, 7)
    const second = sent(receiver(), message, 1, true, 65_535)
    expect([first.packetId, first.dup, second.packetId, second.dup]).toEqual([7, false, 65_535, true])
    expect([first.topic, second.topic]).toEqual(['a/b', 'a/b'])
    expect([first.payload, second.payload]).toEqual([encodeUtf8('x'), encodeUtf8('x')])
  })

  it('is told apart by its QoS and from the message before it', () => {
    const [one, other] = [forMany('one'), forMany('other', 'c')]
    const of = receiver()
    expect(sent(of, one, 2, false, 3).qos).toBe(2)
    expect(sent(of, one, 0).qos).toBe(0)
    expect(sent(of, other, 0).topic).toBe('c')
    expect(sent(of, one, 0).payload).toEqual(encodeUtf8('one'))
  })

  it('goes as a view of one copy from 4 KiB on', () => {
    const message = forMany('y'.repeat(4096))
    const writer = new Writer()
    const payload = receiver().write(writer, { message, qos: 0, retain: false }, false, 0)
    expect(payload?.buffer).toBe(message.payload.buffer)
    expect(writer.position).toBeLessThan(20)
  })
})

describe.each([4, 5] as const)('to one receiver, of version %d', (version) => {
  /** What comes from a publisher, with something in front of it in its chunk. */
  function received(from: ProtocolVersion, qos: QoS, properties?: Publish['properties']): Message {
    const packetId = qos > 0 ? 9 : undefined
    const payload = encodeUtf8('x'.repeat(70))
    const packet = {
      type: 'publish',
      topic: 'töpic/a',
      payload,
      qos,
      retain: false,
      dup: false,
      packetId,
      properties,
    } as const
    const decoder = new Decoder({ version: from })
    decoder.push(Uint8Array.of(0xc0, 0, ...encode(packet, from)))
    decoder.next()
    const message = new Message(decoder.next() as ReceivedPublish, 'me')
    message.goesTo(1)
    return message
  }
  const receiver = (): PublishEncoder => {
    const encoder = new PublishEncoder(shared, { ...defaultTerms, version })
    versions.set(encoder, version)
    return encoder
  }
  const cases = [4, 5].flatMap((from) => [0, 1, 2].flatMap((qos) => [0, 1, 2].map((to) => [from, qos, to])))

  it.each(cases as [ProtocolVersion, QoS, QoS][])(
    'is the same packet whether its bytes are copied or written anew: from %d at QoS %d, to QoS %d',
    (from, qos, granted) => {
      const given = qos < granted ? qos : granted
      for (const properties of [undefined, { payloadFormatIndicator: 1 } as const]) {
        const message = received(from, qos, from === 5 ? properties : undefined)
        const anew = received(from, qos, from === 5 ? properties : undefined).keep()
        const packets = [message, anew].map((one) => sent(receiver(), one, given, given > 0, given > 0 ? 300 : 0))
        expect(packets[0]).toMatchObject({ topic: 'töpic/a', qos: given, dup: given > 0 })
        for (const name of ['topic', 'qos', 'dup', 'retain', 'packetId', 'properties', 'payload'] as const) {
          expect(packets[0]![name]).toEqual(packets[1]![name])
        }
      }
    },
  )

  it('is copied as it came, but for the first byte and the packet id', () => {
    const message = received(version, 1)
    const writer = new Writer()
    receiver().write(writer, { message, qos: 1, retain: true }, true, 0x1234)
    const came = message.bytes.slice(message.topicStart, message.end)
    came.set([0x12, 0x34], message.start - message.topicStart - (version === 5 ? 3 : 2))
    expect(writer.written()).toEqual(Uint8Array.of(0x3b, came.length, ...came))
  })

  it('has the properties that it was given since it came', () => {
    const message = received(version, 1)
    message.properties = { userProperties: [['a', 'b']] }
    expect(sent(receiver(), message, 1, false, 7).properties).toEqual(version === 5 ? message.properties : undefined)
  })
})

it('gives a client of 5.0 what is its own: identifiers, aliases, remaining expiry', () => {
  const terms = { ...defaultTerms, version: 5, topicAliasMaximum: 1 } as const
  const encoder = new PublishEncoder(
    { encodedOnce: new EncodedOnce(), copies: new AheadCopy(), time: { now: () => 1000 } },
    terms,
  )
  const message = forMany('x')
  message.expiresAt = 6000
  const writer = new Writer()
  encoder.write(writer, { message, qos: 0, retain: false, identifiers: [4] }, false, 0)
  const decoder = new Decoder({ version: 5 })
  decoder.push(writer.written())
  const { properties } = decoder.next() as Publish
  expect(properties).toEqual({ messageExpiryInterval: 5, subscriptionIdentifiers: [4], topicAlias: 1 })
})

/** A writer that has room so many times, and then no more. */
class FailingWriter extends Writer {
  left = Number.POSITIVE_INFINITY

  override ensure(more: number): void {
    if (this.left-- <= 0) throw new RangeError('Array buffer allocation failed')
    super.ensure(more)
  }
}

describe.each([4, 5] as const)('whatever fails, at version %d', (version) => {
  it.each([true, false])('nothing of the packet is left, and the next one is whole (for many: %s)', (isForMany) => {
    const encoder = new PublishEncoder(shared, { ...defaultTerms, version, topicAliasMaximum: version === 5 ? 5 : 0 })
    const message = Message.of('a/b', encodeUtf8('x'.repeat(100)), 2)
    message.goesTo(isForMany ? 2 : 1)
    const writer = new FailingWriter(8)
    const before = Uint8Array.of(0xd0, 0)
    writer.copy(before, 0, 2)
    let failures = 0
    for (let step = 0; step < 100; step++) {
      writer.left = step
      try {
        encoder.write(writer, { message, qos: 1, retain: false }, false, 7)
        break
      } catch {
        failures += 1
        expect([...writer.written()]).toEqual([...before])
      }
    }
    expect(failures).toBeGreaterThan(0)
    const decoder = new Decoder({ version })
    decoder.push(writer.written().slice())
    expect(decoder.next()).toMatchObject({ type: 'pingresp' })
    // The topic is named: an alias that was given to a packet that never left is nobody's.
    expect(decoder.next()).toMatchObject({ type: 'publish', topic: 'a/b', packetId: 7 })
  })
})
