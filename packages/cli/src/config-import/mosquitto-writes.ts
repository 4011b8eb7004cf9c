import type { Path } from '../config/layers.js'
import type { Draft } from './draft.js'
import type { MosquittoLine } from './mosquitto-lines.js'

/** Writes one option into the draft; its value is as mosquitto reads it. */
export type Write = (draft: Draft, line: MosquittoLine) => void

export const isTrue = (line: MosquittoLine | undefined): boolean => line?.value === 'true'

export const needless =
  (why: string): Write =>
  (draft, line) =>
    draft.needsNothing(line, why)

export const cannot =
  (why: string): Write =>
  (draft, line) =>
    draft.cannot(line, why)

/** For a boolean one of whose values is what is done here anyway. */
export const only =
  (value: boolean, why: string): Write =>
  (draft, line) =>
    isTrue(line) === value ? draft.needsNothing(line, 'that is so') : draft.cannot(line, why)

export const flag =
  (...path: Path): Write =>
  (draft, line) =>
    draft.set(path, isTrue(line), line)

/** A number; 0 and below mean "no bound" to mosquitto, and `unbounded` here. */
export const count =
  (path: Path, { unbounded, how }: { readonly unbounded?: number; readonly how?: string } = {}): Write =>
  (draft, line) => {
    const value = Number(line.value)
    if (value > 0) draft.set(path, value, line, how)
    else if (unbounded !== undefined) draft.set(path, unbounded, line, 'no bound')
    else draft.cannot(line, `every bound is finite here: the default of ${path.join('.')} holds, or write a higher one`)
  }

/** `max_connections` and the like: -1 means that nobody set it. */
export const optionalBound =
  (...path: Path): Write =>
  (draft, line) => {
    const value = Number(line.value)
    if (value < 0) draft.needsNothing(line, `the default of ${path.join('.')} holds`)
    else if (value === 0) draft.cannot(line, `nobody could come in; ${path.join('.')} is 1 or more`)
    else draft.setLowest(path, value, line)
  }

const seconds: Readonly<Record<string, number>> = { s: 1, h: 3_600, d: 86_400, w: 604_800, m: 2_592_000, y: 31_536_000 }

export const expiration: Write = (draft, line) => {
  const value = Math.min(Number.parseInt(line.value, 10) * seconds[line.value.at(-1)!]!, 0xffff_fffe)
  draft.set(['limits', 'sessionExpirySeconds'], value, line)
  draft.set(['limits', 'maxSessionExpirySeconds'], value, line)
  if (line.value.endsWith('s')) draft.remark(line, 'mosquitto 2.0 knows no seconds here, and does not start')
}

/** The most that a packet adds to its payload: the topic, and the fixed header with packet id. */
const aroundPayload = 65_535 + 16
const largestPacket = 268_435_460

export const messageSize: Write = (draft, line) => {
  const value = Number(line.value)
  if (value === 0) return draft.cannot(line, 'every bound is finite here: limits.maxPacketBytes')
  const how = 'payload and topic; who sends more is disconnected, and not only its message left out'
  draft.setLowest(['limits', 'maxPacketBytes'], Math.min(value + aroundPayload, largestPacket), line, how)
}

export const packetSize: Write = (draft, line) =>
  draft.setLowest(['limits', 'maxPacketBytes'], Math.min(Number(line.value), largestPacket), line)

const levels: Readonly<Record<string, string>> = {
  error: 'error',
  warning: 'warn',
  notice: 'info',
  information: 'info',
  debug: 'debug',
  subscribe: 'debug',
  unsubscribe: 'debug',
  websockets: 'debug',
  internal: 'debug',
  all: 'debug',
}
const rank = ['debug', 'info', 'warn', 'error']

/** The lines of `log_type` add up, until `none` takes all away; here what is most talkative decides. */
export function writeLogTypes(draft: Draft, lines: readonly MosquittoLine[]): void {
  const begin = lines.findLastIndex(({ value }) => value === 'none')
  for (const line of lines.slice(0, Math.max(begin, 0)))
    draft.needsNothing(line, `${lines[begin]!.where} takes it away`)
  const added = lines.slice(begin + 1)
  const levelOf = ({ value }: MosquittoLine): string => levels[value] ?? 'info'
  const [decides] = added.toSorted((one, other) => rank.indexOf(levelOf(one)) - rank.indexOf(levelOf(other)))
  if (!decides) {
    const [none] = lines.slice(begin)
    if (none) tellSilence(draft, none)
    return
  }
  draft.set(['log', 'level'], levelOf(decides), decides)
  for (const line of added) {
    if (line !== decides) draft.needsNothing(line, `log.level ${levelOf(decides)} (${decides.where}) tells it too`)
  }
}

function tellSilence(draft: Draft, line: MosquittoLine): void {
  draft.set(['log', 'level'], 'error', line)
  draft.cannot(line, 'a log is always written; log.level: error is the least')
}

/** Where the log goes; the lines add up, until `none` takes all away. */
export function writeLogDestinations(draft: Draft, lines: readonly MosquittoLine[]): void {
  const begin = lines.findLastIndex(({ value }) => value === 'none')
  for (const line of lines.slice(0, Math.max(begin, 0)))
    draft.needsNothing(line, `${lines[begin]!.where} takes it away`)
  const added = lines.slice(begin + 1)
  const none = lines[begin]
  if (none && added.length === 0) return tellSilence(draft, none)
  const file = added.find(({ value }) => value.startsWith('file '))
  for (const line of added) {
    const [kind = ''] = line.value.split(' ')
    if (line === file) draft.set(['log', 'file'], line.value.slice('file '.length), line, 'reopened at SIGHUP')
    else if (kind === 'file') draft.refuse(line, `${file?.where} names a file already; mosquitto takes one`)
    else if (kind !== 'stderr' && kind !== 'stdout') draft.cannot(line, instead[kind] ?? 'the log goes to stderr')
    else if (file) draft.set(['log', 'stderr'], true, line, 'beside the file')
    else draft.needsNothing(line, 'the log goes to stderr')
  }
}

const instead: Readonly<Record<string, string>> = {
  syslog: 'the log goes to stderr; systemd passes it on to the journal and syslog',
  topic: 'nothing of the log is published; $SYS has the figures',
  dlt: 'the log goes to stderr; dlt-adaptor-stdin passes it on to DLT',
  android: 'the log goes to stderr',
}
