/** Numbers of one block. */
const seenPerBlock = 256
/** Blocks with gaps that are remembered, and runs of blocks without: the oldest are forgotten. */
const mostBlocks = 1_024
/** What a block and a run take, in memory and on disk, roughly. */
const blockBytes = 512
const runBytes = 128

/** What a number has changed. */
export interface Change {
  readonly block: number
  /** Blocks whose bits are not kept any more. */
  readonly gone: readonly number[]
  /** Other blocks are full now. */
  readonly runs: boolean
}

/** Blocks, from the first one up to the one before the second. */
export type Run = readonly [from: number, to: number]

/**
 * A set of numbers that come mostly in their order and mostly all: blocks that are full are runs, the others bits. Bounded: of
 * numbers that came with many gaps the lowest are forgotten.
 */
export class Seen {
  /** In their order, apart from one another. */
  runs: readonly Run[] = []
  readonly #blocks = new Map<number, Uint8Array>()

  /** Those that are not full. */
  get blocks(): Iterable<number> {
    return this.#blocks.keys()
  }

  /** What all of it takes. */
  get bytes(): number {
    return this.#blocks.size * blockBytes + this.runs.length * runBytes
  }

  bitsOf(block: number): Uint8Array | undefined {
    return this.#blocks.get(block)
  }

  has(number: number): boolean {
    const block = Math.floor(number / seenPerBlock)
    const bits = this.#blocks.get(block)
    if (bits) return (bits[(number % seenPerBlock) >> 3]! & (1 << (number & 7))) !== 0
    return this.#isFull(block)
  }

  /** Undefined: it was there. */
  add(number: number): Change | undefined {
    if (this.has(number)) return undefined
    const block = Math.floor(number / seenPerBlock)
    const bits = this.#blocks.get(block) ?? new Uint8Array(seenPerBlock / 8)
    this.#blocks.set(block, bits)
    bits[(number % seenPerBlock) >> 3]! |= 1 << (number & 7)
    if (bits.some((byte) => byte !== 0xff)) return { block, gone: this.#forgetLowest(), runs: false }
    this.#blocks.delete(block)
    this.runs = joined(this.runs, block)
    return { block, gone: [block], runs: true }
  }

  /** Puts back bits that were kept. */
  restore(block: number, bits: Uint8Array): void {
    if (bits.length === seenPerBlock / 8) this.#blocks.set(block, bits)
  }

  #isFull(block: number): boolean {
    for (let at = this.runs.length - 1; at >= 0; at--) {
      const [from, to] = this.runs[at]!
      if (block >= from) return block < to
    }
    return false
  }

  #forgetLowest(): readonly number[] {
    if (this.#blocks.size <= mostBlocks) return []
    const lowest = Math.min(...this.#blocks.keys())
    this.#blocks.delete(lowest)
    return [lowest]
  }
}

/** The runs with one block more. */
function joined(runs: readonly Run[], block: number): readonly Run[] {
  const before = runs.filter(([from]) => from <= block)
  const after = runs.slice(before.length)
  const [from, to] = [before.at(-1)?.[1] === block, after[0]?.[0] === block + 1]
  const run: Run = [from ? before.pop()![0] : block, to ? after.shift()![1] : block + 1]
  return [...before, run, ...after].slice(-mostBlocks)
}
