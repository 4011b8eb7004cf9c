// Messages that bridges bring by more than one way are taken once.
import type { Publish } from '@godwit/protocol'
import { afterEach, expect, it } from 'vitest'
import type { InsideSession } from '../src/index.js'
import { InsideRig, take } from './inside-rig.js'
import { settled } from './rig.js'
import { publishPacket, subscribePacket } from './test-client.js'

let home: InsideRig
afterEach(() => home.dispose())

const asABridge = { noLocal: true, retainAsPublished: true } as const
const bridge = (name: string): Promise<InsideSession> =>
  home.rig.broker.session(name, { bridge: true, expirySeconds: 60 })
/** What a bridge of another Godwit says in CONNECT. */
const ofABridge = { userProperties: [['godwit-broker', 'elsewhere']] } as const
const bridgeUsers = ['site-7']
const marked = (n: number) => ({ userProperties: [['godwit-mark', `elsewhere ${n}`]] as const })

async function bring(session: InsideSession, numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await session.publish('a', `${n}`, { qos: 2, properties: marked(n) })
}

it.each(['memory', 'lmdb'] as const)('from whichever is first, at any QoS (%s)', async (kind) => {
  home = new InsideRig(kind)
  const { broker } = await home.open()
  const heard: string[] = []
  broker.subscribe('a', (message) => void heard.push(message.text()))
  const [one, other] = [await bridge('one'), await bridge('other')]
  for (const qos of [0, 1, 2] as const) {
    for (const session of [one, other]) await session.publish('a', `${qos}`, { qos, properties: marked(qos) })
  }
  expect([heard, (await broker.metrics()).bridgedRepeats]).toEqual([['0', '1', '2'], 3])
})

it('what has come by one way is known after a crash, when it comes by the other', async () => {
  home = new InsideRig('lmdb')
  const { broker } = await home.open()
  const keeper = await broker.session('keeper', { expirySeconds: 60 })
  await keeper.subscribe('a', { qos: 2 })
  const numbers = Array.from({ length: 300 }, (_, n) => n)
  await bring(await bridge('one'), numbers)
  const { broker: again } = await home.crash()
  await bring(await bridge('other'), [...numbers, 300])
  const lines = await take((await again.session('keeper', { expirySeconds: 60 }))[Symbol.asyncIterator](), 301)
  expect(lines.map((line) => line.split('"')[1])).toEqual([...numbers, 300].map(String))
  expect([(await again.metrics()).bridgedRepeats, again.recovered.retained]).toEqual([300, 0])
})

it('a message is marked where two bridges take it on, the same for both, and not where one does', async () => {
  home = new InsideRig('memory')
  const { broker } = await home.open()
  const [one, other] = [await bridge('one'), await bridge('other')]
  await one.subscribe('#', asABridge)
  await broker.publish('a', 'alone', { qos: 1 })
  await other.subscribe('#', asABridge)
  await broker.publish('a', 'to both', { qos: 1 })
  await other.publish('a', 'to the other one', { qos: 1 })
  const marks = async (session: InsideSession): Promise<unknown[]> => {
    const found: unknown[] = []
    for await (const { text, properties } of session) {
      found.push([text(), properties?.userProperties])
      if (found.length === (session === one ? 3 : 1)) break
    }
    return found
  }
  const [atOne, atOther] = [await marks(one), await marks(other)]
  expect(atOther).toEqual([['to both', [['godwit-mark', expect.stringMatching(/^[\w-]{12} 0$/)]]]])
  expect(atOne).toEqual([['alone', undefined], atOther[0], ['to the other one', undefined]])
})

it('a mark is shown to bridges alone, of this broker and of others that come as users who are one', async () => {
  home = new InsideRig('memory')
  const rig = await home.open({ bridgeUsers })
  const within = await bridge('within')
  await within.subscribe('#', asABridge)
  const far = await rig.connect('far', { version: 5, username: 'site-7', properties: ofABridge })
  const plain = await rig.connect('plain', { version: 5 })
  for (const client of [far, plain]) client.send(subscribePacket([{ filter: 'a', qos: 0, ...asABridge }]))
  await settled()
  await rig.broker.publish('a', 'x', { qos: 1 })
  const mark = ['godwit-mark', expect.stringMatching(/^[\w-]{12} 0$/)]
  expect(await far.heardInFull()).toEqual([
    'suback 1 [0]',
    expect.stringMatching(/^publish a "x" .*"godwit-mark","[\w-]{12} 0"/),
  ])
  expect(await plain.heardInFull()).toEqual(['suback 1 [0]', 'publish a "x"'])
  for await (const { properties } of within) {
    expect(properties?.userProperties).toEqual([mark])
    break
  }
})

it.each([
  ['by options alone', 'site-7', undefined],
  ['under another name', 'somebody', ofABridge],
  ['without a name', undefined, ofABridge],
])('a client is no bridge %s: nothing is marked for it, nor written for it', async (_how, username, properties) => {
  home = new InsideRig('lmdb')
  const rig = await home.open({ bridgeUsers })
  const clients = await Promise.all(
    ['one', 'other'].map((id) =>
      rig.connect(id, { version: 5, ...(username && { username }), ...(properties && { properties }) }),
    ),
  )
  for (const client of clients) client.send(subscribePacket([{ filter: 'a', qos: 2, ...asABridge }]))
  for (const client of clients) await client.heard()
  const before = (await rig.broker.metrics()).commits.writes.sum
  await rig.broker.publish('a', 'x', { qos: 1 })
  for (const client of clients) expect(await client.heardInFull()).toEqual(['publish a "x" qos 1 id 1'])
  expect((await rig.broker.metrics()).commits.writes.sum).toBe(before)
})

it.each([undefined, ofABridge])('of a client that is no bridge a mark is a user property like any', async (says) => {
  home = new InsideRig('memory')
  const rig = await home.open({ bridgeUsers })
  const heard: unknown[] = []
  rig.broker.subscribe('a', ({ text, properties }) => void heard.push([text(), properties?.userProperties]))
  const client = await rig.connect('c', { version: 5, ...(says && { properties: says }) })
  for (const text of ['forged', 'again'])
    client.send({ ...(publishPacket('a', text, 1, 1) as Publish), properties: marked(0) })
  await settled()
  await bring(await bridge('bridge'), [0])
  expect(heard).toEqual([
    ['forged', marked(0).userProperties], // [MQTT-3.3.2-17]
    ['again', marked(0).userProperties],
    ['0', undefined],
  ])
})

it('of a bridge that is away it is known after a restart that it is one, and what waits for it has its mark', async () => {
  home = new InsideRig('lmdb')
  await home.open()
  for (const name of ['one', 'other']) await (await bridge(name)).subscribe('#', asABridge)
  await home.restart()
  await home.rig.broker.publish('a', 'x', { qos: 1 })
  await home.crash()
  for (const name of ['one', 'other']) {
    for await (const { properties } of await bridge(name)) {
      expect(properties?.userProperties).toEqual([['godwit-mark', expect.stringMatching(/ 0$/)]])
      break
    }
  }
})

it('what is remembered is charged, is bounded, and is freed with the marker that was silent longest', async () => {
  home = new InsideRig('memory')
  const { broker } = await home.open()
  const session = await bridge('one')
  const stored = async (): Promise<number> => (await broker.accounts()).stored.bytes
  const before = await stored()
  const bytes: number[] = []
  for (let marker = 0; marker < 66; marker++) {
    const userProperties = [['godwit-mark', `marker-${marker} ${marker === 0 ? 1_000_000 : 0}`]] as const
    await session.publish('a', '', { properties: { userProperties } })
    bytes.push((await stored()) - before)
  }
  const one = bytes[0]!
  expect(bytes).toEqual(Array.from({ length: 66 }, (_, at) => one * Math.min(at + 1, 64)))
})
