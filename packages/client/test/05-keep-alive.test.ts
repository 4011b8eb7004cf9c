import { expect, test } from 'vitest'
import { connected, inBothVersions } from './rig.js'
import { settled } from './virtual-clock.js'

const options = { keepAliveSeconds: 60, pingTimeoutMs: 10_000, reconnect: false as const }

inBothVersions(() => {
  test('PINGREQ goes out within Keep Alive when nothing else was sent', async () => {
    const { peer, clock } = await connected(options)
    await clock.pass(53_999)
    await peer.expectNothing()
    await clock.pass(6000)
    await peer.expect('pingreq')
    peer.send({ type: 'pingresp' })
    await clock.pass(48_000)
    await peer.expectNothing()
    await clock.pass(1)
    await peer.expect('pingreq')
  })

  test('receiving does not stand in for sending: a client that only listens still pings', async () => {
    const { peer, clock } = await connected(options)
    for (let second = 0; second < 59; second++) {
      peer.publish('a', 'x')
      await clock.pass(1000)
    }
    await peer.expect('pingreq')
  })

  test('sending does not stand in for receiving: a client that only publishes notices a dead server', async () => {
    const { client, clock } = await connected(options)
    const ended = new Promise((resolve) => client.on('close', resolve))
    for (let second = 0; second < 70 && client.state === 'connected'; second++) {
      await client.publish('a', 'x')
      await clock.pass(1000)
    }
    expect(await ended).toMatchObject({ error: { code: 'keep-alive-timeout' } })
  })

  test('no answer to PINGREQ ends the connection; anything received counts as an answer', async () => {
    const { client, peer, clock } = await connected(options)
    await clock.pass(54_000)
    await peer.expect('pingreq')
    await clock.pass(9000)
    peer.publish('a', 'x')
    await clock.pass(9000)
    expect(client.state).toBe('connected')
    await clock.pass(60_000)
    await peer.expect('pingreq')
    await clock.pass(10_000)
    expect(client.state).toBe('closed')
    expect(peer.ended).toBe(true)
  })

  test('a connection with PINGRESPs lives on for hours', async () => {
    const { client, peer, clock } = await connected(options)
    for (let ping = 0; ping < 200; ping++) {
      await clock.pass(54_000)
      await peer.expect('pingreq')
      peer.send({ type: 'pingresp' })
      await settled()
    }
    expect(client.state).toBe('connected')
  })

  test('a timer that comes late after the machine slept is not held against the server', async () => {
    const { client, peer, clock } = await connected(options)
    await clock.pass(54_000)
    await peer.expect('pingreq')
    await clock.sleep(3_600_000)
    expect(client.state).toBe('connected')
    await peer.expect('pingreq') // it is asked again instead
    peer.send({ type: 'pingresp' })
    await clock.pass(20_000)
    expect(client.state).toBe('connected')
  })

  test('after a sleep a server that is really gone is noticed one ping later', async () => {
    const { client, peer, clock } = await connected(options)
    await clock.pass(54_000)
    await clock.sleep(3_600_000)
    await clock.pass(10_000)
    expect(client.state).toBe('closed')
    expect(peer.ended).toBe(true)
  })

  test('while slow consumers stop the intake, silence is our own', async () => {
    const { client, peer, clock } = await connected({ ...options, maxBuffered: 1 })
    const subscribing = client.subscribe('a')
    await peer.grant()
    await subscribing
    peer.publish('a', 'x')
    await settled()
    expect(peer.paused).toBe(true)
    await clock.pass(600_000)
    expect(client.state).toBe('connected')
    expect(await peer.rest()).toContain('pingreq')
  })

  test('a stream that still takes bytes slowly is alive', async () => {
    const { client, peer, clock } = await connected(options)
    await clock.pass(54_000)
    peer.congested = true
    await clock.pass(9000)
    peer.drain()
    await clock.pass(9000)
    expect(client.state).toBe('connected')
  })

  test('keepAliveSeconds: 0 turns it off and leaves no timer', async () => {
    const { peer, clock } = await connected({ ...options, keepAliveSeconds: 0 })
    expect(clock.pending).toBe(0)
    await clock.pass(10_000_000)
    await peer.expectNothing()
  })
})
