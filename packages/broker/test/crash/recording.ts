import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Random } from './random.js'

/** As record.c numbers them. */
const kinds = ['none', 'named', 'written', 'truncated', 'synced', 'mapped', 'unsynced'] as const
const headerBytes = 40
const wholeFile = 0xffff_ffff_ffff_ffffn

interface Operation {
  readonly kind: 'written' | 'truncated'
  readonly file: number
  readonly start: bigint
  readonly end: bigint
  /** For `truncated`: the new length. */
  readonly offset: number
  readonly data: Buffer
  /** When a sync that covers it had returned. */
  safeAt: bigint | undefined
}

/** From now on the file is called so. */
interface Naming {
  readonly path: string
  readonly start: bigint
  /** When a sync of its folder had returned. */
  safeAt: bigint | undefined
}

interface Sync {
  readonly start: bigint
  readonly end: bigint
  readonly file: number
  /** Undefined: all of the file. */
  readonly offset: number | undefined
}

/** What a power cut leaves of writes that were not synced. */
export type Remains =
  /** Nothing. */
  | 'synced-only'
  /** Some pages, in no order. */
  | 'some-pages'
  /** All, but the last only in part. */
  | 'torn'

export const allRemains: readonly Remains[] = ['synced-only', 'some-pages', 'torn']

const sectorBytes = 512
const pageBytes = 4096

/** The files of a folder, by path. */
export type Files = ReadonlyMap<string, Buffer>

/** What one process wrote to a folder, when, and when it was safe. Read from the log of record.c. */
export class Recording {
  /** Moments at which something was written or made safe. */
  readonly moments: readonly bigint[]
  /** The process wrote through a memory map: then not everything is known. */
  readonly isBlind: boolean
  readonly #before: Files
  /** The names of each file, in order. */
  readonly #names = new Map<number, Naming[]>()
  readonly #folders = new Map<string, number>()
  readonly #operations: Operation[] = []
  readonly #syncs: Sync[] = []
  /** Syncs that failed: when they began, and of which file. */
  readonly #failedSyncs: Pick<Sync, 'start' | 'file'>[] = []

  /** @param before the files as the process found them. */
  constructor(log: string, before: Files = new Map()) {
    this.#before = before
    const bytes = readFileSync(log)
    let isBlind = false
    for (let at = 0; at + headerBytes <= bytes.length; ) {
      const length = this.#read(bytes, at)
      if (length === undefined) isBlind = true
      at += headerBytes + (length ?? 0)
    }
    this.isBlind = isBlind
    for (const operation of this.#operations) operation.safeAt = this.#whenSafe(operation)
    for (const naming of [...this.#names.values()].flat()) {
      const folder = this.#folders.get(dirname(naming.path))
      naming.safeAt = this.#syncs.find(({ file, start }) => file === folder && start >= naming.start)?.end
    }
    this.moments = [...this.#operations.flatMap(({ start, end }) => [start, end]), ...this.#syncs.map(({ end }) => end)]
  }

  /** The files of the folder, by path, as a power cut at a moment may leave them. */
  filesAt(moment: bigint, remains: Remains, random: Random): Files {
    const done = this.#operations.filter(({ start }) => start <= moment)
    const isSafe = ({ safeAt }: Operation): boolean => safeAt !== undefined && safeAt <= moment
    const lastUnsafe = done.findLast((operation) => operation.kind === 'written' && !isSafe(operation))
    const images = new Map<number, Image>()
    for (const operation of done) {
      const image = images.get(operation.file) ?? new Image(this.#foundAs(operation.file))
      images.set(operation.file, image)
      if (isSafe(operation)) image.apply(operation)
      else if (remains === 'some-pages') image.applySome(operation, random)
      else if (remains === 'torn') image.apply(operation, operation === lastUnsafe ? random : undefined)
    }
    const files = new Map(this.#before)
    for (const [file, names] of this.#names) {
      const path = names.findLast((name) => name.start <= moment && remain(name, moment, remains, random))?.path
      if (path && !path.endsWith('-lock')) files.set(path, images.get(file)?.bytes ?? this.#foundAs(file)) // lmdb makes its own lock anew
    }
    return files
  }

  /** Takes one record, and answers the length of its data; undefined: it is the sign of writing through a map. */
  #read(bytes: Buffer, at: number): number | undefined {
    const [start, end] = [bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8)]
    const kind = kinds[bytes.readUInt32LE(at + 16)]
    const file = bytes.readUInt32LE(at + 20)
    const offset = Number(bytes.readBigUInt64LE(at + 24))
    const length = bytes.readBigUInt64LE(at + 32)
    if (kind === 'mapped') return undefined
    if (kind === 'unsynced') {
      this.#failedSyncs.push({ start, file })
      return 0
    }
    if (kind === 'synced') {
      this.#syncs.push({ start, end, file, offset: length === wholeFile ? undefined : offset })
      return 0
    }
    const data = bytes.subarray(at + headerBytes, at + headerBytes + Number(length))
    if (data.length < Number(length)) return data.length // the kill came while it was being logged
    if (kind === 'named') this.#name(file, data.toString(), start, offset === 1)
    else if (kind === 'written' || kind === 'truncated') {
      this.#operations.push({ kind, file, start, end, offset, data, safeAt: undefined })
    } else throw new Error(`record ${kind} at byte ${at} of the log`)
    return data.length
  }

  /** What was in the file before the process came. */
  #foundAs(file: number): Buffer {
    return this.#before.get(this.#names.get(file)?.[0]?.path ?? '') ?? Buffer.alloc(0)
  }

  #name(file: number, path: string, start: bigint, isFolder: boolean): void {
    if (isFolder) {
      this.#folders.set(path, file)
      return
    }
    const names = this.#names.get(file) ?? []
    if (names.at(-1)?.path !== path) this.#names.set(file, [...names, { path, start, safeAt: undefined }])
  }

  #whenSafe({ file, start, end, offset }: Operation): bigint | undefined {
    const covers = (sync: Sync): boolean =>
      sync.file === file &&
      (sync.offset === undefined ? sync.start >= end : sync.start === start && sync.offset === offset)
    const sync = this.#syncs.find(covers)
    // After a sync that failed the system holds it for written, and writes it no more.
    const isForgotten = this.#failedSyncs.some(
      (failed) => failed.file === file && failed.start >= end && (!sync || failed.start < sync.start),
    )
    return isForgotten ? undefined : sync?.end
  }
}

/** Whether a power cut leaves a file its name. */
function remain({ safeAt }: Naming, moment: bigint, remains: Remains, random: Random): boolean {
  if (safeAt !== undefined && safeAt <= moment) return true
  return remains === 'torn' || (remains === 'some-pages' && random.chance(0.5))
}

/** A file that is being put together. */
class Image {
  length = 0
  #room = Buffer.alloc(1 << 20)

  constructor(found: Buffer) {
    this.#write(0, found)
  }

  get bytes(): Buffer {
    return this.#room.subarray(0, this.length)
  }

  /** @param tear cuts a write at the end of one of its sectors. */
  apply({ kind, offset, data }: Operation, tear?: Random): void {
    if (kind === 'truncated') return this.#setLength(offset)
    const kept = tear ? tear.between(0, Math.floor((data.length - 1) / sectorBytes)) * sectorBytes : data.length
    this.#write(offset, data.subarray(0, kept))
  }

  applySome(operation: Operation, random: Random): void {
    const { kind, offset, data } = operation
    if (kind === 'truncated') {
      if (random.chance(0.5)) this.apply(operation)
      return
    }
    for (let at = 0; at < data.length; at += pageBytes) {
      if (random.chance(0.5)) this.#write(offset + at, data.subarray(at, at + pageBytes))
    }
  }

  #write(offset: number, data: Buffer): void {
    if (data.length === 0) return
    if (offset + data.length > this.length) this.#setLength(offset + data.length)
    data.copy(this.#room, offset)
  }

  #setLength(length: number): void {
    if (length < this.length) this.#room.fill(0, length, this.length)
    if (length > this.#room.length) this.#room = Buffer.concat([this.#room], length * 2)
    this.length = length
  }
}
