import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { BrokerError } from '../../errors.js'
import { type Logger, silentLogger } from '../../log.js'
import { type FolderLock, lockFolder, readOr } from './folder-lock.js'
import { damageOf } from './header.js'
import { checkPages } from './page-check.js'
import { openTables } from './tables.js'
import { syncAgain } from './unsynced.js'
import { damaged, notWritable, unusable } from './unusable.js'
import { upgradeFile } from './upgrade.js'

/** The format this version writes. It reads format 1 too, which has no checksums, and makes its own of it. */
export const format = 2

/** A data folder that is this process's alone. */
interface Folder {
  /** The file of the one partition there is today. */
  readonly file: string
  /** @param end whether all was written out: if not, the file is looked through before it is opened again. */
  release(end: 'in order' | 'not in order'): void
}

/**
 * Takes possession of a data folder; makes it when it is not there. Nothing in it is touched when it cannot be used.
 * @throws BrokerError `store-failed`: in use, of a newer format, not writable; `store-damaged`.
 */
export async function openFolder(directory: string, log: Logger = silentLogger): Promise<Folder> {
  const found = formatOf(directory)
  const { file, lock } = await takenFolder(directory)
  const wasInOrder = existsSync(join(directory, endedInOrder))
  try {
    if (lock.wasTakenOver) log.log('warn', `took over ${directory} from a process that is gone`)
    if (found === undefined) await begin(directory, file)
    const damage = damageOf(file)
    if (damage) throw damaged(directory, damage)
    if (found !== undefined && !wasInOrder) {
      lookThrough(directory, file)
      await syncAgain(file)
    }
    if (found === 1) await upgrade(directory, file, log)
    else finishUpgrade(directory, file)
    rmSync(join(directory, endedInOrder), { force: true })
    flush(directory)
  } catch (error) {
    lock.release()
    throw error instanceof BrokerError ? error : notWritable(directory, error)
  }
  return {
    file,
    release(end) {
      if (end === 'in order') noteOrderlyEnd(directory)
      lock.release()
    },
  }
}

/**
 * Makes a data folder of data that comes from elsewhere, and lets it go again: what comes next looks through it.
 * @param of the format of the data.
 * @param put writes the file of that name; what it throws leaves no data folder behind.
 * @throws BrokerError `store-failed`: in use, not writable.
 */
export async function settleData(directory: string, of: number, put: (file: string) => Promise<void>): Promise<void> {
  const { file, lock } = await takenFolder(directory)
  try {
    await put(file)
    for (const folder of [dirname(file), directory, dirname(directory)]) flush(folder)
    writeFormat(directory, of)
  } catch (error) {
    throw error instanceof BrokerError ? error : notWritable(directory, error)
  } finally {
    lock.release()
  }
}

/** A data folder that is looked at, and not changed. */
export interface FolderLook {
  readonly directory: string
  readonly file: string
  release(): void
}

/**
 * Takes possession of a data folder to look at it.
 * @throws BrokerError `store-failed`: not there, in use, of another format.
 */
export async function lookAtFolder(directory: string): Promise<FolderLook> {
  const found = formatOf(directory)
  if (found === undefined)
    throw unusable(directory, 'is not a data folder of godwit, or is not there; name another one')
  if (found < format) {
    throw unusable(
      directory,
      `is of format ${found}, which has no checksums; start the broker on it once, which upgrades it`,
    )
  }
  const lock = await lockedFolder(directory)
  return { directory, file: fileIn(directory), release: () => lock.release() }
}

/** A file that says that the last process wrote everything out. */
const endedInOrder = 'ended-in-order'

function noteOrderlyEnd(directory: string): void {
  try {
    writeFileSync(join(directory, endedInOrder), '')
    flush(directory)
  } catch {
    // the next start looks through the data, which takes a little longer
  }
}

/**
 * Whoever ended before did not end in order. LMDB relies on its pages without a look, and ends the process when one is damaged:
 * they are looked at before it opens the file.
 */
function lookThrough(directory: string, file: string): void {
  const { damage, damages } = checkPages(file)
  if (damages === 0) return
  const more = damages > namedDamages ? `, and ${damages - namedDamages} more` : ''
  throw damaged(directory, damage.slice(0, namedDamages).join('; ') + more)
}

/** Pieces of damage that are named in one line. */
const namedDamages = 3

/** The name of the new file until it takes the place of the old one. */
const upgraded = (file: string): string => `${file}.format-${format}`

/**
 * The new file is whole and safe before the format is written, and takes the old one's place after that: whenever the process
 * ends in between, the next one goes on from there.
 */
async function upgrade(directory: string, file: string, log: Logger): Promise<void> {
  log.log('info', 'the data folder is of an older format and is being upgraded', {
    folder: directory,
    from: 1,
    to: format,
  })
  const coming = upgraded(file)
  const moved = await upgradeFile(directory, file, coming)
  flush(coming)
  flush(dirname(file))
  writeFormat(directory)
  finishUpgrade(directory, file)
  log.log('info', 'the data folder was upgraded', { folder: directory, ...moved })
}

function finishUpgrade(directory: string, file: string): void {
  const coming = upgraded(file)
  if (!existsSync(coming)) return
  renameSync(coming, file)
  rmSync(`${file}-lock`, { force: true })
  flush(dirname(file))
  flush(directory)
}

const fileIn = (directory: string): string => join(directory, 'p0', 'data.mdb')

/** Makes the folder where it is not there, and locks it. */
async function takenFolder(directory: string): Promise<{ readonly file: string; readonly lock: FolderLock }> {
  const file = fileIn(directory)
  try {
    makeFolder(dirname(file))
  } catch (error) {
    throw notWritable(directory, error)
  }
  return { file, lock: await lockedFolder(directory) }
}

async function lockedFolder(directory: string): Promise<FolderLock> {
  try {
    return await lockFolder(directory)
  } catch (error) {
    throw error instanceof BrokerError ? error : notWritable(directory, error)
  }
}

/** Not mkdir's `recursive`: in Node 20 it never returns where the system denies a folder with ENOENT, as under /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(folder)
  if (!existsSync(parent)) makeFolder(parent)
  mkdirSync(folder, 0o700) // messages are nobody else's to read
}

/** `undefined`: nothing says that it is a data folder yet. */
function formatOf(directory: string): number | undefined {
  const file = join(directory, 'format')
  if (!existsSync(file)) return undefined
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
  return Number(found[1])
}

/** The format comes last, when all else is safe: whoever finds it may expect the data, whenever the power went. */
async function begin(directory: string, file: string): Promise<void> {
  if (!existsSync(file)) await makeData(file)
  for (const folder of [dirname(file), directory, dirname(directory)]) flush(folder)
  writeFormat(directory)
}

function writeFormat(directory: string, of = format): void {
  const coming = join(directory, 'format.new')
  writeFileSync(coming, `godwit data, format ${of}\n`)
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

/** Has a file or a folder written to the disk. A new file is safe only when the folder that names it is, too. */
export function flush(path: string): void {
  const isFolder = statSync(path).isDirectory()
  if (isFolder && process.platform === 'win32') return // folders cannot be flushed there
  const opened = openSync(path, isFolder ? 'r' : 'r+')
  fsyncSync(opened)
  closeSync(opened)
}
