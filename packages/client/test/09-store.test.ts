import { describe, expect, test } from 'vitest'
import { connect, memoryStore } from '../src/index.js'
import { connected, rig } from './rig.js'
import { settled } from './virtual-clock.js'

const kept = { clean: false }

describe('a store outlives the client', () => {
  test('the next client with it sends again what was unfinished, and knows the QoS 2 ids received', async () => {
    const store = memoryStore()
    const first = await connected({ ...kept, store })
    for (const qos of [1, 2, 2] as const) void first.client.publish('t', `${qos}`, { qos }).catch(() => {})
    await first.peer.rest()
    first.peer.send({ type: 'pubrec', packetId: 2 })
    first.peer.publish('a', 'x', { qos: 2, packetId: 40 })
    expect(await first.peer.rest()).toEqual(['pubrel 2', 'pubrec 40'])
    await first.client.close({ timeoutMs: 0 })

    const second = await connected({ ...kept, store }, true)
    expect(await second.peer.rest()).toEqual(['pubrel 2', 'publish 1 1 dup', 'publish 3 2 dup'])
    second.peer.publish('a', 'x', { qos: 2, packetId: 40, dup: true })
    expect(await second.peer.rest()).toEqual(['pubrec 40'])
    void second.client.publish('t', 'new', { qos: 1 })
    expect(await second.peer.rest()).toEqual(['publish 4 new'])
  })

  test('nothing leaves before the store has kept what it promises, and one flush covers many packets', async () => {
    const memory = memoryStore()
    const flushes: (() => void)[] = []
    const store = { ...memory, flush: () => new Promise<void>((resolve) => flushes.push(resolve)) }
    const { server, options } = rig({ ...kept, store })
    const connecting = connect('mqtt://broker', options)
    const peer = await server.accept()
    peer.open()
    await settled()
    flushes.shift()!()
    await peer.expect('connect')
    peer.send({ type: 'connack', sessionPresent: false, reasonCode: 0 })
    const client = await connecting
    for (const text of ['a', 'b', 'c']) void client.publish('t', text, { qos: 1 })
    await peer.expectNothing()
    void client.publish('t', 'd', { qos: 1 })
    flushes.shift()!()
    expect(await peer.rest()).toEqual(['publish 1 a', 'publish 2 b', 'publish 3 c'])
    flushes.shift()!()
    expect(await peer.rest()).toEqual(['publish 4 d'])
  })
})
