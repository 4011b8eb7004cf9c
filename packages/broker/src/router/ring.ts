interface Place<T> {
  readonly item: T
  before: Place<T>
  after: Place<T>
}

/** Items whose turn comes one after another, over and over. One that will not do when it is asked is taken out until it is added again. */
export class Ring<T> {
  readonly #places = new Map<T, Place<T>>()
  /** Whose turn is next. */
  #next: Place<T> | undefined

  /** Adds one behind all others, unless it is there. */
  add(item: T): void {
    if (this.#places.has(item)) return
    const place = { item } as Place<T>
    const next = this.#next ?? place
    const last = this.#next ? next.before : place
    place.before = last
    place.after = next
    last.after = place
    next.before = place
    this.#next = next
    this.#places.set(item, place)
  }

  delete(item: T): void {
    const place = this.#places.get(item)
    if (!place) return
    this.#places.delete(item)
    place.before.after = place.after
    place.after.before = place.before
    if (this.#next === place) this.#next = place.after === place ? undefined : place.after
  }

  /** The next item in turn that will do. Items before it that will not do are taken out. */
  take(willDo: (item: T) => boolean): T | undefined {
    for (let place = this.#next; place; place = this.#next) {
      if (willDo(place.item)) {
        this.#next = place.after
        return place.item
      }
      this.delete(place.item)
    }
    return undefined
  }
}
