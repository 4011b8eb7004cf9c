import { expect, it } from 'vitest'
import { settled, startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'

it('a session has been ended when that is on the disk: connected, asleep, or that of the program', async () => {
  const store = new SteppedStore()
  const { broker, greet, durable } = await startRig({ store })
  greet('there', durable)
  const asleep = greet('asleep', durable)
  const inside = broker.session('inside', { expirySeconds: 60 })
  await settled()
  store.flush()
  await inside
  asleep.drop()
  await settled()
  store.flush()
  const ended: string[] = []
  const ends = ['there', 'asleep', 'inside', 'nobody'].map(async (clientId) => {
    if (await broker.sessions.end(clientId)) ended.push(clientId)
  })
  await settled()
  expect([ended, await broker.sessions.count()]).toEqual([[], 0])
  store.flush()
  await Promise.all(ends)
  expect(ended.sort()).toEqual(['asleep', 'inside', 'there'])
})

it('listeners have been told all when the broker has closed', async () => {
  const { broker, connect } = await startRig()
  const told: string[] = []
  const slowly = async (what: readonly object[]): Promise<void> => {
    for (let turns = 0; turns < 5; turns++) await new Promise((next) => setImmediate(next))
    for (const one of what) told.push('type' in one ? `${one.type}` : 'packet')
  }
  await broker.changes(slowly)
  await broker.trace({}, slowly)
  await connect('a')
  await broker.close()
  expect(told).toEqual(expect.arrayContaining(['client-connected', 'client-gone', 'packet']))
  const { length } = told
  await settled()
  expect(told).toHaveLength(length)
})

it('a broker closes also when a listener is never done, and says so', async () => {
  const { broker, connect, clock, log } = await startRig()
  await broker.changes(() => new Promise(() => {}))
  await connect('a')
  const closed = broker.close()
  await settled()
  clock.advance(1_000)
  await closed
  expect(log.at(-1)).toMatch(/^error a listener of changes or packets was not done with them in time/)
})
