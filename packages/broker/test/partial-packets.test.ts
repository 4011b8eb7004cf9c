// Packets that have come in part, of clients that are in: what they take is charged, and bounded.
import { encode } from '@godwit/protocol'
import { expect, it } from 'vitest'
import { type Rig, settled, startRig } from './rig.js'
import { publishPacket } from './test-client.js'

const packetBytes = 300_000
const packet = (topic: string): Uint8Array => encode(publishPacket(topic, 'x'.repeat(packetBytes), 1, 1), 4)
const begun = 100_000

/** One packet of this size has room, in part. */
const limits = { maxWaitingBytes: 400_000 }

const waiting = async ({ broker }: Rig): Promise<number> => (await broker.accounts()).waiting.bytes

it('are charged with the memory they take, and no more when they are whole, or the client is gone', async () => {
  const rig = await startRig({ limits })
  const [a, b] = [await rig.connect('a'), await rig.connect('b')]
  const before = await waiting(rig)
  a.sendBytes(packet('t').subarray(0, begun))
  await settled()
  expect((await waiting(rig)) - before).toBeGreaterThanOrEqual(begun)
  expect((await waiting(rig)) - before).toBeLessThan(packetBytes + 1_000)
  b.sendBytes(packet('t').subarray(0, begun))
  a.sendBytes(packet('t').subarray(begun))
  expect(await a.heard()).toEqual(['puback 1'])
  b.drop()
  await settled()
  expect(await waiting(rig)).toBe(before)
})

it('beyond what they may take one client after the other sends the rest; small ones wait for nobody', async () => {
  const rig = await startRig({ limits })
  const clients = await Promise.all(['a', 'b', 'c'].map((name) => rig.connect(name)))
  const [a, ...others] = clients
  for (const client of clients) client.sendBytes(packet('t').subarray(0, begun))
  await settled()
  for (const client of others) client.sendBytes(packet('t').subarray(begun))
  const small = await rig.connect('small')
  const whole = encode(publishPacket('t', 'y', 1, 2), 4)
  small.sendBytes(whole.subarray(0, 5))
  await settled()
  small.sendBytes(whole.subarray(5))
  expect(await small.heard()).toEqual(['puback 2'])
  for (const client of others) expect(await client.heard()).toEqual([])
  a?.sendBytes(packet('t').subarray(begun))
  for (const client of clients) expect(await client.heard()).toEqual(['puback 1'])
  expect(await waiting(rig)).toBe(0)
})

it('whoever lets others wait for the rest of its packet is ended', async () => {
  const rig = await startRig({ limits }, 5)
  const clients = await Promise.all(['a', 'b', 'c', 'd'].map((name) => rig.connect(name)))
  for (const client of clients)
    client.sendBytes(encode(publishPacket('t', 'x'.repeat(packetBytes), 1, 1), 5).subarray(0, begun))
  await rig.pass(4_000)
  expect(clients.filter(({ closed }) => closed)).toEqual([])
  await rig.pass(2_000)
  const [slow, ...others] = clients.filter(({ closed }) => closed)
  expect([others.length, await slow?.heardInFull()]).toEqual([0, [expect.stringContaining('disconnect 0x97')]])
})
