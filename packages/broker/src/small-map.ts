/**
 * A map that most often has one entry, or none: that one lies in the object itself, and the map (300 bytes) is made for a second.
 * Subscriptions of a session, and holders of a filter, are such.
 */
export class SmallMap<K, V> implements Iterable<readonly [K, V]> {
  #key: K | undefined
  #value: V | undefined
  #size = 0
  #many: Map<K, V> | undefined

  get size(): number {
    return this.#many?.size ?? this.#size
  }

  get(key: K): V | undefined {
    if (this.#many) return this.#many.get(key)
    return this.has(key) ? this.#value : undefined
  }

  has(key: K): boolean {
    return this.#many ? this.#many.has(key) : this.#size === 1 && this.#key === key
  }

  /** Adds or replaces. True: there was none with this key. */
  set(key: K, value: V): boolean {
    const before = this.size
    if (this.#many) this.#many.set(key, value)
    else if (this.#size === 0 || this.#key === key) this.#put(key, value)
    else
      this.#many = new Map([
        [this.#key!, this.#value!],
        [key, value],
      ])
    return this.size > before
  }

  /** False: there was none. */
  delete(key: K): boolean {
    if (this.#many) return this.#many.delete(key)
    if (!this.has(key)) return false
    this.#key = undefined
    this.#value = undefined
    this.#size = 0
    return true
  }

  forEach(visit: (value: V, key: K) => void): void {
    if (this.#many) this.#many.forEach(visit)
    else if (this.#size === 1) visit(this.#value!, this.#key!)
  }

  *keys(): Generator<K, undefined> {
    for (const [key] of this) yield key
  }

  *[Symbol.iterator](): Generator<readonly [K, V], undefined> {
    if (this.#many) yield* this.#many
    else if (this.#size === 1) yield [this.#key!, this.#value!]
  }

  #put(key: K, value: V): void {
    this.#key = key
    this.#value = value
    this.#size = 1
  }
}
