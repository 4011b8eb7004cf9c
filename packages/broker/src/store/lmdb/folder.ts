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
import { type FolderLock, lockFolder, readOr } from './folder-lock.js'
import { damageOf } from './header.js'
import { openTables } from './tables.js'
import { notWritable, unusable } from './unusable.js'

/** The format this version writes. Version 1 is the first. */
const format = 1

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
  const lock = await lockedFolder(directory)
  try {
    if (isNew) await begin(directory, file)
    const damage = damageOf(file)
    if (damage) throw unusable(directory, `is damaged: ${damage}; restore it from a backup, or choose another folder`)
  } catch (error) {
    lock.release()
    throw error instanceof BrokerError ? error : notWritable(directory, error)
  }
  const takenOver = lock.wasTakenOver ? `took over ${directory} from a process that is gone` : undefined
  return { file, takenOver, release: () => lock.release() }
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
