import { expect, test } from 'vitest'
import { type ConnectOptions, connect, type Payload } from '../src/index.js'
import { connected, failure, inBothVersions, rig } from './rig.js'
import { settled } from './virtual-clock.js'

/** As from plain JavaScript, where no type is looked at. */
// biome-ignore lint/suspicious/noExplicitAny: that is what these tests are about
type Any = any

const words = Uint16Array.of(0x0201, 0x0403)

inBothVersions((version) => {
  test.each<[string, Payload, string]>([
    ['text', 'hé', '68c3a9'],
    ['a Uint8Array', Uint8Array.of(1, 2), '0102'],
    ['a Buffer', Buffer.from('ab'), '6162'],
    ['an Int8Array', Int8Array.of(-1), 'ff'],
    ['a Uint16Array', words, '01020304'],
    ['a part of a buffer', new Uint16Array(words.buffer, 2, 1), '0304'],
    ['a Float32Array', Float32Array.of(0, 1), '000000000000803f'],
    ['a Float64Array', Float64Array.of(1), '000000000000f03f'],
    ['a BigInt64Array', BigInt64Array.of(1n), '0100000000000000'],
    ['a DataView', new DataView(words.buffer, 1, 2), '0203'],
    ['an ArrayBuffer', words.buffer, '01020304'],
  ])('%s is sent as its bytes, by publish() and in the will', async (_, payload, hex) => {
    const made = rig({ will: { topic: 'w', payload }, username: 'me', password: payload })
    const connecting = connect('mqtt://broker', made.options)
    const peer = await made.server.accept()
    const { will, password } = await peer.welcome()
    expect(Buffer.from(will!.payload).toString('hex')).toBe(hex)
    expect(Buffer.from(password!).toString('hex')).toBe(hex)
    const client = await connecting
    await client.publish('t', payload)
    const packet = await peer.expect('publish', { topic: 't' })
    expect(Buffer.from(packet.payload).toString('hex')).toBe(hex)
    if (version < 5) return
    await client.publish('t', '', { properties: { correlationData: payload as Any } })
    const { properties } = await peer.expect('publish')
    expect(Buffer.from(properties!.correlationData!).toString('hex')).toBe(hex)
  })

  test.each([[undefined], [null], [5], [true], [{}], [['a']], [new Date(0)], [() => 'x'], [Promise.resolve('x')]])(
    'a payload that is none is refused before anything is written: %s',
    async (payload) => {
      const { client, peer } = await connected()
      expect(await failure(client.publish('t', payload as Any))).toMatchObject({
        name: 'InvalidArgumentError',
        code: 'invalid-payload',
        message: expect.stringMatching(/^publish to 't': the payload is .+, not a string or bytes/),
      })
      await client.publish('t', 'next', { qos: 0 })
      expect(await peer.rest()).toEqual(['publish next'])
      const options = { will: { topic: 'w', payload: payload as Any } }
      expect(await failure(connect('mqtt://x', rig(options).options))).toMatchObject({ code: 'invalid-payload' })
    },
  )

  test.each<[string, string, object]>([
    ['password', 'connect: password is a number, not a string or bytes', { password: 12345 }],
    ['clientId', 'connect: clientId is a number, not a string', { clientId: 5 }],
    ['clean', 'connect: clean is a string, not true or false', { clean: 'no' }],
    ['keepAliveSeconds', 'connect: keepAliveSeconds is a string, not a number', { keepAliveSeconds: '60' }],
    ['version', 'connect: version is 6: it must be 3, 4 or 5', { version: 6 }],
    ['will', 'connect: will is a string, not an object', { will: 'gone' }],
    ['will.topic', 'connect: will.topic is a number, not a string', { will: { topic: 5, payload: '' } }],
    ['will.qos', 'connect: will.qos is 3: it must be 0, 1 or 2', { will: { topic: 'w', payload: '', qos: 3 } }],
    ['credentials', 'connect: credentials is an object, not a function', { credentials: {} }],
    ['signal', 'connect: signal is an object, not an AbortSignal', { signal: {} }],
    ['reconnect', 'connect: reconnect is true, not false or an object', { reconnect: true }],
    [
      'offlineQueue',
      "connect: offlineQueue.qos0 is 'keep': it must be 'drop' or 'queue'",
      { offlineQueue: { qos0: 'keep' } },
    ],
    ['headers', 'connect: headers.Authorization is a number, not a string', { headers: { Authorization: 5 } }],
    ['tls', 'connect: tls.ca is a number, not a string, bytes, or a list of them', { tls: { ca: 5 } }],
    ['store', 'connect: store is a string, not an object', { store: '/var/lib/me' }],
    ['null', 'connect: username is null, not a string', { username: null }],
    ['options', 'connect: the options are a string, not an object', 'me' as Any],
  ])('connect() names an option of the wrong type at once: %s', async (_, message, options) => {
    const { server, options: base } = rig()
    const given = typeof options === 'string' ? options : { ...base, ...options }
    expect(await failure(connect('mqtt://broker', given as ConnectOptions))).toMatchObject({
      name: 'InvalidArgumentError',
      permanent: true,
      message,
    })
    expect(server.count).toBe(0)
  })

  test.each([[undefined], [5], [null], [[]], [['mqtt://a', 5]], [true]])(
    'so is a server that is none: %s',
    async (url) => {
      expect(await failure(connect(url as Any, rig().options))).toMatchObject({
        name: 'InvalidArgumentError',
        message: expect.stringContaining('mqtt://'),
      })
    },
  )

  test.each([
    [{ username: 5 }, 'credentials(): username is a number, not a string'],
    [{ password: 12345 }, 'credentials(): password is a number, not a string or bytes'],
    ['secret', 'credentials(): the answer is a string, not an object'],
    [undefined, 'credentials(): the answer is undefined, not an object'],
  ])('what credentials() gives wrongly ends the client instead of being tried again: %o', async (given, message) => {
    const made = rig({ credentials: () => given as Any })
    expect(await failure(connect('mqtt://broker', made.options))).toMatchObject({
      name: 'InvalidArgumentError',
      message,
    })
    expect(made.server.count).toBe(0)
  })

  test('a stream that cannot be opened with these options is no network error: it is not tried again', async () => {
    const made = rig({
      openStream: () => {
        throw new TypeError('Invalid character in header content ["Authorization"]')
      },
    })
    expect(await failure(connect('mqtt://broker', made.options))).toMatchObject({
      code: 'invalid-option',
      message: 'mqtt://broker: Invalid character in header content ["Authorization"]',
    })
  })

  test.each<[string, (client: Any) => unknown, object]>([
    [
      'publish()',
      (c) => c.publish(),
      { code: 'invalid-topic', message: 'publish: the topic is undefined, not a string' },
    ],
    [
      'publish(5)',
      (c) => c.publish(5, ''),
      { code: 'invalid-topic', message: 'publish: the topic is a number, not a string' },
    ],
    ['qos', (c) => c.publish('t', '', { qos: '1' }), { message: "publish to 't': qos is '1': it must be 0, 1 or 2" }],
    [
      'retain',
      (c) => c.publish('t', '', { retain: 'yes' }),
      { message: "publish to 't': retain is a string, not true or false" },
    ],
    [
      'timeoutMs',
      (c) => c.publish('t', '', { timeoutMs: '9' }),
      { message: "publish to 't': timeoutMs is a string, not a number" },
    ],
    [
      'NaN',
      (c) => c.publish('t', '', { timeoutMs: Number.NaN }),
      { message: "publish to 't': timeoutMs is NaN: it must be at least 0" },
    ],
    [
      'signal',
      (c) => c.publish('t', '', { signal: 1 }),
      { message: "publish to 't': signal is a number, not an AbortSignal" },
    ],
    [
      'null options',
      (c) => c.publish('t', '', null),
      { message: "publish to 't': the options are null, not an object" },
    ],
    [
      'a callback',
      (c) => c.publish('t', '', () => {}),
      { message: "publish to 't': there are no callbacks here: await the promise that publish() gives" },
    ],
    [
      'a callback behind options',
      (c) => c.publish('t', '', {}, () => {}),
      { message: "publish to 't': there are no callbacks here: await the promise that publish() gives" },
    ],
    [
      'properties',
      (c) => c.publish('t', '', { properties: 5 }),
      { message: "publish to 't': properties is a number, not an object" },
    ],
    [
      'a property',
      (c) => c.publish('t', '', { properties: { contentType: 5 } }),
      { message: "publish to 't': properties.contentType is a number, not a string" },
    ],
    [
      'subscribe()',
      (c) => c.subscribe(),
      { code: 'invalid-filter', message: 'subscribe: the filter is undefined, not a string' },
    ],
    [
      'subscribe(5)',
      (c) => c.subscribe(5),
      { code: 'invalid-filter', message: 'subscribe: the filter is a number, not a string' },
    ],
    ['subscribe([5])', (c) => c.subscribe(['a', 5]), { code: 'invalid-filter' }],
    [
      'subscribe({ a: 1 })',
      (c) => c.subscribe({ a: { qos: 1 } }),
      { code: 'invalid-filter', message: 'subscribe: the filter is an object, not a string' },
    ],
    [
      'a listener',
      (c) => c.subscribe('a', () => {}),
      {
        message:
          'subscribe: there are no callbacks here: give messages a handler with { onMessage }, and await the promise that subscribe() gives',
      },
    ],
    [
      'onMessage',
      (c) => c.subscribe('a', { onMessage: 'log' }),
      { message: 'subscribe: onMessage is a string, not a function' },
    ],
    [
      'ack',
      (c) => c.subscribe('a', { ack: true }),
      { message: "subscribe: ack is true: it must be 'auto' or 'manual'" },
    ],
    [
      'unsubscribe(5)',
      (c) => c.unsubscribe(5),
      { code: 'invalid-filter', message: 'unsubscribe: the filter is a number, not a string' },
    ],
    ['ready(5)', (c) => c.ready(5), { message: 'ready: the options are a number, not an object' }],
  ])('%s is refused by rejection, and nothing is sent', async (_, call, error) => {
    const { client, peer } = await connected()
    const promise = call(client)
    expect(promise).toBeInstanceOf(Promise)
    expect(await failure(promise as Promise<unknown>)).toMatchObject({ name: 'InvalidArgumentError', ...error })
    await peer.expectNothing()
  })

  test.each<[object, string]>([
    [{ keepalive: 30 }, "connect: there is no option 'keepalive': it is called keepAliveSeconds here"],
    [
      { reconnectPeriod: 0 },
      "connect: there is no option 'reconnectPeriod': it is called reconnect: { initialMs, maxMs } here, or reconnect: false",
    ],
    [{ protocolVersion: 4 }, "connect: there is no option 'protocolVersion': it is called version here"],
    [
      { rejectUnauthorized: false },
      "connect: there is no option 'rejectUnauthorized': it is called tls.rejectUnauthorized here",
    ],
    [{ keepAliveSecond: 30 }, "connect: there is no option 'keepAliveSecond'; did you mean 'keepAliveSeconds'?"],
    [{ clientid: 'me' }, "connect: there is no option 'clientid'; did you mean 'clientId'?"],
    [
      { userProperties: [] },
      "connect: there is no option 'userProperties': it is called properties.userProperties here",
    ],
    [
      { properties: { sessionExpiryInterval: 9 } },
      "connect: there is no option 'properties.sessionExpiryInterval': it is called sessionExpirySeconds here",
    ],
    [
      { will: { topic: 'a', payload: '', retained: true } },
      "connect: there is no option 'will.retained'; did you mean 'will.retain'?",
    ],
    [{ reconnect: { maxms: 1 } }, "connect: there is no option 'reconnect.maxms'; did you mean 'reconnect.maxMs'?"],
    [{ tls: { certificate: '' } }, "connect: there is no option 'tls.certificate'"],
    [{ zzz: 1 }, "connect: there is no option 'zzz'"],
  ])('connect() refuses options that do not exist: %o', async (options, message) => {
    const { server, options: base } = rig()
    const given = { ...base, ...options } as ConnectOptions
    expect(await failure(connect('mqtt://broker', given))).toMatchObject({
      code: 'invalid-option',
      message: expect.stringContaining(message),
    })
    expect(server.count).toBe(0)
  })

  test.each<[(client: Any) => unknown, string]>([
    [
      (c) => c.publish('t', '', { retained: true }),
      "publish to 't': there is no option 'retained'; did you mean 'retain'?",
    ],
    [(c) => c.publish('t', '', { dup: true }), "publish to 't': there is no option 'dup': the client sets it itself"],
    [
      (c) => c.publish('t', '', { properties: { userProperties: { room: 'a' } } }),
      "publish to 't': properties.userProperties is an object, not a list of pairs: [['name', 'value']]",
    ],
    [
      (c) => c.publish('t', '', { properties: { contenttype: 'a' } }),
      "there is no option 'properties.contenttype'; did you mean 'properties.contentType'?",
    ],
    [(c) => c.subscribe('t', { nl: true }), "subscribe: there is no option 'nl': it is called noLocal here"],
    [(c) => c.subscribe('t', { Qos: 1 }), "subscribe: there is no option 'Qos'; did you mean 'qos'?"],
    [
      (c) => c.request('t', '', { timeout: 5 }),
      "request to 't': there is no option 'timeout'; did you mean 'timeoutMs'?",
    ],
    [
      (c) => c.respond('t', () => '', { timeout: 5 }),
      "respond: there is no option 'timeout'; did you mean 'timeoutMs'?",
    ],
    [(c) => c.respond('t'), 'respond: the handler is undefined, not a function'],
  ])('and so do the other calls: %s', async (call, message) => {
    const { client, peer } = await connected({ version: 5 })
    expect(await failure(call(client) as Promise<unknown>)).toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining(message),
    })
    await peer.expectNothing()
  })

  test('close() with an option that does not exist says so, and closes all the same', async () => {
    const { client, peer } = await connected()
    const closing = failure(client.close({ timeout: 5 } as Any))
    await peer.expect('disconnect')
    expect(await closing).toMatchObject({ message: "close: there is no option 'timeout'; did you mean 'timeoutMs'?" })
    expect(client.state).toBe('closed')
    expect(await failure(client.close(true as Any))).toMatchObject({
      message: 'close: the options are true, not an object',
    })
    await client.close()
  })

  test.each([
    [
      'message',
      "on: there is no event 'message': messages come to subscribe(filter, { onMessage }), or to a loop over the subscription",
    ],
    ['reconnect', "on: there is no event 'reconnect': it is called state here, with 'connecting'"],
    ['error', "on: there is no event 'error': calls reject, and close tells of the error that ended the client"],
    ['conect', "on: there is no event 'conect'; did you mean 'connect'?"],
    ['zzz', "on: there is no event 'zzz': there are state, connect, disconnect, "],
    [5, "on: there is no event '5'"],
  ])('on(%j) is refused', async (event, message) => {
    const { client } = await connected()
    expect(() => client.on(event as Any, () => {})).toThrow(message)
  })

  test('on() wants a function', async () => {
    const { client } = await connected()
    expect(() => client.on('connect', undefined as Any)).toThrow(
      "on('connect'): the listener is undefined, not a function",
    )
  })

  test('undefined is an option left out', async () => {
    const left = { username: undefined, will: undefined, reconnect: undefined, tls: undefined } as Any
    const { client, peer } = await connected(left)
    await client.publish('t', 'x', { qos: undefined, properties: undefined, signal: undefined } as Any)
    await peer.expect('publish', { qos: 0 })
  })

  test('what is changed after the call does not change what was asked for', async () => {
    const userProperties: [string, string][] = [['a', '1']]
    const { client, peer } = await connected({ version: 5, offlineQueue: { qos0: 'queue' } })
    peer.congested = true
    await client.publish('first', '')
    await settled()
    const publishing = client.publish('t', 'x', { qos: 1, properties: { userProperties } })
    userProperties[0]![1] = '\0'
    userProperties.push(5 as Any)
    peer.drain()
    await peer.expect('publish', { topic: 'first' })
    const { packetId } = await peer.expect('publish', { properties: { userProperties: [['a', '1']] } })
    peer.send({ type: 'puback', packetId: packetId! })
    await publishing
  })
})
