import { describe, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'
import { rrSettings } from './rr.js'
import { subSettings } from './sub.js'

describe('godwit sub', () => {
  const defaults = {
    filters: ['a/#'],
    filtersOut: [],
    qos: 0,
    printing: { newline: true },
    count: Number.POSITIVE_INFINITY,
    retainAsPublished: false,
    properties: {},
    stale: true,
    retainedOnly: false,
    subscribeOnly: false,
  }

  test.each([
    [[], {}],
    [['-t', 'b', '--topic', '+/c'], { filters: ['a/#', 'b', '+/c'] }],
    [['-T', 'a/b', '--filter-out', 'a/c/#'], { filtersOut: ['a/b', 'a/c/#'] }],
    [['-q', '2'], { qos: 2 }],
    [['-C', '3'], { count: 3 }],
    [['-W', '2'], { printing: { newline: true, timeout: 2 } }],
    [['-R'], { stale: false }],
    [['--retained-only'], { retainedOnly: true }],
    [['--retain-as-published'], { retainAsPublished: true, connection: { only5: ['--retain-as-published'] } }],
    [['-D', 'subscribe', 'user-property', 'a', 'b'], { properties: { userProperties: [['a', 'b']] } }],
    [['-E'], { subscribeOnly: true }],
    [['-v'], { printing: { newline: true, verbose: true } }],
    [['-N'], { printing: { newline: false } }],
    [['-F', '%t %p'], { printing: { newline: true, format: '%t %p' } }],
    [['-L', 'mqtt://host/x/#'], { filters: ['x/#', 'a/#'], connection: { server: 'mqtt://host:1883' } }],
    [['-i', 'me', '-c', '-k', '5'], { connection: { options: { clientId: 'me', clean: false, keepAliveSeconds: 5 } } }],
  ])('%o', (args, expected) => {
    expect(subSettings(['-t', 'a/#', ...args], new TestTerminal())).toMatchObject({ ...defaults, ...expected })
  })

  test.each([
    [[], 'there is nothing to subscribe to; add --topic'],
    [['-t', 'a#'], "--topic is 'a#'; it takes a topic filter"],
    [['-t', 'a', '-T', 'a/+b'], "--filter-out is 'a/+b'; it takes a topic filter"],
    [['-t', 'a', '-C', '0'], "--count is '0'; it takes a whole number of 1 or more"],
    [['-t', 'a', '-W', '0'], "--timeout is '0'; it takes more than 0 seconds"],
    [['-t', 'a', '-F', '%z'], "--format is '%z'; there is no %z"],
    [['-t', 'a', '-R', '--retained-only'], '-R and --retained-only together print nothing; leave one of them out'],
    [['-t', 'a', '-V', '311', '--retain-as-published'], '--retain-as-published is for MQTT 5.0; leave it out'],
    [
      ['-t', 'a', '-D', 'unsubscribe', 'user-property', 'y', 'z'],
      "--property is 'unsubscribe user-property y z'; it takes a property for connect, will, subscribe, disconnect; see",
    ],
    [['-t', 'a', '-c'], '--disable-clean-session keeps a session under a name; give one with --id'],
    [['-L', 'mqtt://host/a#'], "'a#' in --url is not a topic filter; see --topic"],
  ])('%o is refused in one line, with exit code 1', async (args, problem) => {
    const terminal = new TestTerminal()
    expect(await terminal.run('sub', ...args)).toBe(1)
    expect(terminal.errors).toContain(`godwit sub: ${problem}`)
    expect(terminal.errors.indexOf('\n')).toBe(terminal.errors.length - 1)
  })
})

describe('godwit rr', () => {
  test('all of its own', () => {
    const args = ['-t', 'ask', '-e', 'answer', '-m', 'x', '-q', '1', '-R', '-W', '0.5', '-v']
    expect(rrSettings(args, new TestTerminal())).toMatchObject({
      topic: 'ask',
      responseTopic: 'answer',
      content: { from: 'argument', message: 'x' },
      qos: 1,
      stale: false,
      printing: { timeout: 0.5, verbose: true, newline: true },
    })
  })

  test('the response topic is its own at MQTT 5.0, and may have wildcards below', () => {
    const settings = (...args: readonly string[]) => rrSettings(['-t', 'ask', '-n', ...args], new TestTerminal())
    expect(settings()).toMatchObject({ responseTopic: undefined })
    expect(settings('-V', '311', '-e', 'answer/+')).toMatchObject({ responseTopic: 'answer/+' })
    expect(settings('-e', 'answer', '-D', 'publish', 'correlation-data', 'x')).toMatchObject({
      properties: { correlationData: Buffer.from('x') },
    })
  })

  test.each([
    [['-t', 'ask', '-m', 'x', '-V', '311'], 'below MQTT 5.0 a request does not say where the response goes; add'],
    [['-t', 'ask', '-e', 'answer/+', '-m', 'x'], "'answer/+' is no topic to respond to: only below MQTT 5.0"],
    [
      ['-t', 'ask', '-m', 'x', '-D', 'publish', 'response-topic', 'y'],
      '--response-topic gives the property response-topic; use that',
    ],
    [
      ['-t', 'ask', '-m', 'x', '-D', 'publish', 'correlation-data', 'y'],
      'correlation-data goes with a response topic of yours; add --response-topic',
    ],
    [['-e', 'answer', '-m', 'x'], 'there is no topic to publish to; add --topic'],
    [['-t', 'ask', '-e', 'answer'], 'there is no message; add --message'],
    [['-t', 'ask', '-e', 'answer', '-l'], "there is no option '-l'"],
  ])('%o is refused in one line, with exit code 1', async (args, problem) => {
    const terminal = new TestTerminal()
    expect(await terminal.run('rr', ...args)).toBe(1)
    expect(terminal.errors).toContain(`godwit rr: ${problem}`)
  })
})
