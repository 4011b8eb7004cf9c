import { describe, expect, it } from 'vitest'
import { PendingHook } from './pending-hook.js'
import { type Rig, startRig } from './rig.js'
import { connectPacket, publishPacket, subscribePacket } from './test-client.js'

async function connackOf(
  rig: Rig,
  options: Parameters<typeof connectPacket>[1] = {},
  id = 'c',
): Promise<[string[], boolean]> {
  const client = rig.greet(id, options)
  return [await client.heard(), client.closed]
}

describe.each([4, 5] as const)('CONNECT refused, at version %i', (version) => {
  it.each([
    [false, '87'], // return code 5 on the wire
    ['bad-credentials', '86'], // 4
    ['unavailable', '88'], // 3
  ] as const)('by an authenticate hook that answers %s', async (answer, code) => {
    const rig = await startRig({ hooks: [{ authenticate: () => answer }] }, version)
    expect(await connackOf(rig)).toEqual([[`connack ${code}`], true])
    expect((await rig.broker.metrics()).connectionsRefused).toBe(1)
  })

  it('by a hook that throws: it cannot be told now', async () => {
    const rig = await startRig(
      {
        hooks: [
          {
            authenticate: () => {
              throw new Error('database is down')
            },
          },
        ],
      },
      version,
    )
    expect(await connackOf(rig)).toEqual([['connack 88'], true])
    expect(rig.log.some((line) => line.includes('database is down'))).toBe(true)
  })

  it('when the will may not be published', async () => {
    const rig = await startRig({ hooks: [{ authorize: ({ topic }) => topic !== 'secret' }] }, version)
    expect(await connackOf(rig, { will: { topic: 'secret', payload: 'x' } })).toEqual([['connack 87'], true])
    expect(await connackOf(rig, { will: { topic: 'open', payload: 'x' } })).toEqual([['connack 0'], false])
  })

  it('when the Client Identifier is longer than the limit, in bytes', async () => {
    const rig = await startRig({ limits: { maxClientIdBytes: 23 } }, version)
    expect(await connackOf(rig, {}, 'x'.repeat(23))).toEqual([['connack 0'], false])
    expect(await connackOf(rig, {}, 'x'.repeat(24))).toEqual([['connack 85'], true])
    expect(await connackOf(rig, {}, 'é'.repeat(12))).toEqual([['connack 85'], true])
  })

  it('without an id, where the broker is not to choose one', async () => {
    const rig = await startRig({ emptyClientIds: false }, version)
    expect(await connackOf(rig, {}, '')).toEqual([['connack 85'], true])
    expect(await connackOf(await startRig({}, version), {}, '')).toEqual([['connack 0'], false])
  })
})

it('at 3.1.1, CONNECT is refused when its Keep Alive is beyond the limit, none included', async () => {
  const rig = await startRig({ limits: { maxKeepAliveSeconds: 60 } })
  expect(await connackOf(rig, { keepAliveSeconds: 61 })).toEqual([['connack 85'], true])
  expect(await connackOf(rig, { keepAliveSeconds: 0 })).toEqual([['connack 85'], true])
  expect(await connackOf(rig, { keepAliveSeconds: 60 })).toEqual([['connack 0'], false])
})

describe.each([4, 5] as const)('CONNECT while authenticate takes its time, at version %i', (version) => {
  it('what came behind it is handled after CONNACK, in order', async () => {
    const pending = new PendingHook<boolean>()
    const rig = await startRig({ hooks: [{ authenticate: pending.ask }] }, version)
    const client = rig.open()
    client.send(
      connectPacket('c', { version }),
      subscribePacket([{ filter: 'a', qos: 1 }]),
      publishPacket('a', 'x', 1, 7),
      {
        type: 'pingreq',
      },
    )
    client.publish('a', 'in a chunk of its own', 1, 8)
    expect(await client.heard()).toEqual([])
    expect(client.closed).toBe(false)
    pending.answer(true)
    expect(await client.heard()).toEqual([
      'connack 0',
      'suback 1 [1]',
      'publish a "x" qos 1 id 1',
      'puback 7',
      'pingresp',
      'publish a "in a chunk of its own" qos 1 id 2',
      'puback 8',
    ])
  })

  it('what came behind it is never looked at when it is refused [MQTT-3.1.4-5]', async () => {
    const pending = new PendingHook<boolean>()
    const rig = await startRig({ hooks: [{ authenticate: pending.ask }] }, version)
    const watcher = rig.broker.subscribe('#', () => expect.unreachable())
    const client = rig.greet('c').send(publishPacket('a', 'x', 1))
    await client.heard()
    pending.answer(false)
    expect(await client.heard()).toEqual(['connack 87'])
    expect(client.closed).toBe(true)
    watcher.unsubscribe()
  })

  it('a client that is gone by then leaves nothing behind', async () => {
    const pending = new PendingHook<boolean>()
    const connected: string[] = []
    const rig = await startRig(
      {
        hooks: [{ authenticate: pending.ask, onConnect: ({ clientId }) => void connected.push(clientId) }],
      },
      version,
    )
    const gone = rig.greet('c', { ...rig.durable, will: { topic: 'w', payload: 'x' } })
    await gone.heard()
    gone.drop()
    await rig.pass(0)
    rig.broker.subscribe('#', () => expect.unreachable())
    pending.answer(true)
    const next = rig.greet('c', rig.durable)
    await next.heard()
    pending.answer(true)
    expect(await next.heard()).toEqual(['connack 0']) // no session present
    expect(connected).toEqual(['c'])
  })

  it('the last of two with the same id wins, whoever was asked first', async () => {
    const pending = new PendingHook<boolean>()
    const rig = await startRig({ hooks: [{ authenticate: pending.ask }] }, version)
    const [one, two] = [rig.greet('c'), rig.greet('c')]
    await one.heard()
    pending.answer(true)
    expect(await one.heard()).toEqual(['connack 0'])
    pending.answer(true)
    expect(await two.heard()).toEqual(['connack 0'])
    expect([one.closed, two.closed]).toEqual([true, false])
  })

  it('its bytes count, together with those of all others, against a bound', async () => {
    const pending = new PendingHook<boolean>()
    const rig = await startRig(
      { hooks: [{ authenticate: pending.ask }], limits: { maxUnauthenticatedBytes: 10_000 } },
      version,
    )
    const flood = publishPacket('a', 'x'.repeat(6000))
    const [one, two] = [rig.open(), rig.open()]
    one.send(connectPacket('one', { version }), flood)
    await one.heard()
    two.send(connectPacket('two', { version }), flood)
    await two.heard()
    expect([one.closed, two.closed]).toEqual([false, true])
    one.drop()
    await rig.pass(0)
    const three = rig.greet('three').send(flood)
    await three.heard()
    expect(three.closed).toBe(false)
  })
})

describe('CONNECT that does not come', () => {
  it('ends the connection after the limit, whatever trickles in', async () => {
    const rig = await startRig()
    const [silent, trickling] = [rig.open(), rig.open()]
    for (const byte of ['10', '0e', '00', '04', '4d', '51', '54', '54', '04']) {
      trickling.sendHex(byte)
      await rig.pass(1000)
    }
    expect([silent.closed, trickling.closed]).toEqual([false, false])
    await rig.pass(2000)
    expect([silent.closed, trickling.closed]).toEqual([true, true])
    expect((await rig.broker.metrics()).connectTimeouts).toBe(2)
  })
})

it.each([4, 5, 6, 255])('level %i under the name of 3.1 is refused in the form that 3.1 knows', async (level) => {
  const rig = await startRig()
  const client = rig.open().sendHex(`1010 0006 4d5149736470 ${level.toString(16).padStart(2, '0')} 02 003c 0002 6831`)
  expect([await client.heard(), client.closed]).toEqual([['connack 84'], true])
})

describe('a second CONNECT', () => {
  it.each([
    ['of the same kind', '100e 0004 4d515454 04 02 003c 0002 6831'],
    ['of a version that is not there', '100e 0004 4d515454 09 02 003c 0002 6831'],
  ])('%s ends the connection without a reply [MQTT-3.1.0-2]', async (_, hex) => {
    const rig = await startRig()
    const client = await rig.connect('c')
    client.sendHex(hex)
    expect(await client.heard()).toEqual([])
    expect(client.closed).toBe(true)
  })
})

describe.each([4, 5] as const)('take-over, at version %i', (version) => {
  it('closes the old connection fully, its will included, before CONNACK', async () => {
    const events: string[] = []
    const rig = await startRig(
      {
        hooks: [
          {
            onConnect: ({ clientId }) => void events.push(`${clientId} in`),
            onDisconnect: ({ clientId }) => void events.push(`${clientId} out`),
          },
        ],
      },
      version,
    )
    rig.broker.subscribe('will', ({ text }) => void events.push(`will ${text()}`))
    const old = await rig.connect('c', { will: { topic: 'will', payload: 'of the old' } })
    const next = await rig.connect('c', { will: { topic: 'will', payload: 'of the new' } })
    expect(old.closed).toBe(true)
    expect(events).toEqual(['c in', 'will of the old', 'c out', 'c in'])
    expect((await rig.broker.metrics()).takeovers).toBe(1)
    next.publish('a', 'x', 1)
    expect(await next.heard()).toEqual(['puback 1'])
  })

  it('delivers the will of the old connection to the new one, which has subscribed', async () => {
    const rig = await startRig({}, version)
    const old = await rig.connect('c', { ...rig.durable, will: { topic: 'will', payload: 'w', qos: 1 } })
    old.subscribe('will', 1)
    await old.heard()
    const next = rig.greet('c', rig.durable)
    expect(await next.heard()).toEqual(['connack 0 present', 'publish will "w" qos 1 id 1'])
  })

  it('hands unfinished messages over, with DUP', async () => {
    const rig = await startRig({}, version)
    const old = await rig.connect('c', rig.durable)
    old.subscribe('a', 2)
    rig.broker.publish('a', 'one', { qos: 1 })
    rig.broker.publish('a', 'two', { qos: 2 })
    await old.heard()
    const next = rig.greet('c', rig.durable)
    expect(await next.heard()).toEqual([
      'connack 0 present',
      'publish a "one" qos 1 id 1 dup',
      'publish a "two" qos 2 id 2 dup',
    ])
  })

  it('ends what the old connection said in the same breath', async () => {
    const rig = await startRig({}, version)
    const old = await rig.connect('c')
    await rig.connect('c')
    rig.broker.subscribe('#', () => expect.unreachable())
    old.publish('a', 'too late')
    await rig.pass(0)
  })

  it('goes back and forth many times and leaves one session', async () => {
    const rig = await startRig({ sysIntervalSeconds: 10 }, version)
    for (let n = 0; n < 50; n++) await rig.connect('c', { cleanStart: n % 3 === 0 })
    const facts: string[] = []
    await rig.pass(10_000)
    rig.broker.subscribe('$SYS/broker/clients/+name', ({ params, text }) => void facts.push(`${params.name} ${text()}`))
    const active = ['active 1', 'connected 1', 'disconnected 0', 'expired 0', 'inactive 0', 'maximum 1', 'total 1']
    expect(facts.sort()).toEqual(active)
  })
})
