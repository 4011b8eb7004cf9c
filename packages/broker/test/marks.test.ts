// Messages that bridges bring by more than one way are taken once.
import type { Publish } from '@godwit/protocol'
import { afterEach, expect, it } from 'vitest'
import type { InsideSession } from '../src/index.js'
import { InsideRig, take } from './inside-rig.js'
import { publishPacket } from './test-client.js'

let home: InsideRig
afterEach(() => home.dispose())

const asABridge = { noLocal: true, retainAsPublished: true } as const
const marked = (n: number) => ({ userProperties: [['godwit-mark', `elsewhere ${n}`]] as const })

async function bring(session: InsideSession, numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await session.publish('a', `${n}`, { qos: 2, properties: marked(n) })
}

it.each(['memory', 'lmdb'] as const)('from whichever is first, at any QoS (%s)', async (kind) => {
  home = new InsideRig(kind)
  const { broker } = await home.open()
  const heard: string[] = []
  broker.subscribe('a', (message) => void heard.push(message.text()))
  const [one, other] = [await broker.session('one'), await broker.session('other')]
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
  await bring(await broker.session('one'), numbers)
  const { broker: again } = await home.crash()
  await bring(await again.session('other'), [...numbers, 300])
  const lines = await take((await again.session('keeper', { expirySeconds: 60 }))[Symbol.asyncIterator](), 301)
  expect(lines.map((line) => line.split('"')[1])).toEqual([...numbers, 300].map(String))
  expect([(await again.metrics()).bridgedRepeats, again.recovered.retained]).toEqual([300, 0])
})

it('a message is marked where two bridges take it on, the same for both, and not where one does', async () => {
  home = new InsideRig('memory')
  const { broker } = await home.open()
  const [one, other] = [await broker.session('one'), await broker.session('other')]
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

it('of a client that is no bridge a mark is not believed, and goes no further', async () => {
  home = new InsideRig('memory')
  const rig = await home.open()
  const heard: unknown[] = []
  rig.broker.subscribe('a', ({ text, properties }) => void heard.push([text(), properties?.userProperties]))
  const client = await rig.connect('c', { version: 5 })
  client.send({ ...(publishPacket('a', 'forged', 1, 1) as Publish), properties: marked(0) })
  expect(await client.heard()).toEqual(['puback 1'])
  await bring(await rig.broker.session('bridge'), [0])
  expect(heard).toEqual([
    ['forged', []],
    ['0', marked(0).userProperties],
  ])
})
