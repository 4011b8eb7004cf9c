import type { PropertyHost } from '../src/index.js'
import { bytes } from './hex.js'

/** A property as the standard's table 2-4 has it, typed off from there and not from the source. */
export interface PropertyRow {
  readonly name: string
  readonly id: number
  readonly hosts: readonly PropertyHost[]
  /** More than once in one place. */
  readonly list: boolean
  /** Bytes behind the identifier, and the value they mean. */
  readonly good: readonly (readonly [hex: string, value: unknown])[]
  /** Bytes that are wrong, what in the error says why, and the reason code that the section of the property names. */
  readonly bad: readonly (readonly [hex: string, says: string, reasonCode: number])[]
}

/** A Malformed Packet: bytes that cannot be read (section 1.2). */
const malformed = 0x81
/** A Protocol Error: bytes that can be read, and say what may not be said. */
const breach = 0x82
const topicAliasInvalid = 0x94

const publish = ['publish', 'will'] as const
const text = [
  ['0000', ''],
  ["0003 'abc'", 'abc'],
  ['0005 e282ac c3a9', '€é'],
] as const
const badText = [
  ['0001 ff', 'UTF-8', malformed],
  ['0001 00', 'U+0000', malformed],
  ["0004 'abc'", 'too early', malformed],
] as const
const binary = [
  ['0000', new Uint8Array(0)],
  ['0003 00ff80', bytes('00ff80')],
] as const
const badBinary = [['0004 00ff80', 'too early', malformed]] as const
const u32 = [
  ['00000000', 0],
  ['80000001', 0x8000_0001],
  ['ffffffff', 0xffff_ffff],
] as const
const u16 = [
  ['0000', 0],
  ['0100', 256],
  ['ffff', 65_535],
] as const
const short = [['00', 'too early', malformed]] as const
const zero = [['0000', '0 is not in 1', breach], ...short] as const
const flag = [
  ['00', false],
  ['01', true],
] as const
const bit = [
  ['00', 0],
  ['01', 1],
] as const
const badBit = [
  ['02', '2 is not in 0 to 1', breach],
  ['ff', '255 is not in 0 to 1', breach],
] as const

const row = (
  id: number,
  name: string,
  hosts: readonly PropertyHost[],
  good: PropertyRow['good'],
  bad: PropertyRow['bad'],
): PropertyRow => ({
  id,
  name,
  hosts,
  good,
  bad,
  list: name === 'subscriptionIdentifiers' || name === 'userProperties',
})

const everywhere = [
  'connect',
  'connack',
  'publish',
  'will',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'disconnect',
  'auth',
] as const
const answers = [
  'connack',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'disconnect',
  'auth',
] as const

export const hosts: readonly PropertyHost[] = everywhere

export const properties: readonly PropertyRow[] = [
  row(1, 'payloadFormatIndicator', publish, bit, badBit),
  row(2, 'messageExpiryInterval', publish, u32, [['000000', 'too early', malformed]]),
  row(3, 'contentType', publish, text, badText),
  row(8, 'responseTopic', publish, [["0003 'a/b'", 'a/b']], [...badText, ["0001 '+'", 'response topic', breach]]),
  row(9, 'correlationData', publish, binary, badBinary),
  row(
    11,
    'subscriptionIdentifiers',
    ['publish', 'subscribe'],
    [
      ['01', 1],
      ['8001', 128],
      ['ffffff7f', 268_435_455],
    ],
    [
      ['00', '0 is not in 1', breach],
      ['8100', 'padded', malformed],
      ['ffffffff01', 'more than 4', malformed],
    ],
  ),
  row(17, 'sessionExpiryInterval', ['connect', 'connack', 'disconnect'], u32, [['000000', 'too early', malformed]]),
  row(18, 'assignedClientIdentifier', ['connack'], text, badText),
  row(19, 'serverKeepAlive', ['connack'], u16, short),
  row(21, 'authenticationMethod', ['connect', 'connack', 'auth'], text, badText),
  row(22, 'authenticationData', ['connect', 'connack', 'auth'], binary, badBinary),
  row(23, 'requestProblemInformation', ['connect'], flag, badBit),
  row(24, 'willDelayInterval', ['will'], u32, [['000000', 'too early', malformed]]),
  row(25, 'requestResponseInformation', ['connect'], flag, badBit),
  row(26, 'responseInformation', ['connack'], text, badText),
  row(28, 'serverReference', ['connack', 'disconnect'], text, badText),
  row(31, 'reasonString', answers, text, badText),
  row(33, 'receiveMaximum', ['connect', 'connack'], u16.slice(1), zero),
  row(34, 'topicAliasMaximum', ['connect', 'connack'], u16, short),
  row(35, 'topicAlias', ['publish'], u16.slice(1), [
    ['0000', 'topic alias 0 is not in 1', topicAliasInvalid],
    ...short,
  ]),
  row(36, 'maximumQos', ['connack'], bit, badBit),
  row(37, 'retainAvailable', ['connack'], flag, badBit),
  row(
    38,
    'userProperties',
    everywhere,
    [
      ["0001 'k' 0001 'v'", ['k', 'v']],
      ['0000 0000', ['', '']],
    ],
    [
      ["0001 'k'", 'too early', malformed],
      ['0001 ff 0000', 'UTF-8', malformed],
      ['0000 0001 00', 'U+0000', malformed],
    ],
  ),
  row(39, 'maximumPacketSize', ['connect', 'connack'], u32.slice(1), [['00000000', '0 is not in 1', breach]]),
  row(40, 'wildcardSubscriptionAvailable', ['connack'], flag, badBit),
  row(41, 'subscriptionIdentifierAvailable', ['connack'], flag, badBit),
  row(42, 'sharedSubscriptionAvailable', ['connack'], flag, badBit),
]
