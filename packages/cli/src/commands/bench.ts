import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { QoS } from '@godwit/protocol'
import { InvalidArgumentError } from 'commander'
import { bytesOf, oneOf, qos, seconds, topicName, wholeNumber } from '../argument-values.js'
import { measure } from '../bench/measurement.js'
import { reach } from '../bench/reach.js'
import { progressLine, report } from '../bench/report.js'
import type { BenchResult } from '../bench/result.js'
import { type ScenarioName, scenarios } from '../bench/scenario.js'
import type { BenchSettings } from '../bench/settings.js'
import { stampBytes } from '../bench/stamp.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { addServerOptions, type ServerFlags, serverOf, serverUrl } from '../server-options.js'
import type { ServerUrl } from '../server-url.js'
import { type Terminal, write } from '../terminal.js'
import { tlsOf } from '../tls-options.js'

interface Flags extends ServerFlags {
  readonly rate?: number
  readonly window?: number
  readonly pubs?: number
  readonly subs?: number
  readonly clients?: number
  readonly topics?: number
  readonly size: number
  readonly qos: QoS
  readonly seconds: number
  readonly warmup?: number
  readonly count?: number
  readonly clean: '0' | '1'
  readonly protocolVersion: VersionName
  readonly topic?: string
  readonly pid?: number
  readonly workers?: number
  readonly json?: true
}

const versions = { mqttv311: 4, 311: 4, 4: 4, mqttv5: 5, 5: 5 } as const
type VersionName = `${keyof typeof versions}`
const versionNames = Object.keys(versions) as VersionName[]
const names = Object.keys(scenarios) as ScenarioName[]

const manual: Manual = {
  name: 'bench',
  summary: 'Measures a broker: any that speaks MQTT.',
  examples: [
    ['godwit bench pipe', "how many messages pass, on this machine's port 1883"],
    ['godwit bench pipe mqtt://broker.local --qos 1 --rate 2000', 'how long they take at 2,000 a second'],
    ['godwit bench fanout --subs 1000 --window 20 --pid $(pgrep mosquitto)'],
    ['godwit bench conn --clients 10000 --rate 500 --pid 4711', 'what a connection costs the broker'],
    ['godwit bench sub mqtt://broker.local & godwit bench pub mqtt://broker.local', 'from two machines'],
  ],
  lists: [{ title: 'Scenarios', rows: names.map((name) => [name, scenarios[name].summary]) }],
  notes: [
    'Without --rate each publisher has --window messages on their way: sent, and not yet received by all they are for and acknowledged. With it, latency counts from when a message was to be sent, whether or not the server let it out.',
  ],
  actions: names,
}

/** What the command line asks for. */
interface BenchCommand {
  readonly settings: BenchSettings
  readonly pid?: number
  readonly json: boolean
}

export function benchLine(): CommandLine {
  const command = commandLine(manual)
    .usage('<scenario> [url] [options]')
    .argument('<scenario>', names.join(', '), oneOf(names))
    .argument('[url]', 'mqtt[s]://[user:password@]host[:port], ws[s]://… (default: mqtt://localhost:1883)', hostOrUrl)
    .option('--rate <n>', 'messages a second, all publishers together (conn: connections a second)', aboveZero)
    .option('--window <n>', "a publisher's messages on their way (conn: connections being made)", upTo(65_535))
    .option('--pubs <n>', 'publishers', upTo(100_000))
    .option('--subs <n>', 'subscribers', upTo(100_000))
    .option('--clients <n>', 'connections of conn (default: 1000)', upTo(1_000_000))
    .option('--topics <n>', 'retained messages of retained (default: 10000)', upTo(1_000_000))
    .option('--size <bytes>', `of a payload, ${stampBytes} or more`, payloadSize, 64)
    .option('--qos <qos>', '0, 1 or 2', qos, 0)
    .option('--seconds <seconds>', 'measured time (conn: how long to hold the connections)', seconds, 5)
    .option('--warmup <seconds>', 'before it (default: 1; with --count and for conn: 0)', seconds)
    .option('--count <n>', 'end when so many messages were published (sub: received)', wholeNumber(1))
    .option('--clean <0|1>', '0 keeps sessions (durable traffic); they are ended afterwards', oneOf(['0', '1']), '1')
    .option('-V, --protocol-version <version>', 'mqttv311 (4) or mqttv5 (5)', oneOf(versionNames), 'mqttv311')
    .option('--topic <prefix>', 'topics begin so (default: bench-RANDOM; pub and sub: bench)', topicName)
    .option('--pid <pid>', "the broker's process, to measure its CPU and memory (Linux, this machine)", upTo(2 ** 22))
    .option('--workers <n>', 'threads that make the load (default: one less than cores, 1 at least)', upTo(256))
    .option('--json', 'print the result as one line of JSON')
  return addServerOptions(command)
}

/**
 * Reads the command line.
 * @throws CommandError
 */
export function benchSettings(args: readonly string[], terminal: Terminal): BenchCommand | typeof helped {
  const command = benchLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return helped
  const [scenario, url = flags.url ?? (flags.unix === undefined ? { host: 'localhost' } : undefined)] =
    command.processedArgs as [ScenarioName, ServerUrl?]
  const { pid, json = false } = flags
  return { settings: settingsOf(scenario, url, flags), json, ...(pid !== undefined && { pid }) }
}

function settingsOf(scenario: ScenarioName, url: ServerUrl | undefined, flags: Flags): BenchSettings {
  const run = randomBytes(4).toString('hex')
  const { rate, count } = flags
  checkPacing(scenario, flags)
  const isShared = scenario === 'pub' || scenario === 'sub'
  const { username, password } = url ?? {}
  const { topic = isShared ? 'bench' : `bench-${run}` } = flags
  const tls = tlsOf(flags)
  const server = serverOf({ ...flags, ...(url && { url }) }, tls !== undefined)
  const pacing = scenarios[scenario]
  return {
    ...{ scenario, way: { url: server, ...(tls && { tls }) }, version: versions[flags.protocolVersion] },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...{ qos: flags.qos, size: flags.size, ...rolesOf(scenario, flags), topics: flags.topics ?? 10_000 },
    ...{ clean: flags.clean === '1', seconds: flags.seconds },
    warmupSeconds: flags.warmup ?? (count === undefined && scenario !== 'conn' ? 1 : 0),
    ...(rate !== undefined && { rate }),
    ...(count !== undefined && { count }),
    window: flags.window ?? (rate === undefined || scenario === 'conn' ? pacing.window : 65_535),
    ...{ topic, clientPrefix: `bench${run}`, workers: flags.workers ?? Math.max(1, availableParallelism() - 1) },
  }
}

/** @throws CommandError for bounds that the scenario cannot keep. */
function checkPacing(scenario: ScenarioName, { count, rate }: Flags): void {
  if (count !== undefined && (scenario === 'conn' || scenario === 'retained')) {
    throw new CommandError(`--count does not go with ${scenario}; leave it out`)
  }
  if (rate !== undefined && (scenario === 'sub' || scenario === 'retained')) {
    throw new CommandError(`--rate does not go with ${scenario}; leave it out`)
  }
}

/** @throws CommandError for roles that the scenario has not. */
function rolesOf(scenario: ScenarioName, flags: Flags): Pick<BenchSettings, 'pubs' | 'subs' | 'clients'> {
  const defaults = scenarios[scenario]
  for (const role of ['pubs', 'subs', 'clients', 'topics'] as const) {
    const has = role === 'topics' ? defaults.retained === true : defaults[role] > 0
    if (flags[role] !== undefined && !has)
      throw new CommandError(`--${role} does not go with ${scenario}; leave it out`)
  }
  const { clients = defaults.clients } = flags
  if (!defaults.paired) return { pubs: flags.pubs ?? defaults.pubs, subs: flags.subs ?? defaults.subs, clients }
  const pairs = flags.pubs ?? flags.subs ?? defaults.pubs
  if (flags.subs !== undefined && flags.subs !== pairs) {
    throw new CommandError(`${scenario} has a subscriber for each publisher; give --pubs and --subs the same number`)
  }
  return { pubs: pairs, subs: pairs, clients }
}

/** `godwit bench`: runs one scenario, and prints what it came to. */
export async function bench(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = benchSettings(args, terminal)
  if (command === helped) return 0
  const { settings, pid, json } = command
  const line = new ProgressLine(terminal)
  const result = await reach(settings.way)
    .then((way) =>
      measure(
        { ...settings, way },
        {
          stop: terminal.stopping(),
          onProgress: (progress) => line.show(progressLine(progress)),
          ...(pid !== undefined && { pid }),
        },
      ),
    )
    .finally(() => line.clear())
  await write(terminal.stdout, json ? `${JSON.stringify(result)}\n` : report(result))
  const problem = problemOf(result)
  if (problem !== undefined) throw new CommandError(problem)
  return 0
}

/** What no broker may do at that QoS. At QoS 0 messages may be missing; the report says how many. */
function problemOf({ qos, messages: { missing, repeated, refused } }: BenchResult): string | undefined {
  if (refused > 0) return `the server refused ${refused} messages; its log should say why`
  if (missing > 0 && qos > 0) return `${missing} messages are missing: none came any more; the server's log may say why`
  if (repeated > 0) return `${repeated} messages came again or out of order`
  return undefined
}

/** One line on a terminal that is written over; nothing where nobody looks. */
class ProgressLine {
  readonly #terminal: Terminal
  readonly #isShown: boolean
  #length = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    this.#isShown = 'isTTY' in terminal.stderr && terminal.stderr.isTTY === true
  }

  show(text: string): void {
    if (!this.#isShown) return
    this.#terminal.stderr.write(`\r${text.padEnd(this.#length)}`)
    this.#length = text.length
  }

  clear(): void {
    if (this.#length > 0) this.#terminal.stderr.write(`\r${' '.repeat(this.#length)}\r`)
    this.#length = 0
  }
}

const upTo = (most: number) => wholeNumber(1, most)

function aboveZero(text: string): number {
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : 0
  if (value > 0 && value <= 1e8) return value
  throw new InvalidArgumentError('it takes a number above 0.')
}

function payloadSize(text: string): number {
  const value = bytesOf(text)
  if (value !== undefined && value >= stampBytes && value <= 2 ** 27) return value
  throw new InvalidArgumentError(
    `it takes ${stampBytes} bytes or more, up to 128MiB: each has its number and its time.`,
  )
}

function hostOrUrl(text: string): ServerUrl {
  return serverUrl(text.includes('://') ? text : `mqtt://${text}`)
}
