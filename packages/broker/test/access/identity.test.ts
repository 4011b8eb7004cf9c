// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of access rules are written so
import { describe, expect, it } from 'vitest'
import { type Authenticator, accessRules, authenticationChain } from '../../src/access/index.js'
import type { Hooks, Identity } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { startRig } from '../rig.js'

const token = (identity: Identity): Authenticator => ({ name: 'token', check: () => identity })
const rules = accessRules([
  { allow: ['publish', 'subscribe'], filter: '${username}/#' },
  { allow: 'subscribe', filter: '${claim.site}/#' },
])

describe.each([4, 5] as const)('who a client has shown to be, at version %i', (version) => {
  const refused = version === 5 ? 0x87 : 0x80

  it('goes before what its CONNECT says, for rules and for hooks', async () => {
    const seen: unknown[] = []
    const chain = authenticationChain([token({ username: 'alice', claims: { site: 'berlin' } })])
    const hooks: readonly Hooks[] = [
      chain,
      {
        name: 'watcher',
        authenticate: ({ username }) => seen.push(username) > 0,
        onConnect: ({ username }) => void seen.push(username),
      },
      rules,
    ]
    const rig = await startRig({ hooks }, version)
    const client = await rig.connect('c', { username: 'bob' })
    client.subscribe('alice/#', 0, 1).subscribe('bob/#', 0, 2).subscribe('berlin/door', 0, 3)
    expect(await client.heard()).toEqual(['suback 1 [0]', `suback 2 [${refused}]`, 'suback 3 [0]'])
    expect(seen).toEqual(['alice', 'alice'])
  })

  it('decides on the will', async () => {
    const rig = await startRig({ hooks: [authenticationChain([token({ username: 'alice' })]), rules] }, version)
    expect((await rig.greet('c', { username: 'bob', will: { topic: 'alice/w', payload: '' } }).heard())[0]).toMatch(
      /^connack 0/,
    )
    expect((await rig.greet('d', { username: 'bob', will: { topic: 'bob/w', payload: '' } }).heard())[0]).not.toMatch(
      /^connack 0/,
    )
  })

  it('ends the connection when it is no longer true', async () => {
    const clock = new VirtualClock()
    const chain = authenticationChain([token({ expiresAt: clock.now() + 5000 })], {
      clock,
      disconnect: (clientId) =>
        rig.broker.disconnect(clientId, { reasonCode: 0x87, reasonString: 'the token has expired' }),
    })
    const rig = await startRig({ hooks: [chain], clock }, version)
    const client = await rig.connect('c', { username: 'bob' })
    await rig.pass(4999)
    expect(client.closed).toBe(false)
    await rig.pass(1)
    expect(await client.heard()).toEqual(version === 5 ? ['disconnect'] : [])
    expect(client.closed).toBe(true)
  })
})

describe.each([4, 5] as const)('what may not be received, at version %i', (version) => {
  const pierced = accessRules([
    { deny: 'receive', filter: 'a/secret' },
    { allow: ['publish', 'subscribe'], filter: 'a/#' },
  ])

  it.each([0, 1, 2] as const)(
    'is taken out of a granted subscription at QoS %i, retained messages too',
    async (qos) => {
      const rig = await startRig({ hooks: [pierced] }, version)
      rig.broker.publish('a/secret', 'kept', { retain: true, qos })
      rig.broker.publish('a/b', 'kept', { retain: true, qos })
      const client = await rig.connect('c')
      client.subscribe('a/#', qos)
      const id = (n: number): string => (qos === 0 ? '' : ` qos ${qos} id ${n}`)
      expect(await client.heard()).toEqual([`suback 1 [${qos}]`, `publish a/b "kept"${id(1)} retain`])
      rig.broker.publish('a/secret', 'now', { qos })
      rig.broker.publish('a/c', 'now', { qos })
      expect(await client.heard()).toEqual([`publish a/c "now"${id(2)}`])
      expect((await rig.broker.metrics()).dropped['receive-denied']).toBe(2)
    },
  )

  it('is not sent from the queue of a client that was away', async () => {
    const rig = await startRig({ hooks: [pierced] }, version)
    const first = await rig.connect('c', rig.durable)
    first.subscribe('a/#', 1)
    await first.heard()
    first.drop()
    await rig.pass(0)
    for (const topic of ['a/secret', 'a/b', 'a/secret', 'a/c']) rig.broker.publish(topic, 'x', { qos: 1 })
    const heard = await rig.greet('c', rig.durable).heard()
    expect(heard.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'connack 0',
      'publish a/b',
      'publish a/c',
    ])
  })

  it('a rule about receive that fails keeps the message back', async () => {
    const hook: Hooks = {
      name: 'broken',
      authorizeDelivery: () => {
        throw new Error('boom')
      },
    }
    const rig = await startRig({ hooks: [hook] }, version)
    const client = await rig.connect('c')
    client.subscribe('a')
    rig.broker.publish('a', 'x')
    expect(await client.heard()).toEqual(['suback 1 [0]'])
    expect(rig.log.filter((line) => line.startsWith('error hook broken failed in authorizeDelivery'))).not.toEqual([])
  })
})
