import type { PropertiesOf } from '@godwit/protocol'
import { embeddedPayload, messageJson, quotedPayload } from './message-json.js'
import { indentedJson } from './payload-views.js'
import type { PrintedMessage } from './printed-message.js'
import { nanoseconds, strftime } from './strftime.js'

/** A message as it is printed. `milliseconds` is when it came, since 1970, with a fraction. */
export type OutputFormat = (message: PrintedMessage, milliseconds: number) => Uint8Array

/** What shows a payload, and a topic, where they are not to stand as they are; undefined: there is nothing to show. */
export interface Shown {
  readonly shown?: ((payload: Uint8Array, message: PrintedMessage) => string | Uint8Array | undefined) | undefined
  readonly topic?: ((topic: string) => string) | undefined
}

interface PlainOptions extends Shown {
  readonly verbose: boolean
  readonly newline: boolean
}

interface FormatOptions extends Shown {
  readonly newline: boolean
  /** Is told of payloads that `%J` cannot print, because they are not JSON. */
  readonly complain: (problem: string) => void
  /** `%j` and `%J` on many lines. */
  readonly pretty?: boolean | undefined
}

type Piece = string | ((message: PrintedMessage, milliseconds: number) => string | Uint8Array)

/** What stands between % and the letter of a parameter. */
interface Field {
  readonly left: boolean
  readonly zero: boolean
  readonly width: number
  /** The most characters; Infinity when none is given. */
  readonly most: number
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  '0': '\0',
  a: '\x07',
  e: '\x1b',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/**
 * Payload and line feed; with `verbose` the topic and a space before it. As mosquitto_sub does, an empty payload prints
 * nothing at all, or `(null)` after the topic.
 */
export function plainFormat(options: PlainOptions): OutputFormat {
  const { verbose, newline, shown = (payload) => payload, topic: shownTopic = (topic) => topic } = options
  const end = newline ? '\n' : ''
  return (message) => {
    const { topic, payload } = message
    const view = payload.length > 0 ? shown(payload, message) : undefined
    if (payload.length > 0 && view === undefined) return new Uint8Array(0)
    if (verbose) return bytes([`${shownTopic(topic)} `, view ?? '(null)', end])
    return view === undefined ? new Uint8Array(0) : bytes([view, end])
  }
}

/**
 * The format of `-F`, as mosquitto_sub(1) documents it under "Output format": `%` for the message, `@` for strftime(3),
 * `\` for characters that are hard to type.
 * @throws RangeError saying what is wrong with the format.
 */
export function outputFormat(format: string, options: FormatOptions): OutputFormat {
  const pieces: Piece[] = []
  let position = 0
  while (position < format.length) {
    const next = format.slice(position).search(/[%@\\]/)
    const start = next < 0 ? format.length : position + next
    if (start > position) pieces.push(format.slice(position, start))
    if (start === format.length) break
    const sequence = /^(?:%([-0]*)(\d*)(?:\.(\d+))?([^\d.-])|[@\\](.))/su.exec(format.slice(start))
    if (!sequence) throw new RangeError(`it is not complete at ${JSON.stringify(format.slice(start))}`)
    pieces.push(pieceOf(sequence, options))
    position = start + sequence[0].length
  }
  if (options.newline) pieces.push('\n')
  return (message, milliseconds) =>
    bytes(pieces.map((piece) => (typeof piece === 'string' ? piece : piece(message, milliseconds))))
}

function pieceOf(sequence: RegExpExecArray, options: FormatOptions): Piece {
  const [whole, flags = '', width = '', most = '', parameter, other = ''] = sequence
  if (parameter !== undefined) {
    const left = flags.includes('-')
    const field = { left, zero: flags.includes('0') && !left, width: Number(width), most: Number(most || Infinity) }
    const piece = parameterPiece(parameter, field, options)
    if (piece === undefined) throw new RangeError(`there is no ${whole}; see "Output format" in mosquitto_sub(1)`)
    return piece
  }
  if (whole.startsWith('@')) return timePiece(other)
  const character = escapes[other]
  if (character === undefined) throw new RangeError(`there is no ${whole}; it takes \\\\ \\0 \\a \\e \\n \\r \\t \\v`)
  return character
}

function timePiece(letter: string): Piece {
  if (letter === '@') return '@'
  if (letter === 'N') return (_message, milliseconds) => nanoseconds(milliseconds)
  return (_message, milliseconds) => strftime(`%${letter}`, new Date(milliseconds))
}

function parameterPiece(letter: string, field: Field, options: FormatOptions): Piece | undefined {
  const { complain, pretty = false, shown = (payload) => payload, topic: shownTopic = (topic) => topic } = options
  const text = { ...field, zero: false }
  const json = (line: string): string => (pretty ? indentedJson(line) : line)
  switch (letter) {
    case '%':
      return '%'
    case 't':
      return ({ topic }) => padded(shownTopic(topic), text)
    case 'p':
      return (message) => paddedBytes(bytes([shown(message.payload, message) ?? '']), field)
    case 'x':
      return ({ payload }) => padded(hex(payload), { ...field, most: Infinity })
    case 'X':
      return ({ payload }) => padded(hex(payload).toUpperCase(), { ...field, most: Infinity })
    case 'l':
      return ({ payload }) => padded(String(payload.length), { ...field, most: Infinity })
    case 'm':
      return ({ packetId }) => padded(String(packetId ?? 0), { ...field, most: Infinity })
    case 'q':
      return ({ qos }) => String(qos)
    case 'r':
      return ({ retain }) => (retain ? '1' : '0')
    case 'I':
      return (_message, milliseconds) => padded(strftime('%Y-%m-%dT%H:%M:%S%z', new Date(milliseconds)), text)
    case 'U':
      return (_message, milliseconds) => `${Math.floor(milliseconds / 1000)}.${nanoseconds(milliseconds)}`
    case 'j':
      return (message, milliseconds) => json(messageJson(message, milliseconds, quotedPayload(message.payload)))
    case 'J':
      return (message, milliseconds) => {
        const payload = embeddedPayload(message.payload)
        if (payload !== undefined) return json(messageJson(message, milliseconds, payload))
        complain(`the message on '${message.topic}' is not JSON; print it with %j or %p`)
        return ''
      }
    default:
      return propertyPiece(letter, field)
  }
}

/** A property that is not there prints its padding only. */
function propertyPiece(letter: string, field: Field): Piece | undefined {
  const text = { ...field, zero: false }
  const number = (value: number | undefined): string => padded(`${value ?? ''}`, { ...field, most: Infinity })
  switch (letter) {
    case 'A':
      return ({ properties }) => number(properties?.topicAlias)
    case 'C':
      return ({ properties }) => padded(properties?.contentType ?? '', text)
    case 'D':
      return ({ properties }) => paddedBytes(properties?.correlationData ?? new Uint8Array(0), text)
    case 'E':
      return ({ properties }) => number(properties?.messageExpiryInterval)
    case 'F':
      return ({ properties }) => number(properties?.payloadFormatIndicator)
    case 'P':
      return ({ properties }) => padded(userProperties(properties), text)
    case 'R':
      return ({ properties }) => padded(properties?.responseTopic ?? '', text)
    case 'S':
      return ({ properties }) =>
        padded((properties?.subscriptionIdentifiers ?? []).join(' '), { ...field, most: Infinity })
    default:
      return undefined
  }
}

function userProperties(properties: PropertiesOf<'publish'> = {}): string {
  return (properties.userProperties ?? []).map(([name, value]) => `${name}:${value}`).join(' ')
}

function padded(text: string, { left, zero, width, most }: Field): string {
  const characters = [...text]
  const cut = characters.length > most ? characters.slice(0, most).join('') : text
  const padding = (zero ? '0' : ' ').repeat(Math.max(0, width - Math.min(characters.length, most)))
  return left ? cut + padding : padding + cut
}

function paddedBytes(payload: Uint8Array, { left, zero, width }: Field): Uint8Array {
  if (payload.length >= width) return payload
  const padding = (zero ? '0' : ' ').repeat(width - payload.length)
  return left ? bytes([payload, padding]) : bytes([padding, payload])
}

function hex(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('hex')
}

function bytes(parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
}
