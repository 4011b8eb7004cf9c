// Text and bytes with what every runtime has. On Node 20 this is faster than a Buffer over the same memory, whose making
// costs more than all of TextDecoder and TextEncoder for strings of the length of topics.

import { tuned } from './tuned.js'

// What is used of them; the whole of DOM's or Node's types would let this package use things that are not everywhere.
declare class TextEncoder {
  encode(text: string): Uint8Array
  encodeInto(text: string, target: Uint8Array): { written: number }
}
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean })
  decode(bytes: Uint8Array): string
}

const encoder = new TextEncoder()
// Without ignoreBOM a leading U+FEFF would be stripped [MQTT-1.5.3-3]; without fatal, ill-formed text would pass.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of `bytes[start, end)`, or `undefined` when it is not well-formed UTF-8 [MQTT-1.5.3-1]. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Writes the text at `position`, where there must be room; answers how many bytes it took. */
export function writeUtf8(target: Uint8Array, position: number, text: string): number {
  return encoder.encodeInto(text, target.subarray(position)).written
}

/** How many bytes the text takes in UTF-8. */
export function byteLength(text: string): number {
  if (!tuned) return encoder.encode(text).length
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else {
      bytes += 2
      if (unit >= 0xd800 && unit < 0xdc00 && at + 1 < text.length) {
        const next = text.charCodeAt(at + 1)
        if (next >= 0xdc00 && next < 0xe000) {
          at++ // a pair: two units, four bytes
        }
      }
    }
  }
  return bytes
}
