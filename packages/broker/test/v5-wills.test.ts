import { describe, expect, it } from 'vitest'
import { type Rig, startRig } from './rig.js'
import { connectPacket, type TestClient } from './test-client.js'

const withWill = (willDelayInterval: number, sessionExpiryInterval: number, cleanStart = false) =>
  ({
    version: 5,
    cleanStart,
    properties: { sessionExpiryInterval },
    will: { topic: 'w', payload: 'gone', properties: { willDelayInterval } },
  }) as const

async function setUp(): Promise<{ rig: Rig; watcher: TestClient }> {
  const rig = await startRig()
  const watcher = await rig.connect('watcher', { version: 5 })
  watcher.subscribe('w')
  await watcher.heard()
  return { rig, watcher }
}

describe('will delay', () => {
  it('holds the will back for its time', async () => {
    const { rig, watcher } = await setUp()
    const client = await rig.connect('c', withWill(30, 600))
    client.drop()
    await rig.pass(28_000)
    expect(await watcher.heard()).toEqual([])
    await rig.pass(4000)
    expect(await watcher.heard()).toEqual(['publish w "gone"'])
    await rig.pass(700_000)
    expect(await watcher.heard()).toEqual([]) // once
  })

  it('is cancelled when the session is resumed in time [MQTT-3.1.3-9]', async () => {
    const { rig, watcher } = await setUp()
    const client = await rig.connect('c', withWill(30, 600))
    client.drop()
    await rig.pass(10_000)
    await rig.connect('c', { version: 5, cleanStart: false, properties: { sessionExpiryInterval: 600 } })
    await rig.pass(100_000)
    expect(await watcher.heard()).toEqual([])
  })

  it('is over at its time: who comes back a moment later is too late', async () => {
    const { rig, watcher } = await setUp()
    await rig.pass(300)
    const client = await rig.connect('c', withWill(2, 600))
    client.drop()
    await rig.pass(2100)
    await rig.connect('c', { version: 5, cleanStart: false, properties: { sessionExpiryInterval: 600 } })
    expect(await watcher.heard()).toEqual(['publish w "gone"'])
  })

  it.each([
    ['the expiry of the session', 5, 30],
    ['the end of a session without a future', 0, 30],
    ['a delay of 0xFFFFFFFF', 5, 0xffff_ffff],
  ])('ends with %s', async (_, expiry, delay) => {
    const { rig, watcher } = await setUp()
    const client = await rig.connect('c', withWill(delay, expiry))
    client.drop()
    await rig.pass(expiry * 1000 + 2000)
    expect(await watcher.heard()).toEqual(['publish w "gone"'])
  })

  it('ends with a Clean Start', async () => {
    const { rig, watcher } = await setUp()
    const client = await rig.connect('c', withWill(300, 600))
    client.drop()
    await rig.pass(1000)
    await rig.connect('c', { version: 5, cleanStart: true })
    expect(await watcher.heard()).toEqual(['publish w "gone"'])
  })
})

describe('take-over and the will', () => {
  it.each([
    ['no delay, session resumed', withWill(0, 600), false, ['publish w "gone"']],
    ['delay, session resumed', withWill(30, 600), false, []],
    ['delay, Clean Start', withWill(30, 600), true, ['publish w "gone"']],
    ['delay, session without a future', withWill(30, 0), false, ['publish w "gone"']],
  ] as const)('%s', async (_, first, cleanStart, heard) => {
    const { rig, watcher } = await setUp()
    await rig.connect('c', first)
    rig.open().send(connectPacket('c', { version: 5, cleanStart, properties: { sessionExpiryInterval: 600 } }))
    await rig.pass(60_000)
    expect(await watcher.heard()).toEqual(heard)
  })
})

describe('DISCONNECT and the will', () => {
  it.each([
    [0x00, []],
    [0x04, ['publish w "gone"']],
    [0x80, ['publish w "gone"']],
  ])('reason %i', async (reasonCode, heard) => {
    const { rig, watcher } = await setUp()
    const client = await rig.connect('c', withWill(0, 0))
    client.send({ type: 'disconnect', reasonCode })
    expect(await watcher.heard()).toEqual(heard)
  })
})

it('a will has its properties, but for its delay', async () => {
  const { rig, watcher } = await setUp()
  const client = await rig.connect('c', {
    version: 5,
    will: {
      topic: 'w',
      payload: 'gone',
      properties: {
        willDelayInterval: 0,
        messageExpiryInterval: 60,
        contentType: 'text',
        responseTopic: 'r',
        correlationData: Buffer.from('c'),
        payloadFormatIndicator: 1,
        userProperties: [
          ['b', '1'],
          ['a', '2'],
          ['b', '3'],
        ],
      },
    },
  })
  client.drop()
  expect(await watcher.heardInFull()).toEqual([
    'publish w "gone" {"payloadFormatIndicator":1,"messageExpiryInterval":60,"contentType":"text","responseTopic":"r",' +
      '"correlationData":"c","userProperties":[["b","1"],["a","2"],["b","3"]]}',
  ])
})

it('a will that the broker cannot keep refuses the connection', async () => {
  const rig = await startRig({ maximumQos: 1, retainAvailable: false })
  const attempt = (will: object) =>
    rig
      .open()
      .send(connectPacket('c', { version: 5, will: { topic: 'w', payload: 'x', ...will } }))
      .heard()
  expect(await attempt({ qos: 2 })).toEqual(['connack 9b'])
  expect(await attempt({ retain: true })).toEqual(['connack 9a'])
})
