import { describe, expect, it } from 'vitest'
import type { PublishedMessage } from '../src/index.js'
import { PendingHook } from './pending-hook.js'
import { startRig } from './rig.js'
import { publishPacket, subscribePacket } from './test-client.js'

/** Answers that come in the wrong order: the first asked last. */
const inItsTime = <T>(value: T, turns: number): Promise<T> =>
  turns === 0 ? Promise.resolve(value) : Promise.resolve().then(() => inItsTime(value, turns - 1))

describe.each([4, 5] as const)('authorize at version %i', (version) => {
  it('refuses filters, each for itself and in order', async () => {
    const rig = await startRig({ hooks: [{ authorize: ({ topic }) => !topic.startsWith('secret') }] }, version)
    const client = await rig.connect('c')
    client.send(
      subscribePacket([
        { filter: 'a', qos: 1 },
        { filter: 'secret/#', qos: 2 },
        { filter: 'b', qos: 2 },
      ]),
    )
    expect(await client.heard()).toEqual([`suback 1 [1 ${version === 5 ? 0x87 : 0x80} 2]`])
    expect((await rig.broker.metrics()).subscriptionsRefused).toEqual({
      'not-authorized': 1,
      quota: 0,
      storage: 0,
      'not-supported': 0,
    })
    expect(rig.log.filter((line) => line.includes('subscription refused'))).toEqual([
      expect.stringMatching(/^warn .*c.*not-authorized.*secret\/#/),
    ])
    rig.broker.publish('secret/x', 'x')
    rig.broker.publish('b', 'x')
    expect(await client.heard()).toEqual(['publish b "x"'])
  })

  it.each([0, 1, 2] as const)(
    'drops a refused PUBLISH at QoS %i, acknowledged as usual [MQTT-3.3.5-2]',
    async (qos) => {
      const rig = await startRig({ hooks: [{ authorize: ({ topic }) => topic !== 'secret' }] }, version)
      rig.broker.subscribe('#', () => expect.unreachable())
      const client = await rig.connect('c')
      client.publish('secret', 'x', qos, 7)
      expect(await client.heard()).toEqual([[], ['puback 7'], ['pubrec 7']][qos])
      expect(client.closed).toBe(false)
      expect((await rig.broker.metrics()).dropped['not-authorized']).toBe(1)
      expect(rig.log.filter((line) => line.startsWith('warn message dropped'))).toEqual([
        expect.stringMatching(/not-authorized.*secret/),
      ])
    },
  )

  it('is told who, what, and how', async () => {
    const asked: unknown[] = []
    const rig = await startRig(
      {
        hooks: [
          {
            authorize: ({ action, client, topic, qos, retain }) => {
              asked.push([action, client.clientId, client.username, topic, qos, retain])
              return true
            },
          },
        ],
      },
      version,
    )
    const client = await rig.connect('c', { username: 'me', will: { topic: 'w', payload: '', qos: 2, retain: true } })
    client.subscribe('a/#', 1).publish('a/b', 'x', 1, 1, true)
    await client.heard()
    expect(asked).toEqual([
      ['publish', 'c', 'me', 'w', 2, true],
      ['subscribe', 'c', 'me', 'a/#', 1, false],
      ['publish', 'c', 'me', 'a/b', 1, true],
    ])
  })

  it('keeps the order of packets, however long each answer takes', async () => {
    let turns = 12
    const rig = await startRig({ hooks: [{ authorize: () => inItsTime(true, turns--) }] }, version)
    const client = await rig.connect('c')
    client.send(
      subscribePacket([{ filter: '#', qos: 1 }]),
      publishPacket('a', '1', 1, 1),
      publishPacket('a', '2', 0),
      { type: 'pingreq' },
      publishPacket('a', '3', 1, 3),
      { type: 'unsubscribe', packetId: 9, filters: ['#'] },
      publishPacket('a', '4', 1, 4),
    )
    expect(await client.heard()).toEqual([
      'suback 1 [1]',
      'publish a "1" qos 1 id 1',
      'puback 1',
      'publish a "2"',
      'pingresp',
      'publish a "3" qos 1 id 2',
      'puback 3',
      'unsuback 9',
      'puback 4',
    ])
  })

  it('does not hold up other clients', async () => {
    const pending = new PendingHook<boolean>()
    const rig = await startRig(
      {
        hooks: [{ authorize: ({ client }) => client.clientId !== 'slow' || pending.ask() }],
      },
      version,
    )
    const [slow, quick] = [await rig.connect('slow'), await rig.connect('quick')]
    slow.publish('a', 'x', 1)
    quick.publish('a', 'x', 1)
    expect(await quick.heard()).toEqual(['puback 1'])
    expect(await slow.heard()).toEqual([])
    pending.answer(true)
    expect(await slow.heard()).toEqual(['puback 1'])
  })

  it('does not make a client that goes on talking look silent', async () => {
    const pending = new PendingHook<boolean>()
    const rig = await startRig({ hooks: [{ authorize: pending.ask }] }, version)
    const client = await rig.connect('c', { keepAliveSeconds: 2 })
    client.publish('a', 'x', 1)
    for (let second = 0; second < 6; second++) {
      client.send({ type: 'pingreq' })
      await rig.pass(1000)
    }
    expect(client.closed).toBe(false)
    pending.answer(true)
    expect(await client.heard()).toEqual(['puback 1', ...Array.from({ length: 6 }, () => 'pingresp')])
    await rig.pass(4001)
    expect(client.closed).toBe(true) // now it is silent
  })

  it('takes over no QoS 2 message of a connection that was taken over meanwhile', async () => {
    const pending = new PendingHook<boolean>()
    const rig = await startRig(
      {
        hooks: [{ authorize: pending.ask }],
      },
      version,
    )
    const got: string[] = []
    rig.broker.subscribe('a', ({ text }) => void got.push(text()))
    const old = await rig.connect('c', rig.durable)
    old.publish('a', 'once', 2, 7)
    await old.heard()
    const next = await rig.connect('c', rig.durable)
    next.send(publishPacket('a', 'once', 2, 7, false, true)) // sent again, for want of a PUBREC [MQTT-4.4.0-1]
    await next.heard()
    pending.answer(true)
    pending.answer(true)
    expect(await next.heard()).toEqual(['pubrec 7'])
    expect(got).toEqual(['once'])
  })
})

describe.each([4, 5] as const)('onPublish at version %i', (version) => {
  it('sees each message before anybody gets it, and may hold it', async () => {
    const seen: string[] = []
    const hook = async ({ topic, payload, qos, publisher }: PublishedMessage): Promise<void> => {
      await Promise.resolve()
      seen.push(`hook ${topic} ${Buffer.from(payload)} ${qos} ${publisher}`)
    }
    const rig = await startRig({ hooks: [{ onPublish: hook }] }, version)
    rig.broker.subscribe('#', ({ text }) => void seen.push(`listener ${text()}`))
    const client = await rig.connect('c')
    client.publish('a', 'x', 1)
    expect(await client.heard()).toEqual(['puback 1'])
    expect(seen).toEqual(['hook a x 1 c', 'listener x'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('that %s ends the connection without an acknowledgement, and the message goes nowhere', async (_, onPublish) => {
    const rig = await startRig({ hooks: [{ onPublish }] }, version)
    rig.broker.subscribe('#', () => expect.unreachable())
    const client = await rig.connect('c')
    client.publish('a', 'x', 1)
    expect(await client.heard()).toEqual(version === 5 ? ['disconnect'] : [])
    expect(client.closed).toBe(true)
    expect(rig.log.some((line) => line.startsWith('error hook') && line.includes('disk full'))).toBe(true)
    const other = await rig.connect('d')
    other.send({ type: 'pingreq' })
    expect(await other.heard()).toEqual(['pingresp'])
  })

  it('is not asked about what the program itself publishes', async () => {
    const rig = await startRig({ hooks: [{ onPublish: () => expect.unreachable() }] }, version)
    rig.broker.publish('a', 'x')
  })
})

describe.each([4, 5] as const)('onConnect and onDisconnect at version %i', (version) => {
  it('come in pairs, with the reason of the end', async () => {
    const told: string[] = []
    const rig = await startRig(
      {
        hooks: [
          {
            onConnect: ({ clientId, address, version }) => void told.push(`${clientId} from ${address} by ${version}`),
            onDisconnect: ({ clientId }, reason) => void told.push(`${clientId}: ${reason}`),
          },
        ],
      },
      version,
    )
    const client = await rig.connect('c')
    client.disconnect()
    await client.heard()
    const other = await rig.connect('d')
    other.drop()
    await rig.pass(0)
    expect(told).toEqual([
      `c from test by ${version}`,
      'c: disconnected by the client',
      `d from test by ${version}`,
      'd: connection closed by the client',
    ])
  })

  it('are not told of a client that was refused', async () => {
    const told: string[] = []
    const rig = await startRig(
      {
        hooks: [
          {
            authenticate: () => false,
            onConnect: () => void told.push('in'),
            onDisconnect: () => void told.push('out'),
          },
        ],
      },
      version,
    )
    await rig.greet('c').heard()
    expect(told).toEqual([])
  })

  it('may fail without harm', async () => {
    const fail = (): never => {
      throw new Error('boom')
    }
    const rig = await startRig({ hooks: [{ onConnect: fail, onDisconnect: fail }] }, version)
    const client = await rig.connect('c', { will: { topic: 'w', payload: 'x' } })
    client.drop()
    await rig.pass(0)
    await rig.connect('c')
    expect(rig.log.filter((line) => line.startsWith('error hook'))).toHaveLength(3)
  })
})

it('hands out passwords, payloads and authentication data as Buffers, whose text is a toString() away', async () => {
  const seen: string[] = []
  const see = (value: Buffer | undefined): boolean => !!seen.push(`${Buffer.isBuffer(value)} ${value?.toString()}`)
  const rig = await startRig(
    {
      hooks: [
        {
          authenticate: ({ password }) => see(password) && password?.toString() === 'secret',
          onPublish: ({ payload }) => void see(payload),
          authenticationMethods: { WORD: () => ({ next: (data) => (see(data) ? { outcome: 'admitted' } : denied) }) },
        },
      ],
    },
    5,
  )
  rig.broker.subscribe('a', ({ payload }) => void see(payload))
  const client = await rig.connect('c', { username: 'u', password: 'secret' })
  client.publish('a', 'grüße', 1, 1, true)
  await client.heard()
  see((await rig.broker.retained.get('a'))?.payload)
  await rig.connect('d', { properties: { authenticationMethod: 'WORD', authenticationData: Buffer.from('word') } })
  expect(seen).toEqual(['true secret', 'true grüße', 'true grüße', 'true grüße', 'true word'])
})

const denied = { outcome: 'refused', admission: false } as const
