// Errors injected wherever the broker calls into a session, a connection, a subscriber or the program around it: each ends
// what it hit, and a bystander feels nothing of it. What is called from where is in one table, the scenes.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type BrokerOptions, memoryPair } from '../src/index.js'
import { FailingStore, FailingStream } from './failing.js'
import { type Rig, settled, startRig } from './rig.js'
import { type ConnectOptions, connectPacket, subscribePacket, TestClient } from './test-client.js'

/** Everything of a play: the victim, whom something happens to, and the bystander, whom nothing may. */
interface Stage {
  readonly rig: Rig
  readonly store: FailingStore
  readonly version: 4 | 5
  readonly victim: TestClient
  /** The broker's end of the victim's connection. */
  readonly stream: FailingStream
  readonly bystander: TestClient
}

interface Scene {
  readonly name: string
  /** What the log says was being done. */
  readonly doing: string
  /** What the victim says in CONNECT. */
  readonly connect?: ConnectOptions
  readonly broker?: BrokerOptions
  /** Makes something fail in the victim's business. */
  readonly play: (stage: Stage) => void | Promise<void>
  /** What has failed was the program's: the victim goes on. */
  readonly victimStays?: boolean
}

const boom = (): never => {
  throw new Error('injected')
}
/** More than one property can hold. */
const muchToSay = { outcome: 'admitted', data: new Uint8Array(70_000) } as const
const isVictim = ({ clientId }: { clientId: string }): boolean => clientId === 'victim'

const scenes: readonly Scene[] = [
  {
    name: 'a packet of its own',
    doing: 'handling a packet',
    play: ({ store, victim }) => {
      store.fails = 'setSubscription'
      victim.subscribe('x', 1, 9)
    },
  },
  {
    name: 'an acknowledgement of its own',
    doing: 'handling a packet',
    play: async ({ store, rig, victim }) => {
      rig.broker.publish('all', 'x', { qos: 1 })
      await victim.heard()
      store.fails = 'queue.delete'
      victim.puback(1, 2)
    },
  },
  {
    name: 'a publication of the program',
    doing: 'delivering a message',
    play: ({ store, rig }) => {
      store.fails = 'queue.put'
      rig.broker.publish('all', 'x', { qos: 1 })
    },
  },
  {
    name: 'a publication of another client',
    doing: 'delivering a message',
    play: ({ store, bystander }) => {
      store.fails = 'queue.put'
      bystander.publish('all', 'x', 1, 78)
    },
  },
  {
    name: 'the will of another client',
    doing: 'delivering a message',
    play: async ({ store, rig }) => {
      const other = await rig
        .connect('other', { will: { topic: 'all', payload: 'gone', qos: 1 } })
        .catch(() => undefined)
      expect(other).toBeUndefined() // its CONNACK waits for its will
      store.flush()
      store.fails = 'queue.put'
      void rig.broker.disconnect('other')
    },
  },
  {
    name: 'a message of a shared group',
    doing: 'delivering a message of a shared subscription',
    play: async ({ store, victim, bystander, rig }) => {
      for (const client of [victim, bystander]) client.subscribe('$share/g/s', 1, 5)
      await settled()
      store.flush()
      await bystander.heard()
      store.fails = 'queue.put'
      for (const text of ['1', '2']) rig.broker.publish('s', text, { qos: 1 })
      const got = (await bystander.heard()).filter((line) => line.startsWith('publish s')).sort()
      expect(got.map((line) => line.slice(0, 13))).toEqual(['publish s "1"', 'publish s "2"']) // none is lost
      bystander.puback(1, 2, 3).publish('all', 'again', 1, 77)
    },
  },
  {
    name: 'a CONNACK that cannot be written',
    doing: 'what waited for a commit',
    broker: { hooks: [{ authenticationMethods: { much: () => ({ next: () => muchToSay }) } }] },
    play: async ({ store, rig, victim }) => {
      const properties = { authenticationMethod: 'much', sessionExpiryInterval: 100 }
      const other = rig.open('other').send(connectPacket('other', { version: 5, cleanStart: false, properties }))
      expect(await other.heard()).toEqual([])
      store.flush()
      expect(await other.heard()).toEqual(['connack 80'])
      await settled()
      store.flush()
      await other.ended()
      victim.drop()
    },
  },
  {
    name: 'the end that waited for a commit',
    doing: 'what waited for a commit',
    play: async ({ store, stream, victim }) => {
      victim.disconnect()
      await settled()
      stream.fails = 'end'
      store.flush()
    },
  },
  {
    name: 'what waits for it when it comes back',
    doing: 'what waited for a commit',
    play: async ({ store, rig, victim }) => {
      victim.drop()
      await settled()
      rig.broker.publish('all', 'waits', { qos: 1 })
      store.flush()
      store.fails = 'queue.get'
      const again = rig.greet('victim', rig.durable)
      await settled()
      store.flush()
      await settled()
      store.flush()
      await again.ended()
    },
  },
  {
    name: 'the end of a turn',
    doing: 'writing to its socket',
    play: ({ stream, victim }) => {
      stream.fails = 'write'
      victim.send({ type: 'pingreq' })
    },
  },
  {
    name: 'the socket that takes more again',
    doing: 'its connection',
    broker: { limits: { maxOutboxBytes: 1_000 } },
    play: async ({ store, stream, rig }) => {
      stream.holds = true
      for (let n = 0; n < 5; n++) rig.broker.publish('all', 'x'.repeat(1_000), { qos: 1 })
      await settled()
      store.fails = 'queue.get'
      stream.holds = false
    },
  },
  {
    name: 'the socket that takes nothing for too long',
    doing: 'a timer that was due',
    broker: { limits: { maxOutboxBytes: 1_000, drainTimeoutMs: 5_000 } },
    play: async ({ store, stream, rig }) => {
      stream.holds = true
      for (let n = 0; n < 5; n++) rig.broker.publish('all', 'x'.repeat(1_000), { qos: 1 })
      await settled()
      store.fails = 'disconnected'
      await rig.pass(7_000)
    },
  },
  {
    name: 'what it has published too fast and has paid for',
    doing: 'its connection',
    broker: { limits: { maxPublishesPerSecond: 2 } },
    play: async ({ stream, rig, victim }) => {
      for (let n = 0; n < 8; n++) victim.publish('nobody', 'x')
      await settled()
      stream.fails = 'resume'
      await rig.pass(9_000)
    },
  },
  {
    name: 'a replay of retained messages, some turns later',
    doing: 'going on with what it is owed',
    broker: { limits: { maxInflight: 65_535 } },
    play: async ({ store, rig, victim }) => {
      for (let n = 0; n < 5_000; n++) rig.broker.publish(`r/${n}`, 'x', { retain: true, qos: 1 })
      victim.subscribe('r/#', 1, 6)
      await settled()
      store.flush()
      while (((await rig.broker.clients.get('victim'))?.inflight ?? 0) < 300) await nextTurn()
      store.fails = 'queue.put'
    },
  },
  {
    name: 'its keep-alive',
    doing: 'its connection',
    connect: { keepAliveSeconds: 5 },
    play: async ({ store, rig }) => {
      store.fails = 'disconnected'
      await rig.pass(9_000)
    },
  },
  {
    name: 'the expiry of its session',
    doing: 'ending a session that has expired',
    broker: { limits: { sessionExpirySeconds: 5 } },
    play: async ({ store, victim, rig }) => {
      victim.send({ type: 'disconnect' })
      await settled()
      store.flush()
      store.fails = 'delete'
      await rig.pass(7_000)
    },
  },
  {
    name: 'its will at the end of its connection',
    doing: 'its connection',
    connect: { will: { topic: 'w', payload: 'gone' } },
    play: async ({ store, victim }) => {
      store.fails = 'setWill'
      victim.drop()
      await settled()
    },
  },
  {
    name: 'its end by a take-over',
    doing: 'its connection',
    play: async ({ store, rig }) => {
      store.fails = 'disconnected'
      rig.greet('victim', rig.durable)
      await settled()
    },
  },
  {
    name: 'its end by a person',
    doing: 'its connection',
    play: async ({ store, rig }) => {
      store.fails = 'disconnected'
      expect(await rig.broker.disconnect('victim')).toBe(true)
    },
  },
  {
    name: 'a session that is opened',
    doing: 'handling a packet',
    play: async ({ store, rig, victim }) => {
      victim.drop()
      await settled()
      store.flush()
      store.fails = 'connected'
      const again = rig.greet('victim', rig.durable)
      await settled()
      store.flush()
      await again.ended()
      store.fails = undefined
      const third = rig.greet('victim', rig.durable)
      await settled()
      store.flush()
      expect(await third.heard()).toContain('connack 0 present') // the error has locked nobody out
      third.drop()
    },
  },
  {
    name: 'a hook that is told of its end',
    doing: 'failed in onDisconnect',
    broker: { hooks: [{ onDisconnect: (client) => (isVictim(client) ? boom() : undefined) }] },
    play: ({ victim }) => victim.drop(),
  },
  {
    name: 'a hook that is told of it',
    doing: 'failed in onConnect',
    broker: { hooks: [{ onConnect: (client) => (isVictim(client) ? boom() : undefined) }] },
    victimStays: true,
    play: () => {},
  },
  {
    name: 'a hook that decides what it gets',
    doing: 'failed in authorizeDelivery',
    broker: { hooks: [{ authorizeDelivery: (_, client) => !isVictim(client) || boom() }] },
    victimStays: true,
    play: ({ rig }) => void rig.broker.publish('all', 'x'),
  },
  {
    name: 'a listener of changes',
    doing: 'a listener of changes failed',
    victimStays: true,
    play: ({ rig, victim }) => {
      void rig.broker.changes(boom)
      victim.subscribe('y', 0, 8)
    },
  },
  {
    name: 'a listener of packets',
    doing: 'a listener of packets failed',
    victimStays: true,
    play: ({ rig, victim }) => {
      void rig.broker.trace({ clientId: 'victim' }, boom)
      victim.send({ type: 'pingreq' })
    },
  },
  {
    name: 'an in-process listener',
    doing: 'an in-process listener failed',
    victimStays: true,
    play: ({ rig }) => {
      rig.broker.subscribe('all', boom)
      rig.broker.publish('all', 'x')
    },
  },
]

async function setUp(version: 4 | 5, scene: Scene): Promise<Stage> {
  const store = new FailingStore('victim')
  const rig = await startRig({ store, ...scene.broker }, version)
  const [ours, theirs] = memoryPair()
  const stream = new FailingStream(theirs)
  rig.broker.handle(stream, { transport: 'memory', address: 'test' })
  const victim = new TestClient(ours, 'victim', settled).read()
  const bystander = rig.open('bystander')
  for (const client of [victim, bystander]) {
    const expiring = scene.broker?.limits?.sessionExpirySeconds !== undefined && client === victim
    const lasting =
      expiring && version === 5 ? { cleanStart: false, properties: { sessionExpiryInterval: 5 } } : rig.durable
    const more = client === victim ? scene.connect : {}
    client.send(connectPacket(client.clientId, { version, ...lasting, ...more }))
    await settled()
    store.flush()
    client.send(subscribePacket([{ filter: 'all', qos: 1 }]))
    await settled()
    store.flush()
    expect(await client.heard()).toEqual(['connack 0', 'suback 1 [1]'])
  }
  bystander.publish('all', 'mine', 1, 77) // its PUBACK waits for the disk
  expect(await bystander.heard()).toEqual(['publish all "mine" qos 1 id 1'])
  return { rig, store, version, victim, stream, bystander }
}

describe.each([4, 5] as const)('at version %i, what fails in', (version) => {
  it.each(scenes)('$name stays there', async (scene) => {
    const stage = await setUp(version, scene)
    const { rig, store, victim, bystander } = stage
    await scene.play(stage)
    await settled()
    store.flush()
    store.fails = undefined
    await settled()
    store.flush()

    expect(await bystander.heard()).toContain('puback 77') // what waited for the same commit
    rig.broker.publish('all', 'later', { qos: 0, retain: true, properties: { messageExpiryInterval: 2 } })
    bystander.send({ type: 'pingreq' })
    expect(await bystander.heard()).toEqual(['publish all "later"', 'pingresp'])
    expect(await rig.broker.retained.count()).toBeGreaterThan(0)
    await rig.pass(4_000)
    expect(await rig.broker.retained.get('all')).toBeUndefined() // timers go on

    const told = rig.log.filter((line) => line.startsWith('error') && line.includes(scene.doing))
    expect(told).not.toEqual([])
    expect((await rig.broker.metrics()).internalErrors).toBeGreaterThan(0)
    expect(victim.closed).toBe(!scene.victimStays)
    const said = (await victim.heard()).filter((line) => line === 'disconnect')
    if (scene.victimStays) expect(said).toEqual([])
  })
})

it('a client of 5.0 is told: DISCONNECT 0x80, and the log says who it was, what was being done and where it failed', async () => {
  const { rig, store, victim } = await setUp(5, { name: '', doing: '', play: () => {} })
  await victim.heard()
  store.fails = 'queue.put'
  rig.broker.publish('all', 'x', { qos: 1 })
  expect(await victim.heardInFull()).toEqual(['disconnect 0x80 {"reasonString":"internal error"}'])
  const [line = ''] = rig.log.filter((one) => one.startsWith('error'))
  expect(line).toMatch(
    /^error internal error \{"clientId":"victim","doing":"delivering a message",.*"at":".*failing\.ts/,
  )
  expect((await rig.broker.metrics()).internalErrors).toBe(1)
})

it('a log that fails takes nothing with it', async () => {
  const rig = await startRig({ log: { log: boom } })
  const client = await rig.connect('c')
  client.publish('a', 'x', 1)
  expect(await client.heard()).toEqual(['puback 1'])
  client.drop()
  await rig.broker.close()
})
