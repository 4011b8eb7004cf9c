import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Client } from '../src/index.js'
import { connected, failure, inBothVersions } from './rig.js'
import { settled } from './virtual-clock.js'

/** What would end the process. */
let unhandled: unknown[] = []
const onUnhandled = (error: unknown): void => void unhandled.push(error)

beforeEach(() => {
  unhandled = []
  process.on('unhandledRejection', onUnhandled)
})
afterEach(() => {
  process.off('unhandledRejection', onUnhandled)
})

/** Node tells of unhandled rejections when the microtasks have run. */
async function expectNobodyHurt(): Promise<void> {
  await settled()
  await settled()
  expect(unhandled).toEqual([])
}

inBothVersions((version) => {
  test('the trap of these tests works', async () => {
    void Promise.reject(new Error('nobody looks'))
    await settled()
    await settled()
    expect(unhandled).toHaveLength(1)
  })

  test('QoS 0 while offline, and nobody looks: the process lives, and the event tells', async () => {
    const { client, peer } = await connected()
    const told: unknown[] = []
    client.on('unpublished', ({ topic, error }) => told.push([topic, error.code]))
    peer.close()
    await settled()
    void client.publish('t', 'x')
    await expectNobodyHurt()
    expect(told).toEqual([['t', 'not-connected']])
    expect(await failure(client.publish('t', 'x'))).toMatchObject({ code: 'not-connected' })
  })

  test.each<[string, (client: Client) => unknown]>([
    ['publish, illegal topic', (client) => client.publish('a/#', 'x')],
    ['publish, no payload', (client) => client.publish('t', undefined as unknown as string)],
    ['publish, aborted', (client) => client.publish('t', 'x', { signal: AbortSignal.abort() })],
    ['publish, too late', (client) => client.publish('t', 'x', { qos: 1, timeoutMs: 10 })],
    ['publish, never completed', (client) => client.publish('t', 'x', { qos: 2 })],
    ['subscribe, illegal filter', (client) => client.subscribe('a#')],
    ['subscribe, never answered', (client) => client.subscribe('a')],
    ['subscribe, too late', (client) => client.subscribe('a', { timeoutMs: 10 })],
    ['unsubscribe', (client) => client.unsubscribe('a', { timeoutMs: 10 })],
    ['ready', (client) => client.ready({ signal: AbortSignal.abort() })],
    ['request', (client) => client.request('t', '', { timeoutMs: 10 })],
    ['respond', (client) => client.respond('a#', () => '')],
    ['reauthenticate', (client) => client.reauthenticate()],
    ['close', (client) => client.close({ timeout: 5 } as object)],
  ])('a promise nobody looks at does not end the process: %s', async (_, call) => {
    const { client, peer, clock } = await connected({ reconnect: false })
    void call(client)
    await clock.pass(20)
    await expectNobodyHurt()
    peer.close()
    await settled()
    await expectNobodyHurt()
    expect(client.state).toBe('closed')
    void call(client)
    await expectNobodyHurt()
  })

  test('nor does a pull that nobody looks at yet when the client ends', async () => {
    const { client, peer } = await connected({ reconnect: false })
    const subscribing = client.subscribe('a')
    await peer.grant()
    const pull = (await subscribing)[Symbol.asyncIterator]().next()
    peer.close()
    await expectNobodyHurt()
    expect(await failure(pull)).toMatchObject({ code: 'connection-closed' })
  })

  test('a publication that the server refuses is told by the event, once', async () => {
    const { client, peer } = await connected({ maxInflight: 1 })
    const told: unknown[] = []
    client.on('unpublished', ({ topic, error }) => told.push([topic, error.code]))
    void client.publish('t', 'x', { qos: 1 })
    const { packetId } = await peer.expect('publish')
    peer.send({ type: 'puback', packetId: packetId!, ...(version === 5 && { reasonCode: 0x87 }) })
    await expectNobodyHurt()
    expect(told).toEqual(version === 5 ? [['t', 'refused']] : [])
  })

  test('a listener may publish again without an endless turn', async () => {
    const { client, peer } = await connected()
    let tries = 0
    client.on('unpublished', ({ topic }) => {
      tries += 1
      if (tries < 3) void client.publish(topic, 'again')
    })
    peer.close()
    await settled()
    void client.publish('t', 'x')
    expect(tries).toBe(0) // not from inside the call
    await expectNobodyHurt()
    expect(tries).toBe(3)
  })

  test('a subscription that nobody waits for tells why it came to nothing', async () => {
    const { client, peer } = await connected()
    const told: unknown[] = []
    client.on('unsubscribed', ({ filters, error }) => told.push([filters, (error as { code: string }).code]))
    void client.subscribe('a#', { onMessage: () => {} })
    void client.subscribe(['ok', 'no'], { onMessage: () => {} })
    await peer.grant(0, 0x80)
    await expectNobodyHurt()
    expect(told).toEqual([
      [['a#'], 'invalid-filter'],
      [['ok', 'no'], 'subscription-refused'],
    ])
  })
})
