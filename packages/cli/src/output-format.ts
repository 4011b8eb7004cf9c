import type { PropertiesOf } from '@godwit/protocol'
import { embeddedPayload, messageJson, quotedPayload } from './message-json.js'
import type { PrintedMessage } from './printed-message.js'
import { nanoseconds, strftime } from './strftime.js'

/** A message as it is printed. `milliseconds` is when it came, since 1970, with a fraction. */
export type OutputFormat = (message: PrintedMessage, milliseconds: number) => Uint8Array

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
export function plainFormat(options: { readonly verbose: boolean; readonly newline: boolean }): OutputFormat {
  const { verbose, newline } = options
  const end = newline ? '\n' : ''
  return ({ topic, payload }) => {
    if (verbose) return bytes([`${topic} `, payload.length > 0 ? payload : '(null)', end])
    return payload.length > 0 ? bytes([payload, end]) : new Uint8Array(0)
  }
}

/**
 * The format of `-F`, as mosquitto_sub(1) documents it under "Output format": `%` for the message, `@` for strftime(3),
 * `\` for characters that are hard to type.
 *
 * @param complain is told of payloads that `%J` cannot print, because they are not JSON.
 * @throws RangeError saying what is wrong with the format.
 */
export function outputFormat(
  format: string,
  options: { readonly newline: boolean; readonly complain: (problem: string) => void },
): OutputFormat {
  const pieces: Piece[] = []
  let position = 0
  while (position < format.length) {
    const next = format.slice(position).search(/[%@\\]/)
    const start = next < 0 ? format.length : position + next
    if (start > position) pieces.push(format.slice(position, start))
    if (start === format.length) break
    const sequence = /^(?:%([-0]*)(\d*)(?:\.(\d+))?([^\d.-])|[@\\](.))/su.exec(format.slice(start))
    if (!sequence) throw new RangeError(`it is not complete at ${JSON.stringify(format.slice(start))}`)
    pieces.push(pieceOf(sequence, options.complain))
    position = start + sequence[0].length
  }
  if (options.newline) pieces.push('\n')
  return (message, milliseconds) =>
    bytes(pieces.map((piece) => (typeof piece === 'string' ? piece : piece(message, milliseconds))))
}

function pieceOf(sequence: RegExpExecArray, complain: (problem: string) => void): Piece {
  const [whole, flags = '', width = '', most = '', parameter, other = ''] = sequence
  if (parameter !== undefined) {
    const left = flags.includes('-')
    const field = { left, zero: flags.includes('0') && !left, width: Number(width), most: Number(most || Infinity) }
    const piece = parameterPiece(parameter, field, complain)
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

function parameterPiece(letter: string, field: Field, complain: (problem: string) => void): Piece | undefined {
  const text = { ...field, zero: false }
  switch (letter) {
    case '%':
      return '%'
    case 't':
      return ({ topic }) => padded(topic, text)
    case 'p':
      return ({ payload }) => paddedBytes(payload, field)
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
      return (message, milliseconds) => messageJson(message, milliseconds, quotedPayload(message.payload))
    case 'J':
      return (message, milliseconds) => {
        const payload = embeddedPayload(message.payload)
        if (payload !== undefined) return messageJson(message, milliseconds, payload)
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
