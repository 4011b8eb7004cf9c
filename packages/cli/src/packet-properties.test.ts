import { describe, expect, test } from 'vitest'
import { TestTerminal } from '../test/test-terminal.js'
import { CommandLine, parse } from './command-line.js'
import { addPropertyOption, type PacketProperties } from './packet-properties.js'

/** What `-D` makes of the arguments, beside a `-m` that takes a value and an `-r` that takes none. */
function propertiesOf(...args: readonly string[]): PacketProperties | undefined {
  return flagsOf(...args).property
}

function flagsOf(...args: readonly string[]): { property?: PacketProperties; m?: string; r?: true } {
  const command = new CommandLine({ name: 'test', summary: '', examples: [] })
    .exitOverride()
    .option('-m <message>')
    .option('-r')
  addPropertyOption(command, ['connect', 'will', 'publish', 'subscribe', 'disconnect'])
  const flags = parse<{ property?: PacketProperties; m?: string; r?: true }>(command, args, new TestTerminal())
  return flags as Exclude<typeof flags, symbol>
}

test.each<[string, PacketProperties]>([
  ['connect authentication-data abc', { connect: { authenticationData: Buffer.from('abc') } }],
  ['connect authentication-method PLAIN', { connect: { authenticationMethod: 'PLAIN' } }],
  ['connect maximum-packet-size 4294967295', { connect: { maximumPacketSize: 4_294_967_295 } }],
  ['connect receive-maximum 1', { connect: { receiveMaximum: 1 } }],
  ['connect request-problem-information 0', { connect: { requestProblemInformation: false } }],
  ['connect request-response-information 1', { connect: { requestResponseInformation: true } }],
  ['connect session-expiry-interval 60', { connect: { sessionExpiryInterval: 60 } }],
  ['connect topic-alias-maximum 0', { connect: { topicAliasMaximum: 0 } }],
  ['will will-delay-interval 5', { will: { willDelayInterval: 5 } }],
  ['will content-type text/plain', { will: { contentType: 'text/plain' } }],
  ['publish content-type text/plain', { publish: { contentType: 'text/plain' } }],
  ['publish correlation-data é', { publish: { correlationData: Buffer.from('é') } }],
  ['publish message-expiry-interval 0', { publish: { messageExpiryInterval: 0 } }],
  ['publish payload-format-indicator 1', { publish: { payloadFormatIndicator: 1 } }],
  ['publish response-topic a/b', { publish: { responseTopic: 'a/b' } }],
  ['subscribe user-property a b', { subscribe: { userProperties: [['a', 'b']] } }],
  ['disconnect session-expiry-interval 0', { disconnect: { sessionExpiryInterval: 0 } }],
])('-D %s', (words, properties) => {
  expect(propertiesOf('-D', ...words.split(' '))).toEqual(properties)
  expect(propertiesOf('--property', ...words.split(' '))).toEqual(properties)
})

test('user properties keep their order and their repetitions, a packet each', () => {
  const user = (packet: string, name: string, value: string) => ['-D', packet, 'user-property', name, value]
  expect(
    propertiesOf(
      ...user('publish', 'b', '1'),
      ...user('connect', 'x', ''),
      ...user('publish', 'a', '2'),
      ...user('publish', 'b', '1'),
    ),
  ).toEqual({
    publish: {
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
    },
    connect: { userProperties: [['x', '']] },
  })
})

test('values may look like options, and options may have the value -D', () => {
  expect(flagsOf('-D', 'publish', 'user-property', '-r', '--help', '-r', '-m', '-D')).toEqual({
    property: { publish: { userProperties: [['-r', '--help']] } },
    r: true,
    m: '-D',
  })
})

describe('one line that says what is allowed', () => {
  const publishHas =
    'content-type, correlation-data, message-expiry-interval, payload-format-indicator, response-topic, user-property'

  test.each([
    ['', '--property needs a value'],
    ['pubrec user-property a b', 'it takes a property for connect, will, publish, subscribe, disconnect'],
    ['toString user-property a b', 'it takes a property for connect, will, publish, subscribe, disconnect'],
    ['publish', `the properties of publish are ${publishHas}`],
    ['publish will-delay-interval 1', `the properties of publish are ${publishHas}`],
    ['publish toString 1', `the properties of publish are ${publishHas}`],
    ['subscribe nothing 1', 'the properties of subscribe are user-property'],
    ['publish content-type', 'it takes publish content-type VALUE'],
    ['publish user-property a', 'it takes publish user-property NAME VALUE'],
    ['publish message-expiry-interval soon', 'message-expiry-interval takes a whole number from 0 to 4294967295'],
    ['publish payload-format-indicator 2', 'payload-format-indicator takes a whole number from 0 to 1'],
    ['publish response-topic a/+', 'response-topic takes a topic name: not empty, and without the wildcards + and #'],
    ['connect receive-maximum 0', 'receive-maximum takes a whole number from 1 to 65535'],
    ['connect maximum-packet-size 0', 'maximum-packet-size takes a whole number from 1 to 4294967295'],
    [`publish content-type ${'é'.repeat(32_768)}`, 'content-type takes at most 65535 bytes'],
    ['publish content-type a -D publish content-type b', 'publish has content-type once only'],
  ])('-D %s', (words, problem) => {
    expect(() => propertiesOf('-D', ...words.split(' ').filter(Boolean))).toThrow(problem)
  })
})
