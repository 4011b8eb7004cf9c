import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { BrokerError } from '../../errors.js'
import { damageOf } from './header.js'
import { openTables } from './tables.js'

/** The format this version writes. Version 1 is the first. */
const format = 1

/** Who uses a data folder: a process is told from a later one with the same pid by its start time and the boot it ran in. */
interface Holder {
  readonly pid: number
  readonly startedAt: string
  readonly bootId: string
}

/** A data folder that is this process's alone. */
export interface Folder {
  /** The file of the one partition there is today. */
  readonly file: string
  /** A line to log: a lock of a process that is gone was taken over. */
  readonly takenOver: string | undefined
  release(): void
}

/**
 * Takes possession of a data folder; makes it when it is not there. Nothing in it is touched when it cannot be used.
 * @throws BrokerError `store-failed`: in use, of a newer format, damaged, not writable.
 */
export async function openFolder(directory: string): Promise<Folder> {
  const isNew = !checkFormat(directory)
  const file = join(directory, 'p0', 'data.mdb')
  try {
    makeFolder(dirname(file))
  } catch (error) {
    throw notWritable(directory, error)
  }
  const lock = join(directory, 'lock')
  const takenOver = takeLock(directory, lock)
  try {
    if (isNew) await begin(directory, file)
    const damage = damageOf(file)
    if (damage) throw unusable(directory, `is damaged: ${damage}; restore it from a backup, or choose another folder`)
  } catch (error) {
    rmSync(lock, { force: true })
    throw error instanceof BrokerError ? error : notWritable(directory, error)
  }
  return { file, takenOver, release: () => rmSync(lock, { force: true }) }
}

/** Not mkdir's `recursive`: in Node 20 it never returns where the system denies a folder with ENOENT, as under /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(folder)
  if (!existsSync(parent)) makeFolder(parent)
  mkdirSync(folder)
}

/** False: nothing says that it is a data folder yet. */
function checkFormat(directory: string): boolean {
  const file = join(directory, 'format')
  if (!existsSync(file)) return false
  const found = /^godwit data, format (\d+)/.exec(readOr(file, ''))
  if (!found)
    throw unusable(
      directory,
      'is not a data folder of godwit, or is damaged; choose another folder, or restore it from a backup',
    )
  if (Number(found[1]) > format) {
    throw unusable(
      directory,
      `was written by a newer version (format ${found[1]}, this one reads ${format}); run that version`,
    )
  }
  return true
}

/** The format comes last, when all else is safe: whoever finds it may expect the data, whenever the power went. */
async function begin(directory: string, file: string): Promise<void> {
  if (!existsSync(file)) await makeData(file)
  for (const folder of [dirname(file), directory, dirname(directory)]) flush(folder)
  const coming = join(directory, 'format.new')
  writeFileSync(coming, `godwit data, format ${format}\n`)
  flush(coming)
  renameSync(coming, join(directory, 'format'))
  flush(directory)
}

/** Under another name until it is whole: LMDB's first pages are not safe in the order in which it writes them. */
async function makeData(file: string): Promise<void> {
  const coming = `${file}.new`
  rmSync(coming, { force: true })
  await openTables(coming).root.close()
  flush(coming)
  renameSync(coming, file)
  rmSync(`${coming}-lock`, { force: true })
}

/** A new file is safe only when the folder that names it is, too. */
function flush(path: string): void {
  const isFolder = statSync(path).isDirectory()
  if (isFolder && process.platform === 'win32') return // folders cannot be flushed there
  const opened = openSync(path, isFolder ? 'r' : 'r+')
  fsyncSync(opened)
  closeSync(opened)
}

function takeLock(directory: string, lock: string): string | undefined {
  const line = JSON.stringify(holderOf(process.pid))
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = openSync(lock, 'wx')
      writeSync(file, line)
      closeSync(file)
      return attempt === 0 ? undefined : `took over ${directory} from a process that is gone`
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw notWritable(directory, error)
    }
    const holder = readHolder(lock)
    if (holder && isAlive(holder)) {
      throw unusable(directory, `is in use by process ${holder.pid}; end that process or choose another folder`)
    }
    rmSync(lock, { force: true })
  }
  throw unusable(directory, 'is being opened by another process at this moment; try again')
}

function readHolder(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder
  } catch {
    return undefined // cut short by a crash: nobody holds it
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
  return { pid, startedAt: startOf(pid), bootId: readOr('/proc/sys/kernel/random/boot_id', '') }
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold anything but ends at the last parenthesis. */
function startOf(pid: number): string {
  return readOr(`/proc/${pid}/stat`, '').split(') ').at(-1)?.split(' ')[19] ?? ''
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return otherwise
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}

function notWritable(directory: string, cause: unknown): BrokerError {
  const what = `cannot be made or written to (${codeOf(cause)}); choose another folder or change its owner`
  return unusable(directory, what, cause)
}

/** One line that names the folder and what to do. */
export function unusable(directory: string, what: string, cause?: unknown): BrokerError {
  return new BrokerError('store-failed', `the data folder ${directory} ${what}`, { cause })
}
