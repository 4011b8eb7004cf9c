import { closeSync, existsSync, fstatSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { StoreError } from './errors.js'
import { GatheredCommits } from './state/gathered-commits.js'
import { SessionLog } from './state/session-log.js'
import type { ClientStore, StoredPublish, StoredSession } from './state/store.js'

const format = 1
const header = Buffer.from(`godwit client store, format ${format}\n`)
/** Begins every record. Zeros, which a power cut may leave at the end of a file, never look like it. */
const mark = Buffer.from([0xf7, 0x47, 0x57, 0x0a])
/** The mark, the length of the batch and its checksum. */
const headBytes = 12
/** A file up to this size is left as it is, whatever its garbage. */
const smallBytes = 1_048_576
/** How long another process may take to write its name into a lock that it has made. */
const lockingMs = 5000

/**
 * Keeps state in a file, so that it survives the process and the power: QoS 1 and 2 publications until they are
 * complete, and the ids of QoS 2 messages received. `flush()` means that it is on the disk. The file is made when it is
 * not there; its folder must be. `<path>.lock` beside it keeps other processes away while a client uses it. One file is
 * one session: give it to clients of the same `clientId` and server only. Node only.
 *
 * `connect()` then rejects with StoreError 'store-in-use' or 'store-unusable' when the file cannot be used.
 */
export function fileStore(path: string): ClientStore {
  return new FileStore(resolve(path))
}

/**
 * The file is a header and then records, each one batch of changes in a frame with a checksum. A batch is written at
 * the end and flushed before the next is begun, so that only the last record can be torn. When most of the file is
 * garbage, and after a failed write, a new one takes its place.
 */
class FileStore implements ClientStore {
  readonly #path: string
  #log = new SessionLog()
  #file: FileHandle | undefined
  #unlock: () => void = () => {}
  #bytes = 0
  #compactAboveBytes = smallBytes
  /** A write failed: what the file holds is not known until another has taken its place. */
  #inDoubt = false
  readonly #commits = new GatheredCommits(
    {
      isOpen: () => this.#file !== undefined,
      hasChanges: () => this.#log.changed || this.#inDoubt,
      commit: () => this.#commit(),
    },
    setImmediate,
  )

  constructor(path: string) {
    this.#path = path
  }

  async load(): Promise<StoredSession> {
    this.#unlock = takeLock(this.#path)
    try {
      this.#log = new SessionLog()
      const found = await readIfThere(this.#path)
      if (found === undefined) await this.#replace()
      else await this.#open(replay(this.#path, found, this.#log), found.length)
    } catch (error) {
      await this.#release()
      throw error instanceof StoreError ? error : unusable(this.#path, `cannot be opened: ${messageOf(error)}`, error)
    }
    return this.#log.session
  }

  putOutgoing(publish: StoredPublish): void {
    this.#log.putOutgoing(publish)
    this.#commits.schedule()
  }

  removeOutgoing(sequence: number): void {
    this.#log.removeOutgoing(sequence)
    this.#commits.schedule()
  }

  putReceived(packetId: number): void {
    this.#log.putReceived(packetId)
    this.#commits.schedule()
  }

  removeReceived(packetId: number): void {
    this.#log.removeReceived(packetId)
    this.#commits.schedule()
  }

  flush(): Promise<void> | undefined {
    return this.#commits.flush()
  }

  async close(): Promise<void> {
    try {
      await this.#commits.end()
    } finally {
      await this.#release()
    }
  }

  async #release(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#inDoubt = false
    await file?.close().catch(() => {})
    this.#unlock()
    this.#unlock = () => {}
  }

  async #commit(): Promise<void> {
    const changes = this.#log.takeChanges()
    try {
      if (this.#inDoubt) await this.#replace()
      else if (!(await this.#compact())) await this.#append(changes)
    } catch (error) {
      this.#inDoubt = true
      throw new StoreError('store-failed', this.#path, `cannot be written to: ${messageOf(error)}`, error)
    }
  }

  async #append(changes: Uint8Array): Promise<void> {
    if (changes.length === 0) return
    this.#bytes = await write(this.#file!, frame(changes), this.#bytes)
    await this.#file!.datasync()
  }

  /** False when it is not worth while, or there is no room for a second file. */
  async #compact(): Promise<boolean> {
    if (this.#bytes <= Math.max(this.#compactAboveBytes, this.#log.liveBytes * 2)) return false
    try {
      await this.#replace()
      return true
    } catch (error) {
      if (this.#inDoubt) throw error
      this.#compactAboveBytes = this.#bytes * 2
      return false
    }
  }

  /** Writes everything into a new file, which takes the place of the one there was. */
  async #replace(): Promise<void> {
    const batches = this.#log.snapshot()
    const coming = `${this.#path}.new`
    const file = await open(coming, 'w', 0o600)
    try {
      let bytes = await write(file, header, 0)
      for (const batch of batches) bytes = await write(file, frame(batch), bytes)
      await file.sync()
      this.#inDoubt = true // until the folder has the new name for good
      await rename(coming, this.#path)
      this.#bytes = bytes
    } catch (error) {
      await file.close().catch(() => {})
      await rm(coming, { force: true })
      throw error
    }
    const old = this.#file
    this.#file = file
    await old?.close().catch(() => {})
    await flushFolder(dirname(this.#path))
    this.#inDoubt = false
    this.#compactAboveBytes = smallBytes
  }

  /** Cuts off what a crash left half written. What was read may not be on the disk yet, and will be relied on. */
  async #open(wholeBytes: number, foundBytes: number): Promise<void> {
    const file = await open(this.#path, 'r+')
    try {
      if (wholeBytes < foundBytes) await file.truncate(wholeBytes)
      await file.sync()
      await flushFolder(dirname(this.#path))
    } catch (error) {
      await file.close()
      throw error
    }
    this.#file = file
    this.#bytes = wholeBytes
  }
}

/** A batch as a record. The checksum covers the length too. */
function frame(batch: Uint8Array): Uint8Array {
  const head = Buffer.alloc(headBytes)
  head.set(mark)
  head.writeUInt32BE(batch.length, 4)
  head.writeUInt32BE(crc32(batch, batch.length), 8)
  return Buffer.concat([head, batch])
}

/** Where the record that begins here ends; undefined when there is no whole one. */
function endOfRecord(bytes: Buffer, start: number): number | undefined {
  const body = start + headBytes
  if (body > bytes.length || bytes.compare(mark, 0, mark.length, start, start + mark.length) !== 0) return undefined
  const length = bytes.readUInt32BE(start + 4)
  const end = body + length
  if (end > bytes.length) return undefined
  return crc32(bytes.subarray(body, end), length) === bytes.readUInt32BE(start + 8) ? end : undefined
}

/** Gives the log every whole record; answers where the last one ends. Throws StoreError 'store-unusable'. */
function replay(path: string, bytes: Buffer, log: SessionLog): number {
  checkHeader(path, bytes)
  let start = header.length
  for (let end = endOfRecord(bytes, start); end !== undefined; end = endOfRecord(bytes, start)) {
    try {
      log.apply(bytes.subarray(start + headBytes, end))
    } catch (error) {
      throw damaged(path, start, messageOf(error))
    }
    start = end
  }
  // Only the last write can be torn: where a whole record follows, something else has happened.
  for (let at = bytes.indexOf(mark, start + 1); at !== -1; at = bytes.indexOf(mark, at + 1)) {
    if (endOfRecord(bytes, at) !== undefined) throw damaged(path, start, 'a broken record')
  }
  return start
}

function checkHeader(path: string, bytes: Buffer): void {
  if (bytes.subarray(0, header.length).equals(header)) return
  const found = /^godwit client store, format (\d+)\n/.exec(bytes.toString('latin1', 0, 64))
  throw found
    ? unusable(path, `has format ${found[1]}, and this version reads ${format}: use the version that wrote it`)
    : unusable(path, 'is not a client store of godwit: choose another path')
}

/** Writes all of it at a position; answers the position after it. */
async function write(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let written = 0
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten
  }
  return position + written
}

/** A new name is safe only when its folder is. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // folders cannot be flushed there
  const opened = await open(folder, 'r')
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Keeps other processes, and other clients of this one, from the file. The function returned gives it free. */
function takeLock(path: string): () => void {
  const lock = `${path}.lock`
  const release = (): void => rmSync(lock, { force: true })
  try {
    if (makeLock(lock)) return release
    const { holder, text, ageMs } = readLock(lock)
    if (holder === undefined ? ageMs < lockingMs : isAlive(holder)) {
      const who = holder === undefined || holder.pid === process.pid ? 'another client' : `process ${holder.pid}`
      throw new StoreError('store-in-use', path, `is in use by ${who}: give each client a file of its own`)
    }
    // Its process is gone. Moving it away is something that only one of several can do, and each can see what it moved.
    const moved = `${lock}.${process.pid}`
    renameSync(lock, moved)
    const isTheSame = readFileSync(moved, 'utf8') === text
    if (!isTheSame) renameSync(moved, lock)
    else rmSync(moved)
    if (isTheSame && makeLock(lock)) return release
  } catch (error) {
    if (error instanceof StoreError) throw error
    if (codeOf(error) !== 'ENOENT' || !existsSync(dirname(path))) {
      throw unusable(path, `cannot be locked: ${messageOf(error)}`, error)
    }
  }
  throw new StoreError('store-in-use', path, 'is being opened by another client at this moment')
}

/** Who has a lock: a process is told from a later one with the same pid by its start and the boot it ran in. */
interface Holder {
  readonly pid: number
  readonly startedAt: string
  readonly bootId: string
}

/** False when there is one already. */
function makeLock(lock: string): boolean {
  let file: number
  try {
    file = openSync(lock, 'wx', 0o600)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
  writeSync(file, JSON.stringify(holderOf(process.pid)))
  closeSync(file)
  return true
}

function readLock(lock: string): { holder: Holder | undefined; text: string; ageMs: number } {
  const file = openSync(lock, 'r')
  try {
    const text = readFileSync(file, 'utf8')
    return { holder: parseHolder(text), text, ageMs: Date.now() - fstatSync(file).mtimeMs }
  } finally {
    closeSync(file)
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder
  } catch {
    return undefined // cut short by a crash, or being written
  }
}

function isAlive(holder: Holder): boolean {
  const now = holderOf(holder.pid)
  return now !== undefined && now.startedAt === holder.startedAt && now.bootId === holder.bootId
}

/** From /proc where there is one; elsewhere a pid that answers counts as the holder. */
function holderOf(pid: number): Holder | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return undefined
  }
  // Field 22 is the start; the name in field 2 may hold anything but ends at the last parenthesis.
  const startedAt = readOr(`/proc/${pid}/stat`, '').split(') ').at(-1)?.split(' ')[19] ?? ''
  return { pid, startedAt, bootId: readOr('/proc/sys/kernel/random/boot_id', '') }
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return otherwise
  }
}

function damaged(path: string, at: number, what: string): StoreError {
  return unusable(path, `is damaged at byte ${at} (${what}): restore it from a backup, or choose another path`)
}

function unusable(path: string, what: string, cause?: unknown): StoreError {
  return new StoreError('store-unusable', path, what, cause)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
