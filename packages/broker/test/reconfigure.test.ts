import type { Packet } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { type Features, featureEffects, type Reconfiguration } from '../src/index.js'
import { type Rig, startRig } from './rig.js'
import { connectPacket, publishPacket, subscribePacket, type TestClient } from './test-client.js'

describe('what is wrong changes nothing', () => {
  it.each<[string, object, RegExp]>([
    [
      'a limit out of range',
      { limits: { maxInflight: 0 } },
      /^limits\.maxInflight is 0; it takes a whole number from 1/,
    ],
    ['a limit that is none', { limits: { maxInfligth: 5 } }, /^limits has no maxInfligth; did you mean maxInflight\?/],
    ['a feature', { maximumQos: 3 }, /^maximumQos is 3; it takes 0, 1 or 2/],
    ['an interval', { sysIntervalSeconds: -1 }, /^sysIntervalSeconds is -1; it takes 0 to 86400/],
    [
      'a hook that is none',
      { hooks: [{ authorise: () => true }] },
      /^hooks\[0\] has no authorise; did you mean authorize\?/,
    ],
    ['a name', { limit: {} }, /^reconfigure has no limit; did you mean limits\?/],
    [
      'the store',
      { store: {} },
      /^reconfigure has no store; here that is createBroker\(\{ store \}\): it is for a start/,
    ],
  ])('%s', async (_, wrong, message) => {
    const rig = await startRig({ limits: { maxTopicLevels: 2 } }, 5)
    const right: Reconfiguration = { limits: { maxTopicLevels: 9 }, maximumQos: 0, hooks: [{ authorize: () => false }] }
    const changes = { ...right, ...wrong, limits: { ...right.limits, ...(wrong as Reconfiguration).limits } }
    await expect(rig.broker.reconfigure(changes)).rejects.toThrow(message)
    const client = await rig.connect('c')
    expect(await client.subscribe('a', 2).heard()).toEqual(['suback 1 [2]'])
    client.publish('a/b/c', 'x')
    await client.heard()
    expect(client.closed).toBe(true)
  })

  it('a broker that is closed', async () => {
    const { broker } = await startRig()
    await broker.close()
    await expect(broker.reconfigure({})).rejects.toThrow('the broker has been closed')
  })
})

it('what is left out stays as it is', async () => {
  const rig = await startRig({ limits: { maxTopicLevels: 2, maxInflight: 1 }, maximumQos: 1 }, 5)
  await rig.broker.reconfigure({ limits: { maxInflight: 5 } })
  const client = await rig.connect('c')
  expect(await client.subscribe('a', 2).heard()).toEqual(['suback 1 [1]'])
  client.publish('a/b/c', 'x')
  await client.heard()
  expect(client.closed).toBe(true)
})

describe('what a client of 5.0 was told holds for its connection', () => {
  it('while CONNECT waits for a hook, too', async () => {
    let letIn = (_: boolean): void => {}
    const authenticate = (): Promise<boolean> => new Promise((resolve) => (letIn = resolve))
    const rig = await startRig({ hooks: [{ authenticate }], limits: { receiveMaximum: 7, maxKeepAliveSeconds: 0 } }, 5)
    const client = rig.greet('c')
    await client.heard()
    await rig.broker.reconfigure({ limits: { receiveMaximum: 1 }, maximumQos: 0 })
    letIn(true)
    const [connack] = await client.heardInFull()
    expect(connack).toMatch(/"receiveMaximum":7/)
    expect(connack).not.toMatch(/maximumQos/)
  })

  it('and other clients are told what holds now', async () => {
    const rig = await startRig({}, 5)
    await rig.broker.reconfigure({
      limits: { receiveMaximum: 3, maxPacketBytes: 1_000, topicAliasMaximum: 0 },
      maximumQos: 1,
      retainAvailable: false,
      wildcardSubscriptions: false,
      subscriptionIdentifiers: false,
      sharedSubscriptions: false,
    })
    expect(await rig.greet('c').heardInFull()).toEqual([
      `connack 0 ${JSON.stringify({
        receiveMaximum: 3,
        maximumQos: 1,
        retainAvailable: false,
        maximumPacketSize: 1_000,
        wildcardSubscriptionAvailable: false,
        subscriptionIdentifierAvailable: false,
        sharedSubscriptionAvailable: false,
      })}`,
    ])
  })
})

/** Whether a feature shows: the same is tried with it on and off, by who was there before and who comes new. */
interface Scene {
  readonly on: Partial<Features>
  readonly off: Partial<Features>
  /** Whose connection begins before the change has said nothing yet. */
  readonly silent?: true
  readonly version?: 3 | 4 | 5
  shows(rig: Rig, client: TestClient): Promise<boolean>
}

const served: Scene['shows'] = async (_, client) => {
  await client.heard()
  return !client.closed
}

const after =
  (...packets: readonly Packet[]): Scene['shows'] =>
  (rig, client) =>
    served(rig, client.send(...packets))

let names = 0

/** One for each feature there is: what is missing does not compile. */
const scenes: { readonly [Name in keyof Features]: Scene } = {
  mqtt31: {
    on: { mqtt31: true },
    off: { mqtt31: false },
    silent: true,
    shows: after(connectPacket('old', { version: 3 })),
  },
  bridgeProtocol: {
    on: { bridgeProtocol: true },
    off: { bridgeProtocol: false },
    silent: true,
    shows: after(connectPacket('bridge', { version: 4, bridge: true })),
  },
  bridgeUsers: {
    on: { bridgeUsers: ['site-7'] },
    off: { bridgeUsers: [] },
    silent: true,
    shows: async (_, client) => {
      const properties = { userProperties: [['godwit-broker', 'elsewhere']] as const }
      client.send(connectPacket('bridge', { version: 5, username: 'site-7', properties }))
      return (await client.heardInFull()).some((line) => line.includes('godwit-marks'))
    },
  },
  emptyClientIds: {
    on: { emptyClientIds: true },
    off: { emptyClientIds: false },
    silent: true,
    shows: after(connectPacket('', { version: 5 })),
  },
  wildcardSubscriptions: {
    on: { wildcardSubscriptions: true },
    off: { wildcardSubscriptions: false },
    shows: after(subscribePacket([{ filter: 'a/#', qos: 0 }])),
  },
  sharedSubscriptions: {
    on: { sharedSubscriptions: true },
    off: { sharedSubscriptions: false },
    shows: after(subscribePacket([{ filter: '$share/g/a', qos: 0 }])),
  },
  subscriptionIdentifiers: {
    on: { subscriptionIdentifiers: true },
    off: { subscriptionIdentifiers: false },
    shows: after({
      type: 'subscribe',
      packetId: 1,
      properties: { subscriptionIdentifiers: [9] },
      subscriptions: [{ filter: 'a', qos: 0 }],
    }),
  },
  retainAvailable: {
    on: { retainAvailable: true },
    off: { retainAvailable: false },
    shows: after(publishPacket('kept', 'x', 0, 1, true)),
  },
  maximumQos: { on: { maximumQos: 2 }, off: { maximumQos: 0 }, shows: after(publishPacket('a', 'x', 1)) },
  controlCharacters: {
    on: { controlCharacters: true },
    off: { controlCharacters: false },
    shows: after(publishPacket('a\u0001', 'x')),
  },
  checkPayloadFormat: {
    on: { checkPayloadFormat: false },
    off: { checkPayloadFormat: true },
    async shows(_, client) {
      const packet = publishPacket('a', Uint8Array.of(0xff), 1)
      client.send({ ...packet, properties: { payloadFormatIndicator: 1 } } as typeof packet)
      return !(await client.heardInFull())[0]!.startsWith('puback 1 0x99')
    },
  },
  publishBeyondRate: {
    on: { publishBeyondRate: 'slow' },
    off: { publishBeyondRate: 'refuse' },
    async shows(rig, client) {
      client.send(...Array.from({ length: 30 }, () => publishPacket('a', 'x')))
      await rig.pass(5_000)
      return served(rig, client)
    },
  },
  sharedHandOverAtDisconnect: {
    on: { sharedHandOverAtDisconnect: true },
    off: { sharedHandOverAtDisconnect: false },
    async shows(rig, client) {
      const group = `g${names++}`
      const other = await rig.connect(`other-${group}`, rig.durable)
      client.subscribe(`$share/${group}/a`, 1)
      await client.heard()
      rig.broker.publish('a', 'x', { qos: 1 })
      await client.heard()
      other.subscribe(`$share/${group}/a`, 1)
      await other.heard()
      client.drop()
      const heard = await other.heard()
      other.drop()
      return heard.includes('publish a "x" qos 1 id 1')
    },
  },
}

describe('a feature is switched while the broker runs', () => {
  it.each(Object.keys(scenes) as (keyof Features)[])('%s', async (name) => {
    const { on, off, silent, shows } = scenes[name]
    const rig = await startRig({ ...on, limits: { maxPublishesPerSecond: 20 } }, 5)
    const begin = (): Promise<TestClient> | TestClient =>
      silent ? rig.open() : rig.connect(`client-${names++}`, rig.durable)
    expect(await shows(rig, await begin())).toBe(true)
    const present = await begin()
    await rig.broker.reconfigure(off)
    expect(await shows(rig, present)).toBe(silent ? false : featureEffects[name] === 'new connections')
    expect(await shows(rig, await begin())).toBe(false)
    await rig.broker.reconfigure(on)
    expect(await shows(rig, await begin())).toBe(true)
  })

  it('retainAvailable: what was kept is seen by nobody, and is there again afterwards', async () => {
    const rig = await startRig({}, 5)
    rig.broker.publish('a', 'x', { retain: true })
    await rig.broker.reconfigure({ retainAvailable: false })
    const client = await rig.connect('c')
    expect(await client.subscribe('a').heard()).toEqual(['suback 1 [0]'])
    client.send(publishPacket('b', 'x')).subscribe('b')
    rig.broker.publish('b', 'y', { retain: true }) // delivered, and not kept
    await client.heard()
    await rig.broker.reconfigure({ retainAvailable: true })
    expect(await client.subscribe('+', 0, 2).heard()).toEqual(['suback 2 [0]', 'publish a "x" retain'])
  })
})

describe('hooks are replaced', () => {
  it('present clients stay, and are judged by the new ones', async () => {
    const told: string[] = []
    const rig = await startRig({ hooks: [{ authenticate: () => true }] }, 5)
    const client = await rig.connect('c')
    expect(await client.subscribe('#').heard()).toEqual(['suback 1 [0]'])
    await rig.broker.reconfigure({
      hooks: [
        {
          authenticate: () => false,
          authorize: ({ topic }) => topic !== 'secret',
          authorizeDelivery: (topic) => topic !== 'hidden',
          onPublish: ({ topic }) => void told.push(topic),
          onDisconnect: ({ clientId }) => void told.push(`${clientId} has gone`),
        },
      ],
    })
    client.publish('secret', 'x', 1, 1).publish('hidden', 'x', 1, 2).publish('open', 'x', 1, 3)
    expect(await client.heardInFull()).toEqual([
      expect.stringMatching(/^puback 1 0x87 /),
      'puback 2',
      'publish open "x"',
      'puback 3',
    ])
    expect(await rig.greet('d').heard()).toEqual(['connack 87'])
    client.drop()
    await rig.pass(0)
    expect(told).toEqual(['hidden', 'open', 'c has gone'])
  })

  it('where there are none any more, everybody may do everything', async () => {
    const hooks = [{ authorize: () => false, authorizeDelivery: () => false }]
    const rig = await startRig({ hooks }, 5)
    const client = await rig.connect('c')
    expect(await client.subscribe('a').heard()).toEqual(['suback 1 [135]'])
    await rig.broker.reconfigure({ hooks: [] })
    client.subscribe('a').publish('a', 'x', 1)
    expect(await client.heard()).toEqual(['suback 1 [0]', 'publish a "x"', 'puback 1'])
  })

  it('not by such that let anybody in where other machines come', async () => {
    const rig = await startRig({ hooks: [{ authenticate: () => true }] })
    const listener = await rig.broker.listen({ host: '0.0.0.0', port: 0 })
    await expect(rig.broker.reconfigure({ hooks: [] })).rejects.toThrow(/^0\.0\.0\.0 can be reached by other machines/)
    await listener.close()
    await rig.broker.close()
  })

  it('an authentication method that is gone re-authenticates nobody', async () => {
    const method = () => ({ next: () => ({ outcome: 'admitted' }) as const })
    const rig = await startRig({ hooks: [{ authenticationMethods: { method } }] }, 5)
    const properties = { authenticationMethod: 'method' }
    const client = await rig.connect('c', { properties })
    await rig.broker.reconfigure({ hooks: [] })
    client.send({ type: 'auth', reasonCode: 0x19, properties })
    expect((await client.heardInFull())[0]).toMatch(/^disconnect 0x87/)
  })
})

it('the $SYS topics come as often as is said, or not at all', async () => {
  const rig = await startRig({ sysIntervalSeconds: 0 })
  const uptime: string[] = []
  rig.broker.subscribe('$SYS/broker/uptime', ({ text }) => void uptime.push(text()))
  await rig.broker.reconfigure({ sysIntervalSeconds: 2 })
  await rig.pass(2_000)
  expect(uptime).toEqual(['0 seconds', '2 seconds'])
  await rig.broker.reconfigure({ sysIntervalSeconds: 10 })
  await rig.pass(9_000)
  expect(uptime).toHaveLength(2)
  await rig.pass(1_000)
  expect(uptime).toHaveLength(3)
  await rig.broker.reconfigure({ sysIntervalSeconds: 0 })
  await rig.pass(20_000)
  expect(uptime).toHaveLength(3)
  const client = await rig.connect('c')
  expect(await client.subscribe('$SYS/#').heard()).toEqual(['suback 1 [0]'])
})
