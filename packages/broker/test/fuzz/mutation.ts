import type { Random } from '../crash/random.js'

/** Where parsers go wrong: nothing, signs, the ends of a byte and of a variable byte integer, wildcards. */
const tellingBytes = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x23, 0x2b, 0x2f, 0x10, 0x30, 0xf0]

type Mutation = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array

const at = (bytes: Uint8Array, random: Random): number => random.between(0, Math.max(0, bytes.length - 1))

const mutations: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const copy = Uint8Array.from(bytes)
    copy[at(bytes, random)]! ^= 1 << random.between(0, 7)
    return copy
  },
  function setByte(bytes, random) {
    const copy = Uint8Array.from(bytes)
    copy[at(bytes, random)] = random.chance(0.5) ? random.pick(tellingBytes) : random.between(0, 255)
    return copy
  },
  function insert(bytes, random) {
    const where = random.between(0, bytes.length)
    return Buffer.concat([bytes.subarray(0, where), Uint8Array.of(random.pick(tellingBytes)), bytes.subarray(where)])
  },
  function remove(bytes, random) {
    const where = at(bytes, random)
    return Buffer.concat([bytes.subarray(0, where), bytes.subarray(where + random.between(1, 4))])
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.between(0, bytes.length))
  },
  function repeat(bytes, random) {
    const where = at(bytes, random)
    const part = bytes.subarray(where, where + random.between(1, 16))
    return Buffer.concat([bytes.subarray(0, where), part, bytes.subarray(where)])
  },
  function splice(bytes, random, others) {
    const other = random.pick(others)
    return Buffer.concat([bytes.subarray(0, at(bytes, random)), other.subarray(at(other, random))])
  },
  function lieAboutLength(bytes, random) {
    return Buffer.concat([
      bytes.subarray(0, 1),
      varint(random.pick([0, 1, 2, 127, 128, 16_384, 2_000_001])),
      bytes.subarray(2),
    ])
  },
  /** A field is wrong and the packet is as long as it says: what is behind the length check is reached. */
  function insertInside(bytes, random) {
    if (bytes.length < 3 || bytes[1]! > 120) return bytes
    const copy = insertAt(bytes, random.between(2, bytes.length), random.pick(tellingBytes))
    copy[1]!++
    return copy
  },
]

function insertAt(bytes: Uint8Array, where: number, byte: number): Uint8Array {
  return Buffer.concat([bytes.subarray(0, where), Uint8Array.of(byte), bytes.subarray(where)])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; bytes.length === 0 || rest > 0; rest >>>= 7) bytes.push(rest > 127 ? (rest & 127) | 128 : rest)
  return Uint8Array.from(bytes)
}

/** Some bytes like these, with one to three things wrong. */
export function mutate(bytes: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  let mutated = bytes
  for (let n = random.between(1, 3); n > 0; n--) mutated = random.pick(mutations)(mutated, random, others)
  return mutated
}
