import type { Definition } from './definition.js'
import { definitionsByCode, type Packet } from './definitions.js'
import { ProtocolError } from './errors.js'
import { checkPublishFlags } from './packets/publish.js'
import { Reader } from './reader.js'
import type { ProtocolVersion } from './version.js'
import { varintSize } from './writer.js'

export interface DecoderOptions {
  /** The version spoken. Default 4; a CONNECT sets it. */
  readonly version?: ProtocolVersion
  /** Largest packet taken, in bytes, fixed header included. Default 268,435,460: whatever MQTT can express. */
  readonly maxPacketBytes?: number
  /** Whether strings may hold control characters and Unicode non-characters. Default false; U+0000 never. */
  readonly allowControlCharacters?: boolean
}

const nothing = new Uint8Array(0)
/** A reader holds nothing between two packets, so all decoders share these. */
const strictReader = new Reader(false)
const lenientReader = new Reader(true)
/** What a decoder has found in a fixed header: the next thing it does is to read it, so all decoders share this too. */
const header: { definition: Definition<Packet> | undefined; bytes: number; totalBytes: number } = {
  definition: undefined,
  bytes: 0,
  totalBytes: 0,
}
/** Up to here a packet that was cut gets its whole room at once; above, room grows with what has really come. */
const trustedBytes = 65_536

/**
 * Bytes in, packets out. Chunks may cut packets anywhere: whole packets are read where they lie, and only one that is
 * cut is copied, once. More than 64 KiB is never allocated on a header's mere word, and the limit is applied before the body comes.
 */
export class Decoder {
  version: ProtocolVersion
  maxPacketBytes: number
  readonly #reader: Reader
  #chunk: Uint8Array = nothing
  #position = 0
  /** The packet that was cut: its bytes so far, and its whole size once that is known. */
  #partial: Uint8Array = nothing
  #partialBytes = 0
  #partialTotal = 0
  /** Whether `#chunk` is the decoder's own. */
  #owned = true
  #failure: unknown

  constructor(options: DecoderOptions = {}) {
    this.version = options.version ?? 4
    this.maxPacketBytes = options.maxPacketBytes ?? 268_435_460
    this.#reader = options.allowControlCharacters ? lenientReader : strictReader
  }

  /** Bytes held and not yet read. */
  get bufferedBytes(): number {
    return this.#partialBytes + this.#chunk.length - this.#position
  }

  /** Bytes of memory it keeps for what has come and not been read: for a packet that was cut, its room. */
  get heldBytes(): number {
    return this.#partial.length + (this.#owned ? this.#chunk.length : 0)
  }

  /** Gives the decoder bytes. The chunk must stay unchanged until `next` has answered `undefined`, or `detach` was called. */
  push(given: Uint8Array): void {
    // A Buffer's `slice` does not copy, and reading two kinds of array in one place is slow: from here on there is one.
    const chunk =
      given.constructor === Uint8Array ? given : new Uint8Array(given.buffer, given.byteOffset, given.length)
    const left = this.#chunk.length - this.#position
    if (left === 0) {
      this.#chunk = chunk
      this.#owned = false
    } else {
      const joined = new Uint8Array(left + chunk.length)
      joined.set(this.#chunk.subarray(this.#position))
      joined.set(chunk, left)
      this.#chunk = joined
      this.#owned = true
    }
    this.#position = 0
  }

  /**
   * The next whole packet, or `undefined` when more bytes are needed.
   * @throws ProtocolError when the bytes are wrong, and the same again ever after: where the next packet would begin
   * is not known then.
   */
  next(): Packet | undefined {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return this.#take()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  #take(): Packet | undefined {
    if (this.#partialBytes > 0) return this.#finishPartial()
    const chunk = this.#chunk
    const start = this.#position
    const known = this.#readHeader(chunk, start, chunk.length)
    if (!known || start + header.totalBytes > chunk.length) {
      this.#keepPartial(known ? header.totalBytes : 0)
      return undefined
    }
    this.#position = start + header.totalBytes
    return this.#readBody(chunk, start, false)
  }

  /** Copies what has not been read yet, so that the chunk may be reused. Costs nothing when that was done before. */
  detach(): void {
    if (this.#owned) return
    this.#chunk = this.#chunk.slice(this.#position)
    this.#position = 0
    this.#owned = true
  }

  /** Reads the fixed header at `start`. False: it is not all there yet. What can be refused is refused at once. */
  #readHeader(bytes: Uint8Array, start: number, end: number): boolean {
    if (start >= end) return false
    const first = bytes[start]!
    const definition = definitionsByCode[first >> 4]
    if (!definition || (first >> 4 === 15 && this.version < 5)) {
      throw new ProtocolError('malformed-packet', `packet type ${first >> 4}`)
    }
    if (definition.flags === undefined) checkPublishFlags(first & 15)
    else if ((first & 15) !== definition.flags && !this.#isRepeated(definition, first)) {
      throw new ProtocolError('malformed-packet', 'reserved flags') // [MQTT-2.2.2-2]
    }
    let length = 0
    for (let at = start + 1, shift = 0; at < end; at++, shift += 7) {
      const byte = bytes[at]!
      if (shift === 21 && byte > 127)
        throw new ProtocolError('malformed-packet', 'a remaining length of more than 4 bytes')
      length |= (byte & 0x7f) << shift
      if (byte > 127) continue
      if (byte === 0 && shift > 0 && this.version === 5) throw padded()
      header.bytes = at + 1 - start
      header.totalBytes = header.bytes + length
      header.definition = definition
      if (header.totalBytes <= this.maxPacketBytes) return true
      throw new ProtocolError(
        'packet-too-large',
        `a packet of ${header.totalBytes} bytes; the limit is ${this.maxPacketBytes}`,
      )
    }
    return false
  }

  /** In 3.1 a PUBREL, SUBSCRIBE or UNSUBSCRIBE that is sent again says so with DUP (section 2.1 of 3.1). */
  #isRepeated(definition: Definition<Packet>, first: number): boolean {
    return this.version === 3 && definition.flags === 0b0010 && (first & 15) === 0b1010
  }

  #readBody(bytes: Uint8Array, start: number, owned: boolean): Packet {
    const end = start + header.totalBytes
    const headerBytes = header.bytes
    const r = this.#reader.over(bytes, start + headerBytes, end, owned)
    const packet = header.definition!.read(r, bytes[start]! & 15, this.version)
    if (r.position !== end) throw new ProtocolError('malformed-packet', 'bytes left over at the end of the packet')
    if (packet.type === 'connect') {
      this.version = packet.version
      if (this.version === 5 && headerBytes > 1 + varintSize(end - start - headerBytes)) throw padded()
    }
    return packet
  }

  /** The chunk ends inside a packet: what there is of it is copied. */
  #keepPartial(total: number): void {
    const rest = this.#chunk.length - this.#position
    if (rest > 0) {
      this.#partial = nothing
      this.#partialBytes = 0
      this.#partialTotal = total
      this.#takeIntoPartial(rest)
    }
    this.#chunk = nothing
    this.#position = 0
    this.#owned = true
  }

  /** Completes the packet that was cut, taking no more of the chunk than belongs to it. */
  #finishPartial(): Packet | undefined {
    while (this.#partialTotal === 0) {
      if (this.#position === this.#chunk.length) return undefined
      this.#takeIntoPartial(1)
      if (this.#readHeader(this.#partial, 0, this.#partialBytes)) this.#partialTotal = header.totalBytes
    }
    this.#takeIntoPartial(Math.min(this.#partialTotal - this.#partialBytes, this.#chunk.length - this.#position))
    if (this.#partialBytes < this.#partialTotal) {
      this.#keepPartial(this.#partialTotal)
      return undefined
    }
    const whole = this.#partial
    this.#partial = nothing // the packet's from now on
    this.#partialBytes = 0
    this.#readHeader(whole, 0, whole.length)
    return this.#readBody(whole, 0, true)
  }

  #takeIntoPartial(count: number): void {
    const needed = this.#partialBytes + count
    if (needed > this.#partial.length) {
      const total = this.#partialTotal
      // Before the size is known there is a fixed header, of 5 bytes at most.
      const room = total === 0 ? 16 : Math.min(total, Math.max(needed * 4, trustedBytes))
      const larger = new Uint8Array(room)
      larger.set(this.#partial.subarray(0, this.#partialBytes))
      this.#partial = larger
    }
    this.#partial.set(this.#chunk.subarray(this.#position, this.#position + count), this.#partialBytes)
    this.#partialBytes = needed
    this.#position += count
  }
}

/** Only 5.0 asks for the shortest form [MQTT-1.5.5-1]. */
function padded(): ProtocolError {
  return new ProtocolError('malformed-packet', 'a padded remaining length')
}
