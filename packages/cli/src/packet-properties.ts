import { byteLength, type PropertiesOf } from '@godwit/protocol'
import { type Command, InvalidArgumentError } from 'commander'
import { topicName, type ValueReader, wholeNumber } from './argument-values.js'

/** The properties of MQTT 5.0 that `--property` gives to the packets a command sends. */
export interface PacketProperties {
  readonly connect?: PropertiesOf<'connect'>
  readonly will?: PropertiesOf<'will'>
  readonly publish?: PropertiesOf<'publish'>
  readonly subscribe?: PropertiesOf<'subscribe'>
  readonly disconnect?: PropertiesOf<'disconnect'>
}

/** A packet, as the first word of `--property` names it; `will` is a part of CONNECT. */
export type PropertyPacket = keyof PacketProperties

/** Reads the value of each property a packet may have. User properties, which each may have, come beside this table. */
type Rows<Properties> = Readonly<Record<string, ValueReader<Properties>>>

const u16 = wholeNumber(0, 0xffff)
const u16FromOne = wholeNumber(1, 0xffff)
const u32 = wholeNumber(0, 0xffff_ffff)
const bit = (value: string): 0 | 1 => (wholeNumber(0, 1)(value) === 1 ? 1 : 0)
const flag = (value: string): boolean => bit(value) === 1

/** A string, or binary data: as mosquitto's clients do, the bytes of the text. */
function text(value: string): string {
  if (byteLength(value) <= 0xffff) return value
  throw new InvalidArgumentError('it takes at most 65535 bytes.')
}

const message: Rows<PropertiesOf<'publish'> & PropertiesOf<'will'>> = {
  'content-type': (value) => ({ contentType: text(value) }),
  'correlation-data': (value) => ({ correlationData: Buffer.from(text(value)) }),
  'message-expiry-interval': (value) => ({ messageExpiryInterval: u32(value) }),
  'payload-format-indicator': (value) => ({ payloadFormatIndicator: bit(value) }),
  'response-topic': (value) => ({ responseTopic: topicName(value) }),
}

const sessionExpiry: Rows<PropertiesOf<'connect'> & PropertiesOf<'disconnect'>> = {
  'session-expiry-interval': (value) => ({ sessionExpiryInterval: u32(value) }),
}

const rows: { readonly [P in PropertyPacket]-?: Rows<PropertiesOf<P>> } = {
  connect: {
    'authentication-data': (value) => ({ authenticationData: Buffer.from(text(value)) }),
    'authentication-method': (value) => ({ authenticationMethod: text(value) }),
    'maximum-packet-size': (value) => ({ maximumPacketSize: wholeNumber(1, 0xffff_ffff)(value) }),
    'receive-maximum': (value) => ({ receiveMaximum: u16FromOne(value) }),
    'request-problem-information': (value) => ({ requestProblemInformation: flag(value) }),
    'request-response-information': (value) => ({ requestResponseInformation: flag(value) }),
    ...sessionExpiry,
    'topic-alias-maximum': (value) => ({ topicAliasMaximum: u16(value) }),
  },
  will: { ...message, 'will-delay-interval': (value) => ({ willDelayInterval: u32(value) }) },
  publish: message,
  subscribe: {},
  disconnect: sessionExpiry,
}

/** Between the words of one property, where {@link joinPropertyWords} has made them one argument: no argument contains it. */
const separator = '\0'

/** Adds `-D, --property`, as mosquitto's clients have it. Its arguments must have gone through {@link joinPropertyWords}. */
export function addPropertyOption<C extends Command>(command: C, packets: readonly PropertyPacket[]): C {
  return command.option(
    '-D, --property <packet property value>',
    `a property of MQTT 5.0, for ${packets.join(', ')}; user-property takes two values; may be repeated`,
    (words: string, before: PacketProperties = {}) => withProperty(before, words.split(separator), packets),
  )
}

/**
 * Makes one argument of the words behind each `--property`: four for a user property, three for any other. Commander
 * takes one argument an option, or all up to the next dash, with which a value may begin.
 */
export function joinPropertyWords(command: Command, args: readonly string[]): string[] {
  const joined: string[] = []
  for (let position = 0; position < args.length; ) {
    const word = args[position] ?? ''
    const option = command.options.find(({ short, long }) => word === short || word === long)
    const isProperty = option?.long === '--property'
    const values = isProperty ? (args[position + 2] === 'user-property' ? 4 : 3) : option?.required ? 1 : 0
    const words = args.slice(position + 1, position + 1 + values)
    joined.push(word, ...(isProperty && words.length > 0 ? [words.join(separator)] : words))
    position += 1 + values
  }
  return joined
}

function withProperty(
  before: PacketProperties,
  words: readonly string[],
  packets: readonly PropertyPacket[],
): PacketProperties {
  const [packetWord = '', name = '', value, second] = words
  const packet = packets.find((candidate) => candidate === packetWord)
  if (packet === undefined) throw new InvalidArgumentError(`it takes a property for ${packets.join(', ')}.`)
  const earlier: { readonly userProperties?: readonly (readonly [string, string])[] } = before[packet] ?? {}
  if (name === 'user-property') {
    if (value === undefined || second === undefined)
      throw new InvalidArgumentError(`it takes ${packet} user-property NAME VALUE.`)
    const userProperties = [...(earlier.userProperties ?? []), [text(value), text(second)] as const]
    return { ...before, [packet]: { ...earlier, userProperties } }
  }
  const read: ValueReader<object> | undefined = Object.hasOwn(rows[packet], name) ? rows[packet][name] : undefined
  if (read === undefined) {
    const names = [...Object.keys(rows[packet]), 'user-property'].join(', ')
    throw new InvalidArgumentError(`the properties of ${packet} are ${names}.`)
  }
  if (value === undefined) throw new InvalidArgumentError(`it takes ${packet} ${name} VALUE.`)
  const property = readNamed(name, read, value)
  if (Object.keys(property).some((key) => key in earlier))
    throw new InvalidArgumentError(`${packet} has ${name} once only.`)
  return { ...before, [packet]: { ...earlier, ...property } }
}

/** The reader's complaint names the property: the option has several parts that could be wrong. */
function readNamed<T>(name: string, read: ValueReader<T>, value: string): T {
  try {
    return read(value)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new InvalidArgumentError(error.message.replace(/^it /, `${name} `))
  }
}
