/** A binary heap: the first of all is found at once, adding and taking out cost a logarithm, whoever goes in whatever order. */
export class Heap<T> {
  readonly #isBefore: (one: T, other: T) => boolean
  readonly #moved: (item: T, at: number) => void
  readonly #items: T[] = []

  /** @param moved told where an item stands now, for {@link removeAt}. Default: nobody wants to know. */
  constructor(isBefore: (one: T, other: T) => boolean, moved: (item: T, at: number) => void = () => {}) {
    this.#isBefore = isBefore
    this.#moved = moved
  }

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  /** Takes out the first. */
  take(): T | undefined {
    const first = this.#items[0]
    if (this.#items.length > 0) this.removeAt(0)
    return first
  }

  /** Takes out the one that stands there. */
  removeAt(at: number): void {
    const last = this.#items.pop()!
    if (at === this.#items.length) return
    this.#rise(last, this.#sink(at)) // the last one fills the hole at the bottom, and rises from there to its place
  }

  #rise(item: T, from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = this.#items[parent]!
      if (!this.#isBefore(item, above)) break
      this.#place(above, at)
      at = parent
    }
    this.#place(item, at)
  }

  /** Moves the earlier child up, again and again; answers the place that is free then. */
  #sink(from: number): number {
    const items = this.#items
    let at = from
    for (;;) {
      const left = 2 * at + 1
      if (left >= items.length) return at
      const right = left + 1
      const child = right < items.length && this.#isBefore(items[right]!, items[left]!) ? right : left
      this.#place(items[child]!, at)
      at = child
    }
  }

  #place(item: T, at: number): void {
    this.#items[at] = item
    this.#moved(item, at)
  }
}
