import type { PluginState } from '@godwit/admin/parts'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { PluginsAnswer } from '../control/control-protocol.js'
import { count, since } from '../control/figures.js'
import { printableJson } from '../control/printable-json.js'
import { type Column, roomOn, table } from '../control/table.js'
import { type Terminal, write } from '../terminal.js'
import { printed } from '../text-log.js'

const manual: Manual = {
  name: 'plugins',
  summary: 'Lists the plugins of a running broker, and whether messages go out where they take them.',
  examples: [
    ['godwit plugins'],
    ["godwit plugins --json | jq '.[].counts'", 'what each has counted, by its own names'],
    ["godwit plugins --json | jq '.[].outlets[].problem'", 'why messages wait'],
  ],
  notes: [
    'A plugin has a line for each session out of which it takes messages elsewhere. One that has none decides or looks on, and runs.',
  ],
}

interface Flags extends ControlFlags {
  readonly json?: true
}

export function pluginsLine(): CommandLine {
  return withControlOptions(commandLine(manual)).option('--json', 'print a JSON array')
}

/** `godwit plugins`: what plugins do. */
export async function plugins(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = parse<Flags>(pluginsLine(), args, terminal)
  if (flags === helped) return 0
  const { plugins: all } = await askOnce<PluginsAnswer>(controlPathOf(flags), { request: 'plugins' })
  const text = flags.json ? printableJson(all) : all.length > 0 ? inWords(all, terminal) : 'there are no plugins'
  await write(terminal.stdout, `${text}\n`)
  return 0
}

function inWords(all: readonly PluginState[], terminal: Terminal): string {
  return table(columns, all.flatMap(rowsOf), roomOn(terminal.stdout)).join('\n')
}

type Outlet = PluginState['outlets'][number]

/** A plugin, and one of the sessions out of which it takes messages; undefined: it takes none. */
interface Row {
  readonly plugin: PluginState
  readonly outlet: Outlet | undefined
}

function rowsOf(plugin: PluginState): readonly Row[] {
  const { outlets } = plugin
  return outlets.length === 0 ? [{ plugin, outlet: undefined }] : outlets.map((outlet) => ({ plugin, outlet }))
}

const columns: readonly Column<Row>[] = [
  { title: 'PLUGIN', text: ({ plugin }) => printed(plugin.name) },
  { title: 'STATE', text: ({ outlet }) => (!outlet ? 'runs' : outlet.problem === undefined ? 'goes out' : 'waits') },
  { title: 'FOR', text: ({ plugin, outlet }) => since((outlet ?? plugin).since), align: 'right' },
  figure('QUEUED', ({ queued }) => queued),
  figure('WRITTEN', ({ written }) => written),
  figure('FAILED', ({ failed }) => failed),
  figure('REFUSED', ({ refused }) => refused),
  { title: 'PROBLEM', text: ({ outlet }) => printed(outlet?.problem ?? '-'), least: 16 },
  { title: 'COUNTED', text: ({ plugin }) => counted(plugin.counts), least: 12 },
  { title: 'MODULE', text: ({ plugin }) => printed(plugin.module), least: 12 },
]

function figure(title: string, of: (outlet: Outlet) => number): Column<Row> {
  return { title, text: ({ outlet }) => (outlet ? count(of(outlet)) : '-'), align: 'right' }
}

function counted(counts: PluginState['counts']): string {
  const all = Object.entries(counts).map(([what, value]) => `${count(value)} ${printed(what)}`)
  return all.length === 0 ? '-' : all.join(', ')
}
