import { describe, expect, it } from 'vitest'
import { startRig } from './rig.js'

const kept = (sessionExpiryInterval: number, cleanStart = false) =>
  ({ version: 5, cleanStart, properties: { sessionExpiryInterval } }) as const

describe('session expiry at 5.0', () => {
  it('is what the client asks for, from the close of its connection', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', kept(60))
    client.subscribe('a', 1).drop()
    await rig.pass(58_000)
    const back = rig.greet('c', kept(60))
    expect(await back.heard()).toEqual(['connack 0 present'])
    back.drop()
    await rig.pass(62_000)
    expect(await rig.greet('c', kept(60)).heard()).toEqual(['connack 0'])
    expect((await rig.broker.metrics()).sessionsExpired).toBe(1)
  })

  it('is over at its time, not when a timer next looks [MQTT-4.1.0-2]', async () => {
    const rig = await startRig()
    await rig.pass(300)
    const client = await rig.connect('c', kept(2))
    client.subscribe('a', 1).drop()
    await rig.pass(2100)
    expect(await rig.greet('c', kept(60)).heard()).toEqual(['connack 0'])
    expect((await rig.broker.metrics()).sessionsExpired).toBe(1)
    expect(await rig.broker.sessions.count()).toBe(1)
  })

  it('0 or nothing ends the session with its connection', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5, cleanStart: false })
    client.subscribe('a', 1).drop()
    await rig.pass(0)
    expect(await rig.greet('c', kept(60)).heard()).toEqual(['connack 0'])
  })

  it('above the cap is lowered, and the client told', async () => {
    const rig = await startRig({ limits: { maxSessionExpirySeconds: 100 } })
    const client = rig.greet('c', kept(0xffff_ffff))
    expect((await client.heardInFull())[0]).toContain('"sessionExpiryInterval":100')
    client.drop()
    await rig.pass(102_000)
    const back = rig.greet('c', kept(100))
    const [connack] = await back.heardInFull()
    expect(connack).toMatch(/^connack 0 \{/)
    expect(connack).not.toContain('sessionExpiryInterval') // granted as asked
  })

  it('0xFFFFFFFF is never, where the cap allows', async () => {
    const rig = await startRig({ limits: { maxSessionExpirySeconds: 0xffff_ffff } })
    const client = await rig.connect('c', kept(0xffff_ffff))
    client.drop()
    await rig.pass(0)
    rig.clock.advance(60 * 86_400_000)
    expect(await rig.greet('c', kept(1)).heard()).toEqual(['connack 0 present'])
  })

  it('may be changed by DISCONNECT, also to 0', async () => {
    const rig = await startRig()
    const leave = async (from: number, to: number) => {
      const client = await rig.connect('c', kept(from, true))
      client.send({ type: 'disconnect', properties: { sessionExpiryInterval: to } })
      await client.heard()
    }
    await leave(10, 100)
    await rig.pass(50_000)
    expect(await rig.greet('c', kept(10)).heard()).toEqual(['connack 0 present'])
    await leave(10, 0)
    expect(await rig.greet('c', kept(10)).heard()).toEqual(['connack 0'])
  })

  it('may not be brought up from 0 by DISCONNECT [MQTT-3.14.2-2]', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', kept(0))
    client.send({ type: 'disconnect', properties: { sessionExpiryInterval: 5 } })
    expect((await client.heardInFull())[0]).toMatch(/^disconnect 0x82/)
    expect(client.closed).toBe(true)
  })

  it('Clean Start throws away what was left, whatever its expiry', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', kept(600))
    client.subscribe('a', 1).drop()
    await rig.pass(0)
    expect(await rig.greet('c', kept(600, true)).heard()).toEqual(['connack 0'])
    rig.broker.publish('a', 'x', { qos: 1 })
    expect((await rig.broker.metrics()).publishSent).toBe(0)
  })

  it('a session may go on at the other version', async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { cleanStart: false })
    client.subscribe('a', 1).drop()
    await rig.pass(0)
    rig.broker.publish('a', 'x', { qos: 1 })
    const back = rig.greet('c', kept(600))
    expect(await back.heard()).toEqual(['connack 0 present', 'publish a "x" qos 1 id 1'])
  })
})

it('takes over with DISCONNECT 0x8E to the older connection', async () => {
  const rig = await startRig()
  const old = await rig.connect('c', { version: 5 })
  await rig.connect('c', { version: 5 })
  expect((await old.heardInFull())[0]).toMatch(/^disconnect 0x8e/)
  expect(old.closed).toBe(true)
})
