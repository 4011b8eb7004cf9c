import { describe, expect, test } from 'vitest'
import { type Client, connect, type PublishError } from '../src/index.js'
import { type Connected, connected, failure, inBothVersions, rig } from './rig.js'
import type { Peer } from './scripted-server.js'
import { settled } from './virtual-clock.js'

const kept = { clean: false }

/** The connection goes; the next one is made. */
async function reconnected({ server, clock }: Connected, peer: Peer, sessionPresent: boolean): Promise<Peer> {
  peer.close()
  await clock.pass(1000)
  const next = await server.accept()
  await next.welcome({ sessionPresent })
  return next
}

inBothVersions((version) => {
  describe('reconnection', () => {
    test('waits twice as long after each failure, up to maxMs, with full jitter', async () => {
      const jitter = [1, 0.5, 1, 1, 0.25]
      const { server, options, clock } = rig({ connectTimeoutMs: 0, reconnect: { initialMs: 100, maxMs: 400 } })
      const waits: (number | undefined)[] = []
      let at = 0
      const random = (): number => jitter[at++]!
      const client = await connect('mqtt://broker', {
        ...options,
        background: true,
        clock: {
          now: () => clock.now(),
          date: () => clock.date(),
          after: (ms, task) => clock.after(ms, task),
          soon: queueMicrotask,
          random,
        },
      })
      client.on('disconnect', ({ retryInMs }) => waits.push(retryInMs))
      for (const _ of jitter) {
        ;(await server.accept()).close()
        await clock.pass(400)
      }
      expect(waits).toEqual([100, 100, 400, 400, 100])
    })

    test('a connection that the server always ends at once is met with growing waits, not a tight loop', async () => {
      const { server, clock, peer, client } = await connected({ reconnect: { initialMs: 100, maxMs: 1000 } })
      const waits: (number | undefined)[] = []
      client.on('disconnect', ({ retryInMs }) => waits.push(retryInMs))
      let next = peer
      for (let round = 0; round < 5; round++) {
        next.close()
        await clock.pass(1000)
        next = await server.accept()
        await next.welcome()
      }
      expect(waits).toEqual([100, 200, 400, 800, 1000])
      await clock.pass(10_000) // stable: from the start again
      next.close()
      await settled()
      expect(waits.at(-1)).toBe(100)
    })

    test('several servers are tried in turn, without a wait inside a round', async () => {
      const { server, options, clock } = rig()
      const connecting = connect(['mqtt://one', 'mqtt://two'], options)
      const dialled: string[] = []
      for (const wait of [0, 500, 0]) {
        const peer = await server.accept()
        dialled.push(peer.url)
        peer.close(new Error('down'))
        await clock.pass(wait)
      }
      const last = await server.accept()
      dialled.push(last.url)
      expect(dialled).toEqual(['mqtt://one', 'mqtt://two', 'mqtt://one', 'mqtt://two'])
      await last.welcome()
      await connecting
      await clock.pass(10_000)
      last.close()
      await clock.pass(500)
      expect((await server.accept()).url).toBe('mqtt://two') // the session is there
    })

    test('a permanent refusal later ends the client with its error, and whoever waits is told', async () => {
      const { client, server, clock, peer } = await connected()
      const ended = new Promise((resolve) => client.on('close', resolve))
      peer.close()
      const publishing = failure(client.publish('a', 'x', { qos: 1 }))
      await clock.pass(500)
      await (await server.accept()).welcome({ reasonCode: 0x87 })
      expect(await ended).toMatchObject({ error: { code: 'server-refused', reasonCode: 0x87 } })
      expect(await publishing).toMatchObject({ code: 'client-closed', cause: { code: 'server-refused' } })
      expect(client.state).toBe('closed')
      expect(clock.pending).toBe(0)
      for (const late of [client.publish('a', 'x', { qos: 1 }), client.subscribe('a'), client.ready()]) {
        expect(await failure(late)).toMatchObject({ code: 'client-closed', cause: { code: 'server-refused' } })
      }
      await client.close()
    })

    test('tells when it lost the connection, why, and when it will try again', async () => {
      const { client, peer } = await connected()
      const told = new Promise((resolve) => client.on('disconnect', resolve))
      peer.close(new Error('read ECONNRESET'))
      expect(await told).toMatchObject({ error: { code: 'network-error', permanent: false }, retryInMs: 500 })
      expect(client.state).toBe('waiting')
    })
  })

  describe('a session that was kept goes on where it stopped', () => {
    test('unfinished publications go again in the original order, before anything new', async () => {
      const made = await connected(kept)
      const { client, peer } = made
      const results = ['a', 'b', 'c', 'd'].map((text, at) => client.publish('t', text, { qos: at === 2 ? 1 : 2 }))
      expect(await peer.rest()).toEqual(['publish 1 a', 'publish 2 b', 'publish 3 c', 'publish 4 d'])
      peer.send({ type: 'pubrec', packetId: 1 }, { type: 'pubrec', packetId: 2 })
      expect(await peer.rest()).toEqual(['pubrel 1', 'pubrel 2'])
      peer.close()
      await settled()
      void client.publish('t', 'new', { qos: 1 })
      const next = await reconnected(made, peer, true)
      // PUBREL in the order of the PUBRECs, PUBLISH with DUP; never PUBLISH after PUBREL [MQTT-4.3.3-1].
      expect(await next.rest()).toEqual(['pubrel 1', 'pubrel 2', 'publish 3 c dup', 'publish 4 d dup', 'publish 5 new'])
      next.send({ type: 'pubcomp', packetId: 1 }, { type: 'pubcomp', packetId: 2 }, { type: 'puback', packetId: 3 })
      next.send({ type: 'pubrec', packetId: 4 }, { type: 'pubcomp', packetId: 4 })
      expect(await Promise.all(results)).toMatchObject([
        { packetId: 1 },
        { packetId: 2 },
        { packetId: 3 },
        { packetId: 4 },
      ])
    })

    test('a second disconnect in the middle of the repetition loses nothing and reorders nothing', async () => {
      const made = await connected(kept)
      const { client } = made
      for (const text of ['a', 'b', 'c']) void client.publish('t', text, { qos: 1 })
      await made.peer.rest()
      const second = await reconnected(made, made.peer, true)
      second.send({ type: 'puback', packetId: 1 })
      await settled()
      const third = await reconnected(made, second, true)
      expect(await third.rest()).toEqual(['publish 2 b dup', 'publish 3 c dup'])
    })

    test('repetition waits for a congested stream and keeps its order with what is new', async () => {
      const made = await connected(kept)
      for (const text of ['a', 'b']) void made.client.publish('t', text, { qos: 1 })
      await made.peer.rest()
      made.peer.close()
      await made.clock.pass(500)
      const next = await made.server.accept()
      next.congested = true
      await next.welcome({ sessionPresent: true })
      void made.client.publish('t', 'c', { qos: 1 })
      expect(await next.rest()).toEqual([])
      next.drain()
      expect(await next.rest()).toEqual(['publish 1 a dup', 'publish 2 b dup', 'publish 3 c'])
    })

    test('packet ids stay with their messages: an acknowledgement finds the right one after a reconnection', async () => {
      const made = await connected(kept)
      const first = made.client.publish('t', 'a', { qos: 1 })
      const second = made.client.publish('t', 'b', { qos: 1 })
      await made.peer.rest()
      const next = await reconnected(made, made.peer, true)
      next.send({ type: 'puback', packetId: 2 })
      expect(await second).toMatchObject({ packetId: 2 })
      expect(made.client.inflight).toBe(1)
      next.send({ type: 'puback', packetId: 1 })
      expect(await first).toMatchObject({ packetId: 1 })
    })

    test('a QoS 2 message that comes again is not given to the consumer twice', async () => {
      const made = await connected(kept)
      const seen: string[] = []
      const subscribing = made.client.subscribe('a', { qos: 2, onMessage: (message) => void seen.push(message.text()) })
      await made.peer.grant()
      await subscribing
      made.peer.publish('a', 'x', { qos: 2, packetId: 5 })
      await made.peer.expect('pubrec', { packetId: 5 })
      const next = await reconnected(made, made.peer, true)
      next.publish('a', 'x', { qos: 2, packetId: 5, dup: true })
      await next.expect('pubrec', { packetId: 5 })
      next.send({ type: 'pubrel', packetId: 5 })
      await next.expect('pubcomp', { packetId: 5 })
      next.publish('a', 'y', { qos: 2, packetId: 5 })
      await next.expect('pubrec', { packetId: 5 })
      expect(seen).toEqual(['x', 'y'])
    })

    test.each([1, 2] as const)(
      'QoS %i: what is still with a consumer is recognised when it comes again',
      async (qos) => {
        const made = await connected(kept)
        const subscribing = made.client.subscribe('a', { qos: 2, ack: 'manual' })
        await made.peer.grant()
        const subscription = await subscribing
        made.peer.publish('a', 'x', { qos, packetId: 5 })
        const { value } = await subscription[Symbol.asyncIterator]().next()
        const next = await reconnected(made, made.peer, true)
        next.publish('a', 'x', { qos, packetId: 5, dup: true })
        await next.expectNothing()
        value.ack()
        await next.expect(qos === 1 ? 'puback' : 'pubrec', { packetId: 5 })
        expect(subscription.buffered).toBe(0)
      },
    )

    test('an acknowledgement given while offline leaves when the message comes again', async () => {
      const made = await connected(kept)
      const subscribing = made.client.subscribe('a', { qos: 1, ack: 'manual' })
      await made.peer.grant()
      const subscription = await subscribing
      made.peer.publish('a', 'x', { qos: 1, packetId: 5 })
      const { value } = await subscription[Symbol.asyncIterator]().next()
      made.peer.close()
      await settled()
      value.ack()
      const next = await reconnected(made, made.peer, true)
      await next.expectNothing()
      next.publish('a', 'x', { qos: 1, packetId: 5, dup: true })
      await next.expect('puback', { packetId: 5 })
      expect(subscription.buffered).toBe(0)
    })
  })

  describe('when the server has forgotten the session', () => {
    async function cut(client: Client, peer: Peer): Promise<void> {
      void client.publish('t', 'one', { qos: 1 })
      await peer.rest()
    }

    test('QoS 1 goes again as a new message, ahead of what waits', async () => {
      const made = await connected(kept)
      await cut(made.client, made.peer)
      made.peer.close()
      await settled()
      void made.client.publish('t', 'two', { qos: 1 })
      const next = await reconnected(made, made.peer, false)
      expect((await next.rest()).map((words) => words.replace(/ \d+/, ''))).toEqual(['publish one', 'publish two'])
    })

    test('QoS 2 in mid-handshake is rejected: neither repeated nor silently lost', async () => {
      const made = await connected(kept)
      const sent = failure(made.client.publish('t', 'sent', { qos: 2 }))
      const released = failure(made.client.publish('t', 'released', { qos: 2 }))
      await made.peer.rest()
      made.peer.send({ type: 'pubrec', packetId: 2 })
      await settled()
      made.peer.close()
      await settled()
      void made.client.publish('t', 'waiting', { qos: 2 })
      const next = await reconnected(made, made.peer, false)
      const codes = [await sent, await released].map((error) => (error as PublishError).code)
      expect(codes).toEqual(['session-lost', 'session-lost'])
      expect(await next.rest()).toEqual(['publish 3 waiting'])
    })
  })

  describe('subscriptions are a desired state', () => {
    async function subscribed(filters: string[], options = {}): Promise<Connected> {
      const made = await connected(options)
      for (const filter of filters) {
        const subscribing = made.client.subscribe(filter)
        await made.peer.grant()
        await subscribing
      }
      return made
    }

    test('a server that forgot the session is asked again before anything is published', async () => {
      const made = await subscribed(['a', 'b'], kept)
      void made.client.publish('t', 'x', { qos: 1 })
      await made.peer.rest()
      const next = await reconnected(made, made.peer, false)
      const asked = version === 4 ? ['subscribe a b'] : ['subscribe a', 'subscribe b']
      expect((await next.rest()).map((words) => words.replace(/ \d+/, ''))).toEqual([...asked, 'publish x'])
    })

    test('a server that has the session is not asked again', async () => {
      const made = await subscribed(['a', 'b'], kept)
      await (await reconnected(made, made.peer, true)).expectNothing()
    })

    test('another server is asked whatever it says about the session', async () => {
      const { server, options, clock } = rig(kept)
      const connecting = connect(['mqtt://one', 'mqtt://two'], options)
      const one = await server.accept()
      await one.welcome()
      const subscribing = (await connecting).subscribe('a')
      await one.grant()
      await subscribing
      one.close()
      await clock.pass(0)
      const two = await server.accept()
      expect(two.url).toBe('mqtt://two')
      await two.welcome({ sessionPresent: true })
      expect(await two.rest()).toEqual([expect.stringMatching(/^subscribe \d+ a$/)])
    })

    test('after a CONNACK that was lost "session present" may mean a new, empty one: the server is asked again', async () => {
      const made = await subscribed(['a'], kept)
      made.peer.close()
      await made.clock.pass(500)
      const unanswered = await made.server.accept()
      unanswered.open()
      await unanswered.expect('connect')
      const next = await reconnected(made, unanswered, true)
      expect(await next.rest()).toEqual([expect.stringMatching(/^subscribe \d+ a$/)])
    })

    test('an attempt that never reached the server changes nothing', async () => {
      const made = await subscribed(['a'], kept)
      made.peer.close()
      await made.clock.pass(500)
      await (await reconnected(made, await made.server.accept(), true)).expectNothing()
    })

    test('a SUBSCRIBE cut off by the loss is sent again, though the session is there', async () => {
      const made = await connected(kept)
      const subscribing = made.client.subscribe('a')
      await made.peer.expect('subscribe')
      const next = await reconnected(made, made.peer, true)
      await next.grant()
      expect((await subscribing).granted).toEqual([{ filter: 'a', reasonCode: 0 }])
    })

    test('unsubscribed while offline: a kept session is told on return', async () => {
      const made = await connected(kept)
      const subscribing = made.client.subscribe('a')
      await made.peer.grant()
      const subscription = await subscribing
      made.peer.close()
      await settled()
      let left = false
      void subscription.unsubscribe().then(() => (left = true))
      const next = await reconnected(made, made.peer, true)
      const { packetId } = await next.expect('unsubscribe', { filters: ['a'] })
      expect(left).toBe(false)
      next.send({ type: 'unsuback', packetId, reasonCodes: [0] })
      await settled()
      expect(left).toBe(true)
    })

    test('unsubscribed while offline: a clean session has nothing to be told', async () => {
      const made = await connected()
      const subscribing = made.client.subscribe('a')
      await made.peer.grant()
      const subscription = await subscribing
      made.peer.close()
      await settled()
      await subscription.unsubscribe()
      await (await reconnected(made, made.peer, false)).expectNothing()
    })

    test('a refusal on return ends the subscription with its error instead of leaving it silent', async () => {
      const made = await connected()
      const subscribing = made.client.subscribe('a')
      await made.peer.grant()
      const subscription = await subscribing
      const pull = failure(subscription[Symbol.asyncIterator]().next())
      const next = await reconnected(made, made.peer, false)
      await next.grant(0x80)
      expect(await pull).toMatchObject({ code: 'subscription-refused' })
      await expect(subscription.closed).rejects.toMatchObject({ code: 'subscription-refused' })
    })
  })

  describe('a resumed session that delivers before the program has subscribed', () => {
    test('its messages wait for the subscription, unacknowledged', async () => {
      const { client, peer } = await connected(kept, true)
      peer.publish('a', 'early', { qos: 1, packetId: 1 })
      await peer.expectNothing()
      const subscribing = client.subscribe('a', { qos: 1 })
      await peer.grant()
      const iterator = (await subscribing)[Symbol.asyncIterator]()
      expect((await iterator.next()).value.text()).toBe('early')
      void iterator.next()
      await peer.expect('puback', { packetId: 1 })
    })

    test('but not for ever: after holdUnclaimedMs they are acknowledged and reported', async () => {
      const { client, peer, clock } = await connected(kept, true)
      const unclaimed: string[] = []
      client.on('unclaimed', (message) => unclaimed.push(message.text()))
      peer.publish('a', 'early', { qos: 1, packetId: 1 })
      await clock.pass(4999)
      await peer.expectNothing()
      await clock.pass(1)
      await peer.expect('puback', { packetId: 1 })
      expect(unclaimed).toEqual(['early'])
    })
  })
})
