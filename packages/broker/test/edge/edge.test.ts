import { afterEach, describe, expect, it } from 'vitest'
import { edgePrometheusText, prometheusText } from '../../src/index.js'
import { connectPacket } from '../test-client.js'
import { type EdgeRig, startEdgeRig, until } from './edge-rig.js'

let rig: EdgeRig | undefined
afterEach(() => rig?.close())

describe.each([4, 5] as const)('a client of MQTT %s through an edge', (version) => {
  it('publishes, subscribes and leaves as at the broker itself', async () => {
    rig = await startEdgeRig({}, version)
    const { broker, clients } = rig
    const [one, other] = [await rig.connect('one'), await rig.connect('other')]
    one.subscribe('a/+', 2)
    expect(await one.next()).toEqual(['suback 1 [2]'])
    for (const qos of [0, 1, 2] as const) other.publish('a/b', `at ${qos}`, qos, 7)
    expect(await other.next(2)).toEqual(['puback 7', 'pubrec 7'])
    expect(await one.next(3)).toEqual([
      'publish a/b "at 0"',
      'publish a/b "at 1" qos 1 id 1',
      'publish a/b "at 2" qos 2 id 2',
    ])
    expect(clients).toMatchObject([
      { address: '127.0.0.1', listener: 'plain', version },
      { address: '127.0.0.1', listener: 'plain', version },
    ])
    one.disconnect()
    await one.ended()
    await until(async () => (await broker.clients.count()) === 1)
  })

  it('finds its session again, through whichever edge', async () => {
    rig = await startEdgeRig({}, version)
    const durable = { cleanStart: false, ...(version === 5 && { properties: { sessionExpiryInterval: 3600 } }) }
    const before = await rig.connect('c', durable)
    before.subscribe('a', 1)
    await before.next()
    before.drop()
    await until(async () => (await rig!.broker.clients.count()) === 0)
    await rig.broker.publish('a', 'kept', { qos: 1 })
    const client = await rig.open('c')
    client.send(connectPacket('c', { version, ...durable }))
    expect(await client.next(2)).toEqual(['connack 0 present', 'publish a "kept" qos 1 id 1'])
  })

  it.each<[string, 'drop' | 'end' | 'disconnect', string[]]>([
    ['breaks off', 'drop', ['gone']],
    ['ends its side', 'end', ['gone']],
    ['says DISCONNECT', 'disconnect', []],
  ])('has its will published as its end says: it %s', async (_name, leave, wills) => {
    rig = await startEdgeRig({}, version)
    const heard: string[] = []
    rig.broker.subscribe('will', (message) => void heard.push(message.text()))
    const client = await rig.connect('c', { will: { topic: 'will', payload: 'gone' } })
    client[leave]()
    await until(async () => (await rig!.broker.clients.count()) === 0)
    expect(heard).toEqual(wills)
  })
})

it('counts what it passes on, for Prometheus; a broker without an edge tells nothing of it', async () => {
  rig = await startEdgeRig()
  await rig.connect('c')
  const text = await edgePrometheusText(rig.edge)
  expect(text).toContain('godwit_forwarded_clients 1\n')
  expect(text).toContain('godwit_forward_connections_total 1\n')
  expect(text).toMatch(/godwit_connections_accepted_total 1\n/)
  expect(text).not.toContain('godwit_queued_messages')
  expect(await prometheusText(rig.broker)).not.toContain('godwit_forward')
})
