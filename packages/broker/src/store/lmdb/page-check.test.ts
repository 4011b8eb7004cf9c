import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkPages } from './page-check.js'
import { type Db, type Meta, overflowPages, readDb, readMeta, readNodePage } from './page-format.js'
import { openTables } from './tables.js'
import { TreePage } from './tree-page.js'

const pageSize = 4096
const folder = mkdtempSync(join(tmpdir(), 'godwit-page-check-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the check of a file that is sound', () => {
  it('finds nothing in an empty file, nor in a new store', async () => {
    const path = join(folder, 'new.mdb')
    writeFileSync(path, '')
    expect(checkPages(path)).toMatchObject({ damage: [], pages: 0 })
    await openTables(path).root.close()
    const { damage, tables, counts } = checkPages(path)
    expect(damage).toEqual([])
    expect(tables.map(({ name }) => name)).toContain('shares')
    expect(counts).toMatchObject({ leaked: 0 })
  })

  it('counts entries and pages: those in use, those that are free, those of the file', async () => {
    const path = join(folder, 'sound.mdb')
    await fill(path)
    const { damage, tables, counts, pages } = checkPages(path)
    expect(damage).toEqual([])
    const large = 10 * overflowPages(20_000, pageSize)
    expect(tables).toEqual([
      { name: 'empty', entries: 0, pages: 0 },
      { name: 'large', entries: 10, pages: large + 1 },
      { name: 'small', entries: 1000, pages: expect.any(Number) },
    ])
    expect(counts.leaked).toBe(0)
    expect(counts.live + counts.free).toBe(pages)
    expect(counts.free).toBeGreaterThan(10)
  })

  it('sees what is free once nearly all is removed', async () => {
    const path = join(folder, 'removed.mdb')
    await fill(path)
    const before = checkPages(path).counts
    const root = open({ path, noSubdir: true, maxDbs: 16, eventTurnBatching: false })
    await root.openDB('small', { encoding: 'binary' }).clearAsync()
    await root.close()
    const { damage, counts } = checkPages(path)
    expect(damage).toEqual([])
    expect(counts.live).toBeLessThan(before.live)
    expect(counts.free).toBeGreaterThan(before.free)
  })

  it('does not mind what lies behind the last page, nor what a free page holds', async () => {
    const path = join(folder, 'behind.mdb')
    await fill(path)
    writeFileSync(path, Buffer.alloc(3 * pageSize + 7, 0xa5), { flag: 'a' })
    const { damage, counts, pages } = checkPages(path)
    expect(damage).toEqual([])
    expect(counts.file).toBe(pages + 3)
  })
})

describe('the check of a file that is damaged', () => {
  let sound: Buffer
  beforeAll(async () => {
    const path = join(folder, 'origin.mdb')
    await fill(path)
    sound = readFileSync(path)
  })

  function damageAfter(change: (file: DataFile) => void): string {
    const path = join(folder, 'damaged.mdb')
    const file = new DataFile(Buffer.from(sound))
    change(file)
    writeFileSync(path, file.bytes)
    return checkPages(path).damage.join('\n')
  }

  it('names the page, its byte and its table', () => {
    const page = new DataFile(sound).table('small').root
    const damage = damageAfter((file) => file.page(page).fill(0))
    expect(damage).toBe(`table "small", page ${page} (byte ${page * pageSize}): it says that it is page 0`)
  })

  it.each<[what: string, change: (file: DataFile) => void, damage: RegExp]>([
    ['another page lies there', (f) => f.leaf('small').writeUInt32LE(7, 0), /it says that it is page 7$/],
    [
      'a page is of a later commit',
      (f) => f.leaf('small').writeUInt32LE(99_999, 8),
      /it says that commit 99999 wrote it/,
    ],
    ['a leaf is a branch', (f) => f.leaf('small').writeUInt16LE(1, 18), /it has flags 0x1, not 0x2$/],
    ['a leaf has values in order', (f) => f.leaf('small').writeUInt16LE(0x22, 18), /it has flags 0x22, not 0x2$/],
    ['free space is upside down', (f) => f.leaf('small').writeUInt16LE(4070, 20), /its free space goes from 4070 to/],
    ['a leaf has no nodes', (f) => f.leaf('small').writeUInt16LE(0, 20), /it has 0 nodes, of at least 1$/],
    ['a node lies outside', (f) => f.leaf('small').writeUInt16LE(4080, 24), /node 0 is said to be at 4104$/],
    ['a node lies where it cannot', (f) => f.leaf('small').writeUInt16LE(3001, 24), /node 0 is said to be at 3025$/],
    ['two nodes are one', (f) => f.leaf('small').copy(f.leaf('small'), 24, 26, 28), /node 1 is where another is/],
    [
      'a node is too large',
      (f) => f.leaf('small').writeUInt16LE(2100, f.node('small', 0)),
      /node 0 at \d+ has 2\d+ bytes$/,
    ],
    ['a node is too short', (f) => f.leaf('small').writeUInt16LE(2, f.node('small', 0)), /no node is at \d+$/],
    ['a key is too long', (f) => f.leaf('small').writeUInt16LE(1979, f.node('small', 0) + 6), /a key of 1979 bytes$/],
    ['a key is empty', (f) => f.leaf('small').writeUInt16LE(0, f.node('small', 0) + 6), /node 0 has a key of 0 bytes$/],
    [
      'keys are out of order',
      (f) => f.leaf('small').fill(0xff, f.node('small', 0) + 8, f.node('small', 0) + 11),
      /keys 0 and 1 are/,
    ],
    [
      'keys are of another page',
      (f) => f.leaf('small', 1).fill(0, f.node('small', 0, 1) + 8, f.node('small', 0, 1) + 11),
      /its first key is below/,
    ],
    [
      'a key is above its page',
      (f) => f.branch('small').fill(0, f.branchNode('small', 1) + 9, f.branchNode('small', 1) + 11),
      /its last key is above/,
    ],
    [
      'a child is far away',
      (f) => f.branch('small').writeUInt32LE(123_456, f.branchNode('small', 1)),
      /points to page 123456, of \d+$/,
    ],
    [
      'a child has another parent',
      (f) => f.branch('small').writeUInt32LE(f.table('large').root, f.branchNode('small', 1)),
      /it is in use twice$/m,
    ],
    [
      'a child is a header',
      (f) => f.branch('small').writeUInt32LE(1, f.branchNode('small', 1)),
      /points to page 1, of/,
    ],
    [
      'a node has flags',
      (f) => f.leaf('small').writeUInt16LE(4, f.node('small', 0) + 4),
      /the node at \d+ has flags 0x4$/,
    ],
  ])('tells that %s', (_, change, damage) => expect(damageAfter(change)).toMatch(damage))

  it.each<[what: string, change: (file: DataFile) => void, damage: RegExp]>([
    [
      'its first page is another',
      (f) => f.largeValue().writeUInt32LE(7, 0),
      /it says that it is page 7 \(a large value\)$/,
    ],
    [
      'its first page is no such page',
      (f) => f.largeValue().writeUInt16LE(2, 18),
      /flags 0x2, not 0x4 \(a large value\)$/,
    ],
    ['its first page is of a later commit', (f) => f.largeValue().writeUInt32LE(99_999, 8), /commit 99999 wrote it/],
    [
      'its pages are not as many',
      (f) => f.largeValue().writeUInt32LE(9, 20),
      /it has 9 pages, of 5 \(a large value\)$/,
    ],
    [
      'it does not fit',
      (f) => f.leaf('large').writeUInt32LE(20_480, f.node('large', 0)),
      /has 20480 bytes in 5 pages$/,
    ],
    [
      'it lies behind the end',
      (f) => f.leaf('large').writeUInt32LE(123_456, f.largeAt()),
      /points to pages 123456 to 123460/,
    ],
  ])('tells of a large value that %s', (_, change, damage) => expect(damageAfter(change)).toMatch(damage))

  it.each<[what: string, change: (file: DataFile) => void, damage: RegExp]>([
    ['a page in use', (f) => f.freeWord(1, f.table('large').root), /in use, and on the free list$/m],
    [
      'a page twice',
      (f) => f.freeWord(1, f.freeWord(2)),
      /the record of commit \d+ names page \d+, which is free already$/m,
    ],
    ['a page behind the last', (f) => f.freeWord(1, 123_456), /names page 123456, of \d+$/],
    ['a header', (f) => f.freeWord(1, 1), /names page 1, of \d+$/],
    ['a block behind the last page', (f) => f.freeWords(1, -1000, 20), /names page 20 and the 999 after it, of/],
    ['more entries than it has', (f) => f.freeWord(0, 1000), /says that it has 1000 entries, in \d+ words$/],
    ['half a block', (f) => f.freeWords(0, 1, -2), /ends in the middle of a block$/],
    [
      'a commit that is to come',
      (f) => f.freeList().writeUInt32LE(99_999, f.newestFreeNode() + 8),
      /the record of commit 99999 is of none from 1 to \d+$/,
    ],
  ])('tells of a free list that names %s', (_, change, damage) => expect(damageAfter(change)).toMatch(damage))

  it('counts what a wrong free list has lost, and calls it no damage', () => {
    const path = join(folder, 'lost.mdb')
    const file = new DataFile(Buffer.from(sound))
    file.freeWord(1, 0)
    writeFileSync(path, file.bytes)
    expect(checkPages(path)).toMatchObject({ damage: [], counts: { leaked: 1 } })
  })

  it.each<[what: string, at: number, value: number, damage: RegExp]>([
    ['flags', 4, 4, /table "small" has flags 0x4$/],
    ['a depth', 6, 1, /it has flags 0x1, not 0x2$/],
    ['no depth', 6, 0, /it says that it is 0 pages deep$/],
    ['branch pages', 8, 9, /table "small": branch pages: 1, not 9$/],
    ['leaf pages', 16, 9, /table "small": leaf pages: \d+, not 9$/],
    ['pages of large values', 24, 9, /table "small": pages of large values: 0, not 9$/],
    ['entries', 32, 999, /table "small": entries: 1000, not 999$/],
    ['a root', 40, 65_535, /table "small": points to page 65535, of \d+$/],
  ])('tells of a table that has wrong %s', (_, at, value, damage) => {
    const change = (file: DataFile) => file.tables().set([value & 0xff, value >> 8], file.tableAt('small') + at)
    expect(damageAfter(change)).toMatch(damage)
  })

  it.each<[what: string, change: (bytes: Buffer) => void, damage: RegExp]>([
    [
      'a magic number',
      (b) => b.fill(0, pageSize + 24, pageSize + 28),
      /^page 1 \(byte 4096\), a header: is none of LMDB$/,
    ],
    ['a size of pages', (b) => b.writeUInt32LE(4097, 48), /a page size of 4097 bytes$/],
    ['a size of pages in the second', (b) => b.writeUInt32LE(8192, pageSize + 48), /says that pages have 8192 bytes/],
    ['flags of the free list', (b) => b.writeUInt16LE(0x0c, 52), /has flags 0xc for the free list$/],
    ['flags of the tables', (b) => b.writeUInt16LE(4, 100), /has flags 0x4 for the list of tables$/],
    ['a last page', (b) => b.writeUInt32LE(0x4000_0000, 144), /says that the last page is 1073741824; the file has/],
    ['a root', (b) => b.writeUInt32LE(0xffff, pageSize + 136), /points to page 65535 of \d+$/],
    [
      'a commit of the other',
      (b) => (b[152]! ^= 1),
      /^page 0 \(byte 0\), a header: names commit \d+, which belongs in/,
    ],
    ['a commit that does not follow', (b) => (b[pageSize + 153]! ^= 64), /do not follow on one another$/],
    ['flags of its own', (b) => b.writeUInt16LE(2, pageSize + 18), /has flags 0x2, not 0x8$/],
  ])('tells of headers that have wrong %s', (_, change, damage) => {
    expect(damageAfter((file) => void change(file.bytes))).toMatch(damage)
  })

  it('tells that the file is cut short', () => {
    const cut = (pages: number) => damageAfter((file) => file.cut(pages))
    expect(cut(1)).toBe('the file is shorter than its two headers')
    expect(cut(20)).toMatch(/points to pages? .+; the file is cut short after page 19$/m)
  })

  it('tells the first of much damage, and how much there was', () => {
    const path = join(folder, 'much.mdb')
    const bytes = Buffer.from(sound)
    bytes.fill(0xa5, 2 * pageSize)
    writeFileSync(path, bytes)
    const { damage, damages } = checkPages(path)
    expect(damages).toBeGreaterThanOrEqual(damage.length)
    expect(damage.length).toBeLessThanOrEqual(20)
  })
})

/** Three tables, of which one has a branch, one large values and one nothing; and pages that are free. */
async function fill(path: string): Promise<void> {
  const root = open({ path, noSubdir: true, maxDbs: 16, eventTurnBatching: false })
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
  const [small, large] = [root.openDB<Buffer, Buffer>('small', binary), root.openDB<Buffer, Buffer>('large', binary)]
  root.openDB('empty', binary)
  const key = (number: number) => Buffer.from([1, number >> 8, number & 0xff])
  /** In one commit: lmdb would begin to write before the last is there, now earlier, now later, and the free list would differ. */
  const forEach = (from: number, to: number, write: (key: Buffer) => void) =>
    root.batch(() => {
      for (let number = from; number < to; number++) write(key(number))
    })
  for (const round of [1, 2, 3]) {
    await forEach(0, 1000, (at) => void small.put(at, Buffer.alloc(50, round)))
    await forEach(0, 10 * round, (at) => void large.put(at, Buffer.alloc(20_000, round)))
  }
  await forEach(10, 30, (at) => void large.remove(at))
  await small.put(key(0), Buffer.alloc(50))
  await root.close()
}

/** Finds its way in a file as {@link fill} leaves it. */
class DataFile {
  bytes: Buffer
  readonly meta: Meta

  constructor(bytes: Buffer) {
    this.bytes = bytes
    const [first, second] = [0, pageSize].map((at) => readMeta(this.#view(at))) as [Meta, Meta]
    this.meta = first.txnid > second.txnid ? first : second
  }

  page(page: number): Buffer {
    return this.bytes.subarray(page * pageSize, (page + 1) * pageSize)
  }

  tables(): Buffer {
    return this.page(this.meta.main.root)
  }

  /** Where a table's MDB_db is, in the root of the list of tables. */
  tableAt(name: string): number {
    const page = this.#tree(this.meta.main.root)
    const index = ['empty', 'large', 'small'].indexOf(name)
    return page.dataAt(page.node(index))
  }

  table(name: string): Db {
    return readDb(this.#view(this.meta.main.root * pageSize), this.tableAt(name))
  }

  branch(name: string): Buffer {
    return this.page(this.table(name).root)
  }

  branchNode(name: string, index: number): number {
    return this.#tree(this.table(name).root).node(index)
  }

  leaf(name: string, index = 0): Buffer {
    const { root, depth } = this.table(name)
    if (depth === 1) return this.page(root)
    const branch = this.#tree(root)
    return this.page(readNodePage(branch.view, branch.node(index)))
  }

  /** Where a node begins in a leaf of a table. */
  node(name: string, index: number, leaf = 0): number {
    return this.leaf(name, leaf).readUInt16LE(24 + 2 * index) + 24
  }

  /** Where the leaf of `large` says which page its first value begins at. */
  largeAt(): number {
    return this.node('large', 0) + 8 + 3
  }

  largeValue(): Buffer {
    return this.page(this.leaf('large').readUInt32LE(this.largeAt()))
  }

  freeList(): Buffer {
    return this.page(this.meta.free.root)
  }

  /** The record of the free list with most entries. */
  freeNode(): number {
    const page = this.#tree(this.meta.free.root)
    const nodes = Array.from({ length: this.freeList().readUInt16LE(20) / 2 }, (_, index) => page.node(index))
    return nodes.reduce((most, node) => (page.dataSize(node) > page.dataSize(most) ? node : most))
  }

  /** The record of the free list of the last commit. */
  newestFreeNode(): number {
    return this.#tree(this.meta.free.root).node(this.freeList().readUInt16LE(20) / 2 - 1)
  }

  /** A word of the longest record, after a new one was put there. */
  freeWord(index: number, value?: number): number {
    const at = this.freeNode() + 16 + 8 * index
    if (value !== undefined) this.freeList().writeBigInt64LE(BigInt(value), at)
    return Number(this.freeList().readBigInt64LE(at))
  }

  freeWords(first: number, ...values: readonly number[]): void {
    for (const [index, value] of values.entries()) this.freeWord(first + index, value)
  }

  /** Without what lies behind some of its pages. */
  cut(pages: number): void {
    this.bytes = this.bytes.subarray(0, pages * pageSize)
  }

  #tree(page: number): TreePage {
    const tree = new TreePage(pageSize)
    tree.bytes.set(this.page(page))
    return tree
  }

  #view(at: number): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, pageSize)
  }
}
