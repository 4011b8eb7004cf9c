import type { Packet, PropertiesOf } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { startRig } from './rig.js'
import { connectPacket, publishPacket } from './test-client.js'

const kept = { version: 5, cleanStart: false, properties: { sessionExpiryInterval: 6000 } } as const
const withProperties = (packet: Packet, properties: PropertiesOf<'publish'>): Packet =>
  ({ ...packet, properties }) as Packet

describe('message expiry', () => {
  it('counts the time a message was queued, and drops it when it is over [MQTT-3.3.2-5] [MQTT-3.3.2-6]', async () => {
    const rig = await startRig()
    const sub = await rig.connect('s', kept)
    sub.subscribe('#', 1).drop()
    const pub = await rig.connect('p', { version: 5 })
    pub.send(withProperties(publishPacket('brief', 'x', 1, 1), { messageExpiryInterval: 10 }))
    pub.send(withProperties(publishPacket('long', 'x', 1, 2), { messageExpiryInterval: 100 }))
    pub.send(withProperties(publishPacket('longest', 'x', 1, 3), { messageExpiryInterval: 0xffff_ffff }))
    pub.publish('lasting', 'x', 1, 4)
    await rig.pass(40_000)
    const back = rig.greet('s', kept)
    expect((await back.heardInFull()).slice(1)).toEqual([
      'publish long "x" qos 1 id 2 {"messageExpiryInterval":60}',
      'publish longest "x" qos 1 id 3 {"messageExpiryInterval":4294967255}',
      'publish lasting "x" qos 1 id 4',
    ])
    expect((await rig.broker.metrics()).dropped.expired).toBe(1)
  })

  it.each(['a', '$share/g/a'])('makes room in the full queue of %s for what comes after', async (filter) => {
    const rig = await startRig({ limits: { maxQueuedMessages: 3, maxInflight: 1 } })
    const sub = await rig.connect('s', kept)
    sub.subscribe(filter, 1)
    await sub.heard()
    const publish = (text: string, seconds?: number) =>
      rig.broker.publish('a', text, { qos: 1, ...(seconds && { properties: { messageExpiryInterval: seconds } }) })
    publish('sent', 1)
    expect(await sub.heard()).toEqual(['publish a "sent" qos 1 id 1'])
    publish('brief', 1)
    publish('brief too', 1)
    publish('lasting')
    await rig.pass(2000)
    for (const text of ['after', 'more', 'too many']) publish(text)
    expect((await rig.broker.metrics()).dropped).toMatchObject({ expired: 2, 'queue-full': 1 })
    const texts: string[] = []
    for (let id = 1; texts.length < 3; id++) {
      sub.puback(id)
      for (const line of await sub.heard()) texts.push(line.split('"')[1]!)
    }
    expect(texts).toEqual(['lasting', 'after', 'more'])
  })

  it('is counted once by a full queue that has looked at its head before', async () => {
    const rig = await startRig({ limits: { maxQueuedMessages: 2 } })
    const sub = await rig.connect('s', kept)
    sub.subscribe('a', 1)
    await sub.heard()
    sub.drop()
    await rig.pass(0)
    const publish = (text: string, seconds?: number) =>
      rig.broker.publish('a', text, { qos: 1, ...(seconds && { properties: { messageExpiryInterval: seconds } }) })
    publish('brief', 1)
    publish('lasting')
    publish('too many')
    await rig.pass(2000)
    for (const text of ['after', 'again too many']) publish(text)
    expect((await rig.broker.metrics()).dropped).toMatchObject({ expired: 1, 'queue-full': 2 })
    const back = rig.greet('s', kept)
    expect((await back.heard()).slice(1)).toEqual(['publish a "lasting" qos 1 id 2', 'publish a "after" qos 1 id 3'])
  })

  it('is never applied to what was sent [MQTT-4.3.3-7]', async () => {
    const rig = await startRig()
    const sub = await rig.connect('s', kept)
    sub.subscribe('#', 2)
    const pub = await rig.connect('p', { version: 5 })
    pub.send(withProperties(publishPacket('a', 'x', 2, 1), { messageExpiryInterval: 10 }))
    pub.send(withProperties(publishPacket('b', 'x', 1, 2), { messageExpiryInterval: 10 }))
    expect(await sub.heard()).toHaveLength(3)
    sub.drop()
    await rig.pass(40_000)
    const back = rig.greet('s', kept)
    expect(await back.heard()).toEqual([
      'connack 0 present',
      'publish a "x" qos 2 id 1 dup',
      'publish b "x" qos 1 id 2 dup',
    ])
  })

  it('applies to retained messages', async () => {
    const rig = await startRig()
    const pub = await rig.connect('p', { version: 5 })
    pub.send(withProperties(publishPacket('a', 'x', 0, 0, true), { messageExpiryInterval: 10 }))
    pub.send(withProperties(publishPacket('b', 'x', 0, 0, true), { messageExpiryInterval: 100 }))
    await rig.pass(40_000)
    const sub = await rig.connect('s', { version: 5 })
    sub.subscribe('#')
    expect(await sub.heardInFull()).toEqual(['suback 1 [0]', 'publish b "x" retain {"messageExpiryInterval":60}'])
  })
})

describe('properties', () => {
  it('reach the subscriber unchanged and in order, and a subscriber of 3.1.1 without them', async () => {
    const rig = await startRig()
    const sub = await rig.connect('s', { version: 5 })
    const old = await rig.connect('o')
    for (const one of [sub, old]) await one.subscribe('#').heard()
    const pub = await rig.connect('p', { version: 5 })
    const properties: PropertiesOf<'publish'> = {
      payloadFormatIndicator: 1,
      contentType: 'text',
      responseTopic: 'answers/p',
      correlationData: Buffer.from('7'),
      userProperties: [
        ['z', '1'],
        ['a', '2'],
        ['z', '1'],
      ],
    }
    pub.send(withProperties(publishPacket('a', 'x'), properties))
    expect(await sub.heardInFull()).toEqual([
      'publish a "x" {"payloadFormatIndicator":1,"contentType":"text","responseTopic":"answers/p",' +
        '"correlationData":"7","userProperties":[["z","1"],["a","2"],["z","1"]]}',
    ])
    expect(await old.heardInFull()).toEqual(['publish a "x"'])
  })
})

const wordless = { version: 5, properties: { requestProblemInformation: false } } as const

describe('reason codes', () => {
  it('0x10 when nobody matched, 0x87 when refused, also for $SYS', async () => {
    const rig = await startRig({ hooks: [{ authorize: ({ topic }) => topic !== 'no' }] })
    const client = await rig.connect('c', wordless)
    client.publish('a', 'x', 1, 1).publish('a', 'x', 2, 2).publish('no', 'x', 1, 3).publish('no', 'x', 2, 4)
    client.publish('$SYS/a', 'x', 1, 5).subscribe('no', 0, 6)
    expect(await client.heardInFull()).toEqual([
      ...['puback 1 0x10', 'pubrec 2 0x10', 'puback 3 0x87', 'pubrec 4 0x87', 'puback 5 0x87', 'suback 6 [135]'],
    ])
  })

  it('0x92 for ids that belong to nothing, 0x82 for the wrong acknowledgement', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', wordless)
    client.send({ type: 'pubrel', packetId: 9 }, { type: 'pubrec', packetId: 8 }, { type: 'puback', packetId: 7 })
    expect(await client.heardInFull()).toEqual(['pubcomp 9 0x92', 'pubrel 8 0x92'])
    client.subscribe('a', 2)
    await client.heard()
    rig.broker.publish('a', 'x', { qos: 2 })
    await client.heard()
    client.puback(1)
    expect((await client.heardInFull())[0]).toMatch(/^disconnect 0x82/)
  })

  it('0x11 for a filter nobody subscribed to', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5 })
    client.subscribe('a').send({ type: 'unsubscribe', packetId: 2, filters: ['b', 'a'] })
    expect(await client.heardInFull()).toEqual(['suback 1 [0]', 'unsuback 2 [17 0]'])
  })

  it('a refusing PUBREC of a subscriber ends the message [MQTT-4.4.0-2]', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5, properties: { receiveMaximum: 1 } })
    client.subscribe('a', 2)
    await client.heard()
    for (const text of ['x', 'y']) rig.broker.publish('a', text, { qos: 2 })
    await client.heard()
    client.send({ type: 'pubrec', packetId: 1, reasonCode: 0x97 })
    expect(await client.heard()).toEqual(['publish a "y" qos 2 id 2'])
  })
})

describe('CONNACK announces', () => {
  it('what differs from the defaults of the standard, and Receive Maximum always', async () => {
    const rig = await startRig({
      limits: { receiveMaximum: 7, topicAliasMaximum: 0, maxPacketBytes: 1000, maxKeepAliveSeconds: 50 },
      maximumQos: 1,
      retainAvailable: false,
      wildcardSubscriptions: false,
      subscriptionIdentifiers: false,
      sharedSubscriptions: false,
    })
    const client = rig.open().send(connectPacket('', { version: 5, keepAliveSeconds: 60 }))
    const [connack] = await client.heardInFull()
    const { assignedClientIdentifier, ...rest } = JSON.parse(connack!.slice('connack 0 '.length))
    expect(assignedClientIdentifier).toMatch(/^godwit-/)
    expect(rest).toEqual({
      receiveMaximum: 7,
      maximumPacketSize: 1000,
      serverKeepAlive: 50,
      maximumQos: 1,
      retainAvailable: false,
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifierAvailable: false,
      sharedSubscriptionAvailable: false,
    })
  })
})
