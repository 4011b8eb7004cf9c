import { type FileHandle, open } from 'node:fs/promises'
import {
  MDB_OVERLAPPINGSYNC,
  type Meta,
  metaSize,
  mpFlagsAt,
  mpPagesAt,
  mpTxnidAt,
  P_OVERFLOW,
  readMeta,
  readU64,
} from './page-format.js'

/** Pages read, and if need be written, at once. */
const pagesAtOnce = 64

/**
 * Writes those pages again that belong to commits whose sync has failed, and syncs them. An operating system that could not write a
 * page out once may hold it for written from then on: the next sync succeeds, and the page is not on the disk. Nobody else may be
 * writing to the file. When all commits are safe, this looks at the headers and no further.
 * @throws the system's error, when the disk refuses again.
 */
export async function syncAgain(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const first = await metaAt(file, 0)
    if (!first) return // empty: a new one
    const { pageSize } = first
    const second = await metaAt(file, pageSize)
    const safe = await metaAt(file, pageSize / 2)
    if (!second || !safe) return
    const newest = first.txnid >= second.txnid ? first : second
    const isSafe = newest.txnid <= safe.txnid || (newest.free.flags & MDB_OVERLAPPINGSYNC) === 0
    if (!isSafe) await writeNewer(file, pageSize, safe.txnid)
  } finally {
    await file.close()
  }
}

/** Writes every page of later commits than this one to where it is, and the headers. */
async function writeNewer(file: FileHandle, pageSize: number, txnid: number): Promise<void> {
  const { size } = await file.stat()
  const chunk = new Uint8Array(pagesAtOnce * pageSize)
  const view = new DataView(chunk.buffer)
  let valueEnd = 0 // of the last large value that is newer: its other pages say nothing of themselves
  for (let at = 0; at < size; at += chunk.length) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at)
    let isNewer = at === 0 || valueEnd > at
    for (let page = 0; page < bytesRead; page += pageSize) {
      if (readU64(view, page + mpTxnidAt) <= txnid) continue
      isNewer = true
      if (view.getUint16(page + mpFlagsAt, true) & P_OVERFLOW) {
        valueEnd = Math.max(valueEnd, at + page + view.getUint32(page + mpPagesAt, true) * pageSize)
      }
    }
    if (isNewer) await file.write(chunk, 0, bytesRead, at)
  }
  await file.datasync()
}

/** `undefined`: the file is shorter than that. */
async function metaAt(file: FileHandle, at: number): Promise<Meta | undefined> {
  const bytes = new Uint8Array(metaSize)
  const { bytesRead } = await file.read(bytes, 0, metaSize, at)
  return bytesRead < metaSize ? undefined : readMeta(new DataView(bytes.buffer))
}
