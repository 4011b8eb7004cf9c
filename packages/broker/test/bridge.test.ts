// Bridges of mosquitto and VerneMQ mark themselves by the highest bit of the Protocol Level, which no standard knows.
import { describe, expect, it } from 'vitest'
import { startRig } from './rig.js'

describe.each([
  ['0x84', 4, {}],
  ['0x83, where 3.1 is on', 3, { mqtt31: true }],
] as const)('a bridge of level %s', (_level, version, options) => {
  const bridge = { version, bridge: true } as const

  it('hears nothing of what it has published itself, and of the rest what is retained as published', async () => {
    const rig = await startRig(options)
    const client = await rig.connect('b', bridge)
    await client.subscribe('#', 1).heard()
    client.publish('a', 'from the bridge', 1, 7, true)
    expect(await client.heard()).toEqual(['puback 7'])
    rig.broker.publish('b', 'kept', { qos: 1, retain: true })
    rig.broker.publish('c', 'live', { qos: 1 })
    expect(await client.heard()).toEqual(['publish b "kept" qos 1 id 1 retain', 'publish c "live" qos 1 id 2'])
    const other = await rig.connect('o')
    other.subscribe('#', 0).publish('d', 'of another', 0, 0, true)
    expect(await client.heard()).toEqual(['publish d "of another" retain'])
    expect(await other.heard()).toContain('publish d "of another"') // who is no bridge is served as before
  })

  it('has its part of a shared subscription, its own messages too [MQTT-3.8.3-4]', async () => {
    const rig = await startRig(options)
    const client = await rig.connect('b', bridge)
    await client.subscribe('$share/g/a', 0).heard()
    client.publish('a', 'x')
    expect(await client.heard()).toEqual(['publish a "x"'])
  })

  it('is held to the access rules as anybody is, which see what it is', async () => {
    const seen: unknown[] = []
    const authenticate = ({ bridge, version }: { bridge?: boolean; version: number }) => !!seen.push([version, bridge])
    const authorize = ({ topic }: { topic: string }) => topic !== 'secret/#'
    const rig = await startRig({ ...options, hooks: [{ authenticate, authorize }] })
    const client = await rig.connect('b', bridge)
    client.subscribe('secret/#')
    expect(await client.heard()).toEqual([version === 3 ? 'suback 1 [0]' : 'suback 1 [128]'])
    expect(seen).toEqual([[version, true]])
  })

  it('is refused as a level that is not there, where bridges are switched off', async () => {
    const rig = await startRig({ ...options, bridgeProtocol: false })
    const client = rig.greet('b', bridge)
    expect([await client.heard(), client.closed]).toEqual([['connack 84'], true]) // return code 1: it tries again without
    expect((await rig.connect('b', { version })).closed).toBe(false)
  })
})

it('a bridge of 3.1 is refused where 3.1 is', async () => {
  const rig = await startRig()
  expect(await rig.greet('b', { version: 3, bridge: true }).heard()).toEqual(['connack 84'])
})

it('there is none of 5.0, which has options for what it wants', async () => {
  const rig = await startRig()
  const client = rig.open().speak(5).sendHex('100f 0004 4d515454 85 02 003c 00 0002 6831')
  expect([await client.heard(), client.closed]).toEqual([['connack 84'], true])
})
