import { describe, expect, test } from 'vitest'
import { connect, type PublishResult } from '../src/index.js'
import { connected, failure, inBothVersions, rig } from './rig.js'
import { settled } from './virtual-clock.js'

const done = { reasonCode: 0, properties: undefined }

inBothVersions((version) => {
  describe('publish() resolves at the end of its handshake', () => {
    test('QoS 0: handed to the connection', async () => {
      const { client, peer } = await connected()
      expect(await client.publish('a', 'x', { retain: true })).toEqual({ ...done, qos: 0, packetId: undefined })
      await peer.expect('publish', { topic: 'a', qos: 0, retain: true, dup: false })
    })

    test('QoS 1: PUBACK', async () => {
      const { client, peer } = await connected()
      let result: PublishResult | undefined
      void client.publish('a', Uint8Array.of(1, 2), { qos: 1 }).then((value) => (result = value))
      await peer.expect('publish', { packetId: 1, qos: 1, dup: false, payload: Uint8Array.of(1, 2) })
      await settled()
      expect(result).toBeUndefined()
      peer.send({ type: 'puback', packetId: 1 })
      await settled()
      expect(result).toEqual({ ...done, qos: 1, packetId: 1 })
    })

    test('QoS 2: PUBCOMP', async () => {
      const { client, peer } = await connected()
      const publishing = client.publish('a', 'x', { qos: 2 })
      await peer.expect('publish', { packetId: 1, qos: 2 })
      peer.send({ type: 'pubrec', packetId: 1 })
      await peer.expect('pubrel', { packetId: 1 })
      expect(client.inflight).toBe(1)
      peer.send({ type: 'pubcomp', packetId: 1 })
      expect(await publishing).toEqual({ ...done, qos: 2, packetId: 1 })
      expect(client.inflight).toBe(0)
    })

    test('acknowledgements that nothing waits for are ignored', async () => {
      const { client, peer } = await connected()
      const publishing = client.publish('a', 'x', { qos: 1 })
      await peer.expect('publish')
      peer.send({ type: 'puback', packetId: 9 }, { type: 'pubcomp', packetId: 8 })
      if (version === 4) peer.send({ type: 'pubcomp', packetId: 1 }, { type: 'pubrec', packetId: 1 })
      await peer.expectNothing()
      peer.send({ type: 'puback', packetId: 1 })
      await publishing
    })
  })

  describe('a publication that cannot be sent is rejected before anything is written', () => {
    test.each(['', 'a/+', 'a/#', 'a\0b', 'x'.repeat(65_536)])('topic %#', async (topic) => {
      const { client, peer } = await connected()
      expect(await failure(client.publish(topic, 'x'))).toMatchObject({ code: 'invalid-topic' })
      await peer.expectNothing()
    })

    test.each([
      ['x', 3, 'invalid-option'],
      [undefined, 0, 'invalid-payload'],
    ])('what the types forbid is refused all the same: payload %j, QoS %i', async (payload, qos, code) => {
      const { client, peer } = await connected()
      const publishing = client.publish('a', payload as string, { qos: qos as 0 })
      expect(await failure(publishing)).toMatchObject({ code })
      expect(await failure(client.subscribe('a', { qos: 3 as 0 }))).toMatchObject({ code: 'invalid-option' })
      await peer.expectNothing()
    })

    test('a payload beyond what MQTT can express, and the connection lives on', async () => {
      const { client, peer } = await connected()
      const huge = new Uint8Array(268_435_456)
      expect(await failure(client.publish('a', huge, { qos: 1 }))).toMatchObject({
        code: 'packet-too-large',
        topic: 'a',
      })
      await client.publish('a', 'small')
      await peer.expect('publish', { topic: 'a' })
    })
  })

  describe('one outbound order', () => {
    test('many messages of mixed QoS leave in the order of the calls', async () => {
      const { client, peer } = await connected()
      for (const [at, qos] of ([0, 1, 2, 0, 1, 2, 0] as const).entries()) void client.publish('a', `${at}`, { qos })
      expect(await peer.rest()).toEqual([
        'publish 0',
        'publish 1 1',
        'publish 2 2',
        'publish 3',
        'publish 3 4',
        'publish 4 5',
        'publish 6',
      ])
    })

    test('the in-flight window is never exceeded, and QoS 0 does not overtake what waits for it', async () => {
      const { client, peer } = await connected({ maxInflight: 2 })
      for (const text of ['a', 'b', 'c']) void client.publish('t', text, { qos: 1 })
      void client.publish('t', 'd')
      expect(await peer.rest()).toEqual(['publish 1 a', 'publish 2 b'])
      expect([client.inflight, client.queued]).toEqual([2, 2])
      peer.send({ type: 'puback', packetId: 1 })
      expect(await peer.rest()).toEqual(['publish 3 c', 'publish d'])
    })

    test('a stream that is congested is not written to until it drains', async () => {
      const { client, peer } = await connected()
      peer.congested = true
      await client.publish('t', 'a')
      await settled()
      let resolved = false
      void client.publish('t', 'b').then(() => (resolved = true))
      expect(await peer.rest()).toEqual(['publish a'])
      expect(resolved).toBe(false)
      peer.drain()
      expect(await peer.rest()).toEqual(['publish b'])
      expect(resolved).toBe(true)
    })

    test('ready() is backpressure: it waits for the window and for the stream', async () => {
      const { client, peer } = await connected({ maxInflight: 1 })
      await client.ready()
      void client.publish('t', 'a', { qos: 1 })
      let ready = false
      void client.ready().then(() => (ready = true))
      await peer.expect('publish')
      await settled()
      expect(ready).toBe(false)
      peer.send({ type: 'puback', packetId: 1 })
      await settled()
      expect(ready).toBe(true)
    })
  })

  describe('offline nothing is lost silently and nothing hangs for ever', () => {
    async function offline(options = {}) {
      const made = rig({ background: true, ...options })
      return { ...made, client: await connect('mqtt://broker', made.options) }
    }

    test('publish() before the first connection is kept and sent by it', async () => {
      const { client, server } = await offline()
      const publishing = client.publish('a', 'x', { qos: 1 })
      const peer = await server.accept()
      await peer.welcome()
      await peer.expect('publish', { packetId: 1 })
      peer.send({ type: 'puback', packetId: 1 })
      await publishing
    })

    test('QoS 0 is rejected by default', async () => {
      const { client } = await offline()
      expect(await failure(client.publish('a', 'x'))).toMatchObject({ code: 'not-connected', topic: 'a' })
    })

    test("with qos0: 'queue' it keeps its place among the others", async () => {
      const { client, server } = await offline({ offlineQueue: { qos0: 'queue' } })
      void client.publish('t', 'a', { qos: 1 })
      const qos0 = client.publish('t', 'b')
      void client.publish('t', 'c', { qos: 1 })
      const peer = await server.accept()
      await peer.welcome()
      await qos0
      expect(await peer.rest()).toEqual(['publish 1 a', 'publish b', 'publish 2 c'])
    })

    test.each([{ maxMessages: 2 }, { maxBytes: 8 }])('a full queue rejects the new one: %j', async (offlineQueue) => {
      const { client } = await offline({ offlineQueue })
      void client.publish('topic', 'abc', { qos: 1 }).catch(() => {})
      if ('maxMessages' in offlineQueue) void client.publish('t', 'b', { qos: 1 }).catch(() => {})
      const error = await failure(client.publish('t', 'c', { qos: 1 }))
      expect(error).toMatchObject({
        code: 'queue-full',
        permanent: false,
        message: expect.stringContaining('offlineQueue'),
      })
      await client.close()
    })

    test('timeoutMs ends the wait, and the message is never sent', async () => {
      const { client, server, clock } = await offline()
      const publishing = failure(client.publish('a', 'x', { qos: 1, timeoutMs: 1000 }))
      await clock.pass(1000)
      expect(await publishing).toMatchObject({ code: 'timeout', message: "publish to 'a': no answer in 1000 ms" })
      const peer = await server.accept()
      await peer.welcome()
      await peer.expectNothing()
    })

    test('so does an AbortSignal', async () => {
      const { client, server } = await offline()
      const abort = new AbortController()
      const publishing = failure(client.publish('a', 'x', { qos: 1, signal: abort.signal }))
      abort.abort()
      expect(await publishing).toMatchObject({ code: 'aborted' })
      expect(client.queued).toBe(0)
      const peer = await server.accept()
      await peer.welcome()
      await peer.expectNothing()
    })

    test('a message already sent completes, though its caller has given up', async () => {
      const { client, peer, clock } = await connected()
      const publishing = failure(client.publish('a', 'x', { qos: 2, timeoutMs: 10 }))
      await peer.expect('publish')
      await clock.pass(10)
      expect(await publishing).toMatchObject({ code: 'timeout' })
      peer.send({ type: 'pubrec', packetId: 1 })
      await peer.expect('pubrel', { packetId: 1 })
      peer.send({ type: 'pubcomp', packetId: 1 })
      await settled()
      expect(client.inflight).toBe(0)
    })
  })

  test('when all 65,535 packet ids are in use, the next publication waits and no live id is used again', async () => {
    const { client, peer } = await connected({ maxInflight: 65_535, offlineQueue: { maxMessages: 10 } })
    for (let at = 0; at < 65_536; at++) void client.publish('t', '', { qos: 1 })
    const ids = new Set((await peer.rest()).map((words) => words.split(' ')[1]))
    expect(ids.size).toBe(65_535)
    expect([client.inflight, client.queued]).toEqual([65_535, 1])
    void client.subscribe('s')
    await peer.expectNothing()
    peer.send({ type: 'puback', packetId: 777 })
    expect(await peer.rest()).toEqual(['subscribe 777 s'])
    peer.send({ type: 'suback', packetId: 777, reasonCodes: [0] })
    expect(await peer.rest()).toEqual(['publish 777'].map((words) => `${words} `))
  })
})
