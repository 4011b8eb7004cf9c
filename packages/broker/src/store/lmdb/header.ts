import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

// Where things stand in a page that holds LMDB's own facts (MDB_meta), in the file format that lmdb 3 writes.
const magicAt = 24
export const pageSizeAt = 48
const rootsAt = [88, 136]
const headerBytes = 160
const magic = 0xbeefc0de
const formatVersion = 2
const noRoot = 0xffff_ffff_ffff_ffffn

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
    const first = read(file, 0, headerBytes)
    const pageSize = first.readUInt32LE(pageSizeAt)
    const headers = [first, read(file, pageSize, headerBytes)]
    if (!headers.every(isHeader)) return `${path} does not begin as it should`
    // One will do: after a power cut LMDB goes back to the older.
    if (!headers.some((header) => hasRoots(file, header, pageSize, size))) return `${path} is cut short or written over`
    return undefined
  } finally {
    closeSync(file)
  }
}

function isHeader(header: Buffer): boolean {
  return header.readUInt32LE(magicAt) === magic && header.readUInt32LE(magicAt + 4) === formatVersion
}

/** Whether the pages it points to are there: each begins with its own number. */
function hasRoots(file: number, header: Buffer, pageSize: number, size: number): boolean {
  return rootsAt.every((at) => {
    const root = header.readBigUInt64LE(at)
    if (root === noRoot) return true
    return root < size && read(file, Number(root) * pageSize, 8).readBigUInt64LE() === root
  })
}

/** What lies behind the end reads as zeros. */
function read(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  readSync(file, bytes, 0, length, at)
  return bytes
}
