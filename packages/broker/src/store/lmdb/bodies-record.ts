import { Writer } from '@godwit/protocol'
import type { Message } from '../../message.js'
import { crc32 } from './checksums.js'
import { type GroupNumber, groupKey, readU32, type SessionNumber, writeU32, writeU48 } from './keys.js'
import { readMessage, writeMessage } from './message-record.js'
import { checksum } from './records.js'
import { type BodyPlace, DamagedError, shareBytes } from './share-record.js'

// Messages that several sessions have, each once. Those of one commit that go to exactly the same sessions are one
// record, a group: whoever reads it slowest needs all of it, so nobody's few bytes keep much of anybody else's.
//
//   bodies    checksum (4), the message's record
//   table     where each begins (4)
//   trailer   shares that refer to it (4), bodies (4), checksum of all behind the bodies (4)

const trailerBytes = 12

interface Body {
  readonly start: number
  readonly end: number
  /**
   * A hash of the sessions that the message goes to: messages with equal hashes come into one group. Where two sets of sessions have one
   * hash, that only costs room.
   */
  targets: number
  moreTargets: number
  place: BodyPlace | undefined
}

interface OpenGroup {
  readonly group: GroupNumber
  readonly bodies: Body[]
  bytes: number
}

/** The bodies of one commit that several sessions have, while it gathers. */
export class BodiesBuilder {
  readonly #w = new Writer(1024)
  readonly #bodies: Body[] = []
  readonly #groups: OpenGroup[] = []

  get size(): number {
    return this.#w.position
  }

  /** Adds a message; answers its index among the bodies of this commit. */
  add(message: Message): number {
    const start = this.#w.position
    try {
      writeMessage(this.#w, message)
    } catch (error) {
      this.#w.position = start
      throw error
    }
    this.#bodies.push({ start, end: this.#w.position, targets: 0, moreTargets: 0, place: undefined })
    return this.#bodies.length - 1
  }

  /** The body goes to this session too. */
  goesTo(body: number, session: SessionNumber): void {
    const one = this.#bodies[body]!
    one.targets = (Math.imul(one.targets, 0x01000193) ^ session) | 0
    one.moreTargets = (Math.imul(one.moreTargets, 0x5bd1e995) + session) | 0
  }

  messageAt(body: number): Message {
    const { start, end } = this.#bodies[body]!
    return readMessage(this.#w.bytes, start, end)
  }

  /** Sorts the bodies into groups with numbers from `first` on; answers the number that follows. */
  group(first: GroupNumber): GroupNumber {
    const byTargets = new Map<string, OpenGroup>()
    let next = first
    for (const body of this.#bodies) {
      const targets = `${body.targets} ${body.moreTargets}`
      let group = byTargets.get(targets)
      if (!group || group.bytes >= shareBytes) {
        group = { group: next++, bodies: [], bytes: 0 }
        byTargets.set(targets, group)
        this.#groups.push(group)
      }
      body.place = { group: group.group, index: group.bodies.length }
      group.bodies.push(body)
      group.bytes += body.end - body.start
    }
    return next
  }

  placeOf(body: number): BodyPlace {
    return this.#bodies[body]!.place!
  }

  /** The records of the groups that somebody reads. */
  *records(readersOf: ReadonlyMap<GroupNumber, number>): Generator<readonly [key: Buffer, value: Uint8Array]> {
    for (const { group, bodies, bytes } of this.#groups) {
      const readers = readersOf.get(group)
      if (readers) yield [groupKey(group), this.#record(group, bodies, bytes, readers)]
    }
  }

  #record(group: GroupNumber, bodies: readonly Body[], bytes: number, readers: number): Uint8Array {
    const w = new Writer(bytes + bodies.length * 8 + trailerBytes)
    const ats: number[] = []
    for (const [index, { start, end }] of bodies.entries()) {
      const at = w.position
      ats.push(at)
      w.u32(bodyChecksum(group, index, this.#w.bytes, start, end))
      w.copy(this.#w.bytes, start, end)
    }
    const tableAt = w.position
    for (const at of ats) w.u32(at)
    w.u32(readers)
    w.u32(bodies.length)
    w.u32(checksum('bodies', groupKey(group), w.bytes, tableAt, w.position))
    return w.written()
  }
}

/** A group as it was stored. */
export class BodiesReader {
  readonly group: GroupNumber
  readonly bytes: Uint8Array
  /** How many shares referred to it when it was written. */
  readonly readers: number
  readonly length: number
  readonly #tableAt: number

  /** @throws DamagedError */
  constructor(group: GroupNumber, bytes: Uint8Array) {
    this.group = group
    this.bytes = bytes
    const trailerAt = bytes.length - trailerBytes
    if (trailerAt < 0) throw new DamagedError('bodies that are too short')
    this.readers = readU32(bytes, trailerAt)
    this.length = readU32(bytes, trailerAt + 4)
    this.#tableAt = trailerAt - this.length * 4
    const end = trailerAt + 8
    if (this.#tableAt < 0 || readU32(bytes, end) !== checksum('bodies', groupKey(group), bytes, this.#tableAt, end)) {
      throw new DamagedError('bodies whose checksum is wrong')
    }
  }

  /** Where the record of a message lies in {@link bytes}. @throws DamagedError */
  boundsAt(index: number): readonly [start: number, end: number] {
    if (index >= this.length) throw new DamagedError('a body that is not there')
    const start = readU32(this.bytes, this.#tableAt + index * 4)
    const end = index + 1 < this.length ? readU32(this.bytes, this.#tableAt + index * 4 + 4) : this.#tableAt
    if (readU32(this.bytes, start) !== bodyChecksum(this.group, index, this.bytes, start + 4, end)) {
      throw new DamagedError('a message whose checksum is wrong')
    }
    return [start + 4, end]
  }

  /** @throws DamagedError */
  messageAt(index: number): Message {
    const [start, end] = this.boundsAt(index)
    return readMessage(this.bytes, start, end)
  }
}

const own = new Uint8Array(10)

function bodyChecksum(group: GroupNumber, index: number, bytes: Uint8Array, start: number, end: number): number {
  writeU48(own, group, 0)
  writeU32(own, index, 6)
  return crc32(bytes, start, end, crc32(own, 0, 10))
}
