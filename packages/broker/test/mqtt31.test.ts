import { expect, it } from 'vitest'
import { startRig } from './rig.js'
import { connectPacket, publishPacket } from './test-client.js'

const connectHex = '100f 0006 4d5149736470 03 02 003c 0001 63'
const v31 = { version: 3 } as const

it('is refused with return code 1, where it is not switched on', async () => {
  const rig = await startRig()
  const client = rig.open().sendHex(connectHex)
  expect(await client.heard()).toEqual(['connack 84'])
  expect(client.closed).toBe(true)
})

it('is served beside the later versions, where it is', async () => {
  const rig = await startRig({ mqtt31: true })
  const late = await rig.connect('late', { version: 5 })
  await late.subscribe('#', 2).heard()
  const client = rig.open().sendHex(connectHex)
  expect(await client.heard()).toEqual(['connack 0'])
  client.sendHex('8208 0001 0003 612f23 02') // SUBSCRIBE
  client.sendHex('320a 0003 612f62 0007 616263') // PUBLISH at QoS 1
  expect(await client.heard()).toEqual(['suback 1 [2]', 'publish a/b "abc" qos 1 id 1', 'puback 7'])
  expect(await late.heard()).toEqual(['publish a/b "abc" qos 1 id 1'])
  client.sendHex('34 0a 0003 612f63 0008 616263').sendHex('6202 0008') // QoS 2
  expect(await client.heard()).toEqual(['publish a/c "abc" qos 2 id 2', 'pubrec 8', 'pubcomp 8'])
})

it('says with DUP what is sent again', async () => {
  const rig = await startRig({ mqtt31: true })
  const client = rig.open().sendHex(connectHex)
  client.sendHex('8a06 0001 0001 61 01').sendHex('6a02 0009').sendHex('aa05 0002 0001 61')
  expect(await client.heard()).toEqual(['connack 0', 'suback 1 [1]', 'pubcomp 9', 'unsuback 2'])
})

it.each([
  ['of 23 characters', 'é'.repeat(23), true, 'connack 0'],
  ['of 24', 'x'.repeat(24), true, 'connack 85'],
  ['of none, clean', '', true, 'connack 85'],
  ['of none', '', false, 'connack 85'],
])('a Client Identifier %s', async (_, clientId, cleanStart, connack) => {
  const rig = await startRig({ mqtt31: true })
  const client = rig.open().send(connectPacket(clientId, { ...v31, cleanStart }))
  expect(await client.heard()).toEqual([connack]) // 85: return code 2
})

it('has no Session Present', async () => {
  const rig = await startRig({ mqtt31: true })
  const kept = { ...v31, cleanStart: false }
  const client = await rig.connect('c', kept)
  client.subscribe('a', 1).drop()
  await rig.pass(0)
  rig.broker.publish('a', 'x', { qos: 1 })
  const back = rig.greet('c', kept)
  expect(await back.heard()).toEqual(['connack 0', 'publish a "x" qos 1 id 1'])
})

it('has no refusals: it is answered as if, and nothing happens', async () => {
  const rig = await startRig({ mqtt31: true, hooks: [{ authorize: ({ topic }) => topic !== 'no' }] })
  const client = await rig.connect('c', v31)
  client.subscribe('no', 1).send(publishPacket('no', 'x', 1, 2))
  expect(await client.heard()).toEqual(['suback 1 [1]', 'puback 2'])
  rig.broker.publish('no', 'x', { qos: 1 })
  expect(await client.heard()).toEqual([])
  expect((await rig.broker.metrics()).dropped['not-authorized']).toBe(1)
})
