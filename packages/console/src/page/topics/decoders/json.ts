import { type Decoder, structureOf } from './decoded.js'

/** @throws for what is none. */
export const decode: Decoder = (bytes) =>
  structureOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
