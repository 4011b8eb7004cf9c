import type { Decoder } from './decoded.js'

const signatures: readonly (readonly [type: string, at: number, bytes: readonly number[]])[] = [
  ['image/png', 0, [0x89, 0x50, 0x4e, 0x47]],
  ['image/jpeg', 0, [0xff, 0xd8, 0xff]],
  ['image/gif', 0, [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', 8, [0x57, 0x45, 0x42, 0x50]],
]

/** Pictures of points alone: one of SVG could hold more than a picture. @throws for what is none. */
export const decode: Decoder = (bytes) => {
  const found = signatures.find(([, at, start]) => start.every((byte, n) => bytes[at + n] === byte))
  if (!found) throw new Error('no picture')
  return { kind: 'image', type: found[0] }
}
