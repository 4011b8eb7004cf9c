// The client of `@godwit/client/browser`, which has its checks and its requests beside it.
import type { PacketOf } from '@godwit/protocol'
import { expect, expectTypeOf, test } from 'vitest'
import { checks } from '../src/all-checks.js'
import type { Client as WholeClient, ConnectOptions as WholeOptions } from '../src/index.js'
import { type Client, type ConnectOptions, connect } from '../src/page.js'
import { requestsOf } from '../src/requests.js'
import { failure, rig } from './rig.js'
import type { Peer } from './scripted-server.js'

const url = 'ws://broker'

async function connected(
  options: ConnectOptions = {},
): Promise<{ client: Client; peer: Peer; said: PacketOf<'connect'> }> {
  const made = rig()
  const { clock, openStream } = made.options
  const connecting = connect(url, {
    clientId: 'me',
    ...(clock && { clock }),
    ...(openStream && { openStream }),
    ...options,
  })
  const peer = await made.server.accept()
  const said = await peer.welcome()
  return { client: await connecting, peer, said }
}

test('whoever has the whole client has that of a page; a page has no options of Node', () => {
  expectTypeOf<WholeClient>().toExtend<Client>()
  expectTypeOf<Client>().not.toExtend<WholeClient>()
  expectTypeOf<keyof WholeOptions>()
    .exclude<keyof ConnectOptions>()
    .toEqualTypeOf<'tls' | 'headers' | 'dial' | 'unref'>()
})

test('without checks an option that does not exist is passed over; with them it is refused', async () => {
  const wrong: object = { keepalive: 30 }
  const { client, said } = await connected(wrong)
  expect(said).toMatchObject({ keepAliveSeconds: 60 })
  client.on('mesage' as 'close', () => {})
  expect(await failure(connect(url, { checks, ...wrong }))).toMatchObject({
    code: 'invalid-option',
    message: "connect: there is no option 'keepalive': it is called keepAliveSeconds here",
  })
})

test('with checks those of every call are made', async () => {
  const { client } = await connected({ checks })
  expect(() => client.on('mesage' as 'close', () => {})).toThrow(/no event 'mesage'/)
  const options = { qos: '1' } as never
  for (const call of [client.publish('a', '', options), client.subscribe('a', options), client.close(options)]) {
    expect(await failure(call)).toMatchObject({ code: 'invalid-option' })
  }
})

test('without checks nothing is sent that a server would end the connection for', async () => {
  const { client, peer } = await connected()
  const wrong = [
    client.publish('a', '', { qos: 3 as 2 }),
    client.subscribe('a', { qos: 3 as 2 }),
    client.subscribe('a', { retainHandling: 3 as 2 }),
    client.publish('a', '', { properties: { contentType: 7 as never } }),
  ]
  for (const call of wrong) expect(await failure(call)).toMatchObject({ code: 'invalid-option' })
  await peer.expectNothing()
  expect(client.connected).toBe(true)
})

test('requests go through the client, and end with it', async () => {
  const { client, peer } = await connected()
  const requests = requestsOf(client)
  const asking = requests.request('clock', 'now?')
  await peer.grant()
  const { properties } = await peer.expect('publish')
  peer.publish(properties!.responseTopic!, 'noon', { properties: { correlationData: properties!.correlationData! } })
  expect((await asking).text()).toBe('noon')
  const late = requests.request('clock', 'now?')
  void client.close({ timeoutMs: 0 })
  expect(await failure(late)).toMatchObject({ code: 'client-closed' })
})
