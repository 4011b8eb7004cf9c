import { encode, type Packet, type ProtocolVersion } from '@godwit/protocol'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startRig } from './rig.js'
import { connectPacket, publishPacket, subscribePacket } from './test-client.js'

// What clients send must never become an exception of the process.
const escaped: unknown[] = []
const note = (error: unknown): void => void escaped.push(error)
beforeEach(() => {
  process.on('uncaughtException', note).on('unhandledRejection', note)
})
afterEach(() => {
  process.off('uncaughtException', note).off('unhandledRejection', note)
  expect(escaped.splice(0)).toEqual([])
})

const will = { topic: 'w', payload: 'x', qos: 1, retain: true } as const
const packets = (version: ProtocolVersion): readonly Packet[] => [
  connectPacket('fuzz', { version, cleanStart: false, will, username: 'u' }),
  publishPacket('a/b', 'payload'),
  publishPacket('a/b', 'payload', 1, 5, true),
  publishPacket('a/b', 'payload', 2, 6),
  { type: 'puback', packetId: 1 },
  { type: 'pubrec', packetId: 2 },
  { type: 'pubrel', packetId: 6 },
  { type: 'pubcomp', packetId: 2 },
  subscribePacket([
    { filter: 'a/#', qos: 2 },
    { filter: '+/b', qos: 1 },
  ]),
  { type: 'unsubscribe', packetId: 3, filters: ['a/#'] },
  { type: 'pingreq' },
  { type: 'disconnect' },
  ...(version === 5 ? packets50 : []),
]
const packets50: readonly Packet[] = [
  {
    type: 'publish',
    topic: 'a/b',
    payload: Buffer.from('payload'),
    qos: 1,
    packetId: 7,
    retain: true,
    dup: false,
    properties: {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 5,
      responseTopic: 'r',
      correlationData: Buffer.from('c'),
      topicAlias: 1,
      userProperties: [['k', 'v']],
    },
  },
  { type: 'pubrec', packetId: 2, reasonCode: 0x80, properties: { reasonString: 'no' } },
  { type: 'auth', reasonCode: 0x19, properties: { authenticationMethod: 'm' } },
  { type: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 5 } },
]

/** Some legal packets with a few bytes changed, put in or left out. */
const mutated = (legal: readonly Uint8Array[]) =>
  fc
    .tuple(
      fc.array(fc.constantFrom(...legal), { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('change', 'insert', 'remove'), fc.integer({ min: 0, max: 255 })), {
        maxLength: 4,
      }),
    )
    .map(([parts, changes]) => {
      const bytes = [...Buffer.concat(parts)]
      for (const [where, what, byte] of changes) {
        const at = where % (bytes.length + 1)
        if (what === 'change') bytes[at] = byte
        else if (what === 'insert') bytes.splice(at, 0, byte)
        else bytes.splice(at, 1)
      }
      return Uint8Array.from(bytes)
    })

describe.each([4, 5] as const)('at version %i', (version) => {
  const legal = packets(version).map((packet) => encode(packet, version))
  const [connect] = legal as [Uint8Array]

  it.each([
    ['random bytes', fc.uint8Array({ minLength: 1, maxLength: 300 })],
    ['packets with a few bytes wrong', mutated(legal)],
  ])('%s, in many connections and any pieces, harm nobody else', async (_, bytes) => {
    const rig = await startRig({ limits: { maxPacketBytes: 10_000 } })
    const witness = await rig.connect('witness')
    witness.subscribe('still/there', 1)
    await witness.heard()
    const dialogue = fc.record({
      greets: fc.boolean(),
      chunks: fc.array(bytes, { minLength: 1, maxLength: 4 }),
      drops: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(dialogue, async ({ greets, chunks, drops }) => {
        const client = rig.open('', false) // what it is answered may be anything
        client.readOn()
        if (greets) client.sendBytes(connect)
        for (const chunk of chunks) if (!client.closed) client.sendBytes(chunk)
        await rig.pass(100)
        if (drops) client.drop()
      }),
      { numRuns: 300 },
    )
    await rig.pass(20_000)
    witness.heard()
    const other = await rig.connect('other')
    other.publish('still/there', 'yes', 1)
    expect(await other.heard()).toEqual(['puback 1'])
    expect((await witness.heard()).at(-1)).toMatch(/^publish still\/there "yes" qos 1/)
    expect((await rig.broker.metrics()).protocolErrors).toBeGreaterThan(50)
    expect(rig.log.filter((line) => line.startsWith('error'))).toEqual([])
    await rig.broker.close()
  })
})

it('a topic of 65,535 bytes is matched, remembered and forgotten like any other', async () => {
  const rig = await startRig({ limits: { maxTopicLevels: 70_000 } })
  const client = await rig.connect('c')
  for (const topic of ['x'.repeat(65_535), '/'.repeat(9000)]) {
    client.publish(topic, 'x', 1)
    expect(await client.heard()).toEqual(['puback 1'])
  }
})
