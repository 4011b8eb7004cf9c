import { Decoder, encode, type ProtocolVersion, type QoS, type ReceivedPublish, Writer } from '@godwit/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Message } from '../message.js'
import { AheadCopy } from './ahead-copy.js'
import { defaultTerms, EncodedOnce, PublishEncoder } from './publish-encoder.js'

/** One PUBLISH of a chunk, and what becomes of it. */
const publications = fc.array(
  fc.record({
    size: fc.oneof(fc.constant(64), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 3000, max: 3100 })),
    qos: fc.constantFrom<QoS>(0, 1, 1, 1),
    retain: fc.boolean(),
    /** To which client; the other one speaks the other version. */
    to: fc.constantFrom(0, 0, 0, 0, 1),
    /** Something else is written in front of it. */
    reply: fc.constantFrom(0, 0, 0, 0, 2, 4),
    /** All that was written is handed over in front of it. */
    handedOver: fc.constantFrom(false, false, false, false, true),
  }),
  { minLength: 1, maxLength: 60 },
)

/** A client's side: what it gets, and what it would get if each packet were encoded for itself. */
class Receiver {
  readonly #version: ProtocolVersion
  readonly #copies: AheadCopy
  readonly #encoder: PublishEncoder
  readonly #writer = new Writer(256)
  readonly sent: number[] = []
  readonly expected: number[] = []

  constructor(version: ProtocolVersion, copies: AheadCopy) {
    this.#version = version
    this.#copies = copies
    this.#encoder = new PublishEncoder(
      { encodedOnce: new EncodedOnce(), copies, time: { now: () => 0 } },
      { ...defaultTerms, version },
    )
  }

  reply(bytes: number): void {
    for (let byte = 0; byte < bytes; byte++) this.#writer.u8(byte)
    for (let byte = 0; byte < bytes; byte++) this.expected.push(byte)
  }

  publish(message: Message, retain: boolean, packetId: number): void {
    const { topic, qos } = message
    const payload = message.payload.slice()
    this.#encoder.write(this.#writer, { message, qos, retain }, false, packetId)
    const packet = { type: 'publish', topic, payload, qos, retain, dup: false } as const
    this.expected.push(...encode({ ...packet, packetId: qos > 0 ? packetId : undefined }, this.#version))
  }

  handOver(): void {
    this.#copies.forget()
    this.sent.push(...this.#writer.written())
    this.#writer.reset()
  }
}

it('makes the packets that are made one by one', () => {
  fc.assert(
    fc.property(publications, fc.constantFrom<ProtocolVersion>(4, 5), (all, version) => {
      const chunk = all.map(({ size, qos, retain }, at) => {
        const payload = new Uint8Array(size).fill(at + 1)
        const packetId = qos > 0 ? at + 1 : undefined
        return encode({ type: 'publish', topic: 'a/b', payload, qos, retain, dup: false, packetId }, version)
      })
      const decoder = new Decoder({ version })
      decoder.push(new Uint8Array(Buffer.concat(chunk)))
      const copies = new AheadCopy()
      const receivers = [new Receiver(version, copies), new Receiver(version === 5 ? 4 : 5, copies)]
      for (const [at, { to, retain, reply, handedOver }] of all.entries()) {
        if (handedOver) for (const one of receivers) one.handOver()
        receivers[to]!.reply(reply)
        const message = new Message(decoder.next() as ReceivedPublish, 'p')
        message.goesTo(1)
        receivers[to]!.publish(message, !retain, message.qos > 0 ? 1000 + at : 0)
      }
      for (const one of receivers) {
        one.handOver()
        expect(one.sent).toEqual(one.expected)
      }
    }),
  )
})

it('copies many packets at once while they follow one another', () => {
  const chunk = new Uint8Array(6400).map((_, at) => at)
  let copied = 0
  class CountingWriter extends Writer {
    override copy(source: Uint8Array, start: number, end: number): void {
      copied++
      super.copy(source, start, end)
    }
  }
  const writer = new CountingWriter(8192)
  const copies = new AheadCopy()
  for (let at = 0; at < chunk.length; at += 64) {
    const start = writer.position
    writer.u8(chunk[at]!)
    copies.copy(writer, start, chunk, at + 1, at + 64)
  }
  expect(writer.written()).toEqual(chunk)
  expect(copied).toBeLessThan(10)
})
