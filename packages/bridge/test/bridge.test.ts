import { expect, test } from 'vitest'
import { all, bridged, heard, side, subscribed, until } from './rig.js'

test('out: under its own prefix, in order, and acknowledged when the other broker has it', async () => {
  const [near, far] = [await side(), await side()]
  const there = heard(far.broker, '#')
  const { bridge } = await bridged(near, far, {
    state: false,
    topics: [{ filter: 'sensors/#', direction: 'out', qos: 2, localPrefix: 'plant/', remotePrefix: 'site-7/' }],
  })
  for (const n of [1, 2, 3]) await near.broker.publish('plant/sensors/a', `${n}`, { qos: 2 })
  await near.broker.publish('plant/other', 'no', { qos: 2 })
  await until(() => bridge.view.queued === 0 && bridge.view.out === 3)
  expect(there).toEqual(['site-7/sensors/a 1', 'site-7/sensors/a 2', 'site-7/sensors/a 3'])
  expect(bridge.view).toMatchObject({
    connected: true,
    version: 5,
    server: 'mqtt://far',
    out: 3,
    in: 0,
    lostSessions: 0,
  })
})

test('in: under its local prefix, and acknowledged when it is here', async () => {
  const [near, far] = [await side(), await side()]
  const here = heard(near.broker, '#')
  const { bridge } = await bridged(near, far, {
    state: false,
    topics: [{ filter: 'commands/#', direction: 'in', qos: 2, localPrefix: 'plant/', remotePrefix: 'site-7/' }],
  })
  await subscribed(far)
  for (const n of [1, 2, 3]) await far.broker.publish('site-7/commands/a', `${n}`, { qos: 2 })
  await until(() => bridge.view.in === 3)
  expect(here).toEqual(['plant/commands/a 1', 'plant/commands/a 2', 'plant/commands/a 3'])
})

test.each([5, 4] as const)('both: nothing comes back, retained is set and cleared (version %i)', async (version) => {
  const [near, far] = [await side(), await side()]
  const [here, there] = [heard(near.broker, '#'), heard(far.broker, '#')]
  const { bridge } = await bridged(near, far, {
    version,
    state: false,
    topics: [{ filter: 'shared/#', direction: 'both' }],
  })
  await subscribed(far)
  await near.broker.publish('shared/a', 'near', { qos: 1, retain: true })
  await until(() => bridge.view.out === 1)
  await far.broker.publish('shared/b', 'far', { qos: 1, retain: true })
  await until(() => bridge.view.out === 1 && bridge.view.in === 1)
  const topics = async ({ broker }: typeof near): Promise<string[]> =>
    (await all(broker.retained.list())).map(({ topic }) => topic).sort()
  expect([await topics(near), await topics(far)]).toEqual([
    ['shared/a', 'shared/b'],
    ['shared/a', 'shared/b'],
  ])
  await near.broker.publish('shared/b', '', { qos: 1, retain: true })
  await until(() => bridge.view.out === 2)
  expect([await topics(near), await topics(far)]).toEqual([['shared/a'], ['shared/a']])
  expect([here, there]).toEqual([
    ['shared/a near', 'shared/b far', 'shared/b '],
    ['shared/a near', 'shared/b far', 'shared/b '],
  ])
})

test('`#` has the level above too: it goes without the last slash of its prefix, and nowhere where that is all', async () => {
  const [near, far] = [await side(), await side()]
  const [here, there] = [heard(near.broker, '#'), heard(far.broker, '#')]
  const { bridge } = await bridged(near, far, {
    state: false,
    topics: [
      { filter: '#', direction: 'both', localPrefix: 'plant/', remotePrefix: 'site/' },
      { filter: '#', direction: 'out', localPrefix: 'other/' },
    ],
  })
  await subscribed(far)
  await near.broker.publish('plant', 'out', { qos: 1 })
  await near.broker.publish('other', 'nowhere', { qos: 1 })
  await until(() => bridge.view.out === 1)
  await far.broker.publish('site', 'in', { qos: 1 })
  await until(() => bridge.view.in === 1 && bridge.view.queued === 0)
  expect([here, there]).toEqual([
    ['plant out', 'other nowhere', 'plant in'],
    ['site out', 'site in'],
  ])
  expect(bridge.view.dropped.unwritable).toBe(1)
})
