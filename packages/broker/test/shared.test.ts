import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProtocolVersion } from '@godwit/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lmdbStore } from '../src/store/lmdb/index.js'
import { type Rig, startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'
import { type ConnectOptions, connectPacket, type TestClient } from './test-client.js'

const expiring = { sessionExpiryInterval: 60 }

/** What a client says so that its session outlives its connection. */
function durable(version: ProtocolVersion): ConnectOptions {
  return { version, cleanStart: false, ...(version === 5 && { properties: expiring }) }
}

async function joined(rig: Rig, clientId: string, options: ConnectOptions, qos: 0 | 1 | 2 = 2): Promise<TestClient> {
  const client = await rig.connect(clientId, options)
  client.subscribe('$share/g/a', qos)
  expect(await client.heard()).toEqual([`suback 1 [${qos}]`])
  return client
}

async function gone(rig: Rig, client: TestClient): Promise<void> {
  client.drop()
  await rig.pass(0)
}

describe.each([4, 5] as const)('a shared subscription of version %d', (version) => {
  it("gives each message to one member, in turn, at that member's QoS [MQTT-4.8.2-3]", async () => {
    const rig = await startRig()
    const one = await joined(rig, 'one', { version }, 1)
    const two = await joined(rig, 'two', { version }, 0)
    for (const text of ['m1', 'm2', 'm3', 'm4']) rig.broker.publish('a', text, { qos: 2 })
    expect(await one.heard()).toEqual(['publish a "m1" qos 1 id 1', 'publish a "m3" qos 1 id 2'])
    expect(await two.heard()).toEqual(['publish a "m2"', 'publish a "m4"'])
  })

  it('stands beside an ordinary subscription of the same client, and other groups', async () => {
    const rig = await startRig()
    const one = await joined(rig, 'one', { version })
    one.subscribe('a', 0, 2).subscribe('$share/other/+', 0, 3)
    await one.heard()
    rig.broker.publish('a', 'm', { qos: 0 })
    expect(await one.heard()).toEqual(Array(3).fill('publish a "m"'))
  })

  it('gets nothing that is retained', async () => {
    const rig = await startRig()
    rig.broker.publish('a', 'old', { retain: true })
    const one = await joined(rig, 'one', { version })
    expect(await one.heard()).toEqual([])
  })

  it('passes over a member whose window is full, and serves it when there is room', async () => {
    const rig = await startRig({ limits: { maxInflight: 1 } })
    const one = await joined(rig, 'one', { version }, 1)
    const two = await joined(rig, 'two', { version }, 1)
    for (const text of ['m1', 'm2', 'm3', 'm4']) rig.broker.publish('a', text, { qos: 1 })
    expect(await one.heard()).toEqual(['publish a "m1" qos 1 id 1'])
    expect(await two.heard()).toEqual(['publish a "m2" qos 1 id 1'])
    two.puback(1)
    expect(await two.heard()).toEqual(['publish a "m3" qos 1 id 2'])
    two.puback(2)
    expect(await two.heard()).toEqual(['publish a "m4" qos 1 id 3'])
  })

  it('hands QoS 1 over when a member disconnects, and keeps it for the first that returns', async () => {
    const rig = await startRig()
    const one = await joined(rig, 'one', durable(version), 1)
    const two = await joined(rig, 'two', { version }, 1)
    rig.broker.publish('a', 'm1', { qos: 1 })
    rig.broker.publish('a', 'm2', { qos: 1 })
    expect(await one.heard()).toEqual(['publish a "m1" qos 1 id 1'])
    expect(await two.heard()).toEqual(['publish a "m2" qos 1 id 1'])
    await gone(rig, one)
    expect(await two.heard()).toEqual(['publish a "m1" qos 1 id 2'])
    await gone(rig, two)
    rig.broker.publish('a', 'm3', { qos: 2 })
    const back = rig.greet('one', durable(version))
    const ids = ['publish a "m1" qos 1 id 2', 'publish a "m2" qos 1 id 3', 'publish a "m3" qos 1 id 4']
    expect(await back.heard()).toEqual(['connack 0 present', ...ids])
  })

  it('hands QoS 1 over with the session only, when told to', async () => {
    const rig = await startRig({ sharedHandOverAtDisconnect: false, limits: { sessionExpirySeconds: 60 } })
    const one = await joined(rig, 'one', durable(version), 1)
    rig.broker.publish('a', 'm1', { qos: 1 })
    await one.heard()
    await gone(rig, one)
    const two = await joined(rig, 'two', { version }, 1)
    const back = rig.greet('one', durable(version))
    expect(await back.heard()).toEqual(['connack 0 present', 'publish a "m1" qos 1 id 1 dup'])
    await gone(rig, back)
    expect(await two.heard()).toEqual([])
    await rig.pass(61_000)
    expect(await two.heard()).toEqual(['publish a "m1" qos 1 id 1'])
  })

  it('finishes QoS 2 with the same member [MQTT-4.8.2-4]', async () => {
    const rig = await startRig()
    const one = await joined(rig, 'one', durable(version))
    rig.broker.publish('a', 'm1', { qos: 2 })
    expect(await one.heard()).toEqual(['publish a "m1" qos 2 id 1'])
    const two = await joined(rig, 'two', { version })
    await gone(rig, one)
    expect(await two.heard()).toEqual([])
    const back = rig.greet('one', durable(version))
    expect(await back.heard()).toEqual(['connack 0 present', 'publish a "m1" qos 2 id 1 dup'])
  })

  it('drops QoS 2, counted, with the session of its member [MQTT-4.8.2-5]', async () => {
    const rig = await startRig({ limits: { sessionExpirySeconds: 60 } })
    const one = await joined(rig, 'one', durable(version))
    rig.broker.publish('a', 'm1', { qos: 2 })
    const two = await joined(rig, 'two', { version })
    await gone(rig, one)
    await rig.pass(61_000)
    expect(await two.heard()).toEqual([])
    expect((await rig.broker.metrics()).dropped['shared-member-gone']).toBe(1)
    await gone(rig, two)
    expect((await rig.broker.metrics()).dropped['shared-member-gone']).toBe(1)
  })

  it('drops what does not fit its queue, counted', async () => {
    const rig = await startRig({ limits: { maxQueuedMessages: 2 } })
    const one = await joined(rig, 'one', durable(version), 1)
    await gone(rig, one)
    for (const text of ['m1', 'm2', 'm3']) rig.broker.publish('a', text, { qos: 1 })
    rig.broker.publish('a', 'm4', { qos: 0 })
    expect((await rig.broker.metrics()).dropped).toMatchObject({ 'queue-full': 1, 'offline-qos0': 1 })
    const back = rig.greet('one', durable(version))
    expect(await back.heard()).toHaveLength(3)
  })

  it('is over with its last member', async () => {
    const rig = await startRig()
    const one = await joined(rig, 'one', { version })
    one.send({ type: 'unsubscribe', packetId: 2, filters: ['$share/g/a'] })
    await one.heard()
    rig.broker.publish('a', 'm1', { qos: 1 })
    one.subscribe('$share/g/a', 1, 3)
    expect(await one.heard()).toEqual(['suback 3 [1]'])
    rig.broker.publish('a', 'm2', { qos: 1 })
    expect(await one.heard()).toEqual(['publish a "m2" qos 1 id 1'])
  })

  it('can be switched off', async () => {
    const rig = await startRig({ sharedSubscriptions: false })
    const one = await rig.connect('one', { version })
    one.subscribe('$share/g/a', 1)
    expect(await one.heard()).toEqual([version === 5 ? 'disconnect' : 'suback 1 [128]'])
  })

  it('is asked for by its filter, without the group', async () => {
    const asked: string[] = []
    const rig = await startRig({ hooks: [{ authorize: ({ topic }) => asked.push(topic) > 0 }] })
    await joined(rig, 'one', { version })
    expect(asked).toEqual(['a'])
  })
})

describe('a shared subscription of version 5', () => {
  it("carries the member's own subscription identifier", async () => {
    const rig = await startRig()
    const one = await rig.connect('one', { version: 5 })
    const two = await rig.connect('two', { version: 5 })
    for (const [client, identifier] of [
      [one, 7],
      [two, 8],
    ] as const) {
      const subscriptions = [{ filter: '$share/g/a', qos: 0 as const }]
      client.send({
        type: 'subscribe',
        packetId: 1,
        subscriptions,
        properties: { subscriptionIdentifiers: [identifier] },
      })
      await client.heard()
    }
    rig.broker.publish('a', 'm1')
    rig.broker.publish('a', 'm2')
    expect(await one.heard()).toEqual(['publish a "m1" by 7'])
    expect(await two.heard()).toEqual(['publish a "m2" by 8'])
  })

  it('ends a message that one member refuses for all [MQTT-4.8.2-6]', async () => {
    const rig = await startRig()
    const one = await joined(rig, 'one', { version: 5 })
    rig.broker.publish('a', 'm1', { qos: 1 })
    rig.broker.publish('a', 'm2', { qos: 2 })
    expect(await one.heard()).toHaveLength(2)
    const two = await joined(rig, 'two', { version: 5 })
    one.send({ type: 'puback', packetId: 1, reasonCode: 0x97 }, { type: 'pubrec', packetId: 2, reasonCode: 0x97 })
    await one.heard()
    await gone(rig, one)
    expect(await two.heard()).toEqual([])
    expect((await rig.broker.metrics()).dropped['shared-member-gone']).toBe(0)
  })

  it('lets a message that waits expire', async () => {
    const rig = await startRig()
    const one = await joined(rig, 'one', durable(5), 1)
    await gone(rig, one)
    const other = await rig.connect('other', { version: 5 })
    const message = {
      type: 'publish',
      topic: 'a',
      payload: Buffer.from('m'),
      qos: 1,
      retain: false,
      dup: false,
    } as const
    other.send({ ...message, packetId: 1, properties: { messageExpiryInterval: 5 } })
    await other.heard()
    await rig.pass(6000)
    const back = rig.greet('one', durable(5))
    expect(await back.heard()).toEqual(['connack 0 present'])
    expect((await rig.broker.metrics()).dropped.expired).toBe(1)
  })
})

describe('a move', () => {
  it('of QoS 2 out of the queue is one commit, and nothing leaves before it', async () => {
    const store = new SteppedStore()
    const rig = await startRig({ store })
    const one = rig.greet('one', durable(4))
    one.subscribe('$share/g/a', 2)
    await rig.pass(0)
    store.flush()
    await gone(rig, one)
    rig.broker.publish('a', 'm', { qos: 2 })
    store.flush()
    const two = await rig.connect('two')
    two.subscribe('$share/g/a', 2)
    expect(await two.heard()).toEqual(['suback 1 [2]']) // a crash here leaves it in the group's queue, unsent
    store.flush()
    expect(await two.heard()).toEqual(['publish a "m" qos 2 id 1'])
  })
})

describe('a shared subscription on disk', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'godwit-shared-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const open = (): Promise<Rig> => startRig({ store: lmdbStore({ directory }) })

  async function member(rig: Rig, clientId: string): Promise<TestClient> {
    const client = rig.open().send(connectPacket(clientId, durable(5)))
    expect(await client.next()).toEqual(['connack 0'])
    client.subscribe('$share/g/a', 2)
    expect(await client.next()).toEqual(['suback 1 [2]'])
    return client
  }

  it('keeps what waits, once, for the first that returns', async () => {
    const first = await open()
    await gone(first, await member(first, 'one'))
    await gone(first, await member(first, 'two'))
    for (const [at, qos] of ([1, 2, 1] as const).entries()) await first.broker.publish('a', `m${at}`, { qos })
    await first.broker.close()

    const second = await open()
    expect(second.broker.recovered).toMatchObject({ sessions: 2, queued: 3 })
    const two = second.open().send(connectPacket('two', durable(5)))
    expect(await two.next(4)).toEqual([
      'connack 0 present',
      'publish a "m0" qos 1 id 1',
      'publish a "m2" qos 1 id 3',
      'publish a "m1" qos 2 id 2', // after the commit that makes it this member's alone
    ])
    two.puback(1)
    await two.heard()
    await second.broker.close()

    const third = await open()
    const one = third.open().send(connectPacket('one', durable(5)))
    expect(await one.next(2)).toEqual(['connack 0 present', 'publish a "m2" qos 1 id 1'])
    const back = third.open().send(connectPacket('two', durable(5)))
    expect(await back.next(2)).toEqual(['connack 0 present', 'publish a "m1" qos 2 id 2 dup'])
    one.puback(1)
    back.send({ type: 'pubrec', packetId: 2 })
    expect(await back.next()).toEqual(['pubrel 2'])
    back.send({ type: 'pubcomp', packetId: 2 })
    await back.heard()
    await third.broker.close()

    const fourth = await open()
    expect(fourth.broker.recovered).toMatchObject({ sessions: 2, queued: 0 })
    await fourth.broker.close()
  })

  it('goes on after a crash: QoS 1 to whoever comes, QoS 2 to the member that had it', async () => {
    const first = await open()
    const one = await member(first, 'one')
    await first.broker.publish('a', 'm1', { qos: 1 })
    await first.broker.publish('a', 'm2', { qos: 2 })
    await first.broker.publish('a', 'm3', { qos: 1 })
    expect(await one.next(3)).toHaveLength(3)
    one.puback(3)
    await one.heard()
    await first.broker.publish('other', 'comes after the removal', { qos: 1, retain: true })
    const asItWas = `${directory}-copy`
    cpSync(directory, asItWas, { recursive: true, filter: (path) => !/lock(\.sock)?$/.test(path) })
    await first.broker.close()

    const second = await startRig({ store: lmdbStore({ directory: asItWas }) })
    const two = second.open().send(connectPacket('two', durable(5)))
    await two.next()
    two.subscribe('$share/g/a', 2)
    expect((await two.next(2)).sort()).toEqual(['publish a "m1" qos 1 id 1', 'suback 1 [2]'])
    const back = second.open().send(connectPacket('one', durable(5)))
    expect(await back.next(2)).toEqual(['connack 0 present', 'publish a "m2" qos 2 id 2 dup'])
    await second.broker.publish('a', 'm4', { qos: 1 })
    await second.broker.publish('a', 'm5', { qos: 1 })
    expect([...(await two.next()), ...(await back.next())]).toHaveLength(2)
    expect((await second.broker.metrics()).messagesDropped).toBe(0)
    await second.broker.close()
    rmSync(asItWas, { recursive: true, force: true })
  })

  it('becomes durable with its first durable member, with all that is under way', async () => {
    const first = await open()
    const passing = await first.connect('passing', { version: 5 })
    passing.subscribe('$share/g/a', 2)
    await passing.heard()
    for (const at of [1, 2, 3]) first.broker.publish('a', `m${at}`, { qos: 1 })
    expect(await passing.next(3)).toHaveLength(3)
    passing.puback(2)
    await passing.heard()
    await gone(first, await member(first, 'one'))
    await first.broker.close()

    const second = await open()
    const one = second.open().send(connectPacket('one', durable(5)))
    expect(await one.next(3)).toEqual(['connack 0 present', 'publish a "m1" qos 1 id 1', 'publish a "m3" qos 1 id 2'])
    await second.broker.close()
  })

  it('leaves nothing behind when its last member goes', async () => {
    const first = await open()
    const one = await member(first, 'one')
    await gone(first, one)
    await first.broker.publish('a', 'm', { qos: 1 })
    const back = first.open().send(connectPacket('one', { version: 5, cleanStart: true }))
    expect(await back.next()).toEqual(['connack 0'])
    await first.broker.close()

    const second = await open()
    expect(second.broker.recovered).toMatchObject({ sessions: 0, queued: 0 })
    await second.broker.close()
  })
})
