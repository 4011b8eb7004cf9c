import { describe, expect, it } from 'vitest'
import type { Peer } from '../src/peer.js'
import { fromHex } from '../src/raw-packets.js'
import { Trial } from '../src/trial.js'
import { Responder } from './responder/responder.js'
import { accept, type Line, scriptedServer } from './scripted-server.js'

/** A connected peer of a server that does this with the first packet after CONNECT. */
async function peerOf(reply: (line: Line) => void): Promise<Peer> {
  const server = scriptedServer((packet, line) => (packet.type === 'connect' ? accept(line) : reply(line)))
  const peer = await new Trial(server, { scale: 1 }).connect()
  peer.send({ type: 'pingreq' })
  return peer
}

const puback = (line: Line): void => line.send({ type: 'puback', packetId: 2 })
const message = (line: Line): void => line.sendBytes(fromHex('32 06 0001 61 0007 78'))

describe('a peer fails when', () => {
  it('nothing comes', async () => {
    const c = await peerOf(() => {})
    await expect(c.expect('puback', { packetId: 1 })).rejects.toThrow('expected PUBACK, packetId 1; nothing came')
  })

  it('something else comes', async () => {
    const c = await peerOf((line) => line.send({ type: 'pingresp' }))
    await expect(c.expect('puback')).rejects.toThrow('expected PUBACK; came PINGRESP [d0 00]')
  })

  it('the right packet comes with a wrong field', async () => {
    const c = await peerOf(puback)
    await expect(c.expect('puback', { packetId: 1 })).rejects.toThrow(
      'expected PUBACK, packetId 1; came PUBACK, packetId 2 [40 02 00 02]',
    )
  })

  it('a message has another payload, topic, QoS or flag', async () => {
    for (const fields of [{ payload: 'y' }, { topic: 'b' }, { qos: 0 }, { dup: true }, { retain: true }] as const) {
      const c = await peerOf(message)
      await expect(c.expectPublish(fields)).rejects.toThrow('[32 06 00 01 61 00 07 78]')
    }
    const c = await peerOf(message)
    await c.expectPublish({ payload: 'x', topic: 'a', qos: 1, dup: false, retain: false, packetId: 7 })
  })

  it('bytes come that are no packet', async () => {
    for (const hex of ['32 06 0001 61 0000 78', '36 06 0001 61 0007 78', '2f 02 0000', '30 ff ff ff ff 01']) {
      const c = await peerOf((line) => line.sendBytes(fromHex(hex)))
      await expect(c.expectPublish()).rejects.toThrow('bytes that are no packet')
    }
  })

  it('the connection is closed where a packet should come', async () => {
    const c = await peerOf((line) => line.close())
    await expect(c.expect('pingresp')).rejects.toThrow('nothing came, and the connection was closed')
  })

  it('bytes are not exactly these', async () => {
    const c = await peerOf(puback)
    await expect(c.expectHex('40 02 0001', '40 02 0003')).rejects.toThrow(
      'expected PUBACK, packetId 1 [40 02 00 01] or PUBACK, packetId 3 [40 02 00 03]; came PUBACK, packetId 2 [40 02 00 02]',
    )
  })

  it('the connection stays open where it should be closed', async () => {
    const c = await peerOf(() => {})
    await expect(c.expectClosed()).rejects.toThrow('expected the connection to be closed; it stayed open')
    await expect(c.expectClosed({ withinMs: 1000 })).rejects.toThrow('it stayed open')
    await expect(c.expectRefused()).rejects.toThrow('it stayed open')
  })

  it('the connection is closed with a reply where there should be none', async () => {
    const c = await peerOf((line) => {
      puback(line)
      line.close()
    })
    await expect(c.expectClosed()).rejects.toThrow('closed with no reply; came PUBACK, packetId 2')
    await expect(c.expectRefused()).rejects.toThrow('came PUBACK, packetId 2')
  })

  it('something comes where nothing should', async () => {
    const c = await peerOf(puback)
    await expect(c.expectNothing()).rejects.toThrow('expected nothing; came PUBACK, packetId 2 [40 02 00 02]')
  })

  it('the connection is closed where nothing should happen', async () => {
    const c = await peerOf((line) => line.close())
    await expect(c.expectNothing()).rejects.toThrow('it was closed')
  })

  it('CONNECT is refused', async () => {
    const server = scriptedServer((_, line) => line.send({ type: 'connack', sessionPresent: false, reasonCode: 0x85 }))
    await expect(new Trial(server, { scale: 1 }).connect()).rejects.toThrow('[20 02 00 02]')
  })

  it('something comes before CONNACK', async () => {
    const server = scriptedServer((_, line) => {
      line.send({ type: 'pingresp' })
      accept(line)
    })
    await expect(new Trial(server, { scale: 1 }).connect()).rejects.toThrow('expected CONNACK; came PINGRESP')
  })
})

describe('a peer', () => {
  it('does not mind the order between different kinds of packets', async () => {
    const c = await peerOf((line) => {
      puback(line)
      message(line)
      line.send({ type: 'pingresp' })
    })
    await c.expect('pingresp')
    await c.expectPublish()
    await c.expect('puback')
    await c.expectNothing()
  })

  it('minds the order within a kind', async () => {
    const c = await peerOf((line) => line.send({ type: 'puback', packetId: 2 }, { type: 'puback', packetId: 1 }))
    await expect(c.expect('puback', { packetId: 1 })).rejects.toThrow('came PUBACK, packetId 2')
  })

  it('takes packets in whatever chunks they come', async () => {
    const c = await peerOf((line) => {
      for (const byte of fromHex('40 02 0002 32 06 0001 61 0007 78 d0 00')) line.sendBytes(Uint8Array.of(byte))
    })
    await c.expect('puback', { packetId: 2 })
    await c.expectPublish({ payload: 'x' })
    await c.expect('pingresp')
  })

  it('waits for a close as long as the check lets it, in time of the server', async () => {
    const trial = new Trial(new Responder(), { scale: 1 })
    const impatient = await trial.connect({ keepAliveSeconds: 2 })
    await expect(impatient.expectClosed({ withinMs: 2750 })).rejects.toThrow('it stayed open')
    const patient = await trial.connect({ keepAliveSeconds: 2 })
    await patient.expectClosed({ withinMs: 3000 })
  })

  it('plays both parts of QoS 2', async () => {
    const c = await peerOf((line) => line.sendBytes(fromHex('34 06 0001 61 0007 78')))
    const publish = await c.expectPublish({ qos: 2 })
    await expect(c.acknowledge(publish)).rejects.toThrow('expected PUBREL, packetId 7; came PUBLISH')

    const trial = new Trial(new Responder(), { scale: 1 })
    const sender = await trial.connect()
    await sender.publish('a', 'x', { qos: 2 })
    expect(trial.transcript.at(-1)).toContain('gets PUBCOMP, packetId 1')
  })
})

it('what is said is told in words and hex, but for passwords', async () => {
  const notes: string[] = []
  const trial = new Trial(
    scriptedServer((packet, line) => packet.type === 'connect' && accept(line)),
    { scale: 1 },
  )
  trial.note = (line) => void notes.push(line)
  const c = await trial.connect({ clientId: 'me', username: 'ada', password: 'secret' })
  c.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 1 }] })
  expect(notes).toEqual([
    expect.stringMatching(/^me sends CONNECT, .*username "ada", password "\*{6}" \[10 .* 2a 2a 2a 2a 2a 2a\]$/),
    'me gets CONNACK, reasonCode 0x00 (Success) [20 02 00 00]',
    'me sends SUBSCRIBE, packetId 1, subscriptions [{"filter":"a","qos":1}] [82 06 00 01 00 01 61 01]',
  ])
})
