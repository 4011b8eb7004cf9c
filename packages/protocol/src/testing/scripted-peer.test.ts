import { expect, test } from 'vitest'
import { encode } from '../encoder.js'
import { PeerClosed, ScriptedPeer } from './scripted-peer.js'

const publish = { type: 'publish', topic: 't', payload: new Uint8Array(0), qos: 0, retain: false, dup: false } as const

/** Two that talk to each other. */
function pair(): readonly [client: ScriptedPeer, server: ScriptedPeer] {
  const client: ScriptedPeer = new ScriptedPeer((bytes) => server.hear(bytes))
  const server: ScriptedPeer = new ScriptedPeer((bytes) => client.hear(bytes))
  return [client, server]
}

test('each hears what the other says, in order, in the version of CONNECT', async () => {
  const [client, server] = pair()
  client.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAliveSeconds: 0 })
  expect(await server.next()).toMatchObject({ type: 'connect', clientId: 'c' })
  server.send({ type: 'connack', sessionPresent: false, reasonCode: 0, properties: { receiveMaximum: 7 } }, publish)
  expect((await client.expect('connack')).properties).toEqual({ receiveMaximum: 7 })
  expect(client.take()).toMatchObject([{ topic: 't' }])
})

test('what is waited for by type is taken from between; the rest stays', async () => {
  const [client, server] = pair()
  const waited = client.expect('pingresp')
  server.send(publish, { type: 'pingresp' }, { type: 'puback', packetId: 3 })
  await waited
  expect(await client.expect('puback')).toMatchObject({ packetId: 3 })
  expect((await client.next())?.type).toBe('publish')
})

test('what nobody waits for goes to whoever listens', () => {
  const heard: string[] = []
  const peer = new ScriptedPeer(() => {}, { onPacket: ({ type }) => void heard.push(type) })
  const bytes = encode({ type: 'pingreq' }, 4)
  for (const byte of bytes) peer.hear(Uint8Array.of(byte))
  expect([heard, peer.take()]).toEqual([['pingreq'], []])
})

test('an end is told to whoever waits', async () => {
  const [client] = pair()
  const [next, expected] = [client.next(), client.expect('connack')]
  client.end()
  expect(await next).toBeUndefined()
  await expect(expected).rejects.toThrow(PeerClosed)
  await expect(client.expect('connack')).rejects.toThrow('ended before connack')
})
