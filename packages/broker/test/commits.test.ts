import { describe, expect, it } from 'vitest'
import { type Rig, startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'
import { connectPacket, publishPacket, subscribePacket, type TestClient } from './test-client.js'

/** A client with a durable session and a subscription, all of it flushed. */
async function subscriber({ rig, store }: { rig: Rig; store: SteppedStore }, filter: string): Promise<TestClient> {
  const client = rig.greet('s', rig.durable)
  await rig.pass(0)
  store.flush()
  client.subscribe(filter, 2)
  await rig.pass(0)
  store.flush()
  expect(await client.heard()).toEqual(['connack 0', 'suback 1 [2]'])
  return client
}

describe.each([4, 5] as const)('at version %i', (version) => {
  async function setUp(): Promise<{ rig: Rig; store: SteppedStore }> {
    const store = new SteppedStore()
    return { rig: await startRig({ store }, version), store }
  }

  /** One who reads `a` at QoS 0, and a publisher whose CONNACK is out with all before it. */
  async function readAtQos0(): Promise<{ store: SteppedStore; reader: TestClient; publisher: TestClient }> {
    const { rig, store } = await setUp()
    const reader = await rig.connect('r')
    reader.subscribe('a', 0)
    await reader.heard()
    const publisher = rig.greet('p', rig.durable)
    await rig.pass(0)
    store.flush()
    return { store, reader, publisher }
  }

  it('CONNACK waits for the session, and everything behind it for CONNACK', async () => {
    const { rig, store } = await setUp()
    const client = rig.greet('c', rig.durable).send({ type: 'pingreq' }, publishPacket('nobody', 'x', 1))
    expect(await client.heard()).toEqual([])
    store.flush()
    expect(await client.heard()).toEqual(['connack 0', 'pingresp', 'puback 1'])
  })

  it.each([
    ['DISCONNECT', { type: 'disconnect' }, []],
    ['what no client may send', { type: 'pingresp' }, version === 5 ? ['disconnect'] : []],
  ] as const)('CONNACK is not lost for %s that came with CONNECT', async (_, packet, last) => {
    const { rig, store } = await setUp()
    const client = rig.open('c').send(connectPacket('c', { version, ...rig.durable }), packet)
    expect([await client.heard(), client.closed]).toEqual([[], false])
    store.flush()
    expect(await client.heard()).toEqual(['connack 0', ...last])
    store.flush()
    await client.ended()
  })

  it('what was answered before DISCONNECT goes out before the end, and nothing behind it is handled', async () => {
    const { rig, store } = await setUp()
    const client = rig.greet('c', rig.durable)
    await client.heard()
    store.flush()
    const late = publishPacket('a', 'late', 1, 6)
    client.send(subscribePacket([{ filter: 'a', qos: 0 }]), publishPacket('a', 'x', 2, 5), { type: 'disconnect' }, late)
    expect(await client.heard()).toEqual(['connack 0'])
    store.flush()
    expect(await client.heard()).toEqual(['suback 1 [0]', 'publish a "x"', 'pubrec 5'])
    store.flush()
    await client.ended()
    expect((await rig.broker.metrics()).publishReceived).toBe(1)
  })

  it('a clean session without a past waits for nothing', async () => {
    const { rig } = await setUp()
    expect(await rig.greet('c').heard()).toEqual(['connack 0'])
  })

  it('PUBACK waits until the message is safe for a durable session; the subscriber may have it before', async () => {
    const t = await setUp()
    const sub = await subscriber(t, 'a')
    const publisher = await t.rig.connect('p')
    publisher.publish('a', 'x', 1, 7).publish('nobody', 'x', 2, 8).send({ type: 'pingreq' })
    expect(await publisher.heard()).toEqual(['pubrec 8', 'pingresp']) // its own session is not durable
    expect(await sub.heard()).toEqual(['publish a "x" qos 1 id 1'])
    t.store.flush()
    expect(await publisher.heard()).toEqual(['puback 7'])
  })

  it('where another could have taken its place, nothing is answered before a commit that begins after it', async () => {
    const t = await setUp()
    const sub = await subscriber(t, 'a')
    const publisher = await t.rig.connect('p')
    t.store.isShared = true
    publisher.publish('nobody', 'x', 1, 7).send({ type: 'pingreq' }, subscribePacket([{ filter: 'b', qos: 0 }], 8))
    publisher.publish('a', 'x', 1, 9)
    expect([await publisher.heard(), await sub.heard()]).toEqual([['pingresp'], []]) // which says nothing of what is kept
    t.store.flush()
    expect(await publisher.heard()).toEqual(['puback 7', 'suback 8 [0]', 'puback 9'])
    expect(await sub.heard()).toEqual(['publish a "x" qos 1 id 1'])
  })

  it('a QoS 2 message leaves for a durable session only when it is safe, in order with those behind it', async () => {
    const t = await setUp()
    const sub = await subscriber(t, 'a')
    for (const text of ['1', '2']) t.rig.broker.publish('a', text, { qos: 2 })
    expect(await sub.heard()).toEqual([])
    t.store.flush()
    t.rig.broker.publish('a', '3', { qos: 2 })
    expect(await sub.heard()).toEqual(['publish a "1" qos 2 id 1', 'publish a "2" qos 2 id 2'])
    t.store.flush()
    expect(await sub.heard()).toEqual(['publish a "3" qos 2 id 3'])
  })

  it('a QoS 2 message that waited in the queue does not overtake one that waits for its commit', async () => {
    const store = new SteppedStore()
    const rig = await startRig({ store, limits: { maxInflight: 2 } }, version)
    const sub = await subscriber({ rig, store }, 'a')
    rig.broker.publish('a', '1', { qos: 1 })
    rig.broker.publish('a', '2', { qos: 2 })
    rig.broker.publish('a', '3', { qos: 2 })
    expect(await sub.heard()).toEqual(['publish a "1" qos 1 id 1'])
    sub.puback(1) // room for the third
    expect(await sub.heard()).toEqual([])
    store.flush()
    expect(await sub.heard()).toEqual(['publish a "2" qos 2 id 2', 'publish a "3" qos 2 id 3'])
  })

  it('PUBREL and PUBCOMP wait for what they promise', async () => {
    const t = await setUp()
    const sub = await subscriber(t, 'a')
    t.rig.broker.publish('a', 'x', { qos: 2 })
    t.store.flush()
    await sub.heard()
    sub.send({ type: 'pubrec', packetId: 1 }).publish('nobody', 'y', 2, 9)
    expect(await sub.heard()).toEqual([])
    t.store.flush()
    expect(await sub.heard()).toEqual(['pubrel 1', 'pubrec 9'])
    sub.send({ type: 'pubrel', packetId: 9 })
    expect(await sub.heard()).toEqual([])
    t.store.flush()
    expect(await sub.heard()).toEqual(['pubcomp 9'])
  })

  it('a message at QoS 0 made of one at QoS 2 leaves with its PUBREC, not before', async () => {
    const { store, reader, publisher } = await readAtQos0()
    publisher.publish('a', 'x', 2, 7)
    expect([await publisher.heard(), await reader.heard()]).toEqual([['connack 0'], []])
    store.flush()
    expect([await publisher.heard(), await reader.heard()]).toEqual([['pubrec 7'], ['publish a "x"']])
  })

  it('what goes out at QoS 0 keeps its order, whatever it came with [MQTT-4.6.0-6]', async () => {
    const { store, reader, publisher } = await readAtQos0()
    publisher.publish('a', '1', 2, 1).publish('a', '2', 1, 2).publish('a', '3')
    expect(await publisher.heard()).toEqual(['connack 0', 'puback 2'])
    expect(await reader.heard()).toEqual([])
    store.flush()
    publisher.publish('a', '4', 2, 4)
    expect(await reader.heard()).toEqual(['publish a "1"', 'publish a "2"', 'publish a "3"'])
    publisher.publish('a', '5')
    expect(await reader.heard()).toEqual([])
    store.flush()
    expect(await reader.heard()).toEqual(['publish a "4"', 'publish a "5"'])
  })

  it('the end of a connection is seen only when what it promises is safe', async () => {
    const t = await setUp()
    const sub = await subscriber(t, 'a')
    sub.disconnect()
    expect(await sub.heard()).toEqual([])
    expect(sub.closed).toBe(false)
    t.store.flush()
    await sub.ended()
  })

  it('a client without a durable session sees the end of its DISCONNECT only when its will is gone for good', async () => {
    const { rig, store } = await setUp()
    const client = rig.greet('c', { will: { topic: 'w', payload: 'gone' } })
    expect(await client.heard()).toEqual([])
    store.flush()
    expect(await client.heard()).toEqual(['connack 0'])
    client.disconnect()
    await client.heard()
    expect(client.closed).toBe(false)
    store.flush()
    await client.ended()
  })

  it('a client gone before its CONNACK leaves a session in order for the next', async () => {
    const t = await setUp()
    const sub = await subscriber(t, 'a')
    sub.drop()
    await t.rig.pass(0)
    t.store.flush()
    t.rig.broker.publish('a', 'x', { qos: 1 })
    t.store.flush()
    const gone = t.rig.greet('s', t.rig.durable)
    await gone.heard()
    gone.drop()
    await t.rig.pass(0)
    t.store.flush()
    const back = t.rig.greet('s', t.rig.durable)
    await back.heard()
    t.store.flush()
    expect(await back.heard()).toEqual(['connack 0 present', 'publish a "x" qos 1 id 1'])
  })

  it('a publisher that outruns the store is not read from until it has caught up', async () => {
    const t = await setUp()
    const sub = await subscriber(t, 'a')
    const publisher = await t.rig.connect('p')
    t.store.full = true
    publisher.publish('a', '1', 1, 1)
    await publisher.heard()
    publisher.publish('a', '2', 1, 2)
    await publisher.heard()
    expect(await sub.heard()).toEqual(['publish a "1" qos 1 id 1'])
    t.store.full = false
    t.store.flush()
    expect(await sub.heard()).toEqual(['publish a "2" qos 1 id 2'])
    t.store.flush()
    expect(await publisher.heard()).toEqual(['puback 1', 'puback 2'])
  })
})
