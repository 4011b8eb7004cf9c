/** The word that may have been meant: one that differs in case only, begins so, or is a few letters away. */
export function nearest(wrong: string, words: readonly string[]): string | undefined {
  const typed = plain(wrong)
  const exact = words.find((word) => plain(word) === typed)
  if (exact !== undefined) return exact
  const [begun, ...more] = words.filter((word) => typed.length > 2 && plain(word).startsWith(typed))
  if (begun !== undefined && more.length === 0) return begun
  const [best] = words
    .map((word) => ({ word, distance: distanceOf(typed, plain(word)) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(plain(word).length / 3)))
    .sort((one, other) => one.distance - other.distance)
  return best?.word
}

/** `max_inflight`, `max-inflight` and `MaxInflight` are one. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, '')
}

/** Letters to add, take away, change or swap with their neighbour (Damerau and Levenshtein). */
function distanceOf(one: string, other: string): number {
  const [from, to] = [[...one], [...other]]
  let before: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (const [at, letter] of from.entries()) {
    const next = [at + 1]
    for (let column = 1; column <= to.length; column++) {
      const changed = row[column - 1]! + (to[column - 1] === letter ? 0 : 1)
      const isSwapped = at > 0 && column > 1 && letter === to[column - 2] && from[at - 1] === to[column - 1]
      const swapped = isSwapped ? before[column - 2]! + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(changed, row[column]! + 1, next[column - 1]! + 1, swapped))
    }
    before = row
    row = next
  }
  return row.at(-1)!
}
