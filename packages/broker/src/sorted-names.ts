/** Names of one piece at most; it is cut in two beyond. */
const mostOfPiece = 1_024

/** Names in their order (by UTF-16 unit), to be listed from anywhere on: adding and removing one cost no more among a million. */
export class SortedNames {
  /** In order, none empty; each is in order itself. */
  readonly #pieces: string[][] = []

  /** Adds one that is not there. */
  add(name: string): void {
    const at = Math.max(0, this.#pieceOf(name))
    const piece = this.#pieces[at]
    if (!piece) return void this.#pieces.push([name])
    piece.splice(firstFrom(piece, name), 0, name)
    if (piece.length > mostOfPiece) this.#pieces.splice(at + 1, 0, piece.splice(mostOfPiece / 2))
  }

  delete(name: string): void {
    const at = this.#pieceOf(name)
    const piece = this.#pieces[at]
    if (!piece) return
    const place = firstFrom(piece, name)
    if (piece[place] !== name) return
    piece.splice(place, 1)
    if (piece.length === 0) this.#pieces.splice(at, 1)
  }

  /** All from this name on, itself included. They must not change meanwhile. */
  *from(name: string): Generator<string, void, undefined> {
    const first = Math.max(0, this.#pieceOf(name))
    for (let at = first; at < this.#pieces.length; at++) {
      const piece = this.#pieces[at]!
      for (let place = at === first ? firstFrom(piece, name) : 0; place < piece.length; place++) yield piece[place]!
    }
  }

  /** The piece that a name belongs to: the last that does not begin behind it; −1: it is before all. */
  #pieceOf(name: string): number {
    let low = 0
    let high = this.#pieces.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#pieces[middle]![0]! <= name) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** Where in a piece the names begin that are not before this one. */
function firstFrom(piece: readonly string[], name: string): number {
  let low = 0
  let high = piece.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (piece[middle]! < name) low = middle + 1
    else high = middle
  }
  return low
}
