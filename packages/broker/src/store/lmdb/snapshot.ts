import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { PageFile } from './page-file.js'
import {
  type Db,
  hex,
  keyAndDupFlags,
  MDB_DATA_VERSION,
  MDB_ENCRYPT,
  MDB_INTEGERKEY,
  MDB_MAGIC,
  MDB_OVERLAPPINGSYNC,
  type Meta,
  metaSize,
  NUM_METAS,
  P_INVALID,
  P_META,
  readMeta,
} from './page-format.js'

/** Pages behind the file's end that its headers may count: they were freed before they were ever written. 64 GB of them. */
const mostPagesBehindEnd = 2 ** 24

/** The state of the file that lmdb would go on with, or why there is none. */
export type Snapshot =
  | { readonly meta: Meta; readonly damage?: undefined }
  | { readonly meta?: undefined; readonly damage: string }

/** The headers of a file: two meta pages, and the one of the last commit that was flushed (`undefined`: none was). */
interface Headers {
  readonly pages: readonly [Meta, Meta]
  readonly flushed: Meta | undefined
}

/** Reads the headers, and chooses as mdb_env_open does in a process that has the file to itself. */
export function findSnapshot(file: PageFile): Snapshot {
  const first = metaAt(file, 0)
  const { pageSize } = first
  const isPageSize = pageSize >= 512 && pageSize <= 0x10000 && (pageSize & (pageSize - 1)) === 0
  if (!isPageSize || file.size < NUM_METAS * pageSize) {
    return {
      damage: isPageSize ? 'the file is shorter than its two headers' : `page 0: a page size of ${pageSize} bytes`,
    }
  }
  const flushed = metaAt(file, pageSize / 2)
  const headers: Headers = {
    pages: [first, metaAt(file, pageSize)],
    flushed: flushed.txnid === 0 ? undefined : flushed,
  }
  const filePages = Math.ceil(file.size / pageSize)
  const damage = damageOf(headers, pageSize, filePages)
  if (damage) return { damage }
  return choose(headers)
}

function metaAt(file: PageFile, at: number): Meta {
  const bytes = new Uint8Array(metaSize)
  file.read(bytes, at)
  return readMeta(new DataView(bytes.buffer))
}

/** lmdb looks at the magic number of the first alone; all else it takes as it is. */
function damageOf({ pages, flushed }: Headers, pageSize: number, filePages: number): string | undefined {
  for (const [number, meta] of pages.entries()) {
    const where = `page ${number} (byte ${number * pageSize}), a header:`
    if (meta.pageFlags !== P_META) return `${where} has flags ${hex(meta.pageFlags)}, not ${hex(P_META)}`
    if (meta.magic !== MDB_MAGIC) return `${where} is none of LMDB`
    if (meta.version !== MDB_DATA_VERSION) return `${where} is of version ${meta.version}, not ${MDB_DATA_VERSION}`
    const damage = damageOfMeta(meta, pageSize, filePages, isPassed(meta, pages[1 - number]!, flushed))
    if (damage) return `${where} ${damage}`
    // Transaction N writes meta page N % 2, and is looked for there. A new file has two of 0.
    if (meta.txnid !== 0 && meta.txnid % 2 !== number)
      return `${where} names commit ${meta.txnid}, which belongs in the other`
  }
  const damage = flushed && damageOfMeta(flushed, pageSize, filePages)
  return damage && `page 0 (byte ${pageSize / 2}), the header of the last flushed commit: ${damage}`
}

/** lmdb goes on with neither. Where a disk has refused it, it names the last commit but the roots of one that never was. */
function isPassed({ txnid }: Meta, other: Meta, flushed: Meta | undefined): boolean {
  return flushed !== undefined && txnid < flushed.txnid && txnid < other.txnid
}

function damageOfMeta(
  { free, main, lastPage, txnid, ...meta }: Meta,
  pageSize: number,
  filePages: number,
  isPassed = false,
): string | undefined {
  if (meta.pageSize !== pageSize) return `says that pages have ${meta.pageSize} bytes, not ${pageSize}`
  if ((free.flags & (keyAndDupFlags | MDB_ENCRYPT | MDB_INTEGERKEY)) !== MDB_INTEGERKEY) {
    return `has flags ${hex(free.flags)} for the free list`
  }
  if (main.flags !== 0) return `has flags ${hex(main.flags)} for the list of tables`
  if (lastPage < NUM_METAS - 1 || lastPage > filePages + mostPagesBehindEnd) {
    return `says that the last page is ${lastPage}; the file has ${filePages}`
  }
  for (const { root } of [free, main] satisfies Db[]) {
    if (!isPassed && root !== P_INVALID && (root < NUM_METAS || root > lastPage))
      return `points to page ${root} of ${lastPage}`
  }
  if (txnid > Number.MAX_SAFE_INTEGER) return `names commit ${txnid}`
  return undefined
}

/** mdb_env_open: by the rules for a snapshot that is safe, then, when that is the newest, by the newest. */
function choose({ pages: [first, second], flushed }: Headers): Snapshot {
  const bootId = process.platform === 'win32' ? undefined : bootIdOf()
  const newest = first.txnid >= second.txnid ? first : second
  if (bootId === undefined) return { meta: newest } // there, lmdb flushes every commit before the next
  let safe = safer(first, second, bootId)
  if (flushed) safe = safer(safe, flushed, bootId)
  if (safe.txnid !== newest.txnid) return { meta: safe }
  // Each commit follows on the one in the other page, as long as both were read back from where they were written.
  const older = newest === first ? second : first
  if (newest.bootId === bootId && newest.txnid !== flushed?.txnid && newest.txnid - older.txnid > 1) {
    return {
      damage: `pages 0 and 1, the headers: commits ${older.txnid} and ${newest.txnid} do not follow on one another`,
    }
  }
  return { meta: newest }
}

/** mdb_pick_meta: after a power cut, the newest may not be on disk in all its pages, unless it says that it was flushed. */
function safer(a: Meta, b: Meta, bootId: bigint): Meta {
  if (b.txnid === 0) return a
  const latest = a.txnid >= b.txnid ? a : b
  const isOfThisBoot = latest.bootId !== 0n && latest.bootId === bootId && process.env.LMDB_RESTORE !== 'safe'
  if (isOfThisBoot || (latest.free.flags & MDB_OVERLAPPINGSYNC) === 0) return latest
  return a.txnid > b.txnid ? b : a
}

/** As mdb_env_open tells one start of the machine from the next: the first digits of its id. 0: not known. */
function bootIdOf(): bigint {
  try {
    const id =
      process.platform === 'darwin'
        ? execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' })
        : readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
    return BigInt(`0x${/^[0-9a-f]+/i.exec(id)?.[0] ?? '0'}`)
  } catch {
    return 0n
  }
}
