/**
 * The layout of a data file as lmdb 3.5.6 writes it: its own branch of LMDB, data version 2. Names are those of mdb.c, where
 * the structures are told in full. All numbers are little-endian, as on every machine that lmdb is built for.
 */

/** MDB_page_header: mp_pgno (8), mp_txnid (8), mp_pad (2), mp_flags (2), then mp_lower and mp_upper (2 each) or mp_pages (4). */
export const PAGEHDRSZ = 24
/** What mp_lower, mp_upper and mp_ptrs count from. */
export const PAGEBASE = PAGEHDRSZ
export const mpTxnidAt = 8
export const mpFlagsAt = 18
export const mpLowerAt = 20
export const mpUpperAt = 22
export const mpPagesAt = 20
/** Bytes of an entry of mp_ptrs. */
export const indxSize = 2

/** mp_flags. Only these three are on disk without MDB_DUPSORT, which Godwit does not use. */
export const P_BRANCH = 0x01
export const P_LEAF = 0x02
export const P_OVERFLOW = 0x04
export const P_META = 0x08

/** MDB_node: mn_lo and mn_hi (a leaf's data size; with mn_flags a branch's page number), mn_flags, mn_ksize, key, data. */
export const NODESIZE = 8
export const mnFlagsAt = 4
export const mnKsizeAt = 6
/** mn_flags of leaves. */
export const F_BIGDATA = 0x01
export const F_SUBDATA = 0x02

/** MDB_ovpage, the data of a node with F_BIGDATA: op_pgno (8), op_txnid (8), op_pages (8). */
export const ovpageSize = 24
export const opPagesAt = 16

/** Two meta pages; the first has a third MDB_meta in its second half, which lmdb writes once a commit is flushed. */
export const NUM_METAS = 2
export const MDB_MAGIC = 0xbeefc0de
export const MDB_DATA_VERSION = 2
/** Bytes from the start of a meta page to the end of MDB_meta. */
export const metaSize = PAGEHDRSZ + 144
const mmMagicAt = PAGEHDRSZ
const mmVersionAt = PAGEHDRSZ + 4
const mmFreeDbAt = PAGEHDRSZ + 24
/** The page size: md_pad of the free list. */
export const mmPsizeAt = mmFreeDbAt
const mmMainDbAt = PAGEHDRSZ + 72
const mmLastPgAt = PAGEHDRSZ + 120
const mmTxnidAt = PAGEHDRSZ + 128
const bootIdAt = PAGEHDRSZ + 136

/** MDB_db: md_pad (4), md_flags (2), md_depth (2), branch, leaf and overflow pages, entries, root (8 each). */
export const dbSize = 48
/** md_flags that change how keys are compared or values are kept: REVERSEKEY, DUPSORT, DUPFIXED, INTEGERDUP, REVERSEDUP. */
export const keyAndDupFlags = 0x76
export const MDB_INTEGERKEY = 0x08
export const MDB_OVERLAPPINGSYNC = 0x1000
export const MDB_ENCRYPT = 0x2000

/** Stands for the root of an empty tree: all ones on disk. */
export const P_INVALID = -1
/** Pages from the root to a leaf, at most: what a cursor has room for. */
export const CURSOR_STACK = 32

/** What a tree says of itself. */
export interface Db {
  readonly pad: number
  readonly flags: number
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly entries: number
  readonly root: number
}

/** The start of a snapshot. */
export interface Meta {
  readonly pageFlags: number
  readonly magic: number
  readonly version: number
  readonly pageSize: number
  readonly free: Db
  readonly main: Db
  readonly lastPage: number
  readonly txnid: number
  readonly bootId: bigint
}

/** Not exact above 2 ** 53: whoever asks finds such a number out of range all the same. */
export function readU64(page: DataView, at: number): number {
  return page.getUint32(at, true) + page.getUint32(at + 4, true) * 0x1_0000_0000
}

/** NODEPGNO: 48 bits. */
export function readNodePage(page: DataView, node: number): number {
  return page.getUint32(node, true) + page.getUint16(node + mnFlagsAt, true) * 0x1_0000_0000
}

export function readDb(page: DataView, at: number): Db {
  return {
    pad: page.getUint32(at, true),
    flags: page.getUint16(at + 4, true),
    depth: page.getUint16(at + 6, true),
    branchPages: readU64(page, at + 8),
    leafPages: readU64(page, at + 16),
    overflowPages: readU64(page, at + 24),
    entries: readU64(page, at + 32),
    root: page.getBigInt64(at + 40, true) === -1n ? P_INVALID : readU64(page, at + 40),
  }
}

export function readMeta(page: DataView): Meta {
  const free = readDb(page, mmFreeDbAt)
  return {
    pageFlags: page.getUint16(mpFlagsAt, true),
    magic: page.getUint32(mmMagicAt, true),
    version: page.getUint32(mmVersionAt, true),
    pageSize: free.pad, // mm_psize
    free,
    main: readDb(page, mmMainDbAt),
    lastPage: readU64(page, mmLastPgAt),
    txnid: readU64(page, mmTxnidAt),
    bootId: page.getBigInt64(bootIdAt, true),
  }
}

/** OVPAGES: pages that a value takes which does not fit a node. */
export function overflowPages(dataSize: number, pageSize: number): number {
  return Math.floor((PAGEHDRSZ - 1 + dataSize) / pageSize) + 1
}

/** me_nodemax: a leaf's node that would be larger has its data on pages of its own. */
export function largestNode(pageSize: number): number {
  return (((pageSize - PAGEHDRSZ) >> 1) & -2) - indxSize
}

/** me_maxkey. */
export function largestKey(pageSize: number): number {
  return largestNode(pageSize) - (NODESIZE + dbSize)
}

/** Flags, as mdb.c has them. */
export function hex(flags: number): string {
  return `0x${flags.toString(16)}`
}
