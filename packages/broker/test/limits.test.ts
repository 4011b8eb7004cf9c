import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { encode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { type Rig, settled, startRig } from './rig.js'
import { connectPacket, publishPacket, subscribePacket, type TestClient } from './test-client.js'

const dropLines = (rig: Rig): string[] => rig.log.filter((line) => line.startsWith('warn') && line.includes('dropped'))

async function subscriber(rig: Rig, id: string, filter: string, qos: 0 | 1 | 2): Promise<TestClient> {
  const client = await rig.connect(id, rig.durable)
  client.subscribe(filter, qos)
  await client.heard()
  return client
}

describe.each([4, 5] as const)('in-flight limit, at version %i', (version) => {
  it('bounds what a client has been sent and has not acknowledged', async () => {
    const rig = await startRig({ limits: { maxInflight: 2 } }, version)
    const client = await subscriber(rig, 'c', 'a', 1)
    for (const text of ['1', '2', '3', '4']) rig.broker.publish('a', text, { qos: 1 })
    expect(await client.heard()).toEqual(['publish a "1" qos 1 id 1', 'publish a "2" qos 1 id 2'])
    client.puback(1)
    expect(await client.heard()).toEqual(['publish a "3" qos 1 id 3'])
    client.puback(2, 3)
    expect(await client.heard()).toEqual(['publish a "4" qos 1 id 4'])
  })
})

describe.each([4, 5] as const)('the queue of a session without a connection, at version %i', (version) => {
  it('takes as many messages as it may, and drops, counts and tells of the next', async () => {
    const rig = await startRig({ limits: { maxQueuedMessages: 3 } }, version)
    const client = await subscriber(rig, 'c', 'a', 1)
    client.disconnect()
    await client.heard()
    for (let n = 1; n <= 5; n++) rig.broker.publish('a', `${n}`, { qos: 1 })
    expect((await rig.broker.metrics()).dropped['queue-full']).toBe(2)
    expect(dropLines(rig)).toEqual(['warn message dropped {"clientId":"c","reason":"queue-full"}'])
    await rig.pass(12_000)
    expect(dropLines(rig)[1]).toBe('warn 1 more messages dropped {"clientId":"c","reason":"queue-full"}')
    const back = rig.greet('c', rig.durable)
    expect(await back.heard()).toEqual([
      'connack 0 present',
      'publish a "1" qos 1 id 1',
      'publish a "2" qos 1 id 2',
      'publish a "3" qos 1 id 3',
    ])
  })

  it('takes as many bytes as it may', async () => {
    const rig = await startRig({ limits: { maxQueuedBytes: 10 + 2 * (1 + 100) } }, version)
    const client = await subscriber(rig, 'c', 'a', 1)
    client.disconnect()
    await client.heard()
    for (const text of ['12345', '12345', '1']) rig.broker.publish('a', text, { qos: 1 })
    expect((await rig.broker.metrics()).dropped['queue-full']).toBe(1)
  })

  it('does not take QoS 0, which is counted and not worth a line', async () => {
    const rig = await startRig({}, version)
    const client = await subscriber(rig, 'c', 'a', 1)
    client.disconnect()
    await client.heard()
    rig.broker.publish('a', 'x')
    expect((await rig.broker.metrics()).dropped['offline-qos0']).toBe(1)
    expect(dropLines(rig)).toEqual([])
  })
})

describe.each([4, 5] as const)('a client that does not take what it is sent, at version %i', (version) => {
  const kilobyte = 'x'.repeat(1000)

  async function slowAndQuick(drainTimeoutMs: number) {
    const rig = await startRig({ limits: { maxOutboxBytes: 50_000, drainTimeoutMs } }, version)
    const slow = await rig.connect('slow')
    const quick = await rig.connect('quick')
    for (const client of [slow, quick]) {
      client.send(
        subscribePacket([
          { filter: 'a', qos: 0 },
          { filter: 'b', qos: 1 },
        ]),
      )
      await client.heard()
    }
    slow.stopReading()
    return { rig, slow, quick }
  }

  it('loses QoS 0, counted, while others are served; what it has acknowledged to be waiting comes when it reads on', async () => {
    const { rig, slow, quick } = await slowAndQuick(60_000)
    let served = 0
    for (let n = 0; n < 300; n++) {
      rig.broker.publish('a', kilobyte)
      served += (n % 10 === 0 ? await quick.heard() : []).length
    }
    served += (await quick.heard()).length
    expect(served).toBe(300)
    const dropped = (await rig.broker.metrics()).dropped['slow-consumer']
    expect(dropped).toBeGreaterThan(100)
    expect(dropLines(rig)).toEqual(['warn message dropped {"clientId":"slow","reason":"slow-consumer"}'])
    rig.broker.publish('b', 'kept', { qos: 1 })
    slow.readOn()
    const heard = await slow.heard()
    expect(heard.filter((line) => line.startsWith('publish a'))).toHaveLength(300 - dropped)
    expect(heard.at(-1)).toBe('publish b "kept" qos 1 id 1')
  })

  it('is disconnected when it has taken nothing for too long, and others are served', async () => {
    const { rig, slow, quick } = await slowAndQuick(60_000)
    for (let n = 0; n < 200; n++) {
      rig.broker.publish('a', kilobyte)
      await rig.pass(0)
    }
    await quick.heard()
    await rig.pass(59_000)
    expect(rig.log.some((line) => line.includes('takes nothing'))).toBe(false)
    await rig.pass(2000)
    expect(rig.log.some((line) => line.includes('takes nothing') && line.includes('slow'))).toBe(true)
    slow.readOn()
    await slow.ended()
    quick.send({ type: 'pingreq' })
    expect(await quick.heard()).toEqual(['pingresp'])
  })

  it('stays for ever where the timeout is 0', async () => {
    const { rig, slow } = await slowAndQuick(0)
    for (let n = 0; n < 200; n++) {
      rig.broker.publish('a', kilobyte)
      await rig.pass(0)
    }
    await rig.pass(1_000_000)
    slow.readOn()
    expect((await slow.heard()).length).toBeGreaterThan(10)
    expect(slow.closed).toBe(false)
  })

  it('is disconnected also when it took a little, once, before it took nothing', async () => {
    const rig = await startRig({ limits: { maxOutboxBytes: 10_000, drainTimeoutMs: 60_000 } }, version)
    const socket = new SlowSocket()
    rig.broker.handle(socket)
    socket.push(
      Buffer.concat([encode(connectPacket('slow'), 4), encode(subscribePacket([{ filter: 'a', qos: 0 }]), 4)]),
    )
    await rig.pass(0)
    socket.accept(1)
    const publish = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        rig.broker.publish('a', kilobyte)
        await rig.pass(0)
      }
    }
    await publish(12)
    expect((await rig.broker.metrics()).dropped['slow-consumer']).toBeGreaterThan(0)
    socket.accept(3) // no longer full, and not yet drained
    await rig.pass(61_000)
    expect(socket.destroyed).toBe(false)
    await publish(5) // full again
    await rig.pass(130_000)
    expect(socket.destroyed).toBe(true)
  })

  it('is not read from while its own requests fill its outbox; no reply is lost', async () => {
    const rig = await startRig({ limits: { maxOutboxBytes: 1000 } }, version)
    const client = await rig.connect('c')
    client.stopReading()
    const pings = Array.from({ length: 2000 }, () => ({ type: 'pingreq' }) as const)
    for (let n = 0; n < 50; n++) client.send(...pings)
    await rig.pass(0)
    expect((await rig.broker.metrics()).packetsReceived).toBeLessThan(80_000)
    client.readOn()
    expect(await client.next(100_000)).toHaveLength(100_000)
  })
})

/** A socket that takes a write when the test says so. */
class SlowSocket extends Duplex {
  readonly #writes: (() => void)[] = []

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#writes.push(done)
  }

  accept(count: number): void {
    for (let n = 0; n < count; n++) this.#writes.shift()?.()
  }
}

describe('retained messages', () => {
  it.each([4, 5] as const)(
    'are delivered but not kept beyond their number; empty ones make room, at version %i',
    async (version) => {
      const rig = await startRig({ limits: { maxRetainedMessages: 2 } }, version)
      const client = await rig.connect('c')
      client.subscribe('#', 0)
      for (const topic of ['a', 'b', 'c']) client.publish(topic, 'x', 0, 1, true)
      expect(await client.heard()).toEqual(['suback 1 [0]', 'publish a "x"', 'publish b "x"', 'publish c "x"'])
      expect((await rig.broker.metrics()).dropped['retained-full']).toBe(1)
      client.publish('a', '', 0, 1, true).publish('d', 'x', 0, 1, true)
      await client.heard()
      client.subscribe('#', 0, 2)
      expect((await client.heard()).sort()).toEqual(['publish b "x" retain', 'publish d "x" retain', 'suback 2 [0]'])
    },
  )

  it('are delivered and not kept where the feature is off', async () => {
    const rig = await startRig({ retainAvailable: false })
    const client = await rig.connect('c')
    client.subscribe('a').publish('a', 'x', 0, 1, true).subscribe('a', 0, 2)
    expect(await client.heard()).toEqual(['suback 1 [0]', 'publish a "x"', 'suback 2 [0]'])
    expect((await rig.broker.metrics()).messagesDropped).toBe(0)
  })

  it.each([4, 5] as const)('reach a subscriber paced by its window, at version %i', async (version) => {
    const rig = await startRig({ limits: { maxInflight: 2, maxQueuedMessages: 1 } }, version)
    for (let n = 1; n <= 5; n++) rig.broker.publish(`r/${n}`, 'x', { qos: 1, retain: true })
    const client = await rig.connect('c')
    client.subscribe('r/+', 1)
    const heard = await client.heard()
    expect(heard).toHaveLength(3)
    for (let id = 1; id <= 5; id++) client.puback(id)
    expect(await client.heard()).toHaveLength(3)
    expect((await rig.broker.metrics()).messagesDropped).toBe(0)
  })
})

describe.each([4, 5] as const)('topic levels, at version %i', (version) => {
  it.each([
    ['PUBLISH', publishPacket('a/b/c/d', 'x', 1)],
    ['SUBSCRIBE', subscribePacket([{ filter: 'a/b/c/#', qos: 0 }])],
  ])('a %s with too many ends the connection', async (_, packet) => {
    const rig = await startRig({ limits: { maxTopicLevels: 3 } }, version)
    const client = await rig.connect('c')
    client.publish('a/b/c', 'x', 1)
    expect(await client.heard()).toEqual(['puback 1'])
    client.send(packet)
    expect(await client.heard()).toEqual(version === 5 ? ['disconnect'] : [])
    expect(client.closed).toBe(true)
    expect((await rig.broker.metrics()).protocolErrors).toBe(1)
  })
})

describe.each([4, 5] as const)('subscriptions of a session, at version %i', (version) => {
  it('are refused beyond their number, unless one is replaced', async () => {
    const rig = await startRig({ limits: { maxSubscriptionsPerSession: 2 } }, version)
    const client = await rig.connect('c')
    const filters = ['a', 'b', 'c', 'a'].map((filter) => ({ filter, qos: 1 }) as const)
    client.send(subscribePacket(filters))
    expect(await client.heard()).toEqual([`suback 1 [1 1 ${version === 5 ? 0x97 : 0x80} 1]`])
    expect((await rig.broker.metrics()).subscriptionsRefused.quota).toBe(1)
    client.send({ type: 'unsubscribe', packetId: 2, filters: ['a'] }).subscribe('c', 1, 3)
    expect(await client.heard()).toEqual(['unsuback 2', 'suback 3 [1]'])
  })
})

describe('features switched off', () => {
  it('wildcards: refused in SUBACK [MQTT-3.8.3-2]', async () => {
    const rig = await startRig({ wildcardSubscriptions: false })
    const client = await rig.connect('c')
    client.send(subscribePacket(['a/#', '+/b', 'plain'].map((filter) => ({ filter, qos: 2 }) as const)))
    expect(await client.heard()).toEqual(['suback 1 [128 128 2]'])
    expect((await rig.broker.metrics()).subscriptionsRefused['not-supported']).toBe(2)
  })

  it.each([4, 5] as const)('maximumQos: granted no higher, at version %i', async (version) => {
    const rig = await startRig({ maximumQos: 1 })
    const client = await rig.connect('c', { version })
    client.subscribe('a', 2)
    rig.broker.publish('a', 'x', { qos: 2 })
    expect(await client.heard()).toEqual(['suback 1 [1]', 'publish a "x" qos 1 id 1'])
  })

  it('maximumQos: from a publisher that cannot be told, the message is taken as it is', async () => {
    const rig = await startRig({ maximumQos: 0 })
    const client = await rig.connect('c', { will: { topic: 'w', payload: 'x', qos: 2, retain: true } })
    client.subscribe('#', 2).publish('a', 'x', 2, 7).send({ type: 'pubrel', packetId: 7 })
    expect(await client.heard()).toEqual(['suback 1 [0]', 'publish a "x"', 'pubrec 7', 'pubcomp 7'])
  })

  it.each([
    [false, true],
    [true, false],
  ])('controlCharacters %s: a topic with U+0001 closes the connection: %s', async (controlCharacters, closes) => {
    const rig = await startRig({ controlCharacters })
    const client = await rig.connect('c')
    client.sendHex('3004 0001 01 78')
    await client.heard()
    expect(client.closed).toBe(closes)
  })
})

describe('packet size', () => {
  it('is judged by the header, and is smaller for a CONNECT', async () => {
    const rig = await startRig({ limits: { maxPacketBytes: 1000, maxConnectBytes: 100 } })
    const client = await rig.connect('c')
    client.publish('a', 'x'.repeat(900), 1)
    expect(await client.heard()).toEqual(['puback 1'])
    client.sendHex('30 e607') // 998 more bytes announced: 1,001 in all
    expect(await client.heard()).toEqual([])
    expect(client.closed).toBe(true)
    const large = rig.open().send(connectPacket('c', { username: 'x'.repeat(100) }))
    expect(await large.heard()).toEqual([])
    expect(large.closed).toBe(true)
  })
})

it('lets others have their turn before the rest of a chunk that makes a lot to send', async () => {
  const rig = await startRig()
  for (let n = 1; n <= 16; n++) await subscriber(rig, `s${n}`, 'a', 0)
  const sender = await rig.connect('sender')
  const payload = new Uint8Array(65_536)
  sender.send(...Array.from({ length: 20 }, () => publishPacket('a', payload, 0)))
  while ((await rig.broker.metrics()).publishReceived === 0) await nextTurn()
  expect((await rig.broker.metrics()).publishReceived).toBe(17) // 16 MiB have gone out
  await settled()
  expect((await rig.broker.metrics()).publishReceived).toBe(20)
  expect((await rig.broker.metrics()).publishSent).toBe(320)
})
