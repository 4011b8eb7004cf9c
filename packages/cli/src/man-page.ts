import { termsOf } from './help-text.js'
import type { CommandLine } from './manual.js'
import { version } from './version.js'
import type { Row } from './wrapping.js'

/** The manual page of a command in the language of man(7), from what `--help` prints. */
export function manPage(command: CommandLine): string {
  const { name, summary, examples, notes = [], lists = [] } = command.manual
  const { args, flags } = termsOf(command)
  const title = pageName(name)
  return [
    `.TH ${title.toUpperCase()} 1 "" "godwit ${version}" "Godwit"`,
    '.SH NAME',
    `${text(title)} \\- ${text(brief(summary))}`,
    '.SH SYNOPSIS',
    `.B ${text(command.name())}`,
    text(command.usage()),
    '.SH DESCRIPTION',
    text(summary),
    ...notes.flatMap((note) => ['.PP', text(note)]),
    ...section('ARGUMENTS', args),
    ...section('OPTIONS', flags),
    ...lists.flatMap(({ title: heading, rows }) => section(heading.toUpperCase(), rows)),
    '.SH EXAMPLES',
    ...examples.flatMap(([line, meaning = ''], at) => [
      ...(meaning === ''
        ? []
        : [...(at === 0 ? [] : ['.PP']), text(`${meaning[0]!.toUpperCase()}${meaning.slice(1)}:`)]),
      ...(meaning === '' && at === 0 ? [] : ['.PP']),
      '.RS 4',
      '.nf',
      text(line),
      '.fi',
      '.RE',
    ]),
    '.SH "SEE ALSO"',
    title === 'godwit' ? 'godwit help' : '.BR godwit (1)',
    '',
  ].join('\n')
}

/** The page of `godwit` itself: its commands, each with a page of its own. */
export function mainManPage(rows: readonly Row[]): string {
  return [
    `.TH GODWIT 1 "" "godwit ${version}" "Godwit"`,
    '.SH NAME',
    'godwit \\- MQTT 5.0 and 3.1.1 at the command line: a broker, a publisher, a subscriber and the tools around them',
    '.SH SYNOPSIS',
    '.B godwit',
    text('<command> [options]'),
    ...section('COMMANDS', rows),
    '.SH "EXIT STATUS"',
    text(
      '0: done. 1: a failure, told in one line. 7: the server closed the connection. 27: --timeout ran out. 1 to 5, 128 to 159: what the server refused the connection with.',
    ),
    '.SH ENVIRONMENT',
    ...list([
      ['GODWIT_URL', 'the server of pub, sub and rr where nothing else names one: a URL, or @name'],
      ['GODWIT_…', 'settings of the broker, as GODWIT_LIMITS__MAX_INFLIGHT'],
      ['NO_COLOR, FORCE_COLOR', 'no colours, and colours where there is no terminal'],
    ]),
    '.SH "SEE ALSO"',
    rows.map(([name]) => `.BR godwit\\-${text(name)} (1)`).join(',\n'),
    '',
  ].join('\n')
}

/** `godwit-config-import` is the page of `godwit config import`. */
export function pageName(command: string): string {
  return `godwit-${command.replaceAll(' ', '-')}`
}

function section(heading: string, rows: readonly Row[]): string[] {
  return rows.length > 0 ? [`.SH "${heading}"`, ...list(rows)] : []
}

function list(rows: readonly Row[]): string[] {
  return rows.flatMap(([term, meaning = '']) => ['.TP', `.B ${text(term)}`, text(meaning)])
}

/** A sentence as the line after a name has it: no full stop, no capital. */
function brief(summary: string): string {
  const [first = ''] = summary.split(/[.:](?:\s|$)/)
  return first[0]!.toLowerCase() + first.slice(1)
}

/** roff takes a backslash, and a dot or an apostrophe in front, for itself; a plain - would be a hyphen. */
function text(line: string): string {
  const escaped = line.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('"', '\\(dq')
  const ascii = escaped.replace(
    /[^\0-\x7f]/gu,
    (character) => `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
  )
  return /^[.']/.test(ascii) ? `\\&${ascii}` : ascii
}
