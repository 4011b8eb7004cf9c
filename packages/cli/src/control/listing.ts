import { oneOf, wholeNumber } from '../argument-values.js'
import { CommandError } from '../command-error.js'
import type { CommandLine } from '../manual.js'
import { type Terminal, write } from '../terminal.js'
import { ask, type ControlFlags, controlPathOf, withControlOptions } from './control-client.js'
import type { ListEnd, Listed, ListRequest } from './control-protocol.js'
import { printableJson } from './printable-json.js'
import { type Column, roomOn, table } from './table.js'

/** What every command that lists takes. */
export interface ListFlags extends ControlFlags {
  readonly json?: true
  readonly sort?: string
  readonly limit?: number
}

/** A list that can be sorted by some of its figures. */
export interface Listing<Item extends object> {
  readonly columns: readonly Column<Item>[]
  /** By name, the largest first. */
  readonly figures?: Readonly<Record<string, (item: Item) => number>>
}

export function withListOptions(command: CommandLine, figures: readonly string[] = []): CommandLine {
  const listed = withControlOptions(command)
    .option('--limit <n>', 'show so many at most (default: all)', wholeNumber(1))
    .option('--json', 'print JSON: an object a line')
  if (figures.length === 0) return listed
  return listed.option(
    '--sort <figure>',
    `the largest first: by ${figures.join(', ')} (default: by name)`,
    oneOf(figures),
  )
}

/** Prints what a running broker lists: a table that fits the terminal, or lines of JSON as they come. */
export async function printList<Item extends object>(
  request: ListRequest,
  { columns, figures = {} }: Listing<Item>,
  flags: ListFlags,
  terminal: Terminal,
): Promise<number> {
  const { json, sort, limit = Number.POSITIVE_INFINITY } = flags
  const figure = sort === undefined ? undefined : figures[sort]
  const path = controlPathOf(flags)
  const found: Item[] = []
  let printed = 0
  for await (const item of itemsOf<Item>(path, request)) {
    if (figure || !json) found.push(item)
    else if (!(await write(terminal.stdout, `${printableJson(item)}\n`))) return 0 // the reader has gone
    if (++printed === limit && !figure) break
  }
  if (figure) found.sort((one, other) => figure(other) - figure(one)).splice(limit)
  const lines = json ? found.map((item) => printableJson(item)) : table(columns, found, roomOn(terminal.stdout))
  if (lines.length > 0) await write(terminal.stdout, `${lines.join('\n')}\n`)
  return 0
}

async function* itemsOf<Item extends object>(path: string, request: ListRequest): AsyncGenerator<Item> {
  for await (const answer of ask<Listed<Item> | ListEnd>(path, { request: 'list', ...request })) {
    if ('end' in answer) return
    yield* answer.items
  }
  throw new CommandError('the broker has ended in the middle of the list')
}
