import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { MDB_DATA_VERSION, MDB_MAGIC, type Meta, metaSize, P_INVALID, readMeta, readU64 } from './page-format.js'

/**
 * What is wrong with an LMDB file, or `undefined`. To be asked before LMDB opens it: given a damaged header, or a file
 * that was cut short, that ends the process. An empty file is a new one.
 * @throws the system's error when the file cannot be opened for writing.
 */
export function damageOf(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `${path} is missing`
    throw error
  }
  try {
    const { size } = fstatSync(file)
    if (size === 0) return undefined
    const first = readMeta(read(file, 0, metaSize))
    const headers = [first, readMeta(read(file, first.pageSize, metaSize))]
    if (!headers.every(isHeader)) return `${path} does not begin as it should`
    // One will do: after a power cut LMDB goes back to the older.
    if (!headers.some((header) => hasRoots(file, header, size))) return `${path} is cut short or written over`
    return undefined
  } finally {
    closeSync(file)
  }
}

function isHeader({ magic, version }: Meta): boolean {
  return magic === MDB_MAGIC && version === MDB_DATA_VERSION
}

/** Whether the pages it points to are there: each begins with its own number. */
function hasRoots(file: number, { free, main, pageSize }: Meta, size: number): boolean {
  return [free, main].every(({ root }) => {
    if (root === P_INVALID) return true
    return root * pageSize < size && readU64(read(file, root * pageSize, 8), 0) === root
  })
}

/** What lies behind the end reads as zeros. */
function read(file: number, at: number, length: number): DataView {
  const bytes = new Uint8Array(length)
  readSync(file, bytes, 0, length, at)
  return new DataView(bytes.buffer)
}
