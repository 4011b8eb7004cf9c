import { decode as decodeCbor } from 'cborg'
import { type Decoder, structureOf } from './decoded.js'

/** @throws for what is none. */
export const decode: Decoder = (bytes) => structureOf(decodeCbor(bytes, { useMaps: true, tags: tagged }))

/** A tag says what a value means to whoever knows it: here it is the value. */
const tagged: Record<number, (decode: () => unknown) => unknown> = Object.fromEntries(
  [0, 1, 2, 3, 4, 5, 21, 22, 23, 24, 32, 33, 34, 36, 37, 55_799].map((tag) => [tag, (inner: () => unknown) => inner()]),
)
