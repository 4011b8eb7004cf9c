import type { Writable } from 'node:stream'
import { columnsOf, isTerminal } from '../colors.js'
import { left, right, textWidth } from './columns.js'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  /** What stands in it; made to be printed safely already. */
  text(row: Row): string
  /** Figures stand at the right. Default: left. */
  readonly align?: 'right'
  /** How narrow it may become, its text cut. Default: as wide as its widest text. */
  readonly least?: number
}

const gap = 2

/**
 * Rows below their titles, none wider than there is room: wide columns give way, and where that is not enough, columns are left
 * out, the last one first.
 * @param columns the most important first.
 * @param room infinite: nothing is cut.
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], room: number): string[] {
  const texts = rows.map((row) => columns.map((column) => column.text(row)))
  const widths = columns.map(({ title }, at) =>
    texts.reduce((most, row) => Math.max(most, textWidth(row[at]!)), textWidth(title)),
  )
  const leasts = columns.map(({ least }, at) => Math.min(widths[at]!, least ?? widths[at]!))
  let shown = columns.length
  while (shown > 1 && total(leasts.slice(0, shown)) > room) shown--
  const fitting = narrowed(widths.slice(0, shown), leasts, room)
  const line = (row: readonly string[]): string =>
    fitting
      .map((width, at) => (columns[at]!.align === 'right' ? right : left)(row[at]!, width))
      .join(' '.repeat(gap))
      .trimEnd()
  return [columns.map(({ title }) => title), ...texts].map(line)
}

/** How wide a table on that stream may be: as the terminal; in a pipe nothing is cut. */
export function roomOn(stream: Writable): number {
  return isTerminal(stream) ? columnsOf(stream) : Number.POSITIVE_INFINITY
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, gap * (widths.length - 1))
}

/** The widest gives way first. */
function narrowed(widths: readonly number[], leasts: readonly number[], room: number): readonly number[] {
  const now = [...widths]
  for (let over = total(now) - room; over > 0; over--) {
    const spare = now.map((width, at) => (width > leasts[at]! ? width : 0))
    const widest = spare.indexOf(Math.max(...spare))
    if (spare[widest] === 0) break
    now[widest]!--
  }
  return now.length === 1 ? [Math.min(now[0]!, room)] : now
}
