import { readdirSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { encode } from '@godwit/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Broker, createBroker } from '../../src/index.js'
import { heapBytes } from '../garbage.js'
import { type Rig, settled, startRig } from '../rig.js'
import { connectPacket, TestClient } from '../test-client.js'

/** Connections over memory, with time that belongs to the test. */
const crowd = Number(process.env.GODWIT_TEST_CROWD ?? 10_000)
/** Over TCP, in real time; each takes two file descriptors of this process. */
const crowdOverTcp = Number(process.env.GODWIT_TEST_CROWD_TCP ?? 300)

const mostGrowthBytes = 8_388_608

/** All come from one address here. */
const wide = {
  maxConnectionsPerAddress: 1_000_000,
  maxConnectsPerSecond: 1_000_000,
  maxConnectsPerSecondPerAddress: 1_000_000,
}

const halfOfConnect = encode(connectPacket('half'), 4).subarray(0, 9)

async function isServed(client: TestClient, text: string): Promise<void> {
  client.publish('still/there', text, 1)
  const heard = await client.next(2)
  expect(heard.toSorted()).toEqual(['puback 1', `publish still/there "${text}"`].toSorted())
}

describe('over memory', () => {
  let rig: Rig
  let witness: TestClient

  beforeEach(async () => {
    rig = await startRig({ limits: wide })
    witness = await rig.connect('witness')
    witness.subscribe('still/there')
    await witness.heard()
  })
  afterEach(() => rig.broker.close())

  it.each([
    ['that say nothing', new Uint8Array()],
    ['that say half of CONNECT', halfOfConnect],
  ])(`${crowd} connections %s are ended in time, and others are served meanwhile`, async (_, bytes) => {
    const clients = Array.from({ length: crowd }, () => rig.open().sendBytes(bytes))
    await isServed(witness, 'meanwhile')
    await rig.pass(11_000)
    expect(clients.filter(({ closed }) => !closed)).toEqual([])
    expect((await rig.broker.metrics()).connectTimeouts).toBe(crowd)
    await isServed(witness, 'afterwards')
  })

  it(`${crowd} that trickle their CONNECT are ended at the same time`, async () => {
    const bytes = encode(connectPacket('x'.repeat(200)), 4)
    const clients = Array.from({ length: crowd }, () => rig.open())
    for (let second = 0; second < 11; second++) {
      for (const client of clients) if (!client.closed) client.sendBytes(bytes.subarray(second, second + 1))
      await rig.pass(1000)
    }
    expect(clients.filter(({ closed }) => !closed)).toEqual([])
    expect((await rig.broker.metrics()).connectTimeouts).toBe(crowd)
    await isServed(witness, 'afterwards')
  })

  it(`${crowd} connections of one Client Identifier leave one`, async () => {
    const clients = Array.from({ length: crowd }, () => rig.greet('same', rig.durable))
    await isServed(witness, 'meanwhile')
    await settled()
    expect(clients.filter(({ closed }) => !closed)).toEqual([clients.at(-1)])
    expect((await rig.broker.metrics()).takeovers).toBe(crowd - 1)
  })
})

describe('over TCP', () => {
  const port = 19_670
  let broker: Broker
  const sockets: Socket[] = []

  beforeEach(async () => {
    broker = await createBroker({ sysIntervalSeconds: 0, limits: { connectTimeoutMs: 1_000 } })
    await broker.listen({ port })
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await broker.close()
  })

  /** Opens many at once, no more under way than a listener's backlog holds. */
  async function open(count: number, onOpen: (socket: Socket) => void): Promise<Promise<unknown>[]> {
    const ends: Promise<unknown>[] = []
    for (let opened = 0; opened < count; opened += 100) {
      const batch = Array.from({ length: Math.min(100, count - opened) }, () => {
        const socket = connectSocket({ host: '127.0.0.1', port, noDelay: true })
        sockets.push(socket)
        ends.push(new Promise((resolve) => void socket.on('error', () => {}).once('close', resolve)))
        socket.resume()
        return new Promise<void>((resolve) => {
          socket.once('connect', () => resolve(onOpen(socket)))
        })
      })
      await Promise.all(batch)
    }
    return ends
  }

  async function connect(clientId: string): Promise<TestClient> {
    const socket = connectSocket({ host: '127.0.0.1', port, noDelay: true })
    sockets.push(socket)
    const client = new TestClient(socket, clientId, settled).read().send(connectPacket(clientId))
    expect(await client.next()).toEqual(['connack 0'])
    client.subscribe('still/there')
    expect(await client.next()).toEqual(['suback 1 [0]'])
    return client
  }

  const descriptors = (): number => readdirSync('/proc/self/fd').length

  it(`${crowdOverTcp} half-open connections are ended in time and give descriptors and memory back`, async (test) => {
    test.skip(process.platform !== 'linux', 'descriptors are counted in /proc')
    const witness = await connect('witness')
    const [before, heapBefore] = [descriptors(), heapBytes()]
    const ends = await open(crowdOverTcp, (socket) => void socket.write(halfOfConnect))
    await isServed(witness, 'meanwhile')
    await Promise.all(ends)
    expect((await broker.metrics()).connectTimeouts).toBe(crowdOverTcp)
    await settled()
    expect(descriptors()).toBeLessThanOrEqual(before)
    sockets.splice(1) // all but the witness's: the test itself holds them
    expect(heapBytes() - heapBefore).toBeLessThan(mostGrowthBytes)
    await isServed(witness, 'afterwards')
  }, 60_000)

  it(`${crowdOverTcp} connections of one Client Identifier leave one`, async () => {
    const witness = await connect('witness')
    const ends = await open(crowdOverTcp, (socket) => void socket.write(encode(connectPacket('same'), 4)))
    await isServed(witness, 'meanwhile')
    await Promise.all(ends.slice(0, -1)) // the order of sockets is that of their connections
    expect((await broker.metrics()).takeovers).toBe(crowdOverTcp - 1)
  }, 60_000)

  it('a subscriber that never reads hinders nobody', async () => {
    const stuck = connectSocket({ host: '127.0.0.1', port, noDelay: true })
    sockets.push(stuck)
    const deaf = new TestClient(stuck, 'deaf', settled).read().send(connectPacket('deaf'))
    expect(await deaf.next()).toEqual(['connack 0'])
    deaf.subscribe('#')
    expect(await deaf.next()).toEqual(['suback 1 [0]'])
    stuck.pause()
    const witness = await connect('witness')
    const large = 'x'.repeat(100_000)
    for (let n = 0; n < 300; n++) await broker.publish('large', large) // 30 MB: more than sockets and outbox hold
    for (let n = 0; n < 20; n++) await isServed(witness, `${n}`)
    expect((await broker.metrics()).dropped['slow-consumer']).toBeGreaterThan(0)
  })
})
