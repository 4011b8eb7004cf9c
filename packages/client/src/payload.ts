import { InvalidArgumentError } from './errors.js'
import { kindOf } from './value-kind.js'

/** Bytes in any of JavaScript's forms: what is sent is what lies in memory (a Float32Array is four bytes a number). */
export type Bytes = ArrayBuffer | ArrayBufferView

/** What a message may carry: text, sent as UTF-8, or bytes. */
export type Payload = string | Bytes

const encoder = new TextEncoder()

/** The bytes of a payload; undefined when it is none. Bytes are not copied. */
export function bytesOf(payload: unknown): Uint8Array | undefined {
  if (typeof payload === 'string') return encoder.encode(payload)
  if (payload instanceof Uint8Array) return payload
  if (ArrayBuffer.isView(payload)) return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
  return isArrayBuffer(payload) ? new Uint8Array(payload) : undefined
}

/** Also one of another realm: a frame, or the sandbox of a test runner. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return value instanceof ArrayBuffer || Object.prototype.toString.call(value) === '[object ArrayBuffer]'
}

/** @throws InvalidArgumentError 'invalid-payload'. */
export function requirePayload(call: string, name: string, payload: unknown): Uint8Array {
  const bytes = bytesOf(payload)
  if (bytes !== undefined) return bytes
  const message = `${call}: ${name} is ${kindOf(payload)}, not a string or bytes`
  throw new InvalidArgumentError('invalid-payload', message)
}
