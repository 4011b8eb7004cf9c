import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { appendFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { BrokerError, systemReason } from '../../errors.js'
import type { Limits } from '../../limits.js'
import { writeFooter } from './backup-footer.js'
import { reserveOf } from './disk-room.js'
import { flush, format } from './folder.js'
import { mmPsizeAt, mpFlagsAt, mpPagesAt, mpTxnidAt, P_OVERFLOW } from './page-format.js'
import { sizesOf, type Tables } from './tables.js'

export interface BackupOptions {
  /** Ends it; what is there of the copy is removed. */
  readonly signal?: AbortSignal
  /**
   * Milliseconds it may take: as long as it is made, LMDB uses no page again that has become free since, and its file grows with
   * all that is written. Default 600,000.
   */
  readonly timeoutMs?: number
}

export interface BackupMade {
  /** Of the backup. */
  readonly bytes: number
  /** ISO 8601: all that was acknowledged before is in it. */
  readonly createdAt: string
}

/** The store that is copied. */
interface BackupParts {
  readonly tables: Tables
  /** Its LMDB file. */
  readonly file: string
  readonly limits: Pick<Limits, 'diskReserveBytes' | 'diskReservePercent'>
  /** Whether its disk is down to the reserve. */
  isLow(): boolean
}

/** How often it is looked whether there is room for the rest. */
const lookMs = 250
const mostMs = 600_000
/** What LMDB may write beyond the pages that are in use. */
const moreBytes = 1_048_576

/** The backups of a store: one at a time, and none any more when it closes. */
export class Backups {
  readonly #closing = new AbortController()
  #making: Promise<BackupMade> | undefined

  /** @param parts `undefined`: the store is not open. @throws BrokerError `backup-failed`. */
  async make(parts: BackupParts | undefined, to: string, { signal, ...options }: BackupOptions): Promise<BackupMade> {
    if (!parts) throw notOpen()
    if (this.#making) throw failed('another is being made; wait for it')
    const closing = this.#closing.signal
    this.#making = makeBackup(parts, to, { ...options, signal: signal ? AbortSignal.any([signal, closing]) : closing })
    try {
      return await this.#making
    } finally {
      this.#making = undefined
    }
  }

  /** Calls off a backup that is being made. From here on none is made. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#making?.catch(() => {}) // whoever asked for it is told
  }
}

/**
 * Copies a store that works on to a new file: all that was committed when it begins, without what is free in between, with mode
 * 0600. It is under another name until it is whole.
 * @throws BrokerError `backup-failed`: no room, no time, or a folder that cannot be written.
 */
async function makeBackup(parts: BackupParts, to: string, options: BackupOptions = {}): Promise<BackupMade> {
  const { signal, timeoutMs = mostMs } = options
  const { tables } = parts
  const createdAt = new Date().toISOString()
  const coming = `${to}.coming`
  const room = new Room(parts, dirname(to))
  try {
    await room.ensureFor(sizesOf(tables).live + moreBytes)
    rmSync(coming, { force: true })
    const sha256 = await copied({ tables, file: parts.file, coming, room }, { signal, timeoutMs })
    const { size: bytes } = await stat(coming)
    const footer = writeFooter({ format, createdAt, bytes, sha256 })
    await appendFile(coming, footer, { flush: true })
    await rename(coming, to)
    flush(dirname(to))
    return { bytes: bytes + footer.length, createdAt }
  } catch (error) {
    await rm(coming, { force: true })
    throw error instanceof BrokerError ? error : failed(`${dirname(to)} cannot be written: ${systemReason(error)}`)
  }
}

interface Copy {
  readonly tables: Tables
  readonly file: string
  readonly coming: string
  readonly room: Room
}

/** @returns the SHA-256 of the copy, in hex. */
async function copied(
  { tables, file, coming, room }: Copy,
  { signal, timeoutMs }: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number },
): Promise<string> {
  if (signal?.aborted) throw failed('it was called off')
  const child = startCopy(file, coming)
  const closed = once(child, 'close')
  let problem: string | undefined
  const end = (why: string): void => {
    problem ??= why
    child.kill('SIGKILL')
  }
  const late = setTimeout(() => end(`it took longer than ${timeoutMs / 1_000} s`), timeoutMs)
  const looking = setInterval(() => void room.problem().then((short) => short && end(short)), lookMs)
  const callOff = (): void => end('it was called off')
  signal?.addEventListener('abort', callOff)
  try {
    const [said, complaint] = await Promise.all([text(child.stdout!), text(child.stderr!)])
    await closed
    const [sha256] = /^[0-9a-f]{64}$/.exec(said) ?? []
    if (problem !== undefined) throw failed(problem)
    if (sha256 === undefined) throw failed(complaint.trim().split('\n').at(-1) || 'the process that copies has ended')
    return sha256
  } catch (error) {
    throw error instanceof BrokerError ? error : failed(systemReason(error))
  } finally {
    clearTimeout(late)
    clearInterval(looking)
    signal?.removeEventListener('abort', callOff)
    tables.root.readerCheck() // one that was killed has left its snapshot behind
  }
}

/**
 * The copy is a process of its own: LMDB's copy holds a snapshot until its last byte is written, and a process is what can be
 * ended at any time. It ends with ours, by the end of its input, and makes way for others.
 */
function startCopy(file: string, coming: string): ChildProcess {
  const { NODE_OPTIONS: _, ...env } = process.env
  const lmdb = createRequire(import.meta.url).resolve('lmdb')
  return spawn(process.execPath, ['-e', copying, lmdb, file, coming], { env, stdio: 'pipe', windowsHide: true })
}

/**
 * A compacted copy is of commit 1, and so are its pages, but LMDB leaves in the first page of a large value which commit wrote it
 * before: that is set right, so that a look at the pages finds none of a later commit.
 */
const copying = `
const fs = require('node:fs')
const [lmdb, file, coming] = process.argv.slice(1)
process.stdin.resume().on('end', () => process.kill(process.pid, 'SIGKILL'))
process.umask(0o077)
try { require('node:os').setPriority(10) } catch {} // a sandbox may not let it
const root = require(lmdb).open({ path: file, noSubdir: true, readOnly: true, maxDbs: 32, encoding: 'binary' })
root.backup(coming, true).then(() => {
  const hash = require('node:crypto').createHash('sha256')
  const copy = fs.openSync(coming, 'r+')
  const bytes = Buffer.alloc(1048576)
  for (let at = 0, next = 0, page = 0, read; (read = fs.readSync(copy, bytes, 0, bytes.length, at)) > 0; at += read) {
    page ||= bytes.readUInt32LE(${mmPsizeAt})
    let isChanged = false
    for (; next < at + read; ) {
      const header = next - at
      const isLarge = bytes.readUInt16LE(header + ${mpFlagsAt}) === ${P_OVERFLOW}
      if (isLarge) bytes.writeBigUInt64LE(1n, header + ${mpTxnidAt})
      isChanged ||= isLarge
      next += page * (isLarge ? bytes.readUInt32LE(header + ${mpPagesAt}) : 1)
    }
    if (isChanged) fs.writeSync(copy, bytes, 0, read, at)
    hash.update(bytes.subarray(0, read))
  }
  fs.fsyncSync(copy)
  process.stdout.write(hash.digest('hex'), () => process.exit(0))
}).catch((error) => {
  process.stderr.write(String(error.message), () => process.exit(1))
})
`

/** Whether the reserve of both disks is kept, that of the data and that of the backup. */
class Room {
  readonly #parts: BackupParts
  readonly #folder: string

  constructor(parts: BackupParts, folder: string) {
    this.#parts = parts
    this.#folder = folder
  }

  /** @throws BrokerError `backup-failed`. */
  async ensureFor(bytes: number): Promise<void> {
    const short = await this.problem(bytes)
    if (short !== undefined) throw failed(short)
  }

  /** What is short, in words, when so many bytes more are written. */
  async problem(more = 0): Promise<string | undefined> {
    if (this.#parts.isLow())
      return "the disk of the data folder is down to its reserve; make room, or see 'diskReserveBytes'"
    const { bavail, blocks, bsize } = await statfs(this.#folder)
    const left = bavail * bsize - more
    if (left >= reserveOf(blocks * bsize, this.#parts.limits)) return undefined
    return `${this.#folder} has no room for it beside the reserve; delete old backups, or name a folder on another disk`
  }
}

export function notOpen(): BrokerError {
  return failed('the store is not open')
}

function failed(why: string): BrokerError {
  return new BrokerError('backup-failed', `no backup was made: ${why}`)
}
