import { decode as unpack } from '@msgpack/msgpack'
import { type Decoder, structureOf } from './decoded.js'

/** @throws for what is none. */
export const decode: Decoder = (bytes) =>
  structureOf(unpack(bytes, { useBigInt64: true, maxArrayLength: 100_000, maxMapLength: 100_000 }))
