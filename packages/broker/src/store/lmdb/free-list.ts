import { NUM_METAS } from './page-format.js'

/** What is wrong with a record of the free list, in words that follow the record's place. */
type RecordDamage = string | undefined

/**
 * Reads a record of the free list word by word, as mdb_midl_xmerge does: an MDB_IDL is the count of entries that follow; an
 * entry is a page number, 0 (a gap left for growth), or minus the length of a block, whose first page is the next entry.
 * Entries are in no order where a commit has just freed them, and lmdb relies on none.
 */
export class FreeRecord {
  /** Entries to come; `undefined`: the count is to come. */
  #left: number | undefined
  /** Pages of the block whose first page is the next entry; 0: none is open. */
  #block = 0
  readonly #words: number
  readonly #lastPage: number
  readonly #add: (page: number) => RecordDamage

  /**
   * @param bytes Of the whole record.
   * @param add Takes one free page, and says what is wrong with it.
   */
  constructor(bytes: number, lastPage: number, add: (page: number) => RecordDamage) {
    this.#words = Math.floor(bytes / 8)
    this.#lastPage = lastPage
    this.#add = add
  }

  /** The next whole words of the record. True: no more are needed. */
  read(bytes: DataView): RecordDamage | true {
    for (let at = 0; at + 8 <= bytes.byteLength; at += 8) {
      if (this.#left === 0) return this.end() ?? true
      // A word is signed; what a double does not hold exactly is no page's number.
      const word = bytes.getUint32(at, true) + bytes.getInt32(at + 4, true) * 0x1_0000_0000
      const damage = this.#left === undefined ? this.#begin(word) : this.#entry(word)
      if (damage) return damage
    }
    return this.#left === 0 ? (this.end() ?? true) : undefined
  }

  end(): RecordDamage {
    if (this.#left !== 0) return 'is shorter than it says'
    return this.#block > 0 ? 'ends in the middle of a block' : undefined
  }

  #begin(count: number): RecordDamage {
    if (count < 0 || count >= this.#words) return `says that it has ${count} entries, in ${this.#words} words`
    this.#left = count
    return undefined
  }

  #entry(word: number): RecordDamage {
    this.#left!--
    if (this.#block === 0 && word <= 0) {
      this.#block = -word
      return undefined
    }
    const pages = Math.max(this.#block, 1)
    this.#block = 0
    if (word < NUM_METAS || word + pages - 1 > this.#lastPage) {
      return `names page ${word}${pages > 1 ? ` and the ${pages - 1} after it` : ''}, of ${this.#lastPage}`
    }
    for (let page = word; page < word + pages; page++) {
      const damage = this.#add(page)
      if (damage) return damage
    }
    return undefined
  }
}
