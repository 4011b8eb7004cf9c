import { Decoder, type Packet, type ProtocolVersion } from '@godwit/protocol'
import { concat } from './raw-packets.js'

/** One packet from the server: its bytes, and what they mean or why they mean nothing. */
export interface Received {
  readonly bytes: Uint8Array
  readonly packet?: Packet
  /** Why the bytes are no packet of MQTT. */
  readonly problem?: string
}

/** Cuts what the server sends into packets, keeping the bytes of each for the checks that look at them. */
export class Framer {
  readonly #version: ProtocolVersion
  #left: Uint8Array = new Uint8Array(0)

  constructor(version: ProtocolVersion) {
    this.#version = version
  }

  push(chunk: Uint8Array): Received[] {
    this.#left = concat(this.#left, chunk)
    const received: Received[] = []
    for (let end = packetEnd(this.#left); end !== undefined; end = packetEnd(this.#left)) {
      const bytes = this.#left.slice(0, end)
      this.#left = this.#left.subarray(end)
      received.push(this.#decode(bytes))
    }
    return received
  }

  #decode(bytes: Uint8Array): Received {
    // Control characters in strings are a matter of taste in the standard: the server may pass them on.
    const decoder = new Decoder({ version: this.#version, allowControlCharacters: true })
    try {
      decoder.push(bytes)
      const packet = decoder.next()
      if (!packet) return { bytes, problem: 'it says it is longer than it is' }
      // A copy: the decoder's own object is only good until its next packet.
      return { bytes, packet: packet.type === 'publish' ? plain(packet) : packet }
    } catch (error) {
      return { bytes, problem: error instanceof Error ? error.message : String(error) }
    }
  }
}

function plain(packet: Packet & { type: 'publish' }): Packet {
  const { type, topic, qos, retain, dup, packetId, properties } = packet
  return { type, topic, payload: packet.payload.slice(), qos, retain, dup, packetId, properties }
}

/** Where the first packet ends; undefined while it is not whole. A length of five bytes ends what can be told apart. */
function packetEnd(bytes: Uint8Array): number | undefined {
  let length = 0
  for (let i = 1; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (i === 5) return bytes.length
    length += (byte & 127) * 128 ** (i - 1)
    if (byte < 128) return bytes.length > i + length ? i + 1 + length : undefined
  }
  return undefined
}
