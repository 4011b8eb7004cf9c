import type { Packet, QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { startRig } from './rig.js'
import { connectPacket, publishPacket } from './test-client.js'

const durable = { cleanStart: false }

describe('session expiry', () => {
  it('ends a session that nobody came back to, with all it had', async () => {
    const rig = await startRig({ limits: { sessionExpirySeconds: 60 } })
    const client = await rig.connect('c', durable)
    client.subscribe('a', 1).disconnect()
    await client.heard()
    await rig.pass(59_000)
    rig.broker.publish('a', 'queued', { qos: 1 })
    const back = rig.greet('c', durable)
    expect(await back.heard()).toEqual(['connack 0 present', 'publish a "queued" qos 1 id 1'])
    await rig.pass(120_000) // no time runs while it is connected
    back.disconnect()
    await back.heard()
    await rig.pass(61_000)
    expect((await rig.broker.metrics()).sessionsExpired).toBe(1)
    rig.broker.publish('a', 'for nobody', { qos: 1 })
    const late = rig.greet('c', durable)
    expect(await late.heard()).toEqual(['connack 0'])
  })

  it('is 30 days by default, longer than a timer of Node can be', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', durable)
    client.drop()
    await rig.pass(0)
    rig.clock.advance(30 * 86_400_000 - 10_000)
    const back = rig.greet('c', durable)
    expect(await back.heard()).toEqual(['connack 0 present'])
    back.drop()
    await rig.pass(0)
    await rig.pass(30 * 86_400_000 + 2000)
    expect((await rig.broker.metrics()).sessionsExpired).toBe(1)
  })

  it('may be never, or at once', async () => {
    const never = await startRig({ limits: { sessionExpirySeconds: 0xffff_ffff } })
    const one = await never.connect('c', durable)
    one.drop()
    await never.pass(0)
    await never.pass(60 * 86_400_000) // twice the default
    expect(await never.open().send(connectPacket('c', durable)).heard()).toEqual(['connack 0 present'])

    const atOnce = await startRig({ limits: { sessionExpirySeconds: 0 } })
    const other = await atOnce.connect('c', durable)
    other.disconnect()
    await other.heard()
    expect(await atOnce.open().send(connectPacket('c', durable)).heard()).toEqual(['connack 0'])
  })
})

describe.each([4, 5] as const)('at version %i, a session kept', (version) => {
  it('goes on with QoS 2 from both sides where it stopped', async () => {
    const rig = await startRig({}, version)
    const got: string[] = []
    rig.broker.subscribe('up', ({ text }) => void got.push(text()))
    const client = await rig.connect('c', rig.durable)
    client.subscribe('down', 2)
    client.publish('up', 'once', 2, 7)
    rig.broker.publish('down', 'first', { qos: 2 })
    rig.broker.publish('down', 'second', { qos: 2 })
    await client.heard()
    client.send({ type: 'pubrec', packetId: 1 })
    await client.heard()
    client.drop()
    await rig.pass(0)
    const back = rig.greet('c', rig.durable)
    back.send(publishPacket('up', 'once', 2, 7, false, true), { type: 'pubrel', packetId: 7 })
    expect(await back.heard()).toEqual([
      'connack 0 present',
      'pubrel 1',
      'publish down "second" qos 2 id 2 dup',
      'pubrec 7',
      'pubcomp 7',
    ])
    back.publish('up', 'another', 2, 7) // the id is free again
    expect(await back.heard()).toEqual(['pubrec 7'])
    expect(got).toEqual(['once', 'another'])
  })

  it('queues its own will, and sends it without DUP', async () => {
    const rig = await startRig({}, version)
    const client = await rig.connect('c', { ...rig.durable, will: { topic: 'w', payload: 'x', qos: 1 } })
    client.subscribe('w', 1)
    await client.heard()
    client.drop()
    await rig.pass(0)
    const back = rig.greet('c', rig.durable)
    expect(await back.heard()).toEqual(['connack 0 present', 'publish w "x" qos 1 id 1'])
  })

  it('is gone with a clean session, and does not rise again', async () => {
    const rig = await startRig({}, version)
    const client = await rig.connect('c', rig.durable)
    client.subscribe('a', 1)
    await client.heard()
    const clean = await rig.connect('c')
    clean.disconnect()
    await clean.heard()
    rig.broker.publish('a', 'x', { qos: 1 })
    expect(await rig.greet('c', rig.durable).heard()).toEqual(['connack 0'])
  })

  it('counts acknowledgements that belong to nothing, and goes on', async () => {
    const rig = await startRig({}, version)
    const client = await rig.connect('c')
    client.send({ type: 'puback', packetId: 9 }, { type: 'pubcomp', packetId: 9 }, { type: 'pubrec', packetId: 9 })
    client.send({ type: 'pubrel', packetId: 9 }, { type: 'pingreq' })
    expect(await client.heard()).toEqual(['pubrel 9', 'pubcomp 9', 'pingresp'])
    expect((await rig.broker.metrics()).strayAcks).toBeGreaterThanOrEqual(2)
    expect((await rig.broker.metrics()).protocolErrors).toBe(0)
  })

  it.each<[QoS, string, readonly Packet[]]>([
    [1, 'pubrec', [{ type: 'pubrec', packetId: 1 }]],
    [1, 'pubcomp', [{ type: 'pubcomp', packetId: 1 }]],
    [2, 'puback', [{ type: 'puback', packetId: 1 }]],
    [2, 'pubcomp', [{ type: 'pubcomp', packetId: 1 }]],
    [
      2,
      'puback',
      [
        { type: 'pubrec', packetId: 1 },
        { type: 'puback', packetId: 1 },
      ],
    ],
  ])('at QoS %i ends with a %s that is out of turn [MQTT-4.8.0-1]', async (qos, type, answers) => {
    const rig = await startRig({}, version)
    const client = await rig.connect('c')
    client.subscribe('a', qos)
    await client.heard()
    rig.broker.publish('a', 'x', { qos })
    await client.heard()
    client.send(...answers)
    await client.heard()
    expect(client.closed).toBe(true)
    const { strayAcks, protocolErrors } = await rig.broker.metrics()
    expect({ strayAcks, protocolErrors }).toEqual({ strayAcks: 1, protocolErrors: 1 })
    expect(rig.log.at(-1)).toBe(
      `info client gone {"clientId":"c","address":"test","reason":"${type} for packet id 1, which waits for another packet"}`,
    )
  })
})

it('a thousand connections that come and go leave nothing behind', async () => {
  const rig = await startRig({ sysIntervalSeconds: 10 })
  for (let n = 0; n < 1000; n++) {
    const client = rig.open().send(connectPacket(n % 2 === 0 ? '' : `c${n}`, { keepAliveSeconds: 60 }))
    client.subscribe(`own/${n}/#`, 2)
    if (n % 3 === 0) await client.heard()
    if (n % 3 === 1) client.disconnect()
    client.drop()
  }
  await rig.pass(10_000)
  const facts: string[] = []
  rig.broker.subscribe('$SYS/broker/#what', ({ params, text }) => void facts.push(`${params.what} ${text()}`))
  expect(facts).toEqual(expect.arrayContaining(['clients/total 0', 'subscriptions/count 0', 'clients/expired 0']))
  expect(rig.log.filter((line) => line.startsWith('error'))).toEqual([])
})
