import { crc32 } from 'node:zlib'

/** What a frame says. The order is that of the format. */
export const frameKinds = ['commit', 'claim', 'released', 'heartbeat'] as const
export type FrameKind = (typeof frameKinds)[number]

/**
 * One message of the log: a part of a commit, or what an owner says of itself. It names all that a reader compares, so that nothing
 * depends on what a server keeps beside it.
 */
export interface Frame {
  readonly kind: FrameKind
  readonly partition: number
  /** Counts owners; each claim has the one before it and 1. */
  readonly epoch: number
  /** 128 random bits as 32 digits, new with every claim. */
  readonly instance: string
  /** Counts what this instance writes; its claim is 0. All parts of a commit have the same. */
  readonly commit: number
  /** From 0 on. */
  readonly part: number
  readonly parts: number
  /** The sequence of the frame before it, which its writer expected to be the last; 0: it is the first. */
  readonly after: number
  /** What its writer's wall clock showed, in ms since 1970. */
  readonly wall: number
  /**
   * Of a commit its share of the writes (see `writes.ts`), of a claim who makes it, of what is released who is to come next. A heartbeat
   * with any body asks all who follow how far they have come. Else nothing.
   */
  readonly body: Uint8Array
}

/** The version that is written. A higher one is refused, and nothing else of such a frame is believed. */
export const frameVersion = 1

const magic = 0x47 // G
const checksumBytes = 4
/** Magic, version, checksum, kind, partition, epoch, instance, commit, part, parts, after, wall. */
export const headerBytes: number = 1 + 1 + checksumBytes + 1 + 2 + 6 + 16 + 6 + 2 + 2 + 6 + 6
const checkedFrom = 2 + checksumBytes

/** Bytes that are no frame, or not as they were written. */
export class FrameDamage extends Error {}

/** A frame of a version that this program does not know. */
export class NewerFrame extends Error {
  readonly version: number

  constructor(version: number) {
    super(
      `the log has a frame of version ${version}, and this Godwit reads up to ${frameVersion}: install the newer one on this machine too`,
    )
    this.version = version
  }
}

/** A frame as bytes, with its checksum over all but magic and version. */
export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerBytes + frame.body.length)
  bytes[0] = magic
  bytes[1] = frameVersion
  bytes[6] = frameKinds.indexOf(frame.kind)
  bytes.writeUInt16BE(frame.partition, 7)
  bytes.writeUIntBE(frame.epoch, 9, 6)
  bytes.write(frame.instance, 15, 'hex')
  bytes.writeUIntBE(frame.commit, 31, 6)
  bytes.writeUInt16BE(frame.part, 37)
  bytes.writeUInt16BE(frame.parts, 39)
  bytes.writeUIntBE(frame.after, 41, 6)
  bytes.writeUIntBE(Math.max(0, Math.round(frame.wall)), 47, 6)
  bytes.set(frame.body, headerBytes)
  bytes.writeUInt32BE(checksumOf(bytes), 2)
  return bytes
}

/**
 * Reads what {@link encodeFrame} has made; the body is a view of the bytes.
 * @throws FrameDamage, NewerFrame
 */
export function decodeFrame(given: Uint8Array): Frame {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  if (bytes.length < 2 || bytes[0] !== magic) throw new FrameDamage('it is no frame of Godwit')
  const version = bytes[1]!
  if (version > frameVersion) throw new NewerFrame(version)
  if (bytes.length < headerBytes) throw new FrameDamage(`a frame of ${bytes.length} bytes is cut short`)
  if (version < 1 || bytes.readUInt32BE(2) !== checksumOf(bytes)) throw new FrameDamage('its checksum is wrong')
  const kind = frameKinds[bytes[6]!]
  const [part, parts] = [bytes.readUInt16BE(37), bytes.readUInt16BE(39)]
  if (kind === undefined || part >= parts) throw new FrameDamage('its checksum is right, and what it says is not')
  return {
    kind,
    partition: bytes.readUInt16BE(7),
    epoch: bytes.readUIntBE(9, 6),
    instance: bytes.toString('hex', 15, 31),
    commit: bytes.readUIntBE(31, 6),
    part,
    parts,
    after: bytes.readUIntBE(41, 6),
    wall: bytes.readUIntBE(47, 6),
    body: bytes.subarray(headerBytes),
  }
}

/** What tells one frame from another of the same place: its checksum. */
export function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(checkedFrom))
}

/** Whether a frame is the last of its run: applied, snapshots and trimming stand on such ones alone. */
export function isLastPart({ part, parts }: Pick<Frame, 'part' | 'parts'>): boolean {
  return part === parts - 1
}
