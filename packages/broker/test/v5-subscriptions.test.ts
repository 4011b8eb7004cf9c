import type { Packet, Subscription } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { startRig } from './rig.js'
import { publishPacket } from './test-client.js'

function subscribe(subscriptions: Subscription[], identifier?: number): Packet {
  const properties = identifier === undefined ? {} : { subscriptionIdentifiers: [identifier] }
  return { type: 'subscribe', packetId: 1, subscriptions, properties }
}

it('overlapping subscriptions bring one copy with all their identifiers [MQTT-3.3.4-4]', async () => {
  const rig = await startRig()
  const client = await rig.connect('c', { version: 5 })
  client.send(subscribe([{ filter: 'a/#', qos: 1 }], 7), subscribe([{ filter: 'a/+', qos: 2 }], 268_435_455))
  client.send(subscribe([{ filter: 'a/b', qos: 0 }]))
  await client.heard()
  rig.broker.publish('a/b', 'x', { qos: 2 })
  const [line, ...more] = await client.heard()
  expect(line).toMatch(/^publish a\/b "x" qos 2 id 1 by /)
  expect([line!.split(' by ')[1]!.split(',').sort(), more]).toEqual([['268435455', '7'], []])
  client.send(subscribe([{ filter: 'a/#', qos: 1 }])) // without one: the old is gone
  await client.heard()
  rig.broker.publish('a', 'x')
  expect(await client.heard()).toEqual(['publish a "x"'])
})

it('No Local keeps own messages away, unless another filter asks for them [MQTT-3.8.3-3]', async () => {
  const rig = await startRig()
  const [client, other] = [await rig.connect('c', { version: 5 }), await rig.connect('o', { version: 5 })]
  client.send(subscribe([{ filter: 'a/+', qos: 2, noLocal: true }], 1), subscribe([{ filter: 'a/b', qos: 0 }], 2))
  await client.heard()
  for (const one of [client, other]) one.publish('a/b', 'x', 1).publish('a/c', 'x', 1, 2)
  expect((await client.heard()).filter((line) => line.startsWith('publish')).sort()).toEqual([
    'publish a/b "x" by 2',
    'publish a/b "x" qos 1 id 1 by 1,2',
    'publish a/c "x" qos 1 id 2 by 1',
  ])
})

it('Retain As Published leaves RETAIN as it was', async () => {
  const rig = await startRig()
  const client = await rig.connect('c', { version: 5 })
  client.send(
    subscribe([
      { filter: 'a', qos: 0, retainAsPublished: true },
      { filter: 'b', qos: 0 },
    ]),
  )
  await client.heard()
  for (const topic of ['a', 'b']) rig.broker.publish(topic, 'x', { retain: true })
  rig.broker.publish('a', 'y')
  expect(await client.heard()).toEqual(['publish a "x" retain', 'publish b "x"', 'publish a "y"'])
})

describe('Retain Handling', () => {
  it.each([
    [0, ['publish a "x" retain'], ['publish a "x" retain']],
    [1, ['publish a "x" retain'], []],
    [2, [], []],
  ] as const)('%i', async (retainHandling, first, again) => {
    const rig = await startRig()
    rig.broker.publish('a', 'x', { retain: true })
    const client = await rig.connect('c', { version: 5 })
    for (const expected of [first, again]) {
      client.send(subscribe([{ filter: 'a', qos: 0, retainHandling }]))
      expect(await client.heard()).toEqual(['suback 1 [0]', ...expected])
    }
  })
})

it('a client may not send a subscription identifier with PUBLISH [MQTT-3.3.4-6]', async () => {
  const rig = await startRig()
  const client = await rig.connect('c', { version: 5 })
  client.send({ ...publishPacket('a', 'x'), properties: { subscriptionIdentifiers: [1] } } as Packet)
  expect((await client.heardInFull())[0]).toMatch(/^disconnect 0x82/)
})
