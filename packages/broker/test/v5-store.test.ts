import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Packet, PropertiesOf } from '@godwit/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BrokerOptions } from '../src/index.js'
import { lmdbStore } from '../src/store/lmdb/index.js'
import { VirtualClock } from '../src/testing/index.js'
import { type Rig, startRig } from './rig.js'
import { type ConnectOptions, connectPacket, publishPacket, type TestClient } from './test-client.js'

let directory: string
let rig: Rig
let time = Date.UTC(2026, 0, 1)
const kept = { version: 5, cleanStart: false, properties: { sessionExpiryInterval: 6000 } } as const

async function open(options: BrokerOptions = {}): Promise<void> {
  rig = await startRig({ ...options, store: lmdbStore({ directory }), clock: new VirtualClock(time) })
}

/** The broker is gone for a while. */
async function reopen(seconds = 0, options: BrokerOptions = {}): Promise<void> {
  await rig.broker.close()
  time += seconds * 1000
  await open(options)
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'godwit-v5-'))
  await open()
})
afterEach(async () => {
  await rig.broker.close()
  await rm(directory, { recursive: true })
})

/** Connects to the store that takes real time to flush. */
async function connect(clientId: string, options: ConnectOptions, connack = 'connack 0'): Promise<TestClient> {
  const client = rig.open(clientId).send(connectPacket(clientId, options))
  expect(await client.next()).toEqual([connack])
  return client
}

async function leave(client: TestClient): Promise<void> {
  client.disconnect()
  await client.ended()
}

it('properties, expiry and subscription options survive', async () => {
  const client = await connect('s', kept)
  client.send({
    type: 'subscribe',
    packetId: 1,
    properties: { subscriptionIdentifiers: [9] },
    subscriptions: [{ filter: '#', qos: 1, noLocal: true, retainAsPublished: true }],
  })
  expect(await client.next()).toEqual(['suback 1 [1]'])
  await leave(client)
  const pub = await connect('p', { version: 5 })
  const properties: PropertiesOf<'publish'> = {
    contentType: 'text',
    userProperties: [
      ['b', '1'],
      ['a', '2'],
    ],
    messageExpiryInterval: 100,
  }
  pub.send({ ...publishPacket('a', 'x', 1, 1, true), properties } as Packet)
  pub.send({ ...publishPacket('b', 'x', 1, 2), properties: { messageExpiryInterval: 20 } } as Packet)
  expect(await pub.next(2)).toEqual(['puback 1', 'puback 2'])
  await reopen(60)
  const back = rig.open('s').send(connectPacket('s', kept))
  const told = '{"messageExpiryInterval":40,"contentType":"text","userProperties":[["b","1"],["a","2"]]}'
  await expect.poll(async () => (await rig.broker.metrics()).publishSent).toBe(1)
  expect((await back.heardInFull()).slice(1)).toEqual([`publish a "x" qos 1 id 1 retain by 9 ${told}`])
  back.publish('own', 'x', 1, 1)
  expect(await back.next()).toEqual(['puback 1']) // and no copy of its own
  back.send({ type: 'subscribe', packetId: 2, subscriptions: [{ filter: 'a', qos: 0 }] })
  await expect.poll(async () => (await rig.broker.metrics()).publishSent).toBe(2)
  expect((await back.heardInFull())[1]).toBe(`publish a "x" retain ${told}`)
})

it('No Local knows own retained messages, also those from before a restart [MQTT-3.8.3-3]', async () => {
  const asked = (packetId: number): Packet => ({
    type: 'subscribe',
    packetId,
    subscriptions: [{ filter: '#', qos: 1, noLocal: true }],
  })
  const client = await connect('own', kept)
  const other = await connect('other', { version: 5 })
  client.publish('mine', 'x', 1, 1, true)
  other.publish('theirs', 'x', 1, 1, true)
  expect(await client.next()).toEqual(['puback 1'])
  expect(await other.next()).toEqual(['puback 1'])
  client.send(asked(2))
  expect(await client.next(2)).toEqual(['suback 2 [1]', 'publish theirs "x" qos 1 id 1 retain'])
  client.send({ type: 'puback', packetId: 1 })
  await leave(client)
  await reopen()
  const back = await connect('own', kept, 'connack 0 present')
  back.send(asked(3))
  expect(await back.next(2)).toEqual(['suback 3 [1]', 'publish theirs "x" qos 1 id 2 retain'])
})

it('session expiry goes on while the broker is down', async () => {
  await leave(await connect('c', kept))
  await reopen(5990)
  await leave(await connect('c', kept, 'connack 0 present'))
  await reopen(6010)
  await rig.pass(2000)
  await connect('c', kept)
})

it('the expiry that DISCONNECT gave survives', async () => {
  const client = await connect('c', kept)
  client.send({ type: 'disconnect', properties: { sessionExpiryInterval: 10 } })
  await client.ended()
  await reopen(20)
  await rig.pass(2000)
  await connect('c', kept)
})

it('a delayed will keeps its time and its properties', async () => {
  const properties = { willDelayInterval: 100, contentType: 'text' }
  const client = await connect('c', { ...kept, will: { topic: 'w', payload: 'gone', properties } })
  client.drop()
  await rig.pass(0)
  await expect.poll(async () => (await rig.broker.metrics()).bytesReceived).toBeGreaterThan(0)
  await reopen(50)
  const watcher = await connect('watcher', { version: 5 })
  watcher.subscribe('w')
  expect(await watcher.next()).toEqual(['suback 1 [0]'])
  await rig.pass(48_000)
  expect(await watcher.heard()).toEqual([])
  await rig.pass(4000)
  expect(await watcher.heardInFull()).toEqual(['publish w "gone" {"contentType":"text"}'])
})

it('a delayed will is still cancelled by a resumption', async () => {
  const will = { topic: 'w', payload: 'gone', properties: { willDelayInterval: 100 } }
  await connect('c', { ...kept, will })
  await reopen() // its connection was open: it counts as closed now
  const watcher = await connect('watcher', { version: 5 })
  watcher.subscribe('w')
  expect(await watcher.next()).toEqual(['suback 1 [0]'])
  await connect('c', kept, 'connack 0 present')
  await rig.pass(300_000)
  expect(await watcher.heard()).toEqual([])
})

it('a delayed will whose time passed while the broker was down goes out at the start', async () => {
  const will = { topic: 'w', payload: 'gone', qos: 1, properties: { willDelayInterval: 100 } } as const
  const watcher = await connect('watcher', kept)
  expect(await watcher.subscribe('w', 1).next()).toEqual(['suback 1 [1]'])
  await leave(watcher)
  const client = await connect('c', { ...kept, will })
  client.send({ type: 'disconnect', reasonCode: 4 }) // in order, but with its will: the delay begins
  await client.ended()
  await reopen(200)
  expect((await rig.broker.metrics()).willsPublished).toBe(1)
  const back = rig.open('watcher').send(connectPacket('watcher', kept))
  expect(await back.next(2)).toEqual(['connack 0 present', 'publish w "gone" qos 1 id 1'])
})

describe('wills of connections that the end of the broker cut off', () => {
  const wills = ['1', '2', '3', '4', '5']

  /** Five clients with wills, a watcher of them, and the broker's end. */
  async function cutOff(options: BrokerOptions): Promise<void> {
    const watcher = await connect('watcher', kept)
    expect(await watcher.subscribe('w', 1).next()).toEqual(['suback 1 [1]'])
    for (const payload of wills) await connect(`c${payload}`, { ...kept, will: { topic: 'w', payload } })
    await reopen(0, options)
    expect(rig.broker.recovered.wills).toBe(5)
  }

  function listen(): string[] {
    const heard: string[] = []
    rig.broker.subscribe('w', ({ text }) => void heard.push(text()))
    return heard
  }

  it('are published, so many a second', async () => {
    await cutOff({ limits: { willsAfterRestartPerSecond: 2 } })
    expect((await rig.broker.metrics()).willsPublished).toBe(2) // before anybody can come back
    const heard = listen()
    await rig.pass(1000)
    expect(heard).toHaveLength(2)
    await rig.pass(1000)
    expect([heard.length, (await rig.broker.metrics()).willsPublished]).toEqual([3, 5])
    await reopen()
    expect(rig.broker.recovered.wills).toBe(0)
  })

  it('go out before their client is greeted again, and its new will stays', async () => {
    await cutOff({ limits: { willsAfterRestartPerSecond: 1 } })
    const heard = listen()
    await connect('c4', { ...kept, will: { topic: 'w', payload: 'of the new one' } }, 'connack 0 present')
    expect(heard).toEqual(['4'])
    await rig.pass(10_000)
    expect(heard.sort()).toEqual(['2', '3', '4', '5'])
    await reopen()
    expect(rig.broker.recovered.wills).toBe(1)
  })

  it('that have not had their turn when the broker ends again are due at its next start', async () => {
    await cutOff({ limits: { willsAfterRestartPerSecond: 1 } })
    await reopen()
    expect([rig.broker.recovered.wills, (await rig.broker.metrics()).willsPublished]).toEqual([4, 4])
  })

  it('are dropped and counted, where they are not wanted', async () => {
    await cutOff({ willsAfterRestart: 'drop' })
    expect((await rig.broker.metrics()).dropped['will-after-restart']).toBe(5)
    expect((await rig.broker.metrics()).willsPublished).toBe(0)
    await reopen()
    expect(rig.broker.recovered.wills).toBe(0)
  })
})

it('what is retained is not seen while that is switched off, and there again afterwards', async () => {
  const client = await connect('c', { version: 5 })
  expect(await client.send(publishPacket('a', 'x', 1, 1, true)).next()).toEqual(['puback 1'])
  await reopen(0, { retainAvailable: false })
  const blind = await connect('d', { version: 5 })
  expect(await blind.subscribe('a').heard()).toEqual(['suback 1 [0]'])
  await reopen()
  const seeing = await connect('d', { version: 5 })
  expect(await seeing.subscribe('a').heard()).toEqual(['suback 1 [0]', 'publish a "x" retain'])
})

it('a session whose time was over before the broker came back is not resumed [MQTT-4.1.0-2]', async () => {
  const expiring = { version: 5, cleanStart: false, properties: { sessionExpiryInterval: 5 } } as const
  const client = await connect('s', expiring)
  client.subscribe('a', 1)
  expect(await client.next()).toEqual(['suback 1 [1]'])
  await leave(client)
  await reopen(60)
  const back = await connect('s', expiring)
  await leave(back)
  await reopen()
  await connect('s', expiring, 'connack 0 present') // a new one, and it lives on
  expect(await rig.broker.subscriptions.count()).toBe(0)
})
