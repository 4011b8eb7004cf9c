import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Packet } from '@godwit/protocol'
import { afterEach, expect, it } from 'vitest'
import { type DropReason, type Limits, limitEffects, memoryPair } from '../src/index.js'
import { lmdbStore } from '../src/store/lmdb/index.js'
import { VirtualClock } from '../src/testing/index.js'
import { type Rig, settled, startRig } from './rig.js'
import { type ConnectOptions, connectPacket, publishPacket, subscribePacket, TestClient } from './test-client.js'

/** Time in which the event loop can stand still. */
class StallingClock extends VirtualClock {
  #stalled = 0

  override monotonic(): number {
    return super.monotonic() + this.#stalled
  }

  stall(ms: number): void {
    this.#stalled += ms
  }
}

interface Stage {
  readonly rig: Rig
  readonly clock: StallingClock
}

/** What shows of a limit from outside: the same is tried under both values. */
interface Scene {
  /** Nothing is refused, and something is. */
  readonly free: number
  readonly bound: number
  /** What else the broker has to be like. */
  readonly limits?: Partial<Limits>
  readonly onDisk?: true
  /** Whose connection begins before the change: a client, or one that has said nothing yet. Default: a client. */
  readonly begins?: 'silent' | ConnectOptions
  /** Answers whether the limit was felt. */
  feels(stage: Stage, client: TestClient): Promise<boolean>
}

const long = 'x'.repeat(200)

/** Whether the connection ends when this is said. */
const endsBy =
  (...packets: readonly Packet[]): Scene['feels'] =>
  async (_, client) => {
    client.send(...packets)
    await client.heard()
    return client.closed
  }

/** Whether something is dropped for this reason. */
const drops =
  (reason: DropReason, act: (stage: Stage, client: TestClient) => Promise<unknown>): Scene['feels'] =>
  async (stage, client) => {
    const dropped = async (): Promise<number> => (await stage.rig.broker.metrics()).dropped[reason]
    const before = await dropped()
    await act(stage, client)
    return (await dropped()) > before
  }

let names = 0
const greetFrom = (rig: Rig, address: string): TestClient => {
  const [ours, theirs] = memoryPair()
  rig.broker.handle(theirs, { transport: 'memory', address })
  return new TestClient(ours, '', settled).read().send(connectPacket(`from-${names++}`, { version: 5 }))
}

/** Whether one of so many CONNECTs, from one address or each from another, is not accepted. */
const refuses =
  (count: number, addressOf: (n: number) => string): Scene['feels'] =>
  async ({ rig }) => {
    const clients = Array.from({ length: count }, (_, n) => greetFrom(rig, addressOf(n)))
    const heard = await Promise.all(clients.map((client) => client.heard()))
    for (const client of clients) client.drop()
    await settled()
    return heard.some(([connack]) => connack !== 'connack 0')
  }

/** Fills the queue of a session without a connection. */
async function queueUp({ rig }: Stage, client: TestClient, bytes = 50): Promise<void> {
  client.subscribe(client.clientId, 1)
  await client.heard()
  client.disconnect()
  await client.ended()
  for (const text of ['1', '2', '3']) rig.broker.publish(client.clientId, text.repeat(bytes), { qos: 1 })
}

/** Gives more to a client that reads nothing than its outbox may hold. */
async function flood({ rig }: Stage, client: TestClient): Promise<void> {
  client.subscribe(client.clientId)
  await client.heard()
  client.stopReading()
  for (let n = 0; n < 200; n++) {
    rig.broker.publish(client.clientId, 'x'.repeat(1000))
    if (n % 5 === 0) await rig.pass(0)
  }
}

async function retainTwo(_: Stage, client: TestClient): Promise<void> {
  for (const topic of ['a', 'b']) client.publish(`${client.clientId}/${topic}`, 'x', 1, 1, true)
  await client.heard()
}

/** Whether a client that says so much at once is read from later. */
const slows =
  (...payloads: readonly string[]): Scene['feels'] =>
  async ({ rig }, client) => {
    const { publishersSlowed } = await rig.broker.metrics()
    for (const payload of payloads) client.publish('a', payload)
    await settled()
    return (await rig.broker.metrics()).publishersSlowed > publishersSlowed
  }

/** How long the session of a client that has gone lives on, in seconds. */
async function livesOn({ rig, clock }: Stage, client: TestClient): Promise<number> {
  client.disconnect()
  await client.ended()
  const session = await rig.broker.sessions.get(client.clientId)
  return (session!.expiresAt! - clock.now()) / 1000
}

const reserve: Omit<Scene, 'free' | 'bound'> = {
  onDisk: true,
  async feels({ rig }) {
    await rig.pass(1000) // it is looked at every second
    return ((await rig.broker.metrics()).store?.reserveBytes ?? 0) > 0
  },
}

const durable5 = { cleanStart: false, properties: { sessionExpiryInterval: 0xffff_ffff } } as const

/** One for each limit there is: what is missing does not compile. */
const scenes: { readonly [Name in keyof Limits]: Scene } = {
  maxConnections: { free: 10, bound: 1, feels: refuses(1, () => 'test') },
  maxConnectionsPerAddress: { free: 10, bound: 1, feels: refuses(2, () => '192.0.2.1') },
  maxConnectsPerSecond: { free: 1_000, bound: 1, feels: refuses(5, (n) => `192.0.2.${n}`) },
  maxConnectsPerSecondPerAddress: { free: 1_000, bound: 1, feels: refuses(5, () => '192.0.2.1') },
  overloadDelayMs: {
    free: 0,
    bound: 500,
    async feels({ rig, clock }) {
      for (let n = 0; n < 3; n++) {
        clock.stall(2_000)
        await rig.pass(1_000)
      }
      return refuses(1, () => '192.0.2.1')({ rig, clock }, undefined!)
    },
  },
  overloadWaitMs: {
    free: 10_000,
    bound: 0,
    limits: { overloadDelayMs: 500 },
    async feels({ rig, clock }) {
      for (let n = 0; n < 3; n++) {
        clock.stall(2_000)
        await rig.pass(1_000)
      }
      const waits = greetFrom(rig, '192.0.2.1')
      await waits.heard()
      for (let n = 0; n < 5; n++) await rig.pass(1_000) // it is in time again
      return waits.closed
    },
  },
  maxPacketBytes: { free: 10_000, bound: 1_000, feels: endsBy(publishPacket('a', 'x'.repeat(2_000), 1)) },
  maxConnectBytes: {
    free: 10_000,
    bound: 100,
    begins: 'silent',
    feels: endsBy(connectPacket('long', { username: long })),
  },
  maxUnauthenticatedBytes: {
    free: 10_000,
    bound: 8,
    begins: 'silent',
    async feels(_, client) {
      client.sendHex('10 7f 0004 4d515454 05 02 003c') // no more of it comes
      await client.heard()
      return client.closed
    },
  },
  connectTimeoutMs: {
    free: 10_000,
    bound: 1_000,
    begins: 'silent',
    async feels({ rig }, client) {
      await rig.pass(3_000)
      return client.closed
    },
  },
  maxInflight: {
    free: 10,
    bound: 1,
    async feels({ rig }, client) {
      client.subscribe('a', 1)
      await client.heard()
      for (const text of ['1', '2']) rig.broker.publish('a', text, { qos: 1 })
      return (await client.heard()).length < 2
    },
  },
  maxQueuedMessages: { free: 10, bound: 1, begins: durable5, feels: drops('queue-full', queueUp) },
  maxQueuedBytes: { free: 10_000, bound: 200, begins: durable5, feels: drops('queue-full', queueUp) },
  maxOutboxBytes: { free: 1_000_000, bound: 1_000, feels: drops('slow-consumer', flood) },
  drainTimeoutMs: {
    free: 0,
    bound: 1_000,
    limits: { maxOutboxBytes: 10_000 },
    async feels(stage, client) {
      const { drainTimeouts } = await stage.rig.broker.metrics()
      await flood(stage, client)
      for (let second = 0; second < 3; second++) await stage.rig.pass(1_000)
      return (await stage.rig.broker.metrics()).drainTimeouts > drainTimeouts
    },
  },
  sessionExpirySeconds: {
    free: 1_000,
    bound: 10,
    begins: { version: 4, cleanStart: false },
    feels: async (stage, client) => (await livesOn(stage, client)) <= 10,
  },
  maxSessionExpirySeconds: {
    free: 1_000,
    bound: 10,
    begins: durable5,
    feels: async (stage, client) => (await livesOn(stage, client)) <= 10,
  },
  receiveMaximum: {
    free: 10,
    bound: 1,
    feels: endsBy(...[1, 2, 3].map((id) => publishPacket('a', 'x', 2, id))),
  },
  topicAliasMaximum: {
    free: 10,
    bound: 1,
    feels: endsBy({
      ...(publishPacket('a', 'x') as Extract<ReturnType<typeof publishPacket>, { type: 'publish' }>),
      properties: { topicAlias: 5 },
    }),
  },
  maxKeepAliveSeconds: {
    free: 0,
    bound: 10,
    begins: { keepAliveSeconds: 60 },
    async feels({ rig }, client) {
      for (let second = 0; second < 30; second++) await rig.pass(1_000)
      return client.closed
    },
  },
  maxPublishesPerSecond: { free: 1_000, bound: 1, feels: slows('1', '2', '3', '4') },
  maxPublishBytesPerSecond: { free: 10_000, bound: 10, feels: slows(long) },
  maxTopicBytes: { free: 1_000, bound: 100, feels: endsBy(publishPacket(long, 'x', 1)) },
  maxTopicLevels: { free: 10, bound: 2, feels: endsBy(publishPacket('a/b/c', 'x', 1)) },
  maxSessions: { free: 10, bound: 1, feels: refuses(1, () => 'test') },
  maxSubscriptionsPerSession: {
    free: 10,
    bound: 1,
    async feels(_, client) {
      client.send(subscribePacket(['a', 'b'].map((filter) => ({ filter, qos: 0 }) as const)))
      return (await client.heard()).includes('suback 1 [0 151]')
    },
  },
  maxClientIdBytes: { free: 1_000, bound: 100, begins: 'silent', feels: endsBy(connectPacket(long, { version: 5 })) },
  maxRetainedMessages: { free: 10, bound: 1, feels: drops('retained-full', retainTwo) },
  maxRetainedBytes: { free: 10_000, bound: 150, feels: drops('retained-full', retainTwo) },
  maxWaitingBytes: {
    free: 1_000_000,
    bound: 65_536,
    feels: async ({ rig }) => (await rig.broker.accounts()).waiting.most === 65_536,
  },
  maxStoredBytes: {
    free: 1_000_000,
    bound: 110_000,
    begins: durable5,
    feels: drops('storage-full', (stage, client) => queueUp(stage, client, 25_000)),
  },
  diskReserveBytes: { ...reserve, free: 0, bound: 1_000_000 },
  diskReservePercent: { ...reserve, free: 0, bound: 5 },
  willsAfterRestartPerSecond: {
    free: 1,
    bound: 1_000, // here the higher one is felt: more go out in a second
    onDisk: true,
    async feels({ rig }) {
      const { willsPublished } = await rig.broker.metrics()
      await rig.pass(1_000)
      return (await rig.broker.metrics()).willsPublished - willsPublished > 1
    },
  },
}

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

/** A broker under the free value; that which keeps on disk has eight wills of an earlier process. */
async function stageFor(name: keyof Limits): Promise<Stage & { readonly end: () => Promise<void> }> {
  const { free, limits = {}, onDisk } = scenes[name]
  const clock = new StallingClock()
  const options = { clock, limits: { ...limits, [name]: free } }
  if (!onDisk) {
    const rig = await startRig(options, 5)
    return { rig, clock, end: () => rig.broker.close() }
  }
  const directory = await mkdtemp(join(tmpdir(), 'godwit-limits-'))
  folders.push(directory)
  const before = await startRig({ ...options, store: lmdbStore({ directory }) }, 5)
  for (let n = 0; n < 8; n++) {
    await before.greet(`will-${n}`, { ...durable5, will: { topic: 'w', payload: 'gone' } }).next()
  }
  await before.broker.close()
  const rig = await startRig({ ...options, store: lmdbStore({ directory }) }, 5)
  return { rig, clock, end: () => rig.broker.close() }
}

it.each(Object.keys(scenes) as (keyof Limits)[])('%s is changed while the broker runs', async (name) => {
  const { bound, free, begins, feels } = scenes[name]
  const { end, ...stage } = await stageFor(name)
  const { rig } = stage
  const begin = async (): Promise<TestClient> => {
    if (begins === 'silent') return rig.open(`silent-${names++}`)
    const id = `client-${names++}`
    const client = rig.greet(id, begins)
    expect(await client.next()).toEqual(['connack 0'])
    return client
  }
  expect(await feels(stage, await begin())).toBe(false)
  const present = await begin()
  if (name === 'maxPublishesPerSecond' || name === 'maxPublishBytesPerSecond') await feels(stage, present) // it has saved up
  await rig.broker.reconfigure({ limits: { [name]: bound } })
  if (limitEffects[name] === 'new connections') {
    expect(await feels(stage, present)).toBe(false)
    const isFelt = await feels(stage, await begin())
    expect(isFelt).toBe(true)
  } else {
    expect(await feels(stage, present)).toBe(true)
  }
  await rig.broker.reconfigure({ limits: { [name]: free } })
  if (name !== 'willsAfterRestartPerSecond') await rig.pass(3_000)
  expect(await feels(stage, await begin())).toBe(false)
  await end()
})
