import { describe, expect, test } from 'vitest'
import { connect } from '../src/index.js'
import { connected, failure, inBothVersions, rig } from './rig.js'
import { settled } from './virtual-clock.js'

inBothVersions(() => {
  describe('close() always settles, and so does everything that waits', () => {
    test('connected: DISCONNECT is the last packet, then the connection is closed', async () => {
      const { client, peer, clock } = await connected()
      await client.close()
      await peer.expect('disconnect')
      expect(peer.ended).toBe(true)
      expect(client.state).toBe('closed')
      expect(clock.pending).toBe(0)
    })

    test('it is idempotent, and await using does the same', async () => {
      const { client, server } = await connected()
      await Promise.all([client.close(), client.close(), client[Symbol.asyncDispose]()])
      await client.close()
      expect(server.count).toBe(1)
    })

    test('it waits for what was published, within its bound', async () => {
      const { client, peer } = await connected()
      const publishing = client.publish('a', 'x', { qos: 1 })
      const closing = client.close()
      await peer.expect('publish')
      await peer.expectNothing()
      peer.send({ type: 'puback', packetId: 1 })
      await publishing
      await closing
      await peer.expect('disconnect')
    })

    test('after the bound the rest is rejected, not left hanging', async () => {
      const { client, peer, clock } = await connected()
      const publishing = failure(client.publish('a', 'x', { qos: 1 }))
      const subscribing = failure(client.subscribe('a'))
      const closing = client.close({ timeoutMs: 500 })
      await clock.pass(500)
      await closing
      expect(await publishing).toMatchObject({ code: 'client-closed' })
      expect(await subscribing).toMatchObject({ code: 'client-closed' })
      expect(await peer.rest()).toEqual(['publish 1 a'.replace('a', 'x'), 'subscribe 2 a', 'disconnect'])
    })

    test('QoS 0 handed over just before still leaves', async () => {
      const { client, peer } = await connected()
      void client.publish('a', 'x')
      await client.close()
      expect(await peer.rest()).toEqual(['publish x', 'disconnect'])
    })

    test('while connecting: the attempt is cancelled', async () => {
      const { server, options, clock } = rig({ background: true })
      const client = await connect('mqtt://broker', options)
      const peer = await server.accept()
      await client.close()
      expect(peer.ended).toBe(true)
      expect(clock.pending).toBe(0)
    })

    test('while waiting to reconnect: there is no other attempt', async () => {
      const { client, peer, server, clock } = await connected()
      peer.close()
      await settled()
      const publishing = failure(client.publish('a', 'x', { qos: 1 }))
      await client.close()
      expect(await publishing).toMatchObject({ code: 'client-closed' })
      await clock.pass(100_000)
      expect(server.count).toBe(1)
      expect(clock.pending).toBe(0)
    })

    test('while credentials() has not answered', async () => {
      const { options, server } = rig({ background: true, credentials: () => new Promise(() => {}) })
      const client = await connect('mqtt://broker', options)
      await client.close()
      expect(server.count).toBe(0)
    })

    test('when the connection is lost while closing', async () => {
      const { client, peer } = await connected()
      const publishing = failure(client.publish('a', 'x', { qos: 1 }))
      const closing = client.close()
      await settled()
      peer.close()
      await closing
      expect(await publishing).toMatchObject({ code: 'client-closed' })
    })

    test('when the server never closes its side', async () => {
      const { client, peer, clock } = await connected()
      peer.stream.end = () => {}
      const closing = client.close()
      await clock.pass(2000)
      await closing
      expect(peer.ended).toBe(true)
    })

    test('iterators finish, and later calls are rejected', async () => {
      const { client, peer } = await connected()
      const subscribing = client.subscribe('a')
      await peer.grant()
      const subscription = await subscribing
      const pull = subscription[Symbol.asyncIterator]().next()
      await client.close()
      expect(await pull).toEqual({ done: true, value: undefined })
      await subscription.closed
      await subscription.unsubscribe()
      for (const call of [client.publish('a', ''), client.subscribe('a'), client.ready()]) {
        expect(await failure(call)).toMatchObject({ code: 'client-closed' })
      }
    })

    test('a listener may call it', async () => {
      const { client, peer } = await connected()
      let closing: Promise<void> | undefined
      client.on('disconnect', () => (closing = client.close()))
      peer.close()
      await settled()
      await closing
      expect(client.state).toBe('closed')
    })

    test('messages a consumer has not finished stay unacknowledged: a kept session gives them again', async () => {
      const { client, peer } = await connected({ clean: false })
      const subscribing = client.subscribe('a', { qos: 1 })
      await peer.grant()
      const subscription = await subscribing
      peer.publish('a', 'taken', { qos: 1, packetId: 1 })
      peer.publish('a', 'waiting', { qos: 1, packetId: 2 })
      await subscription[Symbol.asyncIterator]().next()
      await client.close()
      expect(await peer.rest()).toEqual(['disconnect'])
    })
  })

  test('listeners can be taken off, and one that throws disturbs neither the others nor the client', async () => {
    const { client, peer } = await connected()
    const seen: string[] = []
    client.on('disconnect', () => seen.push('stays'))
    client.on('disconnect', () => seen.push('goes'))()
    const uncaught = new Promise((resolve) => {
      const others = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.once('uncaughtException', (error) => {
        for (const listener of others) process.on('uncaughtException', listener)
        resolve(error)
      })
    })
    client.on('disconnect', () => {
      throw new Error('careless')
    })
    client.on('disconnect', () => seen.push('last'))
    peer.close()
    expect(await uncaught).toMatchObject({ message: 'careless' })
    expect(seen).toEqual(['stays', 'last'])
    expect(client.state).toBe('waiting')
  })
})
