import type { Packet } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import type { Admission, BrokerOptions } from '../src/index.js'
import { type Rig, startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'
import { type ConnectOptions, connectPacket, publishPacket, subscribePacket } from './test-client.js'

const strict: BrokerOptions = { hooks: [{ authorize: ({ topic }) => topic !== 'no' }], checkPayloadFormat: true }
const withFormat = (packet: Packet): Packet => ({ ...packet, properties: { payloadFormatIndicator: 1 } }) as Packet
const notUtf8 = Uint8Array.of(0xc3)

/** What is answered with a reason, the line without its words, and the words. */
const refused: readonly (readonly [packet: Packet, line: string, words: string])[] = [
  [publishPacket('no', 'x', 1, 3), 'puback 3 0x87', 'not authorized to publish to this topic'],
  [publishPacket('no', 'x', 2, 4), 'pubrec 4 0x87', 'not authorized to publish to this topic'],
  [publishPacket('$SYS/a', 'x', 1, 5), 'puback 5 0x87', 'topics under $SYS are published by the server itself'],
  [withFormat(publishPacket('a', notUtf8, 1, 6)), 'puback 6 0x99', 'the payload is not UTF-8, as it says'],
  [withFormat(publishPacket('a', notUtf8, 2, 7)), 'pubrec 7 0x99', 'the payload is not UTF-8, as it says'],
  [{ type: 'pubrel', packetId: 9 }, 'pubcomp 9 0x92', 'packet identifier 9 is not held'],
  [{ type: 'pubrec', packetId: 8 }, 'pubrel 8 0x92', 'nothing was sent with packet identifier 8'],
  [subscribePacket([{ filter: 'no', qos: 0 }], 2), 'suback 2 [135]', 'Not authorized'],
  [
    subscribePacket(
      [
        { filter: 'a', qos: 0 },
        { filter: 'no', qos: 0 },
      ],
      2,
    ),
    'suback 2 [0 135]',
    'Not authorized (filter 2 of 2)',
  ],
  [{ type: 'auth', reasonCode: 0x19 }, 'disconnect 0x82', 'auth without an authentication method'],
]

async function answers(packet: Packet, properties: ConnectOptions['properties']): Promise<string[]> {
  const rig = await startRig(strict)
  const client = await rig.connect('c', { version: 5, properties })
  return client.send(packet).heardInFull()
}

describe('reasons in words', () => {
  it.each(refused)('%j is answered %s', async (packet, line, words) => {
    expect(await answers(packet, {})).toEqual([`${line} {"reasonString":"${words}"}`])
  })

  it.each(refused)('%j is answered %s only, where words are not wanted [MQTT-3.1.2-29]', async (packet, line) => {
    expect(await answers(packet, { requestProblemInformation: false })).toEqual([line])
  })

  it.each(refused)('%j is answered %s only, where words do not fit [MQTT-3.4.2-2]', async (packet, line) => {
    expect(await answers(packet, { maximumPacketSize: 16 })).toEqual([line])
  })
})

async function connackFor(rig: Rig, options: ConnectOptions = {}): Promise<string[]> {
  const client = rig.open().send(connectPacket('c', { version: 5, ...options }))
  const heard = await client.heardInFull()
  expect(client.closed).toBe(true)
  return heard
}

describe('CONNACK that refuses', () => {
  it.each<[Admission, string]>([
    [false, 'connack 87 {"reasonString":"not authorized to connect"}'],
    ['bad-credentials', 'connack 86 {"reasonString":"the user name or password is malformed"}'],
    ['unavailable', 'connack 88 {"reasonString":"the server cannot tell now who may connect; try again later"}'],
    [{ redirectTo: 'b:1883' }, 'connack 9c {"serverReference":"b:1883","reasonString":"use another server"}'],
    [
      { redirectTo: 'b:1883 c:1883', permanently: true },
      'connack 9d {"serverReference":"b:1883 c:1883","reasonString":"the server has moved"}',
    ],
  ])('%j', async (admission, line) => {
    const rig = await startRig({ hooks: [{ authenticate: () => admission }] })
    expect((await connackFor(rig)).map(sorted)).toEqual([sorted(line)])
    expect((await rig.broker.metrics()).connectionsRefused).toBe(1)
  })

  it('says less where words do not fit [MQTT-3.2.2-19], but never less than where to go', async () => {
    const rig = await startRig({ hooks: [{ authenticate: () => ({ redirectTo: 'b:1883' }) }] })
    expect(await connackFor(rig, { properties: { maximumPacketSize: 16 } })).toEqual([
      'connack 9c {"serverReference":"b:1883"}',
    ])
    expect(await connackFor(rig, { properties: { maximumPacketSize: 10 } })).toEqual(['connack 95'])
    expect(await connackFor(rig, { properties: { maximumPacketSize: 4 } })).toEqual([])
  })

  it('to another server is "unavailable" below 5.0', async () => {
    const rig = await startRig({ hooks: [{ authenticate: () => ({ redirectTo: 'b:1883' }) }] })
    expect(await connackFor(rig, { version: 4 })).toEqual(['connack 88']) // return code 3
  })

  it('for a will that is not what it says', async () => {
    const will = { topic: 'w', payload: '', properties: { payloadFormatIndicator: 1 } } as const
    const packet = connectPacket('c', { version: 5, will })
    const rig = await startRig({ checkPayloadFormat: true })
    const client = rig.open().send({ ...packet, will: { ...packet.will!, payload: notUtf8 } })
    expect(await client.heard()).toEqual(['connack 99'])
    expect(await rig.open().send(packet).heard()).toEqual(['connack 0'])
  })
})

/** The order of properties says nothing. */
function sorted(line: string): string {
  const at = line.indexOf('{')
  return line.slice(0, at) + JSON.stringify(Object.entries(JSON.parse(line.slice(at))).sort())
}

describe('payload format', () => {
  it('at QoS 0: the message is dropped and counted', async () => {
    const rig = await startRig(strict)
    rig.broker.subscribe('a', ({ text }) => expect(text()).toBe('é'))
    const client = await rig.connect('c', { version: 5 })
    client.send(withFormat(publishPacket('a', notUtf8)), withFormat(publishPacket('a', 'é')), { type: 'pingreq' })
    expect(await client.heard()).toEqual(['pingresp'])
    expect((await rig.broker.metrics()).dropped['payload-format']).toBe(1)
  })

  it('is not looked at where nobody asked for it', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5 })
    client.send(withFormat(publishPacket('a', notUtf8, 1)), publishPacket('a', notUtf8, 1))
    expect(await client.heardInFull()).toEqual(['puback 1 0x10', 'puback 1 0x10'])
  })
})

describe('broker.disconnect', () => {
  it.each([
    [{}, 'disconnect 0x98 {"reasonString":"administrative action"}'],
    [{ reasonCode: 0x97, reasonString: 'pay first' }, 'disconnect 0x97 {"reasonString":"pay first"}'],
    [{ serverReference: 'b:1883' }, 'disconnect 0x9c {"serverReference":"b:1883","reasonString":"use another server"}'],
    [
      { reasonCode: 0x9d, serverReference: 'b:1883' },
      'disconnect 0x9d {"serverReference":"b:1883","reasonString":"server moved"}',
    ],
  ])('%j', async (options, line) => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5 })
    expect(await rig.broker.disconnect('c', options)).toBe(true)
    expect((await client.heardInFull()).map(sorted)).toEqual([sorted(line)])
    expect(client.closed).toBe(true)
    expect(await rig.broker.disconnect('c')).toBe(false)
  })

  it('closes a connection of 3.1.1, publishes its will and keeps its session', async () => {
    const rig = await startRig()
    const wills: string[] = []
    rig.broker.subscribe('w', ({ text }) => void wills.push(text()))
    const client = await rig.connect('c', { cleanStart: false, will: { topic: 'w', payload: 'gone' } })
    await rig.broker.disconnect('c')
    expect(await client.heard()).toEqual([])
    expect([client.closed, wills]).toEqual([true, ['gone']])
    expect(
      await rig
        .open()
        .send(connectPacket('c', { cleanStart: false }))
        .heard(),
    ).toEqual(['connack 0 present'])
  })

  it.each([0, 4, 0x85])('takes no reason code %i', async (reasonCode) => {
    const rig = await startRig()
    await expect(rig.broker.disconnect('c', { reasonCode })).rejects.toThrow(
      /^reasonCode is \d+; it takes one of DISCONNECT/,
    )
  })
})

describe('before CONNACK there is no DISCONNECT, but a CONNACK that refuses [MQTT-3.14.0-1]', () => {
  const kept = { version: 5, cleanStart: false, properties: { sessionExpiryInterval: 60 } } as const

  it.each([
    ['a malformed packet right behind CONNECT', '00', '81'],
    ['a second CONNECT', '100f 0004 4d515454 05 02 003c 00 0002 6831', '82'],
  ])('%s waits for the CONNACK that waits for its commit', async (_, hex, code) => {
    const store = new SteppedStore()
    const rig = await startRig({ store })
    const client = rig.greet('c', kept).sendHex(hex)
    expect(await client.heard()).toEqual([])
    store.flush()
    const [connack, disconnect] = await client.heardInFull()
    expect(connack).toMatch(/^connack 0/)
    expect(disconnect).toMatch(`disconnect 0x${code}`)
    store.flush()
    await client.ended()
  })

  it('a take-over, while CONNACK waits for its commit', async () => {
    const store = new SteppedStore()
    const rig = await startRig({ store })
    const [old, next] = [rig.greet('c', kept), rig.greet('c', kept)]
    expect([await old.heard(), await next.heard()]).toEqual([['connack 80'], []])
    store.flush()
    expect(await next.heard()).toEqual(['connack 0 present'])
  })

  it('a CONNECT above its limit is 0x95', async () => {
    const rig = await startRig({ limits: { maxConnectBytes: 100 } })
    const client = rig.open().send(connectPacket('c'.repeat(100), { version: 5 }))
    expect(await client.heard()).toEqual(['connack 95'])
    const old = rig.open().send(connectPacket('c'.repeat(100)))
    expect(await old.heard()).toEqual([])
    expect([client.closed, old.closed]).toEqual([true, true])
  })

  it('a CONNECT in pieces that turns out to be wrong is answered too', async () => {
    const rig = await startRig()
    const client = rig.open().speak(5)
    for (const byte of ['10', '10', '00', '04', '4d', '51', '54', '54', '05', '03']) client.sendHex(byte)
    client.sendHex('003c 03210000 0000 00')
    expect(await client.heard()).toEqual(['connack 81'])
  })

  it('an authentication that does not end is 0x80', async () => {
    const exchange = { next: () => ({ outcome: 'continue' }) as const }
    const rig = await startRig({ hooks: [{ authenticationMethods: { m: () => exchange } }] })
    const client = rig.open().send(connectPacket('c', { version: 5, properties: { authenticationMethod: 'm' } }))
    await rig.pass(12_000)
    expect(await client.heardInFull()).toEqual([
      'auth 0x18 {"authenticationMethod":"m"}',
      'connack 80 {"reasonString":"not authenticated in time"}',
    ])
    expect(client.closed).toBe(true)
  })
})

// Every way the broker ends a connection of 5.0 that still can be told.
describe('DISCONNECT says why', () => {
  it.each<[string, BrokerOptions, (rig: Rig) => Packet | string | unknown, RegExp]>([
    ['keep alive', {}, (rig) => rig.pass(17_000), /0x8d .*keep alive/],
    ['shutting down', {}, (rig) => void rig.broker.close(), /0x8b .*shutting down/],
    ['take-over', {}, (rig) => rig.connect('c'), /0x8e .*taken over/],
    ['retain', { retainAvailable: false }, () => publishPacket('a', 'x', 0, 0, true), /0x9a /],
    ['QoS', { maximumQos: 1 }, () => publishPacket('a', 'x', 2, 1), /0x9b /],
    ['QoS at all', { maximumQos: 0 }, () => publishPacket('a', 'x', 1, 1), /0x9b /],
    ['wildcards', { wildcardSubscriptions: false }, () => subscribePacket([{ filter: '+', qos: 0 }]), /0xa2 /],
    ['sharing', { sharedSubscriptions: false }, () => subscribePacket([{ filter: '$share/g/a', qos: 0 }]), /0x9e /],
    [
      'subscription identifiers',
      { subscriptionIdentifiers: false },
      () => ({ ...subscribePacket([{ filter: 'a', qos: 0 }]), properties: { subscriptionIdentifiers: [1] } }),
      /0xa1 /,
    ],
    ['topic levels', { limits: { maxTopicLevels: 2 } }, () => publishPacket('a/b/c', 'x'), /0x90 /],
    ['filter levels', { limits: { maxTopicLevels: 2 } }, () => subscribePacket([{ filter: 'a/b/c', qos: 0 }]), /0x8f /],
    ['packet size', { limits: { maxPacketBytes: 20 } }, () => publishPacket('a', 'x'.repeat(20)), /0x95 /],
    ['a filter', {}, () => '820a 0001 00 0004 612f2361 00', /0x8f /],
    ['a wildcard in a topic', {}, () => '3005 0001 23 00 78', /0x90 /],
    ['an alias', {}, () => '3007 0001 61 03 23ffff', /0x94 /],
    ['malformed', {}, () => '00', /0x81 /],
    ['a packet of servers', {}, () => 'd000', /0x82 /],
    ['a second CONNECT', {}, () => connectPacket('c', { version: 5 }), /0x82 /],
    ['a second CONNECT of an unknown level', {}, () => '100e 0004 4d515454 09 02 003c 0002 6831', /0x82 /],
    ['AUTH out of turn', {}, () => ({ type: 'auth', reasonCode: 0x18 }), /0x82 /],
    [
      'a hook that fails',
      { hooks: [{ onPublish: () => Promise.reject(new Error()) }] },
      () => publishPacket('a', 'x'),
      /0x83 /,
    ],
  ])('%s', async (_, options, cause, told) => {
    const rig = await startRig(options)
    const client = await rig.connect('c', { version: 5, keepAliveSeconds: 10 })
    const what = await cause(rig)
    if (typeof what === 'string') client.sendHex(what)
    else if (typeof what === 'object' && what && !('send' in what)) client.send(what as Packet)
    const [line] = await client.heardInFull()
    expect(line).toMatch(/^disconnect 0x.. \{"reasonString":"\S/)
    expect(line).toMatch(told)
    expect(client.closed).toBe(true)
  })
})

describe('Response Information', () => {
  const asked = { version: 5, properties: { requestResponseInformation: true } } as const
  const connackOf = async (rig: Rig, id: string, options: ConnectOptions): Promise<string> =>
    (await rig.open().send(connectPacket(id, options)).heardInFull()).join()

  it('is told to who asks for it, and to nobody else [MQTT-3.1.2-28]', async () => {
    const rig = await startRig({ responseInformation: ({ clientId }) => `answers/${clientId}` })
    expect(await connackOf(rig, 'c', asked)).toContain('"responseInformation":"answers/c"')
    expect(await connackOf(rig, 'd', { version: 5 })).not.toContain('responseInformation')
    expect(await connackOf(rig, 'e', {})).toBe('connack 0')
  })

  it.each([
    ['nothing is to be said', () => undefined, 0],
    ['it is no topic name', () => 'answers/#', 1],
    [
      'it fails',
      () => {
        throw new Error('no')
      },
      1,
    ],
  ])('is left out when %s', async (_, responseInformation, lines) => {
    const rig = await startRig({ responseInformation })
    const connack = await connackOf(rig, 'c', asked)
    expect(connack).toMatch(/^connack 0 /)
    expect(connack).not.toContain('responseInformation')
    expect(rig.log.filter((line) => line.startsWith('error'))).toHaveLength(lines)
  })
})
