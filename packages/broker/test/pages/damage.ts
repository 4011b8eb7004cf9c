import {
  dbSize,
  F_BIGDATA,
  F_SUBDATA,
  type Meta,
  mpFlagsAt,
  mpLowerAt,
  NODESIZE,
  NUM_METAS,
  P_BRANCH,
  P_LEAF,
  readDb,
  readMeta,
  readNodePage,
  readU64,
} from '../../src/store/lmdb/page-format.js'
import { TreePage } from '../../src/store/lmdb/tree-page.js'
import type { Random } from '../crash/random.js'

const pageSize = 4096
/** In a circle, which damage can make of a tree, the search ends here. */
const mostPages = 20_000

/** Ways in which a disk, or whoever writes to it, damages a page. */
export const damages = {
  'random bytes': (file, random) => {
    const page = anyPage(file, random)
    for (let i = random.between(1, 16); i > 0; i--) page[random.between(0, pageSize - 1)] = random.between(0, 255)
  },
  'a run of random bytes': (file, random) => {
    const page = treePage(file, random)
    const at = random.between(0, pageSize - 1)
    const end = Math.min(at + random.between(1, 600), pageSize)
    for (let i = at; i < end; i++) page[i] = random.between(0, 255)
  },
  'a page of zeros': (file, random) => void anyPage(file, random).fill(0),
  'a sector of zeros': (file, random) => {
    const at = random.between(0, 7) * 512
    treePage(file, random).fill(0, at, at + 512)
  },
  'two pages swapped': (file, random) => {
    const [a, b] = [treePage(file, random), anyPage(file, random)]
    const kept = Buffer.from(a)
    a.set(b)
    b.set(kept)
  },
  'a bit of a page header': (file, random) => flip(treePage(file, random), random, 0, 23),
  'a bit of the table of nodes': (file, random) => {
    const page = treePage(file, random)
    flip(page, random, 20, 24 + page.readUInt16LE(20))
  },
  'a bit of a node header': (file, random) => {
    const page = treePage(file, random)
    const nodes = nodesOf(page)
    if (nodes === 0) return
    const node = page.readUInt16LE(24 + 2 * random.between(0, nodes - 1)) + 24
    if (node + 32 < pageSize) flip(page, random, node, node + 31)
  },
  'a bit anywhere': (file, random) => flip(treePage(file, random), random, 0, pageSize - 1),
  'a bit of the free list': (file, random) => flip(freeListPage(file, random), random, 0, pageSize - 1),
  'bytes of the free list': (file, random) => {
    const page = freeListPage(file, random)
    for (let i = random.between(1, 4); i > 0; i--) page[random.between(0, pageSize - 1)] = random.between(0, 255)
  },
  'a bit of a meta page': (file, random) => {
    const start = random.pick([0, pageSize / 2, pageSize])
    flip(file, random, start, start + 167)
  },
  'a word of a meta page': (file, random) => {
    const at = random.pick([0, pageSize / 2, pageSize]) + 8 * random.between(0, 20)
    for (let i = 0; i < 8; i++) file[at + i] = random.chance(0.5) ? 0 : random.between(0, 255)
  },
} satisfies Record<string, (file: Buffer, random: Random) => void>

export type DamageKind = keyof typeof damages

/** As if the machine had been started anew since the file was written: lmdb goes back to what was flushed. */
export function moveToAnotherBoot(file: Buffer): void {
  for (const at of [0, pageSize / 2, pageSize]) file.writeBigInt64LE(12_345n, at + 160)
}

function flip(bytes: Buffer, random: Random, least: number, most: number): void {
  const at = Math.min(random.between(least, most), bytes.length - 1)
  bytes[at]! ^= 1 << random.between(0, 7)
}

function pageOf(file: Buffer, page: number): Buffer {
  return file.subarray(page * pageSize, (page + 1) * pageSize)
}

function anyPage(file: Buffer, random: Random): Buffer {
  return pageOf(file, random.between(NUM_METAS, Math.floor(file.length / pageSize) - 1))
}

/** A page of a tree as it is now: of those of earlier commits, nothing is read any more. */
function treePage(file: Buffer, random: Random): Buffer {
  const { free, main } = newest(file)
  return pageBelow(file, [free.root, main.root], random)
}

function freeListPage(file: Buffer, random: Random): Buffer {
  return pageBelow(file, [newest(file).free.root], random)
}

function pageBelow(file: Buffer, roots: readonly number[], random: Random): Buffer {
  const pages: number[] = []
  for (const root of roots.flatMap((page) => inFile(file, page))) collect(file, root, pages)
  return pages.length === 0 ? anyPage(file, random) : pageOf(file, random.pick(pages))
}

function newest(file: Buffer): Meta {
  const metas = [0, pageSize].map((at) => readMeta(new DataView(file.buffer, file.byteOffset + at, pageSize)))
  return metas.reduce((a, b) => (a.txnid > b.txnid ? a : b))
}

/** The pages below a root, also of tables, and the first of each large value; what is damaged by now is passed over. */
function collect(file: Buffer, page: number, pages: number[]): void {
  const bytes = pageOf(file, page)
  if (bytes.length < pageSize || pages.length > mostPages) return
  pages.push(page)
  const tree = new TreePage(pageSize)
  tree.bytes.set(bytes)
  const flags = bytes.readUInt16LE(mpFlagsAt)
  if (flags !== P_BRANCH && flags !== P_LEAF) return
  for (let index = 0; index < nodesOf(bytes); index++) {
    const node = tree.node(index)
    if (node + NODESIZE > pageSize) continue
    const data = tree.dataAt(node)
    if (data + dbSize > pageSize) continue
    if (flags === P_BRANCH) collect(file, readNodePage(tree.view, node), pages)
    else if (tree.flags(node) === F_BIGDATA) pages.push(...inFile(file, readU64(tree.view, data)))
    else if (tree.flags(node) === F_SUBDATA) {
      for (const root of inFile(file, readDb(tree.view, data).root)) collect(file, root, pages)
    }
  }
}

/** NUMKEYS, as far as the page has room for them. */
function nodesOf(page: Buffer): number {
  return Math.min(page.readUInt16LE(mpLowerAt), pageSize - 26) >> 1
}

function inFile(file: Buffer, page: number): readonly number[] {
  return page >= NUM_METAS && (page + 1) * pageSize <= file.length ? [page] : []
}
