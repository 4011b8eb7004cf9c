import { expect, test } from 'vitest'
import { startRig } from './rig.js'

test('the broker: what there is of everything', async () => {
  const { ask, connect, clock } = await startRig({ listeners: ['127.0.0.1:1883'] })
  await connect('a')
  clock.advance(61_000)
  expect(await ask('GET', '/broker', { as: 'viewer' })).toMatchObject({
    status: 200,
    body: {
      uptimeSeconds: 61,
      startedAt: '2026-01-01T00:00:00.000Z',
      clients: 1,
      ready: true,
      listeners: ['127.0.0.1:1883'],
    },
  })
  expect((await ask('GET', '/counters')).body.plain).toMatchObject({ clientsAccepted: 1 })
})

test('clients, page by page', async () => {
  const { ask, connect } = await startRig()
  for (const clientId of ['a', 'b', 'c']) await connect(clientId, { username: clientId === 'b' ? 'ben' : 'ann' })
  const first = (await ask('GET', '/clients?limit=2')).body
  expect(first.items).toHaveLength(2)
  expect(first.items[0]).toMatchObject({ clientId: 'a', username: 'ann', transport: 'tcp', version: '5.0', queued: 0 })
  const second = (await ask('GET', `/clients?limit=2&cursor=${first.next}&columns=username`)).body
  expect(second).toEqual({ items: [{ clientId: 'c', username: 'ann' }], next: null })
  expect((await ask('GET', '/clients?search=BEN&columns=clientId')).body.items).toEqual([{ clientId: 'b' }])
  expect((await ask('GET', '/clients?username=ann&columns=clientId')).body.items).toHaveLength(2)
})

test('clients in another order', async () => {
  const { ask, connect } = await startRig()
  const wants = { a: 1, b: 3, c: 2 }
  for (const [clientId, filters] of Object.entries(wants)) {
    const client = await connect(clientId)
    for (let n = 0; n < filters; n++) await client.subscribe(`t/${n}`)
  }
  const order = async (query: string): Promise<string> => {
    let [ids, cursor] = ['', '']
    for (;;) {
      const { items, next } = (await ask('GET', `/clients?limit=1&sort=${query}${cursor}`)).body
      ids += items.map(({ clientId }: { clientId: string }) => clientId).join('')
      if (next === null) return ids
      cursor = `&cursor=${next}`
    }
  }
  expect([await order('subscriptions'), await order('-subscriptions')]).toEqual(['acb', 'bca'])
})

test('one client, whatever it is called', async () => {
  const { ask, connect } = await startRig()
  for (const clientId of ['..', 'a/b?c=%2F&d', '<img src=x onerror=alert(1)>', '𝄞']) {
    await connect(clientId)
    expect(await ask('GET', `/client?clientId=${encodeURIComponent(clientId)}`)).toMatchObject({
      status: 200,
      body: { clientId },
    })
  }
  expect(await ask('GET', '/client?clientId=nobody')).toMatchObject({ status: 404, body: { code: 'not-found' } })
})
