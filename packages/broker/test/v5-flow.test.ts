import { encode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { startRig } from './rig.js'
import { connectPacket, publishPacket } from './test-client.js'

const kept = (properties: object = {}) =>
  ({ version: 5, cleanStart: false, properties: { sessionExpiryInterval: 600, ...properties } }) as const

describe('Receive Maximum', () => {
  it('of the broker: exactly N may be open, N + 1 is 0x93 [MQTT-3.3.4-9]', async () => {
    const rig = await startRig({ limits: { receiveMaximum: 3 } })
    const client = await rig.connect('c', { version: 5 })
    for (const id of [1, 2, 3]) client.publish('a', 'x', 2, id)
    expect(await client.heard()).toEqual(['pubrec 1', 'pubrec 2', 'pubrec 3'])
    client.publish('a', 'x', 2, 3) // a repeat is not another message
    client.send({ type: 'pubrel', packetId: 1 })
    expect(await client.heard()).toEqual(['pubrec 3', 'pubcomp 1'])
    client.publish('a', 'x', 2, 4)
    expect(await client.heard()).toEqual(['pubrec 4'])
    client.publish('a', 'x', 1, 5)
    expect((await client.heardInFull())[0]).toMatch(/^disconnect 0x93/)
    expect(client.closed).toBe(true)
  })

  it('of the broker: QoS 1 frees its place with PUBACK, QoS 0 takes none', async () => {
    const rig = await startRig({ limits: { receiveMaximum: 1 } })
    const client = await rig.connect('c', { version: 5 })
    for (const id of [1, 2, 3]) client.publish('a', 'x', 1, id).publish('a', 'x')
    expect(await client.heard()).toEqual(['puback 1', 'puback 2', 'puback 3'])
  })

  it('of the broker: a refusing PUBREC ends the message', async () => {
    const rig = await startRig({
      limits: { receiveMaximum: 1 },
      hooks: [{ authorize: ({ action }) => action !== 'publish' }],
    })
    const client = await rig.connect('c', { version: 5, properties: { requestProblemInformation: false } })
    for (const id of [1, 2, 3]) client.publish('a', 'x', 2, id)
    expect(await client.heardInFull()).toEqual(['pubrec 1 0x87', 'pubrec 2 0x87', 'pubrec 3 0x87'])
  })

  it('of the client: never more than it said, QoS 1 and 2 together [MQTT-3.3.4-7]', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5, properties: { receiveMaximum: 2 } })
    client.subscribe('#', 2)
    await client.heard()
    for (const qos of [1, 2, 1, 0] as const) rig.broker.publish('a', `${qos}`, { qos })
    expect(await client.heard()).toEqual(['publish a "1" qos 1 id 1', 'publish a "2" qos 2 id 2', 'publish a "0"'])
    client.send({ type: 'pubrec', packetId: 2 })
    expect(await client.heard()).toEqual(['pubrel 2'])
    client.send({ type: 'pubcomp', packetId: 2 })
    expect(await client.heard()).toEqual(['publish a "1" qos 1 id 3'])
  })

  it('of the client: also holds for what is sent again after a resumption with a smaller one', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', kept({ receiveMaximum: 5 }))
    client.subscribe('a', 1)
    await client.heard()
    for (const text of ['1', '2', '3']) rig.broker.publish('a', text, { qos: 1 })
    expect(await client.heard()).toHaveLength(3)
    client.drop()
    await rig.pass(0)
    const back = rig.greet('c', kept({ receiveMaximum: 2 }))
    expect(await back.heard()).toEqual([
      'connack 0 present',
      'publish a "1" qos 1 id 1 dup',
      'publish a "2" qos 1 id 2 dup',
    ])
    back.puback(1)
    expect(await back.heard()).toEqual(['publish a "3" qos 1 id 3 dup'])
  })
})

describe('Maximum Packet Size', () => {
  it('of the broker: exactly N bytes are taken, N + 1 is 0x95', async () => {
    const rig = await startRig({ limits: { maxPacketBytes: 100 } })
    const client = await rig.connect('c', { version: 5 })
    const overhead = encode(publishPacket('a', '', 1), 5).length
    client.publish('a', 'x'.repeat(100 - overhead), 1, 1)
    expect(await client.heard()).toEqual(['puback 1'])
    client.publish('a', 'x'.repeat(101 - overhead), 1, 2)
    expect((await client.heardInFull())[0]).toMatch(/^disconnect 0x95/)
    expect(client.closed).toBe(true)
  })

  it.each([0, 1, 2] as const)(
    'of the client at QoS %i: exactly N is sent, N + 1 is counted and not [MQTT-3.1.2-24]',
    async (qos) => {
      const rig = await startRig()
      const client = await rig.connect('c', kept({ maximumPacketSize: 60 }))
      client.subscribe('a', qos)
      await client.heard()
      const room = 60 - encode(publishPacket('a', '', qos), 5).length
      rig.broker.publish('a', 'x'.repeat(room + 1), { qos })
      rig.broker.publish('a', 'y'.repeat(room), { qos })
      expect((await client.heard()).map((line) => line.slice(0, 12))).toEqual(['publish a "y'])
      expect((await rig.broker.metrics()).dropped['too-large']).toBe(1)
    },
  )

  it.each([0, 2, 3, 4, 5])(
    'of the client: a topic alias takes no room from the message, %i bytes below it',
    async (below) => {
      const rig = await startRig()
      const client = await rig.connect('c', kept({ maximumPacketSize: 60, topicAliasMaximum: 5 }))
      client.subscribe('a', 1)
      await client.heard()
      const text = 'x'.repeat(60 - below - encode(publishPacket('a', '', 1), 5).length)
      for (const _ of ['first', 'again']) rig.broker.publish('a', text, { qos: 1 })
      const alias = below < 5 ? '' : ' {"topicAlias":1}' // with it the packet might be too large
      expect(await client.heardInFull()).toEqual([
        `publish a "${text}" qos 1 id 1${alias}`,
        `publish ${below < 5 ? 'a' : ''} "${text}" qos 1 id 2${alias}`,
      ])
    },
  )

  it('of the client: what has become too large while it was queued is skipped', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', kept())
    client.subscribe('a', 1).drop()
    await rig.pass(0)
    for (const text of ['x'.repeat(100), 'small']) rig.broker.publish('a', text, { qos: 1 })
    const back = rig.greet('c', kept({ maximumPacketSize: 60 }))
    expect(await back.heard()).toEqual(['connack 0 present', 'publish a "small" qos 1 id 2'])
  })

  it('of the client: what was sent and is too large for its next connection is not sent again', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', kept())
    client.subscribe('a', 1)
    await client.heard()
    for (const text of ['x'.repeat(100), 'small']) rig.broker.publish('a', text, { qos: 1 })
    await client.heard()
    client.drop()
    await rig.pass(0)
    const back = rig.greet('c', kept({ maximumPacketSize: 60 }))
    expect(await back.heard()).toEqual(['connack 0 present', 'publish a "small" qos 1 id 2 dup'])
  })

  it('of the client: one that is too small for its answers ends the connection', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5, properties: { maximumPacketSize: 20 } })
    const subscriptions = Array.from({ length: 30 }, (_, at) => ({ filter: `f/${at}`, qos: 0 }) as const)
    client.send({ type: 'subscribe', packetId: 1, subscriptions })
    expect(await client.heardInFull()).toEqual(['disconnect 0x95'])
    expect(client.closed).toBe(true)
  })

  it('of the client: holds for every packet, replies too [MQTT-3.1.2-24]', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5, properties: { maximumPacketSize: 20 } })
    client.send(connectPacket('c', { version: 5 }))
    expect(await client.heardInFull()).toEqual(['disconnect 0x82']) // without its words, which do not fit
  })
})

describe('topic aliases', () => {
  it('of the client stand for their topics, and can be given anew', async () => {
    const rig = await startRig({ limits: { topicAliasMaximum: 2 } })
    const sub = await rig.connect('s', { version: 5 })
    sub.subscribe('#')
    await sub.heard()
    const client = await rig.connect('c', { version: 5 })
    const say = (topic: string, topicAlias: number) =>
      client.send({ ...publishPacket(topic, 'x'), properties: { topicAlias } } as ReturnType<typeof publishPacket>)
    say('a', 2)
    say('', 2)
    say('b', 2)
    say('', 2)
    expect(await sub.heardInFull()).toEqual(['publish a "x"', 'publish a "x"', 'publish b "x"', 'publish b "x"'])
    say('', 1) // stands for nothing
    expect((await client.heardInFull())[0]).toMatch(/^disconnect 0x82/)
  })

  it('of the client above the maximum are 0x94 [MQTT-3.3.2-9]', async () => {
    const rig = await startRig({ limits: { topicAliasMaximum: 2 } })
    const client = await rig.connect('c', { version: 5 })
    client.send({ ...publishPacket('a', 'x'), properties: { topicAlias: 3 } } as ReturnType<typeof publishPacket>)
    expect((await client.heardInFull())[0]).toMatch(/^disconnect 0x94/)
  })

  it('of the broker go to the topics that come first, up to what the client takes', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5, properties: { topicAliasMaximum: 1 } })
    client.subscribe('#')
    await client.heard()
    for (const topic of ['a', 'a', 'b', 'a']) rig.broker.publish(topic, 'x')
    expect(await client.heardInFull()).toEqual([
      'publish a "x" {"topicAlias":1}',
      'publish  "x" {"topicAlias":1}',
      'publish b "x"',
      'publish  "x" {"topicAlias":1}',
    ])
  })
})
