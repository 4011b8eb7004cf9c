/** Characters that take two columns of a terminal (East Asian wide, emoji), and those that take none. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const none = /\p{M}/u

function widthOf(character: string): number {
  return none.test(character) ? 0 : wide.test(character) ? 2 : 1
}

/** How many columns of a terminal a text takes. */
export function textWidth(text: string): number {
  return [...text].reduce((sum, character) => sum + widthOf(character), 0)
}

/** The text in exactly so many columns: filled with blanks on the right, or cut, with `…` for what is missing. */
export function left(text: string, columns: number): string {
  const cut = shortened(text, columns)
  return cut + blanks(columns - textWidth(cut))
}

/** The same, filled on the left. */
export function right(text: string, columns: number): string {
  const cut = shortened(text, columns)
  return blanks(columns - textWidth(cut)) + cut
}

/** The text in at most so many columns. */
export function shortened(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text
  let cut = ''
  let width = 0
  for (const character of text) {
    width += widthOf(character)
    if (width > columns - 1) break
    cut += character
  }
  return columns > 0 ? `${cut}…` : ''
}

function blanks(count: number): string {
  return ' '.repeat(Math.max(0, count))
}
