import { writeFileSync } from 'node:fs'
import type { TlsOptions } from '@godwit/client'
import {
  allChecks,
  allChecks50,
  allClientChecks,
  type Check,
  type CheckResult,
  type ClientCheck,
  type Credentials,
  hostileChecks,
  hostileChecks50,
  jsonReport,
  junitReport,
  markdownReport,
  offerInWords,
  type Reception,
  type RunOptions,
  receptionOf,
  runChecks,
  type Target,
  tableReport,
  totalsOf,
  urlTarget,
} from '@godwit/conformance'
import { InvalidArgumentError } from 'commander'
import { collect, oneOf, wholeNumber } from '../argument-values.js'
import { type ColorChoice, columnsOf, isTerminal, type Paint, paintFor } from '../colors.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { addServerOptions, type ServerFlags, serverOf, serverUrl } from '../server-options.js'
import type { ServerUrl } from '../server-url.js'
import { systemProblem } from '../system-problem.js'
import type { Terminal } from '../terminal.js'
import { nodeTls, tlsOf } from '../tls-options.js'
import { wrapped } from '../wrapping.js'
import { clientNote, clientScenarios, playClient } from './conform-client.js'

const manual: Manual = {
  name: 'conform',
  summary: 'Holds a server or a client to the standard, statement by statement.',
  examples: [
    ['godwit conform mqtt://localhost', 'every statement of MQTT 3.1.1 and 5.0'],
    ['godwit conform mqtt://localhost --version 5', 'of 5.0 only'],
    ['godwit conform mqtt://localhost --only 3.3 -v', 'chapter 3.3, with what was said in failures'],
    ['godwit conform mqtt://localhost --only MQTT-3.8.4-1'],
    ['godwit conform mqtts://broker.local --cafile ca.pem --username me --password secret'],
    ['godwit conform ws://localhost:8080/mqtt --json > report.json'],
    ['godwit conform --unix /run/mosquitto.sock'],
    ["godwit conform --client 'node my-client.mjs {url}'", 'a client, which is started to talk to us'],
  ],
  lists: [clientScenarios],
  notes: [
    'Checks use names of their own, run beside each other, and leave nothing behind. The exit code is 0 only when none fails.',
    clientNote,
  ],
}

const versions = ['3.1.1', '5', '5.0', 'both'] as const

interface Flags extends ServerFlags {
  readonly standard: (typeof versions)[number]
  readonly only?: readonly string[]
  readonly hostile?: true
  readonly username?: string
  readonly password?: string
  readonly json?: true
  readonly junit?: string
  readonly markdown?: string
  readonly jobs?: number
  readonly color?: ColorChoice
  readonly client?: string
  readonly verbose?: true
}

export function conformLine(): CommandLine {
  const command = commandLine(manual)
    .usage('<url> | --client <command> [options]')
    .argument('[url]', 'mqtt://, mqtts://, ws:// or wss://, host and port; or unix:///path', serverUrl)
    .option('--client <command>', 'hold a client to the standard: the command that starts it, with {url} in it')
    .option('--standard <version>', `${versions.join(', ')} (also --version)`, oneOf(versions), 'both')
    .option('--only <id or chapter>', 'MQTT-3.8.4-1, or 3.3, or hostile; may be repeated', collect(chapterOrId))
    .option('--hostile', 'also play hostile inputs: wrong bytes, wrong moments, too much')
    .option('--username <name>', 'what the checks say in CONNECT')
    .option('--password <password>')
    .option('--json', 'print the result as JSON')
    .option('--junit <file>', 'write it as JUnit XML')
    .option('--markdown <file>', 'write it as a page')
    .option('--jobs <n>', 'checks that run at once; default 40, of clients 8', wholeNumber(1, 1000))
    .option('-v, --verbose', 'print each statement, and what was said in failures')
  return addServerOptions(command)
}

/** `godwit conform`: what a server does with the standard, statement by statement. */
export async function conform(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = conformLine()
  const flags = parse<Flags>(command, args.map(renamed), terminal)
  if (flags === helped) return 0
  const [address = flags.url] = command.processedArgs as [ServerUrl | undefined]
  const hasServer = address !== undefined || flags.unix !== undefined
  if (!hasServer && flags.client === undefined) {
    throw new CommandError("missing required argument 'url'; see godwit conform --help")
  }
  if (hasServer && flags.client !== undefined) {
    throw new CommandError('a URL names a server, --client a client: one of them; see godwit conform --help')
  }
  const server = { ...flags, ...(address && { url: address }) }
  const tls = tlsOf(flags)
  const url = flags.client ?? serverOf(server, tls !== undefined)
  const { results, wholly } = await play(url, { ...address, ...server }, tls, terminal)
  if (flags.json) terminal.stdout.write(`${JSON.stringify(jsonReport(url, results), undefined, 2)}\n`)
  else {
    const paint = paintFor(terminal.stdout, flags.color)
    terminal.stdout.write(`${failuresOf(results, flags, paint)}${tableReport(results)}`)
  }
  if (flags.junit !== undefined) save(flags.junit, junitReport(url, results))
  if (flags.markdown !== undefined) save(flags.markdown, markdownReport(url, results))
  return totalsOf(results).fail > 0 || !wholly ? 1 : 0
}

/** Everywhere else --version prints godwit's own; with a value it can only mean the standard's. */
function renamed(word: string, at: number, words: readonly string[]): string {
  const takesValue = word === '--version' && /^(\d|both$)/.test(words[at + 1] ?? '')
  return takesValue ? '--standard' : word.replace(/^--version=/, '--standard=')
}

interface Played {
  readonly results: readonly CheckResult[]
  /** False: it was stopped, so that nothing can be said of the rest. */
  readonly wholly: boolean
}

async function play(url: string, flags: Flags, tls: TlsOptions | undefined, terminal: Terminal): Promise<Played> {
  const checks = flags.client === undefined ? checksOf(flags) : clientChecksOf(flags)
  if (checks.length === 0)
    throw new CommandError(`no check is called ${flags.only?.join(' or ')}; see docs/conformance.md`)
  const stopping = terminal.stopping()
  const progress = progressOf(terminal, checks.length, flags)
  const run = { signal: stopping, onResult: progress.told }
  const results =
    flags.client === undefined
      ? await playServer(targetOf(url, tls), url, flags, terminal, run)
      : await playClient(flags.client, clientChecksOf(flags), { jobs: flags.jobs ?? 8, ...run })
  progress.done()
  const wholly = results.length === checks.length
  if (!wholly) terminal.stderr.write(`stopped: ${results.length} of ${checks.length} checks were run\n`)
  return { results, wholly }
}

async function playServer(
  target: Target,
  url: string,
  flags: Flags,
  terminal: Terminal,
  run: Pick<RunOptions, 'signal' | 'onResult'>,
): Promise<readonly CheckResult[]> {
  await reach(target)
  const { username, password, jobs = 40 } = flags
  const credentials = username === undefined ? undefined : { username, ...(password !== undefined && { password }) }
  const receptions = await receptionsOf(target, credentials)
  const problem = problemOf(receptions, flags)
  if (problem !== undefined) throw new CommandError(`${url}: ${problem}`)
  const { offer } = receptions['5.0']
  if (!flags.json) {
    const columns = isTerminal(terminal.stdout) ? columnsOf(terminal.stdout) : Number.POSITIVE_INFINITY
    terminal.stdout.write(`${wrapped(`${url}: ${offerInWords(offer)}`, columns).join('\n')}\n\n`)
  }
  const checks = checksOf(flags).map((check) => asPlayed(check, receptions[check.version]))
  return runChecks(target, checks, { jobs, offer, ...(credentials && { credentials }), ...run })
}

type Receptions = Readonly<Record<Check['version'], Reception>>

async function receptionsOf(target: Target, credentials: Credentials | undefined): Promise<Receptions> {
  const [v4, v5] = await Promise.all([
    receptionOf(target, '3.1.1', credentials),
    receptionOf(target, '5.0', credentials),
  ])
  return { '3.1.1': v4, '5.0': v5 }
}

/** Why nothing at all can be said of this server: it would fail every check, and none of them for its own rule. */
function problemOf(receptions: Receptions, { standard }: Flags): string | undefined {
  const asked = (['3.1.1', '5.0'] as const).filter((version) => standardOf(standard) === version || standard === 'both')
  const told = asked.map((version) => receptions[version])
  const [{ said }] = told as [Reception]
  if (told.every(({ kind }) => kind === 'other version')) {
    return `it does not speak MQTT ${asked.join(' or ')} (${said}); --version says which to ask for`
  }
  if (told.every(({ kind }) => kind === 'credentials' || kind === 'other version')) {
    const refusal = told.find(({ kind }) => kind === 'credentials')?.said
    return `it does not let the checks in (${refusal}); give --username and --password`
  }
  return undefined
}

/** Statements of a version that the server does not speak are not broken. */
function asPlayed(check: Check, { kind, said }: Reception): Check {
  if (kind !== 'other version') return check
  return { ...check, cases: [], skip: `does not apply: the server does not speak MQTT ${check.version} (${said})` }
}

function targetOf(url: string, tls: TlsOptions | undefined): Target {
  return urlTarget(url, { tls: nodeTls(tls, new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')) })
}

function checksOf({ standard, only, hostile }: Flags): readonly Check[] {
  const isHostile = hostile || only?.some((one) => one.startsWith('hostile'))
  const all = [
    ...(standardOf(standard) === '5.0' ? [] : [...allChecks, ...(isHostile ? hostileChecks : [])]),
    ...(standard === '3.1.1' ? [] : [...allChecks50, ...(isHostile ? hostileChecks50 : [])]),
  ]
  return chosen(all, only)
}

function clientChecksOf({ standard, only }: Flags): readonly ClientCheck[] {
  return chosen(
    allClientChecks.filter(({ version }) => standard === 'both' || version === standardOf(standard)),
    only,
  )
}

function standardOf(standard: Flags['standard']): Check['version'] | undefined {
  if (standard === 'both') return undefined
  return standard === '3.1.1' ? '3.1.1' : '5.0'
}

function chosen<C extends Pick<Check, 'id' | 'section'>>(checks: readonly C[], only: Flags['only']): readonly C[] {
  if (!only) return checks
  return checks.filter(({ id, section }) =>
    only.some((one) => one === id || `MQTT-${one}` === id || one === section || section.startsWith(`${one}.`)),
  )
}

/** One connection before all others: a wrong address is told in one line, not in three hundred. */
async function reach(target: Target): Promise<void> {
  try {
    const stream = await target.open()
    stream.onClose(() => {})
    stream.destroy()
  } catch (error) {
    throw new CommandError(`${(error as Error).message}; check the URL, and that the server runs`)
  }
}

function progressOf(terminal: Terminal, total: number, { verbose, json }: Flags) {
  const isLive = isTerminal(terminal.stderr) && !verbose
  let ran = 0
  let failed = 0
  return {
    told: (result: CheckResult): void => {
      ran++
      if (result.outcome === 'fail') failed++
      if (isLive) terminal.stderr.write(`\r${ran} of ${total} checks, ${failed} failed `)
      else if (verbose && !json) terminal.stdout.write(line(result))
    },
    done: (): void => {
      if (isLive) terminal.stderr.write('\r\u001b[K')
    },
  }
}

function line({ id, version, outcome, ms, detail }: CheckResult): string {
  return `${outcome} ${version} ${id} ${ms} ms${detail ? `  ${detail.replaceAll('\n', '; ')}` : ''}\n`
}

function failuresOf(results: readonly CheckResult[], { verbose }: Flags, { red }: Paint): string {
  return results
    .filter(({ outcome }) => outcome === 'fail')
    .map(({ id, version, detail, transcript }) => {
      const said = verbose ? transcript.map((one) => `    ${one}\n`).join('') : ''
      return `${red('FAIL')} ${id} (MQTT ${version})\n  ${detail.replaceAll('\n', '\n  ')}\n${said}\n`
    })
    .join('')
}

function chapterOrId(text: string): string {
  if (/^(MQTT-)?\d+(\.\d+)*(-\d+)?$/.test(text) || text.startsWith('hostile')) return text
  throw new InvalidArgumentError('it takes an id such as MQTT-3.8.4-1, a chapter such as 3.3, or hostile.')
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new CommandError(`cannot write ${file}: ${systemProblem(error)}`)
  }
}
