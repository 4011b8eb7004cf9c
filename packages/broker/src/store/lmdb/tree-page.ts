import {
  F_BIGDATA,
  hex,
  indxSize,
  largestKey,
  largestNode,
  mnFlagsAt,
  mnKsizeAt,
  mpFlagsAt,
  mpLowerAt,
  mpTxnidAt,
  mpUpperAt,
  NODESIZE,
  ovpageSize,
  P_BRANCH,
  P_LEAF,
  PAGEBASE,
  PAGEHDRSZ,
  readU64,
} from './page-format.js'

/** A key, where it stands. */
export interface Key {
  readonly bytes: Uint8Array
  readonly at: number
  readonly size: number
}

/** What is known of a page from the way to it. */
export interface Expected {
  readonly page: number
  readonly isLeaf: boolean
  /** No key is below this; `undefined`: any may be. */
  readonly from: Key | undefined
  /** No key is at or above this; `undefined`: any may be. */
  readonly before: Key | undefined
  /** A page is written anew with all pages above it: none is younger than its parent. */
  readonly txnid: number
  /** Keys are numbers of 8 bytes, as in the free list. */
  readonly hasNumbers: boolean
}

/** A branch or leaf page: room for one, filled with one page after another. */
export class TreePage {
  readonly bytes: Uint8Array
  /** Of the page in hand, once its {@link damage} was asked for. */
  count = 0
  readonly #view: DataView
  readonly #largestKey: number
  readonly #largestNode: number
  /** Size of the node that begins at twice the index. */
  readonly #nodeSizes: Uint16Array

  constructor(pageSize: number) {
    this.bytes = new Uint8Array(pageSize)
    this.#view = new DataView(this.bytes.buffer)
    this.#largestKey = largestKey(pageSize)
    this.#largestNode = largestNode(pageSize)
    this.#nodeSizes = new Uint16Array(pageSize / 2)
  }

  get view(): DataView {
    return this.#view
  }

  get txnid(): number {
    return readU64(this.#view, mpTxnidAt)
  }

  /** Where node `index` begins. */
  node(index: number): number {
    return this.#view.getUint16(PAGEHDRSZ + index * indxSize, true) + PAGEBASE
  }

  flags(node: number): number {
    return this.#view.getUint16(node + mnFlagsAt, true)
  }

  keySize(node: number): number {
    return this.#view.getUint16(node + mnKsizeAt, true)
  }

  key(node: number): Key {
    return { bytes: this.bytes, at: node + NODESIZE, size: this.keySize(node) }
  }

  /** NODEDSZ. */
  dataSize(node: number): number {
    return this.#view.getUint32(node, true)
  }

  dataAt(node: number): number {
    return node + NODESIZE + this.keySize(node)
  }

  /** What is wrong with the page in hand, or `undefined`: then all nodes are whole and in order. */
  damage(expected: Expected): string | undefined {
    return this.#damageOfHeader(expected) ?? this.#damageOfNodes(expected) ?? this.#damageOfOrder(expected)
  }

  #damageOfHeader({ page, isLeaf, txnid, hasNumbers }: Expected): string | undefined {
    const view = this.#view
    const own = readU64(view, 0)
    if (own !== page) return `it says that it is page ${own}`
    // lmdb takes a page that names a later commit for one it may write to where it lies.
    if (this.txnid > txnid) return `it says that commit ${this.txnid} wrote it, of ${txnid}`
    const flags = view.getUint16(mpFlagsAt, true)
    const due = isLeaf ? P_LEAF : P_BRANCH
    if (flags !== due) return `it has flags ${hex(flags)}, not ${hex(due)}`
    const lower = view.getUint16(mpLowerAt, true)
    const upper = view.getUint16(mpUpperAt, true)
    if (lower % indxSize !== 0 || upper % 2 !== 0 || lower > upper || upper > this.bytes.length - PAGEBASE) {
      return `its free space goes from ${lower} to ${upper}`
    }
    this.count = lower / indxSize // NUMKEYS
    // The free list's branches may be left with one; those of tables may not.
    const fewest = isLeaf || hasNumbers ? 1 : 2
    return this.count < fewest ? `it has ${this.count} nodes, of at least ${fewest}` : undefined
  }

  /** Nodes lie one against the other from mp_upper to the page's end, in any order: lmdb moves them by their sizes. */
  #damageOfNodes(expected: Expected): string | undefined {
    const upper = this.#view.getUint16(mpUpperAt, true) + PAGEBASE
    const sizes = this.#nodeSizes.fill(0)
    for (let index = 0; index < this.count; index++) {
      const damage = this.#damageOfNode(index, upper, expected)
      if (damage) return damage
    }
    let found = 0
    for (let at = upper; at < this.bytes.length; found++) {
      const size = sizes[at >> 1]!
      if (size === 0) return `no node is at ${at}`
      at += size
    }
    return found === this.count ? undefined : 'nodes lie over one another'
  }

  #damageOfNode(index: number, upper: number, { isLeaf, hasNumbers }: Expected): string | undefined {
    const end = this.bytes.length
    const node = this.node(index)
    if (node < upper || node % 2 !== 0 || node + NODESIZE > end) return `node ${index} is said to be at ${node}`
    const keySize = this.keySize(node)
    const isNeverRead = index === 0 && !isLeaf
    const isKey = isNeverRead || (hasNumbers ? keySize === 8 : keySize > 0)
    if (!isKey || keySize > this.#largestKey) return `node ${index} has a key of ${keySize} bytes`
    const size = NODESIZE + keySize + (isLeaf ? this.#inlineSize(node) : 0)
    if (size > this.#largestNode || node + size > end) return `node ${index} at ${node} has ${size} bytes`
    if (this.#nodeSizes[node >> 1] !== 0) return `node ${index} is where another is, at ${node}`
    this.#nodeSizes[node >> 1] = (size + 1) & -2 // EVEN
    return undefined
  }

  #inlineSize(node: number): number {
    return this.flags(node) & F_BIGDATA ? ovpageSize : this.dataSize(node)
  }

  #damageOfOrder({ isLeaf, from, before, hasNumbers }: Expected): string | undefined {
    const compare = hasNumbers ? compareNumbers : compareBytes
    const first = isLeaf ? 0 : 1
    if (first >= this.count) return undefined
    let previous = this.node(first)
    if (from) {
      const order = compare(this.bytes, previous + NODESIZE, this.keySize(previous), from.bytes, from.at, from.size)
      // What is left of a branch's first key has keys of its own.
      if (isLeaf ? order < 0 : order <= 0) return 'its first key is below those that belong here'
    }
    for (let index = first + 1; index < this.count; index++) {
      const node = this.node(index)
      const { bytes } = this
      const [at, size] = [previous + NODESIZE, this.keySize(previous)]
      if (compare(bytes, at, size, bytes, node + NODESIZE, this.keySize(node)) >= 0) {
        return `keys ${index - 1} and ${index} are not in order`
      }
      previous = node
    }
    if (before) {
      const order = compare(
        this.bytes,
        previous + NODESIZE,
        this.keySize(previous),
        before.bytes,
        before.at,
        before.size,
      )
      if (order >= 0) return 'its last key is above those that belong here'
    }
    return undefined
  }
}

/** mdb_cmp_memn. Ranges are arguments of their own: this runs once a key. */
function compareBytes(a: Uint8Array, aAt: number, aSize: number, b: Uint8Array, bAt: number, bSize: number): number {
  const size = Math.min(aSize, bSize)
  for (let i = 0; i < size; i++) {
    const difference = a[aAt + i]! - b[bAt + i]!
    if (difference !== 0) return difference
  }
  return aSize - bSize
}

/** mdb_cmp_long. */
function compareNumbers(a: Uint8Array, aAt: number, _: number, b: Uint8Array, bAt: number): number {
  for (let i = 7; i >= 0; i--) {
    const difference = a[aAt + i]! - b[bAt + i]!
    if (difference !== 0) return difference
  }
  return 0
}
