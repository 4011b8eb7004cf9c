import { readFileSync } from 'node:fs'
import { type Database, open, type RootDatabase } from 'lmdb'

/** A table of one partition: bytes under keys that sort as bytes. What is in it is in {@link file://./records.ts}. */
export type Table = Database<Buffer, Buffer>

/** The names of the tables, which are also what their checksums begin with; the order is that of the file's format. */
export const tableNames = [
  /** Session and first number → a run of its messages: see `share-record.ts`. */
  'shares',
  /** Group → bodies that several shares refer to: see `bodies-record.ts`. */
  'bodies',
  /** Group → how many shares still refer to it, where that is no longer what its record says. */
  'readers',
  /** Second, session and first number: in that share something expires then. */
  'due',
  'sessions',
  /** Session → where its deliveries stand. */
  'cursors',
  /** Session and hash of the filter. */
  'subscriptions',
  /** Session and page → bits of received QoS 2 ids; from page 64 on, sums of what came under 512 ids. */
  'received',
  /** Sessions that have ended and are still to be cleared away. */
  'ended',
  /** Hash of the topic → message. */
  'retained',
  /** Hash of the Client Identifier → will. */
  'wills',
  /** Facts of the whole: the clock. */
  'facts',
] as const

export type TableName = (typeof tableNames)[number]

/** The tables of one partition, all in one file and one transaction. */
export interface Tables extends Readonly<Record<TableName, Table>> {
  readonly root: RootDatabase<Buffer, Buffer>
}

/** One write of a commit; `value` `undefined` removes. */
export interface Write {
  readonly table: TableName
  readonly key: Buffer
  readonly value: Uint8Array | undefined
}

const binary = { encoding: 'binary', keyEncoding: 'binary' } as const

/** Opens, or makes, the tables in a file. */
export function openTables(file: string, options: { readonly readOnly?: boolean } = {}): Tables {
  const size = mapSize()
  // With lmdb's own batching by turns, a commit that fails rejects a promise nobody is given, and that ends the process.
  const root = open<Buffer, Buffer>({
    path: file,
    noSubdir: true,
    maxDbs: 32,
    compression: false,
    eventTurnBatching: false,
    ...(size && { mapSize: size }),
    ...options,
    ...binary,
  })
  const tables = Object.fromEntries(tableNames.map((name) => [name, root.openDB<Buffer, Buffer>(name, binary)]))
  return { root, ...tables } as Tables
}

/**
 * Closes the file, whatever its disk does.
 * @param refuses the last commit has failed: lmdb would wait for ever until that is flushed.
 */
export async function closeTables({ root }: Pick<Tables, 'root'>, refuses: boolean): Promise<void> {
  if (refuses) Object.defineProperty(root, '_endWrites', { value: undefined })
  await root.close()
}

/**
 * Closes the file, in which lmdb takes no more commits, and opens it again, all at once: nobody reads meanwhile.
 * @throws lmdb's error, when it cannot be opened now: what is read until it can fails.
 */
export function reopenTables(tables: Tables, file: string): void {
  if (tables.root.status !== 'closed') void closeTables(tables, true)
  Object.assign(tables, openTables(file))
}

/** The end of the range of keys that begin with these bytes. */
export function endOf(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.alloc(40, 0xff)])
}

/** How many bytes of the file are in use, and how many it has: what is not in use, LMDB uses again. */
export function sizesOf(tables: Tables): { readonly live: number; readonly file: number } {
  // All that lmdb tells, though its types do not.
  const whole = tables.root.getStats() as unknown as DatabaseStats & {
    readonly free: DatabaseStats
    readonly root: DatabaseStats
    readonly lastPageNumber: number
  }
  let pages = pagesOf(whole.free) + pagesOf(whole.root) + 2
  for (const name of tableNames) pages += pagesOf(tables[name].db.stat())
  return { live: pages * whole.pageSize, file: (whole.lastPageNumber + 1) * whole.pageSize }
}

interface DatabaseStats {
  readonly pageSize: number
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

function pagesOf(stats: DatabaseStats): number {
  return stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages
}

declare module 'lmdb' {
  interface Database {
    readonly status: 'open' | 'closing' | 'closed'
    readonly db: { stat(): DatabaseStats }
  }
}

/** Bytes of address space for the data file: a mapping takes nothing by itself, and files larger than this are mapped anew. */
const roomyBytes = 64 * 2 ** 30

const sixtyFourBits: readonly string[] = ['x64', 'arm64', 'riscv64', 'ppc64', 's390x', 'loong64']

/**
 * How much address space lmdb is to map at once, or `undefined` for what it takes by itself. Then it maps the file anew whenever that has
 * doubled, and keeps the old mappings, each of which counts its pages as memory of the process; but where address space is
 * limited (`ulimit -v`), or on Windows, where the file would be made as large as its mapping, there is no other way.
 * @param limits what `/proc/self/limits` says.
 */
export function mapSizeFor(arch: string, limits: string): number | undefined {
  const isFree = /^Max address space +unlimited /m.test(limits)
  return isFree && sixtyFourBits.includes(arch) ? roomyBytes : undefined
}

/** Of this process. */
export function mapSize(): number | undefined {
  try {
    return mapSizeFor(process.arch, readFileSync('/proc/self/limits', 'utf8'))
  } catch {
    return undefined // not Linux
  }
}
