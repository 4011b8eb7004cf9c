import { writeUtf8 } from './bytes.js'
import { ProtocolError } from './errors.js'
import { tuned } from './tuned.js'

/** Up to here a loop copies faster than a view and its `set`, which cost about 50 ns whatever the length (Node 20). */
const loopBytes = 48
/** Up to here a loop writes ASCII faster than TextEncoder, which takes about 100 ns (Node 20). */
const loopCharacters = 32

/** How many bytes a Variable Byte Integer takes in its shortest form (section 2.2.3, in 5.0 section 1.5.5). */
export function varintSize(value: number): number {
  if (value < 128) return 1
  if (value < 16_384) return 2
  return value < 2_097_152 ? 3 : 4
}

/** Writes it in its shortest form, for which there must be room. Answers where that ends. */
export function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  while (rest > 127) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

/** @throws ProtocolError for what has no bytes to copy one by one, a Float32Array too: types do not hold everywhere. */
export function checkBytes(value: Uint8Array): void {
  // Not `instanceof`: another realm's bytes are bytes.
  if ((value as Uint8Array | undefined | null)?.BYTES_PER_ELEMENT !== 1) {
    throw new ProtocolError('malformed-packet', 'something else where a Uint8Array belongs')
  }
}

function utf8Into(bytes: Uint8Array, start: number, text: string): number {
  const size = writeUtf8(bytes, start, text)
  if (size > 65_535) throw new ProtocolError('malformed-packet', `a string of ${size} bytes; MQTT ends at 65,535`)
  return size
}

/** A growing buffer with a cursor. */
export class Writer {
  bytes: Uint8Array
  position = 0

  /** @param initialBytes first size, in bytes; it doubles when it must. Default 256. */
  constructor(initialBytes = 256) {
    this.bytes = new Uint8Array(initialBytes)
  }

  /** Makes room for `more` bytes at the cursor. Views made of `bytes` before keep showing the old buffer. */
  ensure(more: number): void {
    if (this.position + more > this.bytes.length) this.#grow(this.position + more)
  }

  /** Apart, since it is rare: V8 copies `ensure` into whatever writes, and that has to stay small. */
  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.position))
    this.bytes = larger
  }

  u8(value: number): void {
    this.ensure(1)
    this.bytes[this.position++] = value
  }

  u16(value: number): void {
    this.ensure(2)
    this.bytes[this.position++] = value >>> 8
    this.bytes[this.position++] = value
  }

  u32(value: number): void {
    this.u16(value >>> 16)
    this.u16(value & 0xffff)
  }

  /** A Variable Byte Integer in its shortest form; takes the room of that form and no more, so that it fits a gap left for it. */
  varint(value: number): void {
    this.ensure(varintSize(value))
    this.position = putVarint(this.bytes, this.position, value)
  }

  /** A UTF-8 string with its length in front; what it may contain is for the caller to know. */
  utf8(text: string): void {
    const { length } = text
    this.ensure(2 + length * 3)
    const { bytes } = this
    const start = this.position + 2
    if (tuned && length <= loopCharacters) {
      let at = 0
      for (; at < length; at++) {
        const unit = text.charCodeAt(at)
        if (unit > 0x7f) break
        bytes[start + at] = unit
      }
      if (at === length) return this.#endString(length)
    }
    this.#endString(utf8Into(bytes, start, text))
  }

  /** Binary Data with its length in front. */
  binary(value: Uint8Array): void {
    checkBytes(value)
    if (value.length > 65_535) {
      throw new ProtocolError('malformed-packet', `binary data of ${value.length} bytes; MQTT ends at 65,535`)
    }
    this.u16(value.length)
    this.copy(value, 0, value.length)
  }

  /** Copies `source[start, end)` to the cursor. */
  copy(source: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.ensure(length)
    if (!tuned || length > loopBytes) {
      const isWhole = end - start === source.length
      this.bytes.set(isWhole ? source : source.subarray(start, end), this.position)
      this.position += length
      return
    }
    const { bytes } = this
    let to = this.position
    for (let from = start; from < end; from++) bytes[to++] = source[from]!
    this.position = to
  }

  /** What has been written so far, as a view. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.position)
  }

  reset(): void {
    this.position = 0
  }

  #endString(size: number): void {
    const { bytes, position } = this
    bytes[position] = size >>> 8
    bytes[position + 1] = size
    this.position = position + 2 + size
  }
}
