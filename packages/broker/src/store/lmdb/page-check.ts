import { FreeRecord } from './free-list.js'
import { PageFile, PageSet } from './page-file.js'
import {
  CURSOR_STACK,
  type Db,
  dbSize,
  F_BIGDATA,
  F_SUBDATA,
  hex,
  type Meta,
  mpFlagsAt,
  mpPagesAt,
  mpTxnidAt,
  NUM_METAS,
  opPagesAt,
  overflowPages,
  P_INVALID,
  P_OVERFLOW,
  PAGEHDRSZ,
  readDb,
  readNodePage,
  readU64,
} from './page-format.js'
import { findSnapshot } from './snapshot.js'
import { type Expected, TreePage } from './tree-page.js'

/**
 * Looks at everything in an LMDB file that LMDB relies on and does not check itself: given a damaged page, it ends the
 * process, or fails every commit. Values are not looked at, and no process may be writing to the file. Reads each page of
 * the trees and the head of each large value; takes two bits of memory a page.
 * @param onEntry given each entry of the tables, of pages that are sound.
 * @throws the system's error when the file cannot be opened, or its headers cannot be read.
 */
export function checkPages(path: string, onEntry?: EntryVisitor): PageCheck {
  const file = new PageFile(path)
  try {
    if (file.size === 0) return { ...nothing, damage: [], damages: 0 } // a new one
    const { meta, damage } = findSnapshot(file)
    return meta ? new PageWalk(file, meta, onEntry).run() : { ...nothing, damage: [damage], damages: 1 }
  } finally {
    file.close()
  }
}

const nothing = { pages: 0, pageSize: 0, commit: 0, tables: [], counts: { live: 0, free: 0, leaked: 0, file: 0 } }

/** What a file's structure was found to be. */
export interface PageCheck {
  /** Pages that LMDB counts; the file may have more, left by a process that was ended, or fewer. */
  readonly pages: number
  /** Bytes. 0: the file is empty, or its headers are damaged. */
  readonly pageSize: number
  /** Number of the commit that LMDB goes on with. */
  readonly commit: number
  /** What is damaged, a line each; of many the first. Empty: the structure is sound. */
  readonly damage: readonly string[]
  /** Of all that was found, also of what is not in `damage`. What lies below a damaged page is not looked at. */
  readonly damages: number
  /** In the order of their names. */
  readonly tables: readonly TableCheck[]
  readonly counts: PageCounts
}

interface TableCheck {
  readonly name: string
  readonly entries: number
  /** Of its tree and of its large values. */
  readonly pages: number
}

/** `live`, `free` and `leaked` make up {@link PageCheck.pages}, unless something is damaged. */
interface PageCounts {
  /** In use: headers, trees, large values. */
  readonly live: number
  /** On the free list. */
  readonly free: number
  /** Neither: lost room, no damage. */
  readonly leaked: number
  /** In the file. */
  readonly file: number
}

/** Lines of damage that are told; the others are counted. */
const mostLines = 20
/** Bytes of a large record of the free list that are looked at at once. */
const recordPiece = 65_536

/** Is given each entry of a table, as it lies in the file. */
type EntryVisitor = (table: string, key: Buffer, value: Buffer) => void

type Kind = 'free list' | 'list of tables' | 'table'

/** A tree, and what was met on the way through it. */
interface Tree {
  readonly kind: Kind
  /** A table's. */
  readonly name: string
  readonly db: Db
  /** Of the page that points to its root. */
  readonly txnid: number
  branchPages: number
  leafPages: number
  overflowPages: number
  entries: number
  /** Some of it was not looked at: its counts tell nothing. */
  isDamaged: boolean
}

/** One way through all trees of a snapshot, from the free list on. */
class PageWalk {
  readonly #file: PageFile
  readonly #meta: Meta
  readonly #pageSize: number
  /** Whole pages in the file. */
  readonly #filePages: number
  readonly #live: PageSet
  readonly #free: PageSet
  readonly #damage: string[] = []
  #damages = 0
  /** Pages from a root to the leaf in hand. */
  readonly #way: TreePage[] = []
  readonly #overflowHeader = new DataView(new ArrayBuffer(PAGEHDRSZ))
  readonly #tables: Tree[] = []

  readonly #onEntry: EntryVisitor | undefined

  /** @param onEntry given the entries of pages that are sound. */
  constructor(file: PageFile, meta: Meta, onEntry?: EntryVisitor) {
    this.#file = file
    this.#onEntry = onEntry
    this.#meta = meta
    this.#pageSize = meta.pageSize
    this.#filePages = Math.floor(file.size / meta.pageSize)
    this.#live = new PageSet(meta.lastPage + 1)
    this.#free = new PageSet(meta.lastPage + 1)
  }

  run(): PageCheck {
    const { free, main, lastPage, txnid } = this.#meta
    for (let page = 0; page < NUM_METAS; page++) this.#live.add(page)
    this.#walk(treeOf('free list', '', free, txnid))
    this.#walk(treeOf('list of tables', '', main, txnid))
    for (const table of this.#tables) this.#walk(table)
    const counts = this.#count()
    const tables = this.#tables.map(({ name, db, branchPages, leafPages, overflowPages }) => {
      return { name, entries: db.entries, pages: branchPages + leafPages + overflowPages }
    })
    const found = { damage: this.#damage, damages: this.#damages, tables, counts }
    return { pages: lastPage + 1, pageSize: this.#pageSize, commit: txnid, ...found }
  }

  #walk(tree: Tree): void {
    const { root, depth } = tree.db
    if (root !== P_INVALID) {
      if (depth < 1 || depth > CURSOR_STACK) return this.#tell(tree, `it says that it is ${depth} pages deep`)
      this.#visit(tree, root, 1, { from: undefined, before: undefined, txnid: tree.txnid })
    } else if (depth !== 0) this.#tell(tree, `it has no root, and says that it is ${depth} pages deep`)
    if (tree.isDamaged) return
    for (const count of ['branchPages', 'leafPages', 'overflowPages', 'entries'] as const) {
      if (tree[count] !== tree.db[count])
        this.#tell(tree, `${countNames[count]}: ${tree[count]}, not ${tree.db[count]}`)
    }
  }

  /** @param level 1: the root. */
  #visit(tree: Tree, page: number, level: number, due: Pick<Expected, 'from' | 'before' | 'txnid'>): void {
    if (!this.#claim(tree, page, 1)) return
    const isLeaf = level === tree.db.depth
    this.#way[level] ??= new TreePage(this.#pageSize)
    const found = this.#way[level]
    if (!this.#read(tree, page, found.bytes)) return
    const damage = found.damage({ ...due, page, isLeaf, hasNumbers: tree.kind === 'free list' })
    if (damage) return this.#tell(tree, damage, page)
    if (isLeaf) {
      tree.leafPages++
      tree.entries += found.count
      for (let index = 0; index < found.count; index++) this.#visitEntry(tree, page, found, found.node(index))
      return
    }
    tree.branchPages++
    for (let index = 0; index < found.count; index++) {
      const node = found.node(index)
      this.#visit(tree, readNodePage(found.view, node), level + 1, {
        from: index === 0 ? due.from : found.key(node),
        before: index + 1 === found.count ? due.before : found.key(found.node(index + 1)),
        txnid: found.txnid,
      })
    }
  }

  #visitEntry(tree: Tree, page: number, leaf: TreePage, node: number): void {
    const flags = leaf.flags(node)
    if (tree.kind === 'list of tables') return this.#visitTable(tree, page, leaf, node)
    if ((flags & ~F_BIGDATA) !== 0) return this.#tell(tree, `the node at ${node} has flags ${hex(flags)}`, page)
    const first = flags === F_BIGDATA ? this.#visitOverflow(tree, page, leaf, node) : undefined
    if (this.#onEntry && tree.kind === 'table' && !(flags === F_BIGDATA && first === undefined)) {
      this.#giveEntry(this.#onEntry, tree, leaf, node, first)
    }
    if (tree.kind === 'free list' && !(flags === F_BIGDATA && first === undefined)) {
      this.#visitFreeRecord(tree, page, leaf, node, first)
    }
  }

  /** A value that does not fit a node: pages of its own, of which the first has a header. Gives the first. */
  #visitOverflow(tree: Tree, page: number, leaf: TreePage, node: number): number | undefined {
    const at = leaf.dataAt(node)
    const first = readU64(leaf.view, at)
    const pages = readU64(leaf.view, at + opPagesAt)
    const size = leaf.dataSize(node)
    const where = `the large value of the node at ${node}`
    // More than it takes are left where a shorter value was put over one of the same commit.
    if (pages < overflowPages(size, this.#pageSize)) {
      return void this.#tell(tree, `${where} has ${size} bytes in ${pages} pages`, page)
    }
    if (!this.#claim(tree, first, pages)) return undefined
    const header = this.#overflowHeader
    if (!this.#read(tree, first, new Uint8Array(header.buffer))) return undefined
    const own = readU64(header, 0)
    const flags = header.getUint16(mpFlagsAt, true)
    const txnid = readU64(header, mpTxnidAt)
    const count = header.getUint32(mpPagesAt, true)
    const damage =
      own !== first
        ? `it says that it is page ${own}`
        : flags !== P_OVERFLOW
          ? `it has flags ${hex(flags)}, not ${hex(P_OVERFLOW)}`
          : txnid > leaf.txnid
            ? `it says that commit ${txnid} wrote it, of ${leaf.txnid}`
            : count !== pages
              ? `it says that it has ${count} pages, of ${pages}`
              : undefined
    if (damage) return void this.#tell(tree, `${damage} (a large value)`, first)
    tree.overflowPages += pages
    return first
  }

  #giveEntry(onEntry: EntryVisitor, tree: Tree, leaf: TreePage, node: number, first: number | undefined): void {
    const { bytes, at, size } = leaf.key(node)
    const key = Buffer.from(bytes.subarray(at, at + size))
    const value = Buffer.alloc(leaf.dataSize(node))
    if (first === undefined) value.set(leaf.bytes.subarray(leaf.dataAt(node), leaf.dataAt(node) + value.length))
    else if (!this.#read(tree, first, value, PAGEHDRSZ)) return
    onEntry(tree.name, key, value)
  }

  #visitTable(tree: Tree, page: number, leaf: TreePage, node: number): void {
    const { bytes, at, size } = leaf.key(node)
    const flags = leaf.flags(node)
    const name = new TextDecoder().decode(bytes.subarray(at, at + size - 1))
    if (flags !== F_SUBDATA || leaf.dataSize(node) !== dbSize || bytes[at + size - 1] !== 0) {
      return this.#tell(tree, `the node at ${node} is none of a table`, page)
    }
    const db = readDb(leaf.view, leaf.dataAt(node))
    if (db.flags !== 0) return this.#tell(tree, `table ${JSON.stringify(name)} has flags ${hex(db.flags)}`, page)
    this.#tables.push(treeOf('table', name, db, leaf.txnid))
  }

  /** Key: the commit that freed the pages, or that gathered what is left of earlier ones. */
  #visitFreeRecord(tree: Tree, page: number, leaf: TreePage, node: number, first: number | undefined): void {
    const freedBy = readU64(leaf.view, leaf.key(node).at)
    const tell = (what: string) => this.#tell(tree, `the record of commit ${freedBy} ${what}`, page)
    if (freedBy === 0 || freedBy > this.#meta.txnid) return tell(`is of none from 1 to ${this.#meta.txnid}`)
    const size = leaf.dataSize(node)
    const record = new FreeRecord(size, this.#meta.lastPage, (free) => this.#setFree(free))
    let found: ReturnType<FreeRecord['read']>
    if (first === undefined) {
      found = record.read(new DataView(leaf.bytes.buffer, leaf.dataAt(node), size))
    } else {
      for (let done = 0; done < size && found === undefined; done += recordPiece) {
        const piece = new Uint8Array(Math.min(recordPiece, size - done))
        if (!this.#read(tree, first, piece, PAGEHDRSZ + done)) return
        found = record.read(new DataView(piece.buffer))
      }
    }
    const damage = found === true ? undefined : (found ?? record.end())
    if (damage) tell(damage)
  }

  #setFree(page: number): string | undefined {
    if (this.#live.has(page)) return `names page ${page}, which is in use`
    return this.#free.add(page) ? undefined : `names page ${page}, which is free already`
  }

  /** Takes pages for a tree: false, and told, when they are not to be had. */
  #claim(tree: Tree, first: number, pages: number): boolean {
    const last = first + pages - 1
    const run = pages === 1 ? `page ${first}` : `pages ${first} to ${last}`
    if (first < NUM_METAS || last > this.#meta.lastPage) {
      this.#tell(tree, `points to ${run}, of ${this.#meta.lastPage}`)
      return false
    }
    if (last >= this.#filePages) {
      this.#tell(tree, `points to ${run}; the file is cut short after page ${this.#filePages - 1}`)
      return false
    }
    for (let page = first; page <= last; page++) {
      if (this.#free.has(page)) this.#tell(tree, 'it is in use, and on the free list', page)
      if (this.#live.add(page)) continue
      this.#tell(tree, 'it is in use twice', page)
      return false
    }
    return true
  }

  #read(tree: Tree, page: number, into: Uint8Array, from = 0): boolean {
    try {
      this.#file.read(into, page * this.#pageSize + from)
      return true
    } catch (error) {
      this.#tell(tree, `it cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`, page)
      return false
    }
  }

  #count(): PageCounts {
    const pages = this.#meta.lastPage + 1
    const [live, free] = [this.#live.size, this.#free.size]
    let lostBehindEnd = 0
    for (let page = this.#filePages; page < pages; page++) if (!this.#free.has(page)) lostBehindEnd++
    // A few may be lost by lmdb itself. That many tell of a wrong header: the file would grow by as much.
    if (this.#damages === 0 && lostBehindEnd > Math.max(this.#filePages, 1024)) {
      this.#damages = this.#damage.push(
        `the header says that there are ${pages} pages; the file has ${this.#filePages}`,
      )
    }
    return { live, free, leaked: Math.max(pages - live - free, 0), file: this.#filePages }
  }

  #tell(tree: Tree, what: string, page?: number): void {
    tree.isDamaged = true
    this.#damages++
    if (this.#damage.length >= mostLines) return
    const where = tree.kind === 'table' ? `table ${JSON.stringify(tree.name)}` : `the ${tree.kind}`
    const at = page === undefined ? '' : `, page ${page} (byte ${page * this.#pageSize})`
    this.#damage.push(`${where}${at}: ${what}`)
  }
}

const countNames = {
  branchPages: 'branch pages',
  leafPages: 'leaf pages',
  overflowPages: 'pages of large values',
  entries: 'entries',
} as const

function treeOf(kind: Kind, name: string, db: Db, txnid: number): Tree {
  return { kind, name, db, txnid, branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0, isDamaged: false }
}
