/** A line of a text, and whether it is in both. */
export interface Line {
  readonly mark: ' ' | '+' | '-'
  readonly text: string
}

/** Longer texts are not compared line by line. */
const mostLines = 400

/** What has changed from one text to another, line by line: the shortest way that there is. */
export function difference(before: string, after: string): readonly Line[] {
  const [old, young] = [before.split('\n'), after.split('\n')]
  if (old.length > mostLines || young.length > mostLines) return young.map((text) => ({ mark: ' ', text }))
  // The longest run of lines that both have, from each pair of places on.
  const longest = Array.from({ length: old.length + 1 }, () => new Uint16Array(young.length + 1))
  for (let a = old.length - 1; a >= 0; a--) {
    for (let b = young.length - 1; b >= 0; b--) {
      longest[a]![b] =
        old[a] === young[b] ? longest[a + 1]![b + 1]! + 1 : Math.max(longest[a + 1]![b]!, longest[a]![b + 1]!)
    }
  }
  return walk(old, young, longest)
}

function walk(old: readonly string[], young: readonly string[], longest: readonly Uint16Array[]): readonly Line[] {
  const lines: Line[] = []
  let [a, b] = [0, 0]
  while (a < old.length || b < young.length) {
    if (a < old.length && b < young.length && old[a] === young[b]) {
      lines.push({ mark: ' ', text: young[b++]! })
      a++
    } else if (a < old.length && (b === young.length || longest[a + 1]![b]! >= longest[a]![b + 1]!)) {
      lines.push({ mark: '-', text: old[a++]! })
    } else lines.push({ mark: '+', text: young[b++]! })
  }
  return lines
}
