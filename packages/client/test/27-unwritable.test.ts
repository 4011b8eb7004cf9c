import { expect, test } from 'vitest'
import { connect, memoryStore, type StoredPublish } from '../src/index.js'
import { inBothVersions, rig } from './rig.js'
import { settled } from './virtual-clock.js'

inBothVersions((version) => {
  test('what a store gives and nobody can write is rejected alone: nothing of it leaves, and what is behind goes on', async () => {
    const message = {
      topic: 'a',
      qos: 1,
      retain: false,
      properties: undefined,
      expiresAt: Infinity,
      released: 0,
    } as const
    const outgoing: StoredPublish[] = [
      { ...message, sequence: 1, packetId: 0, payload: BigInt64Array.of(1n) as unknown as Uint8Array },
      { ...message, sequence: 2, packetId: 0, payload: Uint8Array.of(0x62) },
    ]
    const store = { ...memoryStore(), load: async () => ({ outgoing, received: [] }) }
    const made = rig({ store })
    const connecting = connect('mqtt://broker', made.options)
    const peer = await made.server.accept()
    await peer.welcome(version === 5 ? { properties: { topicAliasMaximum: 5 } } : {})
    const client = await connecting
    const told: unknown[] = []
    client.on('recovered', ({ topic, error }) => told.push([topic, error?.message]))
    const { packetId } = await peer.expect('publish', {
      topic: 'a',
      ...(version === 5 && { properties: { topicAlias: 1 } }),
    })
    peer.send({ type: 'puback', packetId: packetId! })
    await settled()
    expect(told).toEqual([
      ['a', expect.stringContaining("publish to 'a': it cannot be written: ")],
      ['a', undefined],
    ])
    expect(client.state).toBe('connected')
  })
})
