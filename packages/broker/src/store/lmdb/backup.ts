import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { appendFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { BrokerError, systemReason } from '../../errors.js'
import type { Limits } from '../../limits.js'
import { writeFooter } from './backup-footer.js'
import type { CommitTurns } from './commit-turns.js'
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
  readonly turns: CommitTurns
  /** Its LMDB file. */
  readonly file: string
  readonly limits: Pick<Limits, 'diskReserveBytes' | 'diskReservePercent'>
  /** Whether its disk is down to the reserve. */
  isLow(): boolean
}

/** How often it is looked whether there is room for the rest. */
const lookMs = 250
const mostMs = 600_000
/** How long commits wait at most for the file to be opened by the process that copies; that takes some milliseconds. */
const openingMs = 1_000
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
  const createdAt = new Date().toISOString()
  const coming = `${to}.coming`
  const room = new Room(parts, dirname(to))
  try {
    await room.ensureFor(sizesOf(parts.tables).live + moreBytes)
    rmSync(coming, { force: true })
    const sha256 = await copied(parts, { coming, room, signal, timeoutMs })
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
  readonly coming: string
  readonly room: Room
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
}

/** @returns the SHA-256 of the copy, in hex. */
async function copied(parts: BackupParts, { coming, room, signal, timeoutMs }: Copy): Promise<string> {
  if (signal?.aborted) throw failed('it was called off')
  const copier = new Copier(parts.file, coming)
  const callOff = (): void => copier.end('it was called off')
  const late = setTimeout(() => copier.end(`it took longer than ${timeoutMs / 1_000} s`), timeoutMs)
  const looking = setInterval(() => void room.problem().then((short) => short && copier.end(short)), lookMs)
  signal?.addEventListener('abort', callOff)
  try {
    await copier.said('ready')
    await Promise.race([parts.turns.take(() => copier.open()), copier.over]) // a disk that refuses may keep its turn for ever
    return await copier.result()
  } finally {
    clearTimeout(late)
    clearInterval(looking)
    signal?.removeEventListener('abort', callOff)
    parts.tables.root.readerCheck() // one that was killed has left its snapshot behind
  }
}

/** The process that copies, and what it says: `ready`, `open` once it has opened the file, and the sum of the copy. */
class Copier {
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()
  #lines: readonly string[] = []
  #complaint = ''
  #problem: string | undefined
  /** Resolves when it has ended. */
  readonly over: Promise<void>
  #isOver = false

  constructor(file: string, coming: string) {
    const child = startCopy(file, coming)
    this.#child = child
    let said = ''
    child.stdout!.on('data', (bytes) => {
      said += bytes
      this.#lines = said.split('\n')
      this.#look()
    })
    child.stderr!.on('data', (bytes) => (this.#complaint += bytes))
    child.stdin!.on('error', () => {}) // it has ended, which is told by its end
    child.on('error', (error) => (this.#problem ??= systemReason(error)))
    this.over = new Promise((resolve) => {
      child.on('close', () => {
        this.#isOver = true
        this.#look()
        resolve()
      })
    })
  }

  /** Ends it, for a reason that is told to who wants the copy. */
  end(why: string): void {
    this.#problem ??= why
    this.#child.kill('SIGKILL')
  }

  /** Resolves once it has said so, or has ended. */
  async said(word: string): Promise<void> {
    while (!this.#isOver && !this.#lines.includes(word)) await new Promise<void>((go) => this.#waiting.add(go))
  }

  /** Has it open the file. Resolves when that is done, or will not be done any more. */
  async open(): Promise<void> {
    const late = setTimeout(() => this.end('the process that copies did not open the file in time'), openingMs)
    if (!this.#isOver) this.#child.stdin!.write('open\n')
    await this.said('open')
    clearTimeout(late)
  }

  /** @returns the SHA-256 of the copy, in hex, when it has ended. @throws BrokerError `backup-failed`. */
  async result(): Promise<string> {
    await this.over
    const sum = this.#lines.find((line) => /^[0-9a-f]{64}$/.test(line))
    if (this.#problem !== undefined) throw failed(this.#problem)
    if (sum === undefined)
      throw failed(this.#complaint.trim().split('\n').at(-1) || 'the process that copies has ended')
    return sum
  }

  #look(): void {
    for (const go of this.#waiting) go()
    this.#waiting.clear()
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
 * It opens the file when it is told to, in a moment without a commit (CommitTurns). A compacted copy is of commit 1, and so are its pages, but LMDB leaves in the first page of a large value which commit wrote it
 * before: that is set right, so that a look at the pages finds none of a later commit.
 */
const copying = `
const fs = require('node:fs')
const [library, file, coming] = process.argv.slice(1)
const lmdb = require(library)
process.umask(0o077)
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL'))
process.stdin.once('data', () => copy().catch((error) => {
  process.stderr.write(String(error.message), () => process.exit(1))
}))
process.stdout.write('ready\\n')
async function copy() {
  const root = lmdb.open({ path: file, noSubdir: true, readOnly: true, maxDbs: 32, encoding: 'binary' })
  process.stdout.write('open\\n')
  try { require('node:os').setPriority(10) } catch {} // a sandbox may not let it
  await root.backup(coming, true)
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
  process.stdout.write(hash.digest('hex') + '\\n', () => process.exit(0))
}
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
