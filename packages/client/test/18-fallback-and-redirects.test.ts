import { describe, expect, test } from 'vitest'
import { connect } from '../src/index.js'
import { referredServer } from '../src/redirects.js'
import { parseServerUrl } from '../src/server-address.js'
import { connected, failure, rig } from './rig.js'
import type { Peer } from './scripted-server.js'
import { settled } from './virtual-clock.js'

/** Reads CONNECT and answers with these bytes. */
async function answered(peer: Peer, hex: string): Promise<void> {
  peer.open()
  await peer.expect('connect', { version: 5 })
  peer.sendBytes(Buffer.from(hex, 'hex'))
}

describe('fallback to 3.1.1', () => {
  test.each([
    ['CONNACK of 5.0 with 0x84', '2003008400'],
    ['CONNACK of 3.1.1 with return code 1', '20020001'],
    ['CONNACK of 3.1.1 with return code 5', '20020005'],
    ['CONNACK of 3.1.1 that accepts', '20020000'],
  ])('after %s the server is asked again at once, and so from then on', async (_, hex) => {
    const { server, options, clock } = rig()
    const connecting = connect('mqtt://broker', options)
    const told: unknown[] = []
    await answered(await server.accept(), hex)
    const second = await server.accept()
    expect((await second.welcome()).version).toBe(4)
    const client = await connecting
    client.on('disconnect', ({ error }) => told.push(error))
    expect([client.version, client.server?.version, client.server?.properties]).toEqual([4, 4, undefined])
    second.close()
    await clock.pass(500)
    expect((await (await server.accept()).welcome()).version).toBe(4)
    expect(told.length).toBe(1)
  })

  test('a CONNACK of 3.1.1 in pieces is understood as well', async () => {
    const { server, options } = rig()
    void connect('mqtt://broker', options)
    const peer = await server.accept()
    peer.open()
    await peer.expect('connect')
    for (const byte of [0x20, 2, 0, 1]) peer.sendBytes(Uint8Array.of(byte))
    expect((await (await server.accept()).welcome()).version).toBe(4)
  })

  test('a server that closes without an answer is asked again at 3.1.1, even with reconnect: false', async () => {
    const { server, options } = rig({ reconnect: false })
    const connecting = connect('mqtt://broker', options)
    const peer = await server.accept()
    peer.open()
    await peer.expect('connect')
    peer.close()
    expect((await (await server.accept()).welcome()).version).toBe(4)
    expect((await connecting).version).toBe(4)
  })

  test('when it closes at 3.1.1, too, it is not the version: the next attempt is at 5.0', async () => {
    const { server, options, clock } = rig()
    const connecting = connect('mqtt://broker', options)
    for (const version of [5, 4] as const) {
      const peer = await server.accept()
      peer.open()
      await peer.expect('connect', { version })
      peer.close()
    }
    await clock.pass(500)
    expect((await (await server.accept()).welcome()).version).toBe(5)
    await connecting
  })

  test('a server that was only restarting, and took 3.1.1, is asked at 5.0 on the next connection', async () => {
    const { server, options, clock } = rig()
    const connecting = connect('mqtt://broker', options)
    const first = await server.accept()
    first.open()
    await first.expect('connect', { version: 5 })
    first.close()
    const second = await server.accept()
    expect((await second.welcome()).version).toBe(4)
    const client = await connecting
    second.close()
    await clock.pass(500)
    expect((await (await server.accept()).welcome()).version).toBe(5)
    await settled()
    expect(client.version).toBe(5)
  })

  test('one that closes at 5.0 whenever it is asked is there again at 3.1.1, without a wait', async () => {
    const { server, options, clock } = rig()
    const connecting = connect('mqtt://broker', options)
    for (let round = 0; round < 3; round++) {
      const asked = await server.accept()
      asked.open()
      await asked.expect('connect', { version: 5 })
      asked.close()
      const taken = await server.accept()
      expect((await taken.welcome()).version).toBe(4)
      const client = await connecting
      await settled()
      expect([client.connected, client.version]).toEqual([true, 4])
      taken.close()
      await clock.pass(500 * 2 ** round)
    }
  })

  test('a connection that ends before CONNECT was sent says nothing of the version', async () => {
    const { server, options, clock } = rig()
    const connecting = connect('mqtt://broker', options)
    ;(await server.accept()).close()
    await clock.pass(500)
    expect((await (await server.accept()).welcome()).version).toBe(5)
    await connecting
  })

  test('a server that has taken 5.0 before and closes is asked at 5.0', async () => {
    const { peer, server, clock } = await connected()
    peer.close()
    await clock.pass(500)
    const second = await server.accept()
    second.open()
    await second.expect('connect', { version: 5 })
    second.close()
    await clock.pass(1000)
    expect((await (await server.accept()).welcome()).version).toBe(5)
  })

  test('where one of several servers has taken 5.0, another that closes is asked at 5.0 too', async () => {
    const { server, options, clock } = rig()
    const connecting = connect(['mqtt://a', 'mqtt://b'], options)
    const first = await server.accept()
    await first.welcome()
    const client = await connecting
    first.close()
    await clock.pass(500)
    const second = await server.accept() // passes clients on, and who serves has just gone
    second.open()
    await second.expect('connect', { version: 5 })
    second.close()
    await clock.pass(1000)
    expect((await (await server.accept()).welcome()).version).toBe(5)
    await settled()
    expect(client.version).toBe(5)
  })

  test('with fallback: false, or below 5.0, the refusal is final', async () => {
    for (const [extra, hex] of [
      [{ fallback: false }, '2003008400'],
      [{ fallback: false }, '20020001'],
    ] as const) {
      const { server, options } = rig(extra)
      const connecting = failure(connect('mqtt://broker', options))
      await answered(await server.accept(), hex)
      expect(await connecting).toMatchObject({ code: 'server-refused', reasonCode: 0x84, permanent: true })
      expect(server.count).toBe(1)
    }
  })

  test('a session that is kept needs a clientId at 3.1.1 [MQTT-3.1.3-7]', async () => {
    const { server, options } = rig({ clean: false, clientId: '' })
    const connecting = failure(connect('mqtt://broker', options))
    await (await server.accept()).welcome({ reasonCode: 0x84 })
    expect(await connecting).toMatchObject({ code: 'invalid-option' })
  })
})

describe('redirects', () => {
  const elsewhere = (serverReference: string) => ({ reasonCode: 0x9c, properties: { serverReference } })

  test('"Use another server" in CONNACK: the client goes there at once, and says nothing about it', async () => {
    const { server, options } = rig()
    const connecting = connect('mqtt://ada:secret@broker', options)
    await (await server.accept()).welcome(elsewhere('other:1999 third'))
    const peer = await server.accept()
    expect(peer.url).toBe('mqtt://other:1999')
    expect(await peer.welcome()).toMatchObject({ username: 'ada', password: new TextEncoder().encode('secret') })
    expect((await connecting).server?.server).toBe('mqtt://other:1999')
  })

  test.each([0x9c, 0x9d])('reason %i in DISCONNECT: the client goes there at once, and tells', async (reasonCode) => {
    const { client, peer, server, clock } = await connected()
    const told = new Promise((resolve) => client.on('disconnect', resolve))
    peer.send({ type: 'disconnect', reasonCode, properties: { serverReference: 'other' } })
    expect(await told).toMatchObject({ error: { reasonCode }, retryInMs: 0 })
    await clock.pass(0)
    const next = await server.accept()
    expect(next.url).toBe('mqtt://other')
    await next.welcome()
    expect(client.state).toBe('connected')
  })

  test('when the attempt there fails, the given servers are tried again', async () => {
    const { server, options, clock } = rig()
    void connect('mqtt://broker', options)
    await (await server.accept()).welcome(elsewhere('other'))
    ;(await server.accept()).close(new Error('connect ECONNREFUSED'))
    await clock.pass(500)
    expect((await server.accept()).url).toBe('mqtt://broker')
  })

  test('servers that send each other their clients are not followed for ever', async () => {
    const { server, options, clock } = rig({ background: true })
    const client = await connect('mqtt://one', options)
    const waits: unknown[] = []
    client.on('disconnect', ({ retryInMs }) => waits.push(retryInMs))
    for (let hop = 0; hop < 6; hop++) await (await server.accept()).welcome(elsewhere(hop % 2 === 0 ? 'two' : 'one'))
    await settled()
    expect([server.count, waits]).toEqual([6, [500]])
    await clock.pass(500)
    expect((await server.accept()).url).toBe('mqtt://one')
  })

  test.each([
    ['no reference', {}, undefined],
    ['one that cannot be read', {}, 'http://x y'],
    ['followRedirects: false', { followRedirects: false }, 'other'],
  ])('%s: "Server moved" is final', async (_, extra, serverReference) => {
    const { server, options } = rig(extra)
    const connecting = failure(connect('mqtt://broker', options))
    await (await server.accept()).welcome({
      reasonCode: 0x9d,
      ...(serverReference && { properties: { serverReference } }),
    })
    expect(await connecting).toMatchObject({ code: 'server-refused', reasonCode: 0x9d })
  })

  test.each([
    ['host', 'mqtt://host'],
    ['host:1884', 'mqtt://host:1884'],
    ['tcp://host:1884 other', 'tcp://host:1884'],
    ['10.10.151.22', 'mqtt://10.10.151.22'],
    ['[fe80::9610:3eff:fe1c]:1883', 'mqtt://[fe80::9610:3eff:fe1c]:1883'],
    ['fe80::9610:3eff:fe1c', 'mqtt://[fe80::9610:3eff:fe1c]'],
    ['', undefined],
  ])("a reference '%s' is %s", (reference, url) => {
    expect(referredServer(parseServerUrl('mqtt://broker'), reference)?.url).toBe(url)
  })
})
