import { describe, expect, test } from 'vitest'
import { Decoder, encode, type Packet, ReceivedPublish } from './index.js'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const of = (value: string): Uint8Array => new TextEncoder().encode(value)

function publish(topic: string, payload: string): Uint8Array {
  return encode({ type: 'publish', topic, payload: of(payload), qos: 0, retain: false, dup: false }, 4)
}

/** What a socket does: the same memory, filled anew for every read. */
class Socket {
  readonly memory: Buffer = Buffer.alloc(1024)

  read(...packets: readonly Uint8Array[]): Buffer {
    const data = Buffer.concat(packets)
    this.memory.fill(0)
    data.copy(this.memory)
    return this.memory.subarray(0, data.length)
  }
}

describe('PUBLISH', () => {
  test('its payload is a view of what was received, made once', () => {
    const decoder = new Decoder()
    const chunk = publish('a/b', 'hello')
    decoder.push(chunk)
    const packet = decoder.next() as ReceivedPublish
    expect(packet).toBeInstanceOf(ReceivedPublish)
    expect([packet.topicStart, packet.payloadStart, packet.payloadEnd]).toEqual([2, chunk.length - 5, chunk.length])
    expect(packet.bytes.buffer).toBe(chunk.buffer)
    expect(text(packet.payload)).toBe('hello')
    expect(packet.payload).toBe(packet.payload)
    expect(packet.payload.buffer).toBe(chunk.buffer)
  })

  test('of a packet that was cut, the payload stays when more comes', () => {
    const decoder = new Decoder()
    const [first, second] = [publish('a', 'first'), publish('a', 'second')]
    decoder.push(first.slice(0, 3))
    expect(decoder.next()).toBeUndefined()
    decoder.push(Buffer.concat([first.slice(3), second.slice(0, 4)]))
    const one = decoder.next() as ReceivedPublish
    expect(decoder.next()).toBeUndefined()
    decoder.push(second.slice(4))
    const two = decoder.next() as ReceivedPublish
    expect([text(one.payload), text(two.payload)]).toEqual(['first', 'second'])
  })

  test('is a Uint8Array, not a Buffer, whatever was pushed', () => {
    const decoder = new Decoder()
    decoder.push(Buffer.from(publish('a', 'x')))
    expect((decoder.next() as ReceivedPublish).payload.constructor).toBe(Uint8Array)
  })

  test('a topic read before is right though its memory has been used again', () => {
    const socket = new Socket()
    const decoder = new Decoder()
    const topics = ['plant/1/temp', 'plant/2/temp', 'plant/1/temp', 'other', 'plant/2/temp', 'other']
    const read = topics.map((topic) => {
      decoder.push(socket.read(publish(topic, topic)))
      const packet = decoder.next() as ReceivedPublish
      return [packet.topic, text(packet.payload)]
    })
    expect(read).toEqual(topics.map((topic) => [topic, topic]))
  })

  test('topics that share a place in the cache are told apart, in memory that is used again', () => {
    const socket = new Socket()
    const decoder = new Decoder()
    for (let n = 10_000; n < 15_000; n++) {
      decoder.push(socket.read(publish(`t/${n}`, '')))
      expect((decoder.next() as ReceivedPublish).topic).toBe(`t/${n}`)
    }
  })
})

describe('what is kept of a chunk', () => {
  test('detach copies a Buffer too', () => {
    const socket = new Socket()
    const decoder = new Decoder()
    decoder.push(socket.read(publish('a', 'one'), publish('b', 'two')))
    decoder.next()
    decoder.detach()
    socket.memory.fill(0xff)
    expect(decoder.next()).toMatchObject({ topic: 'b' })
    expect(decoder.next()).toBeUndefined()
  })

  test('password, will and binary properties are copies', () => {
    const packet: Packet = {
      type: 'connect',
      version: 5,
      clientId: 'c',
      cleanStart: true,
      keepAliveSeconds: 0,
      will: { topic: 'w', payload: of('bye'), qos: 0, retain: false, properties: { correlationData: of('id') } },
      username: 'u',
      password: of('secret'),
      properties: { authenticationMethod: 'm', authenticationData: of('data') },
    }
    const socket = new Socket()
    const decoder = new Decoder()
    decoder.push(socket.read(encode(packet, 5)))
    const read = decoder.next()
    socket.memory.fill(0xff)
    expect(read).toStrictEqual(packet)
  })

  test('nothing, when everything was read', () => {
    const decoder = new Decoder()
    decoder.push(publish('a', 'x'))
    decoder.next()
    expect(decoder.next()).toBeUndefined()
    decoder.detach()
    expect(decoder.bufferedBytes).toBe(0)
  })
})

test('an empty chunk changes nothing', () => {
  const decoder = new Decoder()
  decoder.push(new Uint8Array(0))
  expect(decoder.next()).toBeUndefined()
  decoder.push(Uint8Array.of(0xc0))
  decoder.push(new Uint8Array(0))
  expect(decoder.next()).toBeUndefined()
  decoder.push(new Uint8Array(0))
  expect(decoder.next()).toBeUndefined()
  decoder.push(Uint8Array.of(0))
  expect(decoder.next()).toEqual({ type: 'pingreq' })
})

test('defaults: 3.1.1, and packets of any size', () => {
  const decoder = new Decoder()
  expect(decoder.version).toBe(4)
  expect(decoder.maxPacketBytes).toBe(268_435_460)
})
