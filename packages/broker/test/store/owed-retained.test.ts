import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lmdbStore } from '../../src/store/lmdb/index.js'
import { type Rig, startRig } from '../rig.js'
import { connectPacket, type TestClient } from '../test-client.js'

// SUBACK promises what is retained: a client that takes it slowly gets the rest from the broker that comes after a crash.

describe.each([4, 5] as const)('retained messages owed to a durable session of version %d', (version) => {
  let root: string
  let life = 0
  let rig: Rig

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'godwit-owed-'))
    await open()
    for (const topic of ['a', 'b', 'c']) await rig.broker.publish(`r/${topic}`, topic, { qos: 2, retain: true })
    await rig.broker.publish('r/zero', 'z', { qos: 0, retain: true })
  })
  afterEach(async () => {
    await rig.broker.close()
    rmSync(root, { recursive: true })
  })

  /** A broker that sends one message at a time. */
  async function open(): Promise<void> {
    const store = lmdbStore({ directory: join(root, `${life}`) })
    rig = await startRig({ store, limits: { maxInflight: 1 } }, version)
  }

  /** The process dies with what is on disk now; another one comes. */
  async function crash(): Promise<void> {
    const from = join(root, `${life++}`)
    cpSync(from, join(root, `${life}`), { recursive: true, filter: (path) => !/lock(\.sock)?$/.test(path) })
    await rig.broker.close()
    await open()
  }

  async function connect(connack = 'connack 0 present'): Promise<TestClient> {
    const client = rig.open('c').send(connectPacket('c', { version, ...rig.durable }))
    expect(await client.next()).toEqual([connack])
    return client
  }

  /** Takes `count` messages, one after another; answers their topics. */
  async function takeQos1(client: TestClient, count: number, firstId: number): Promise<string[]> {
    const topics: string[] = []
    for (let id = firstId; topics.length < count; id++) {
      const [line = ''] = await client.next()
      expect(line).toMatch(new RegExp(`qos 1 id ${id} retain`))
      topics.push(line.split(' ')[1]!)
      client.puback(id)
    }
    return topics.sort()
  }

  /** Something that comes last: nothing else was to come. */
  async function expectNothingMore(client: TestClient): Promise<void> {
    await rig.broker.publish('end', 'x')
    expect(await client.next()).toEqual(['publish end "x"'])
  }

  it('come after a crash, but for what is at QoS 0', async () => {
    const client = await connect('connack 0')
    client.subscribe('end', 0).subscribe('r/+', 1, 2)
    expect(await client.next(3)).toEqual([
      'suback 1 [0]',
      'suback 2 [1]',
      expect.stringMatching(/^publish .* id 1 retain$/),
    ])
    await crash()
    const back = await connect()
    expect(await takeQos1(back, 3, 1)).toEqual(['r/a', 'r/b', 'r/c'])
    await expectNothingMore(back)
  })

  it('do not come again once they have all been sent', async () => {
    const client = await connect('connack 0')
    client.subscribe('end', 0).subscribe('r/a', 1, 2)
    expect(await client.next(3)).toEqual(['suback 1 [0]', 'suback 2 [1]', 'publish r/a "a" qos 1 id 1 retain'])
    client.puback(1)
    await rig.broker.publish('other', 'comes after', { qos: 1, retain: true })
    await crash()
    await expectNothingMore(await connect())
  })

  it('are not sent twice at QoS 2 while they are under way', async () => {
    const client = await connect('connack 0')
    client.subscribe('end', 0).subscribe('r/a', 2, 2).subscribe('r/b', 2, 3)
    expect((await client.next(4)).at(-1)).toBe('publish r/a "a" qos 2 id 1 retain')
    client.send({ type: 'pubrec', packetId: 1 })
    expect(await client.next()).toEqual(['pubrel 1'])
    await crash()
    const back = await connect()
    expect(await back.next()).toEqual(['pubrel 1'])
    back.send({ type: 'pubcomp', packetId: 1 })
    expect(await back.next()).toEqual(['publish r/b "b" qos 2 id 2 retain'])
    back.send({ type: 'pubrec', packetId: 2 })
    expect(await back.next()).toEqual(['pubrel 2'])
    back.send({ type: 'pubcomp', packetId: 2 })
    await expectNothingMore(back)
  })

  it('are forgotten with their subscription', async () => {
    const client = await connect('connack 0')
    client.subscribe('end', 0).subscribe('r/+', 1, 2)
    await client.next(3)
    client.send({ type: 'unsubscribe', packetId: 3, filters: ['r/+'] })
    expect(await client.next()).toEqual(['unsuback 3'])
    await crash()
    const back = await connect()
    expect(await takeQos1(back, 1, 1)).toHaveLength(1) // it had been sent
    await expectNothingMore(back)
  })
})
