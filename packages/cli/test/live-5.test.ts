// What MQTT 5.0 adds to the commands, against a broker in this process.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { type Broker, type BrokerOptions, createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Commands } from './commands.js'

let broker: Broker
let port: string
let godwit: Commands

async function start(options: BrokerOptions = {}): Promise<void> {
  broker = await createBroker({ sysIntervalSeconds: 0, ...options })
  port = String((await broker.listen({ port: 0 })).port)
  godwit = new Commands(port)
}

beforeEach(() => start())
afterEach(() => broker.close())

/** `-D PACKET PROPERTY VALUE…` for each line. */
function properties(...lines: readonly string[]): string[] {
  return lines.flatMap((line) => ['-D', ...line.split(' ')])
}

test('what pub says with a message, sub prints', async () => {
  const sub = await godwit.sub('-t', 'a', '-C', '1', '-F', '%C|%D|%E|%F|%P|%R')
  const said = properties(
    'publish user-property b 1',
    'publish user-property a 2',
    'publish user-property b 1',
    'publish content-type text/plain',
    'publish correlation-data é',
    'publish message-expiry-interval 600',
    'publish payload-format-indicator 1',
    'publish response-topic answer',
  )
  expect((await godwit.ended('pub', '-t', 'a', '-m', 'x', ...said)).exitCode).toBe(0)
  await sub.exitCode
  expect(sub.terminal.output).toBe('text/plain|é|600|1|b:1 a:2 b:1|answer\n')
})

test('a will with properties', async () => {
  const watcher = await godwit.sub('-t', 'gone', '-C', '1', '-F', '%p %C %P')
  const will = properties('will content-type text/plain', 'will user-property room kitchen')
  const first = await godwit.sub('-t', 'a', '-i', 'twin', '--will-topic', 'gone', '--will-payload', 'me', ...will)
  const second = await godwit.sub('-t', 'a', '-i', 'twin')
  expect(await watcher.exitCode).toBe(0)
  expect(watcher.terminal.output).toBe('me text/plain room:kitchen\n')
  expect(await first.exitCode).toBe(7)
  expect(first.terminal.errors).toMatch(/Session taken over.*; another client has connected with the same --id\n$/)
  second.terminal.interrupt()
  await second.exitCode
})

describe('sessions', () => {
  const session = ['-i', 'dash', '-t', 'a', '-q', '1']

  test('-x keeps one without -c', async () => {
    await godwit.ended('sub', ...session, '-x', '60', '-E')
    broker.publish('a', 'kept', { qos: 1 })
    const { terminal } = await godwit.ended('sub', ...session, '-c', '-C', '1')
    expect(terminal.output).toBe('kept\n')
  })

  test.each([
    ['at connecting', ['-x', '0']],
    ['at disconnecting', properties('disconnect session-expiry-interval 0')],
  ])('0 ends one, told %s', async (_when, how) => {
    await godwit.ended('sub', ...session, '-c', ...how, '-E')
    const { terminal } = await godwit.ended('sub', ...session, '-c', '-d', '-E')
    expect(terminal.errors).toContain('connected; the server keeps no earlier session')
  })

  test('-c keeps one for ever; -d tells when the server does not', async () => {
    const first = await godwit.ended('sub', ...session, '-c', '-d', '-E')
    expect(first.terminal.errors).toContain('the server keeps this session for 2592000 s, not longer')
    const { terminal } = await godwit.ended('sub', ...session, '-c', '-d', '-E')
    expect(terminal.errors).toContain('connected; the server has kept the earlier session')
  })
})

test('--retain-as-published', async () => {
  const format = ['-t', 'a', '-C', '1', '-F', '%r']
  const asPublished = await godwit.sub(...format, '--retain-as-published')
  const asUsual = await godwit.sub(...format)
  await godwit.ended('pub', '-t', 'a', '-m', 'x', '-r')
  await Promise.all([asPublished.exitCode, asUsual.exitCode])
  expect([asPublished.terminal.output, asUsual.terminal.output]).toEqual(['1\n', '0\n'])
})

describe('godwit rr', () => {
  test('needs no response topic', async () => {
    await using responder = await connect(`mqtt://localhost:${port}`)
    await responder.respond(
      'ask',
      ({ payload, properties: { contentType } = {} }) => `${contentType} ${payload.length}`,
    )
    const said = properties('publish content-type text/plain')
    const { exitCode, terminal } = await godwit.ended('rr', '-t', 'ask', '-m', 'time?', ...said)
    expect([exitCode, terminal.output]).toEqual([0, 'text/plain 5\n'])
  })

  test('nobody answers: exit code 27', async () => {
    const { exitCode, terminal } = await godwit.ended('rr', '-t', 'ask', '-n', '-W', '0.05')
    expect([exitCode, terminal.errors]).toEqual([27, 'godwit rr: timed out after 0.05 s; --timeout sets the time\n'])
  })

  test('on a response topic of yours it knows its answer by the correlation data', async () => {
    await using responder = await connect(`mqtt://localhost:${port}`)
    await responder.subscribe('ask', {
      onMessage: async ({ properties: { responseTopic = '', correlationData = Buffer.from('none') } = {} }) => {
        await responder.publish(responseTopic, 'to another', { properties: { correlationData: Buffer.from('other') } })
        await responder.publish(responseTopic, `to ${correlationData.length} bytes`, {
          properties: { correlationData },
        })
      },
    })
    const request = ['-t', 'ask', '-e', 'answer', '-n', '-v']
    expect((await godwit.ended('rr', ...request)).terminal.output).toBe('answer to 16 bytes\n')
    const said = properties('publish correlation-data mine')
    expect((await godwit.ended('rr', ...request, ...said)).terminal.output).toBe('answer to 4 bytes\n')
  })
})

describe('what the server refuses is said in the words of the standard', () => {
  test('a message', async () => {
    await broker.close()
    await start({ hooks: [{ authorize: ({ topic }) => topic !== 'secret' }] })
    const { exitCode, terminal } = await godwit.ended('pub', '-t', 'secret', '-m', 'x', '-q', '1')
    expect(exitCode).toBe(1)
    expect(terminal.errors).toMatch(/^godwit pub: .*'secret'.*Not authorized.*; ask whoever runs the server\n$/)
  })

  test('an authentication method', async () => {
    const said = properties('connect authentication-method NONE', 'connect authentication-data x')
    const { exitCode, terminal } = await godwit.ended('pub', '-t', 'a', '-m', 'x', ...said)
    expect(exitCode).toBe(140)
    expect(terminal.errors).toMatch(/^godwit pub: .*Bad authentication method/)
  })

  test('-d tells that nobody has subscribed', async () => {
    const { terminal } = await godwit.ended('pub', '-t', 'a', '-m', 'x', '-q', '1', '-d')
    expect(terminal.errors).toContain("published 1 byte to 'a' (packet id 1, No matching subscribers)")
  })
})

describe('a server that refuses 5.0', () => {
  let old: Server

  beforeEach(async () => {
    old = createServer((socket) =>
      socket.once('data', (connectPacket) => {
        const level = connectPacket[8]
        if (level === 5) return socket.end(Uint8Array.of(0x20, 0x02, 0x00, 0x01)) // unacceptable protocol version
        socket.unshift(connectPacket)
        return void broker.handle(socket)
      }),
    ).listen(0, '127.0.0.1')
    await once(old, 'listening')
    godwit = new Commands(`${(old.address() as AddressInfo).port}`)
  })
  afterEach(() => void old.close())

  test('is spoken to at 3.1.1, which only -d tells', async () => {
    expect((await godwit.ended('pub', '-t', 'a', '-m', 'x', '-q', '1')).terminal.errors).toBe('')
    const { exitCode, terminal } = await godwit.ended('pub', '-t', 'a', '-m', 'x', '-q', '1', '-d')
    expect(exitCode).toBe(0)
    expect(terminal.errors).toContain('godwit pub: the server speaks MQTT 3.1.1, not 5.0\n')
  })

  test('what was asked for and only 5.0 can give is told in any case', async () => {
    const asked = ['-x', '60', '--retain-as-published', ...properties('connect receive-maximum 5')]
    const { exitCode, terminal } = await godwit.ended('sub', '-t', 'a', '-E', ...asked)
    expect([exitCode, terminal.errors]).toEqual([
      0,
      'godwit sub: the server speaks MQTT 3.1.1, not 5.0: --property, --session-expiry-interval, --retain-as-published cannot be obeyed\n',
    ])
  })

  test('-V 5 insists', async () => {
    const { exitCode, terminal } = await godwit.ended('pub', '-t', 'a', '-m', 'x', '-V', '5')
    expect(exitCode).toBe(132)
    expect(terminal.errors).toMatch(/^godwit pub: .*Unsupported Protocol Version; try another --protocol-version\n$/)
  })

  test('godwit rr then wants a response topic', async () => {
    const { exitCode, terminal } = await godwit.ended('rr', '-t', 'ask', '-n')
    expect(exitCode).toBe(1)
    expect(terminal.errors).toBe(
      'godwit rr: the server speaks MQTT 3.1.1: below MQTT 5.0 a request does not say where the response goes; add --response-topic, which the responder must know\n',
    )
  })
})
