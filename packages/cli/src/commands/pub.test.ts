import { describe, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'
import { pubSettings } from './pub.js'

const connection = {
  server: 'mqtt://localhost:1883',
  options: { clean: true, keepAliveSeconds: 60 },
  closing: {},
  only5: [],
  debug: false,
  quiet: false,
}

function settingsOf(...args: readonly string[]): unknown {
  return pubSettings(args, new TestTerminal())
}

describe('what to publish', () => {
  const defaults = {
    connection,
    topic: 'a/b',
    qos: 0,
    retain: false,
    properties: {},
    content: { from: 'argument', message: 'x' },
    repeat: 1,
    repeatDelayMs: 0,
  }

  test.each<[string[], object]>([
    [['-m', 'x'], {}],
    [['--message', 'x'], {}],
    [['-m', ''], { content: { from: 'argument', message: '' } }],
    [['-m', '-5'], { content: { from: 'argument', message: '-5' } }],
    [['-m', '--retain'], { content: { from: 'argument', message: '--retain' } }],
    [['-n'], { content: { from: 'argument', message: '' } }],
    [['--null-message'], { content: { from: 'argument', message: '' } }],
    [['-f', 'photo.jpg'], { content: { from: 'file', path: 'photo.jpg' } }],
    [['--file', 'photo.jpg'], { content: { from: 'file', path: 'photo.jpg' } }],
    [['-s'], { content: { from: 'stdin' } }],
    [['--stdin-file'], { content: { from: 'stdin' } }],
    [['-l'], { content: { from: 'lines' } }],
    [['--stdin-line'], { content: { from: 'lines' } }],
    [['-m', 'x', '-q', '2'], { qos: 2 }],
    [['-m', 'x', '--qos', '1'], { qos: 1 }],
    [['-m', 'x', '-r'], { retain: true }],
    [['-m', 'x', '--retain'], { retain: true }],
    [['-m', 'x', '--repeat', '3', '--repeat-delay', '0.5'], { repeat: 3, repeatDelayMs: 500 }],
    [['-m', 'x', '-t', 'c'], { topic: 'c' }],
    [
      ['-m', 'x', '-D', 'publish', 'content-type', 'text/plain', '-D', 'publish', 'user-property', 'a', '-n'],
      {
        properties: { contentType: 'text/plain', userProperties: [['a', '-n']] },
        connection: { ...connection, only5: ['--property'] },
      },
    ],
  ])('%o', (args, expected) => {
    expect(settingsOf('-t', 'a/b', ...args)).toEqual({ ...defaults, ...expected })
  })
})

describe('where to, and as whom', () => {
  const options = connection.options

  test.each<[string[], object]>([
    [['-h', 'broker.local'], { server: 'mqtt://broker.local:1883' }],
    [['--host', 'broker.local', '--port', '1884'], { server: 'mqtt://broker.local:1884' }],
    [['-h', '::1', '-p', '1884'], { server: 'mqtt://[::1]:1884' }],
    [['-p1884'], { server: 'mqtt://localhost:1884' }],
    [['-i', 'me'], { options: { ...options, clientId: 'me' } }],
    [['--id', 'me', '-c'], { options: { ...options, clientId: 'me', clean: false } }],
    [['-i', 'me', '--disable-clean-session'], { options: { ...options, clientId: 'me', clean: false } }],
    [['-u', 'ann', '-P', 'secret'], { options: { ...options, username: 'ann', password: 'secret' } }],
    [['--username', 'ann', '--pw', ''], { options: { ...options, username: 'ann', password: '' } }],
    [['-k', '5'], { options: { ...options, keepAliveSeconds: 5 } }],
    [['--keepalive', '0'], { options: { ...options, keepAliveSeconds: 0 } }],
    ...['mqttv5', '5'].map(
      (word) => [['-V', word], { options: { ...options, version: 5, fallback: false } }] as [string[], object],
    ),
    ...['mqttv311', '311', '3.1.1', '4'].map(
      (word) =>
        [['--protocol-version', word], { options: { ...options, version: 4, fallback: false } }] as [string[], object],
    ),
    ...['mqttv31', '31'].map(
      (word) => [['-V', word], { options: { ...options, version: 3, fallback: false } }] as [string[], object],
    ),
    [['-d'], { debug: true }],
    [['--debug'], { debug: true }],
    [
      ['-L', 'mqtt://ann:secret@broker.local:1884/t'],
      { server: 'mqtt://broker.local:1884', options: { ...options, username: 'ann', password: 'secret' } },
    ],
    [['--url', 'mqtt://broker.local/t', '-h', 'other', '-p', '5'], { server: 'mqtt://other:5' }],
    [
      ['--will-topic', 'gone'],
      { options: { ...options, will: { topic: 'gone', payload: '', qos: 0, retain: false } } },
    ],
    [
      ['--will-topic', 'gone', '--will-payload', 'me', '--will-qos', '2', '--will-retain'],
      { options: { ...options, will: { topic: 'gone', payload: 'me', qos: 2, retain: true } } },
    ],
  ])('%o', (args, expected) => {
    expect(settingsOf('-t', 'a/b', '-m', 'x', ...args)).toMatchObject({ connection: { ...connection, ...expected } })
  })

  test.each<[string[], object]>([
    [['-P', 'token'], { options: { ...options, password: 'token' } }],
    [['-x', '60'], { options: { ...options, sessionExpirySeconds: 60 }, only5: ['--session-expiry-interval'] }],
    [
      ['-i', 'me', '-c', '--session-expiry-interval', '0'],
      { options: { ...options, clientId: 'me', clean: false, sessionExpirySeconds: 0 } },
    ],
    ...['-1', '∞', '4294967295'].map(
      (word) =>
        [
          ['-i', 'me', '-x', word],
          { options: { ...options, clientId: 'me', sessionExpirySeconds: Number.POSITIVE_INFINITY } },
        ] as [string[], object],
    ),
    [['-D', 'connect', 'session-expiry-interval', '60'], { options: { ...options, sessionExpirySeconds: 60 } }],
    [
      ['-D', 'connect', 'receive-maximum', '5', '-D', 'connect', 'user-property', 'a', 'b'],
      { options: { ...options, receiveMaximum: 5, properties: { userProperties: [['a', 'b']] } } },
    ],
    [['-D', 'connect', 'maximum-packet-size', '100'], { options: { ...options, maxPacketBytes: 100 } }],
    [['-D', 'connect', 'maximum-packet-size', '4294967295'], { options: { ...options, maxPacketBytes: 268_435_460 } }],
    [
      ['-D', 'connect', 'authentication-method', 'PLAIN', '-D', 'connect', 'authentication-data', 'me'],
      { options: { ...options, authentication: { method: 'PLAIN' } } },
    ],
    [
      ['--will-topic', 'gone', '-D', 'will', 'will-delay-interval', '5', '-D', 'will', 'content-type', 'text/plain'],
      { options: { will: { topic: 'gone', delaySeconds: 5, properties: { contentType: 'text/plain' } } } },
    ],
    [
      ['-D', 'disconnect', 'session-expiry-interval', '9', '-D', 'disconnect', 'user-property', 'a', 'b'],
      { closing: { sessionExpirySeconds: 9, properties: { userProperties: [['a', 'b']] } }, only5: ['--property'] },
    ],
  ])('at MQTT 5.0: %o', (args, expected) => {
    expect(settingsOf('-t', 'a/b', '-m', 'x', ...args)).toMatchObject({ connection: expected })
  })

  test('the topic may stand in the URL', () => {
    expect(settingsOf('-L', 'mqtt://host/from/url', '-m', 'x')).toMatchObject({ topic: 'from/url' })
    expect(settingsOf('-L', 'mqtt://host/from/url', '-t', 'from/flag', '-m', 'x')).toMatchObject({ topic: 'from/flag' })
  })
})

describe('one line and exit code 1', () => {
  test.each([
    [['-m', 'x'], 'there is no topic to publish to; add --topic'],
    [['-t', 'a'], 'there is no message; add --message, or see --help for other ways'],
    [['-t', 'a', '-m', 'x', '-n'], 'there is more than one message; keep one of them'],
    [['-t', 'a', '-l', '-s'], 'there is more than one message; keep one of them'],
    [['-t', 'a', '-l', '--repeat', '2'], '--repeat does not go with --stdin-line; leave one of them out'],
    [
      ['-t', 'a', '-m', 'x', '--repeat', '0'],
      "--repeat is '0'; it takes a whole number of 1 or more; see godwit pub --help",
    ],
    [['-t', 'a/#', '-m', 'x'], "--topic is 'a/#'; it takes a topic name: not empty, and without the wildcards + and #"],
    [['-t', `${'a'.repeat(200)}#`, '-m', 'x'], `--topic is '${'a'.repeat(100)}…'; it takes a topic name`],
    [['-t', 'a', '-m', 'x', '-q', '3'], "--qos is '3'; it takes 0, 1 or 2; see godwit pub --help"],
    [['-t', 'a', '-m', 'x', '-k', '65536'], "--keepalive is '65536'; it takes a whole number from 0 to 65535"],
    [['-t', 'a', '-m', 'x', '-p', '0'], "--port is '0'; it takes a whole number from 1 to 65535"],
    [['-t', 'a', '-m', 'x', '-c'], '--disable-clean-session keeps a session under a name; give one with --id'],
    [
      ['-t', 'a', '-m', 'x', '-P', 'y', '-V', '311'],
      'MQTT 3.1.1 takes no password without a user name; add --username',
    ],
    [
      ['-t', 'a', '-m', 'x', '-V', '6'],
      "--protocol-version is '6'; it takes mqttv5, mqttv311 or mqttv31; or 5, 311 or 31",
    ],
    [
      ['-t', 'a', '-m', 'x', '-V', '311', '-D', 'publish', 'content-type', 'y'],
      '--property is for MQTT 5.0; leave it out, or --protocol-version',
    ],
    [
      ['-t', 'a', '-m', 'x', '-V', 'mqttv31', '-x', '5'],
      '--session-expiry-interval is for MQTT 5.0; leave it out, or --protocol-version',
    ],
    [['-t', 'a', '-m', 'x', '-x', '4294967296'], "--session-expiry-interval is '4294967296'; it takes whole seconds"],
    [['-t', 'a', '-m', 'x', '-x', '-1'], 'a session that never expires is kept under a name; give one with --id'],
    [
      ['-t', 'a', '-m', 'x', '-x', '1', '-D', 'connect', 'session-expiry-interval', '1'],
      'the session expiry interval is given twice; leave out --session-expiry-interval',
    ],
    [
      ['-t', 'a', '-m', 'x', '-D', 'connect', 'authentication-data', 'y'],
      'authentication-data needs an authentication-method; add it with --property',
    ],
    [['-t', 'a', '-m', 'x', '-D', 'will', 'content-type', 'y'], 'a will needs a topic; add --will-topic'],
    [
      ['-t', 'a', '-m', 'x', '-D', 'subscribe', 'user-property', 'y', 'z'],
      "--property is 'subscribe user-property y z'; it takes a property for connect, will, publish, disconnect; see",
    ],
    [['-t', 'a', '-m', 'x', '--will-payload', 'y'], 'a will needs a topic; add --will-topic'],
    [['-t', 'a', '-m', 'x', '--will-topic', 'a/+'], "--will-topic is 'a/+'; it takes a topic name"],
    [['-L', 'mqtt://host/a/#', '-m', 'x'], "'a/#' in --url is not a topic name: it may not have + or #; see --topic"],
    [
      ['-L', 'http://host/a', '-m', 'x'],
      "--url is 'http://host/a'; there is no way to speak MQTT over http: use mqtt://, mqtts://, ws://, wss:// or unix://;",
    ],
    [['-t', 'a', '-f', '/none/such'], 'cannot read /none/such: no such file or folder; name another --file'],
    [
      ['-t', 'a', '-m', 'two', 'words'],
      "'words' belongs to no option, and names no server (@NAME or a URL); quote values with spaces",
    ],
  ])('%o', async (args, problem) => {
    const terminal = new TestTerminal()
    expect(await terminal.run('pub', ...args)).toBe(1)
    expect(terminal.errors).toContain(`godwit pub: ${problem}`)
    expect(terminal.errors.indexOf('\n')).toBe(terminal.errors.length - 1)
  })
})

test('--help has examples, and -h is the host', async () => {
  const terminal = new TestTerminal()
  expect(await terminal.run('pub', '--help')).toBe(0)
  expect(terminal.output).toMatch(/-h, --host .*Examples:\n {2}godwit pub/s)
})
