import { textWidth } from './control/columns.js'

/** The text in lines of at most so many columns, broken between words; a longer word has a line of its own. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** A term and what it means. */
export type Row = readonly [term: string, meaning?: string | undefined]

interface ListOptions {
  readonly columns: number
  /** Colours a term once it has its width. */
  readonly term?: (text: string) => string
  /** The widest term that shares a line with its meaning. Default 30. */
  readonly mostTerm?: number
  /** What ends a line of a term that is too wide for one, as the backslash of a shell does. Default: nothing. */
  readonly continued?: string
}

const indent = '  '
/** A meaning narrower than this is hard to read; it goes below its term then. */
const leastMeaning = 24

/** Terms on the left and what they mean on the right, or below where there is no room; none of the lines is too wide. */
export function listed(rows: readonly Row[], options: ListOptions): string[] {
  const { columns, term = (text) => text, mostTerm = 30, continued = '' } = options
  const fitting = rows.map(([name]) => textWidth(name)).filter((width) => width <= mostTerm)
  const width = Math.max(0, ...fitting)
  const left = indent.length + width + 2
  const isBeside = columns - left >= leastMeaning
  return rows.flatMap(([name, meaning = '']) => {
    const above = broken(name, columns - indent.length, continued).map((line) => indent + term(line))
    if (meaning === '') return above
    const below = (margin: string): string[] => wrapped(meaning, columns - margin.length).map((line) => margin + line)
    if (!isBeside) return [...above, ...below(`${indent}    `)]
    const [first = '', ...more] = below(' '.repeat(left))
    if (textWidth(name) > width) return [...above, first, ...more]
    return [indent + term(name) + ' '.repeat(width - textWidth(name)) + first.slice(left - 2), ...more]
  })
}

/** A command line, or an option, in lines that fit; what stands in quotes stays together. */
function broken(text: string, columns: number, continued: string): string[] {
  if (textWidth(text) <= columns) return [text]
  const lines: string[] = []
  let line = ''
  for (const [word] of text.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) + continued.length > columns) {
      lines.push(line + continued)
      line = `    ${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
