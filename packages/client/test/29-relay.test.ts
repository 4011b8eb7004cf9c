import { expect, test } from 'vitest'
import { relay } from '../src/relay.js'
import { rig } from './rig.js'
import type { Peer } from './scripted-server.js'

const terms = { bridge: true, firstPacketId: 1 }

/** Takes CONNECT, says nothing, and closes. Answers whether it came from a bridge. */
async function closesAt(peer: Peer): Promise<boolean> {
  peer.open()
  const { bridge = false } = (await peer.expect('connect')) as { bridge?: boolean }
  peer.close()
  return bridge
}

test('a server that closes when a bridge comes may be about to restart: it is asked again when it stands', async () => {
  const { server, options, clock } = rig({ version: 4 })
  const { client } = await relay('mqtt://broker', options, terms)
  expect(await closesAt(await server.accept())).toBe(true)
  const standing = await server.accept()
  expect((await standing.welcome()).bridge).toBeUndefined()
  await standing.expect('disconnect')
  standing.close()
  await clock.pass(500)
  expect((await (await server.accept()).welcome()).bridge).toBe(true)
  await client.ready()
  await client.close({ timeoutMs: 0 })
})

test('one that closes again takes none: it is served without', async () => {
  const { server, options, clock } = rig({ version: 4 })
  const { client } = await relay('mqtt://broker', options, terms)
  await closesAt(await server.accept())
  const standing = await server.accept()
  await standing.welcome()
  await standing.expect('disconnect')
  standing.close()
  await clock.pass(500)
  expect(await closesAt(await server.accept())).toBe(true)
  const plain = await server.accept()
  expect((await plain.welcome()).bridge).toBeUndefined()
  await client.ready()
  await client.close({ timeoutMs: 0 })
})
