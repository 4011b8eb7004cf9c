import type { Packet } from '@godwit/protocol'
import { describe, expect, test } from 'vitest'
import type { PublishError } from '../src/index.js'
import { type Connected, connected, failure, inBothVersions } from './rig.js'
import type { Peer } from './scripted-server.js'
import { settled } from './virtual-clock.js'

const big = 'x'.repeat(1000)

/** The next connection of a client that has lost one. */
async function next({ server, clock }: Connected, sessionPresent: boolean): Promise<Peer> {
  await clock.pass(1000)
  const peer = await server.accept()
  await peer.welcome({ sessionPresent })
  return peer
}

/** Answers what has come as a strict server does; true when it has ended the connection. */
async function answer(
  peer: Peer,
  packets: readonly Packet[],
  seen: string[],
  cause: Error | undefined,
): Promise<boolean> {
  for (const packet of packets) {
    if (packet.type === 'pubrel') peer.send({ type: 'pubcomp', packetId: packet.packetId })
    if (packet.type !== 'publish') continue
    const isBig = packet.payload.length >= big.length
    seen.push(isBig ? 'big' : new TextDecoder().decode(packet.payload))
    if (isBig) {
      peer.close(cause)
      return true
    }
    if (packet.qos > 0) peer.send({ type: packet.qos === 1 ? 'puback' : 'pubrec', packetId: packet.packetId! })
    await settled()
  }
  return false
}

/** Plays a server that ends every connection on which a packet larger than it takes comes, and answers the others. */
async function playStrict(made: Connected, connections: number, kept: boolean, cause?: Error): Promise<string[]> {
  const seen: string[] = []
  for (let at = 0, { peer } = made; at < connections; at++) {
    if (at > 0) peer = await next(made, kept)
    let packets = await peer.take()
    let ended = false
    for (let idle = 0; idle < 3 && !ended; packets = await peer.take()) {
      idle = packets.length === 0 ? idle + 1 : 0
      ended = await answer(peer, packets, seen, cause)
    }
    if (!ended) return seen
  }
  return seen
}

inBothVersions((version) => {
  describe.each([true, false])('a publication that ends every connection, session kept: %s', (kept) => {
    const options = { clean: !kept, reconnect: { initialMs: 100, stableMs: 0 } }

    test.each([1, 2] as const)('is rejected at QoS %i, with the reason, and what is behind it goes on', async (qos) => {
      if (qos === 2 && !kept) return // 'session-lost' says it at once
      const made = await connected(options)
      const told: string[] = []
      made.client.on('unpublished', ({ error }) => told.push(error.code))
      const before = made.client.publish('t', 'before', { qos: 1 })
      const poison = failure(made.client.publish('t', big, { qos }))
      const behind = made.client.publish('t', 'behind', { qos: 1 })
      const playing = playStrict(made, 6, kept)
      expect(await poison).toMatchObject({
        name: 'PublishError',
        code: 'ends-connection',
        topic: 't',
        message: expect.stringMatching(
          /^publish to 't': the server ended 3 connections when this came: .*larger than it takes/,
        ),
        cause: { code: 'connection-closed' },
      })
      await before
      await behind
      expect((await playing).filter((text) => text === 'big')).toHaveLength(3)
      expect(told).toEqual(['ends-connection'])
      expect(made.client.state).toBe('connected')
      await made.client.publish('t', 'live')
    })

    test('a reset is the server’s doing as well', async () => {
      const made = await connected(options)
      const poison = failure(made.client.publish('t', big, { qos: 1 }))
      await playStrict(made, 6, kept, Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
      expect(await poison).toMatchObject({ code: 'ends-connection' })
    })

    test('a network that breaks, again and again, is not its fault', async () => {
      const made = await connected(options)
      const publishing = made.client.publish('t', 'x', { qos: 1 })
      let { peer } = made
      for (let round = 0; round < 6; round++) {
        await peer.expect('publish')
        peer.close(Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }))
        peer = await next(made, kept)
      }
      const { packetId } = await peer.expect('publish')
      peer.send({ type: 'puback', packetId: packetId! })
      await publishing
    })

    test('a server that closes when nothing of ours waits for it rejects nothing', async () => {
      const made = await connected(options)
      let { peer } = made
      for (let round = 0; round < 5; round++) {
        const publishing = made.client.publish('t', 'x', { qos: 1 })
        const { packetId } = await peer.expect('publish')
        peer.send({ type: 'puback', packetId: packetId! })
        await publishing
        peer.close()
        peer = await next(made, kept)
      }
    })
  })

  test('the one under suspicion goes alone, so that no other is blamed', async () => {
    const made = await connected({ clean: false, reconnect: { initialMs: 100, stableMs: 0 } })
    const innocent = made.client.publish('t', 'innocent', { qos: 1 })
    const guilty = failure(made.client.publish('t', big, { qos: 1 }))
    let { peer } = made
    // A server that is slow to acknowledge: both are open whenever it ends the connection.
    for (let round = 0; round < 2; round++) {
      await settled()
      peer.close()
      peer = await next(made, true)
    }
    await settled()
    expect(await peer.rest()).toEqual(['publish 1 innocent dup'])
    peer.send({ type: 'puback', packetId: 1 })
    await innocent
    const playing = playStrict({ ...made, peer }, 6, true)
    expect(await guilty).toMatchObject({ code: 'ends-connection' })
    await playing
  })

  test('QoS 0 waits meanwhile, and is sent then', async () => {
    const made = await connected({ clean: false, reconnect: { initialMs: 100, stableMs: 0 } })
    void made.client.publish('t', big, { qos: 1 })
    let { peer } = made
    for (let round = 0; round < 2; round++) {
      await settled()
      peer.close()
      peer = await next(made, true)
    }
    const waiting = made.client.publish('t', 'q0')
    expect((await peer.rest()).map((words) => words.slice(0, 9))).toEqual(['publish 1'])
    peer.send({ type: 'puback', packetId: 1 })
    await waiting
    expect(await peer.rest()).toEqual(['publish q0'])
    await made.client.close({ timeoutMs: 0 })
  })

  test('a subscription that the server answers by closing is not blamed on a publication', async () => {
    const made = await connected({ clean: false, reconnect: { initialMs: 100, stableMs: 0 } })
    void made.client.subscribe('forbidden/#')
    const publishing = made.client.publish('t', 'x', { qos: 1 })
    let refused: PublishError | undefined
    publishing.catch((error: PublishError) => (refused = error))
    let { peer } = made
    for (let round = 0; round < 5; round++) {
      await peer.expect('subscribe')
      peer.close()
      peer = await next(made, true)
    }
    expect([refused, version]).toEqual([undefined, version])
  })
})
