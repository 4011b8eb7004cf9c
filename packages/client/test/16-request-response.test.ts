import type { PacketOf } from '@godwit/protocol'
import { describe, expect, test } from 'vitest'
import { connected, failure } from './rig.js'
import type { Peer } from './scripted-server.js'
import { settled } from './virtual-clock.js'

/** Reads the first request of a client: its subscription, then its PUBLISH. */
async function firstRequest(peer: Peer): Promise<PacketOf<'publish'>> {
  const { subscriptions } = await peer.grant()
  const request = await peer.expect('publish', { qos: 1 })
  expect(request.properties?.responseTopic).toBe(subscriptions[0]!.filter)
  return request
}

function answer(peer: Peer, { properties }: PacketOf<'publish'>, payload: string): void {
  const { responseTopic, correlationData } = properties!
  peer.publish(responseTopic!, payload, { properties: { correlationData: correlationData! } })
}

describe('MQTT 5.0', () => {
  describe('request()', () => {
    test('subscribes to its response topic, publishes, and resolves with the response', async () => {
      const { client, peer } = await connected({ clientId: 'me/+#' })
      const requesting = client.request('clock', 'now?', { properties: { contentType: 'text/plain' } })
      const request = await firstRequest(peer)
      expect(request).toMatchObject({ topic: 'clock', properties: { contentType: 'text/plain' } })
      expect(request.properties!.responseTopic).toBe('godwit/response/me%2F%2B%23')
      expect(request.properties!.correlationData!.length).toBe(16)
      answer(peer, request, 'noon')
      expect((await requesting).text()).toBe('noon')
    })

    test('many at once share the subscription, and each gets its own answer', async () => {
      const { client, peer } = await connected()
      const asked = [client.request('t', 'a'), client.request('t', 'b'), client.request('t', 'c')]
      const requests = [await firstRequest(peer), await peer.expect('publish'), await peer.expect('publish')]
      expect(new Set(requests.map(({ properties }) => `${properties!.correlationData}`)).size).toBe(3)
      for (const request of requests.toReversed()) answer(peer, request, new TextDecoder().decode(request.payload))
      expect((await Promise.all(asked)).map((message) => message.text())).toEqual(['a', 'b', 'c'])
      await peer.expectNothing()
    })

    test('a message with other correlation data, or none, or a second answer, is nobody’s', async () => {
      const { client, peer } = await connected()
      const requesting = client.request('t', '')
      const request = await firstRequest(peer)
      const topic = request.properties!.responseTopic!
      peer.publish(topic, 'none')
      peer.publish(topic, 'other', { properties: { correlationData: new Uint8Array(16) } })
      answer(peer, request, 'right')
      answer(peer, request, 'again')
      expect((await requesting).text()).toBe('right')
    })

    test('Response Information is the prefix of the topic', async () => {
      const { client, peer } = await connected({}, false, { responseInformation: 'yours/' })
      void client.request('t', '').catch(() => {})
      expect((await firstRequest(peer)).properties!.responseTopic).toBe('yours/me')
    })

    test('without an answer it ends after timeoutMs, 30 seconds by default, and a late answer is nobody’s', async () => {
      const { client, peer, clock } = await connected()
      const requesting = failure(client.request('t', ''))
      const request = await firstRequest(peer)
      await clock.pass(30_000)
      expect(await requesting).toMatchObject({ code: 'timeout', message: "request to 't': no answer in 30000 ms" })
      answer(peer, request, 'late')
      await settled()
    })

    test('or after timeoutMs', async () => {
      const { client, peer, clock } = await connected()
      const requesting = failure(client.request('t', '', { timeoutMs: 500 }))
      await firstRequest(peer)
      await clock.pass(500)
      expect(await requesting).toMatchObject({ code: 'timeout', message: "request to 't': no answer in 500 ms" })
    })

    test('after a lost session the subscription is made again, before the request is repeated', async () => {
      const { client, peer, clock, server } = await connected()
      const requesting = client.request('t', '')
      await firstRequest(peer)
      peer.close()
      await clock.pass(500)
      const next = await server.accept()
      await next.welcome()
      answer(next, await firstRequest(next), 'still here')
      expect((await requesting).text()).toBe('still here')
    })

    test('a request that is refused rejects', async () => {
      const { client, peer } = await connected()
      const requesting = failure(client.request('t', ''))
      const { packetId } = await firstRequest(peer)
      peer.send({ type: 'puback', packetId: packetId!, reasonCode: 0x87 })
      expect(await requesting).toMatchObject({ code: 'refused', reasonCode: 0x87 })
    })

    test('so does one whose response topic is refused, and the next one asks again', async () => {
      const { client, peer } = await connected()
      const requesting = failure(client.request('t', ''))
      await peer.grant(0x87)
      expect(await requesting).toMatchObject({ code: 'subscription-refused' })
      const again = client.request('t', '')
      answer(peer, await firstRequest(peer), 'now')
      expect((await again).text()).toBe('now')
    })

    test('close() ends those that wait', async () => {
      const { client, peer } = await connected()
      const requesting = failure(client.request('t', '', { qos: 0 }))
      await peer.grant()
      await peer.expect('publish', { qos: 0 })
      await client.close()
      expect(await requesting).toMatchObject({ code: 'client-closed' })
    })

    test('below 5.0 there is no such thing', async () => {
      const { client, peer } = await connected({ version: 4 })
      expect(await failure(client.request('t', ''))).toMatchObject({ code: 'unsupported-version' })
      expect(await failure(client.respond('t', () => ''))).toMatchObject({ code: 'unsupported-version' })
      await peer.expectNothing()
    })
  })

  describe('respond()', () => {
    const properties = { responseTopic: 'back', correlationData: Uint8Array.of(9) }

    test('publishes what the handler returns, with the correlation data and QoS of the request, then acknowledges', async () => {
      const { client, peer } = await connected()
      const responding = client.respond('square/+n', async ({ params }) => `${Number(params.n) ** 2}`)
      await peer.grant()
      await responding
      peer.publish('square/7', '', { qos: 1, packetId: 5, properties })
      const { packetId, payload } = await peer.expect('publish', {
        topic: 'back',
        qos: 1,
        properties: { correlationData: properties.correlationData },
      })
      expect(new TextDecoder().decode(payload)).toBe('49')
      await peer.expectNothing()
      peer.send({ type: 'puback', packetId: packetId! })
      await peer.expect('puback', { packetId: 5 })
    })

    test('a response may have a content type, user properties and bytes of any kind', async () => {
      const { client, peer } = await connected()
      const userProperties = [['unit', 'C']] as const
      const responding = client.respond('t', () => ({
        payload: Uint16Array.of(0x0201),
        properties: { contentType: 'application/octet-stream', userProperties },
      }))
      await peer.grant()
      await responding
      peer.publish('t', '', { properties })
      const response = await peer.expect('publish', {
        topic: 'back',
        properties: {
          correlationData: properties.correlationData,
          contentType: 'application/octet-stream',
          userProperties,
        },
      })
      expect([...response.payload]).toEqual([1, 2])
    })

    test.each<[string, unknown, string]>([
      ['a number', 5, "publish to 'back': the payload is a number, not a string or bytes"],
      ['a name out of place', { contentType: 'x' }, "'contentType': it is called properties.contentType here"],
      ['of the wrong type', { properties: { contentType: 5 } }, 'properties.contentType is a number, not a string'],
    ])('a response that is none is told: %s', async (_, response, message) => {
      const { client, peer } = await connected()
      const told: unknown[] = []
      client.on('unanswered', ({ error }) => told.push((error as Error).message))
      const responding = client.respond('t', () => response as string)
      await peer.grant()
      await responding
      peer.publish('t', '', { qos: 1, packetId: 1, properties })
      await peer.expect('puback', { packetId: 1 })
      expect(told).toEqual([expect.stringContaining(message)])
    })

    test('a handler that throws answers nothing; the event tells, and the next request is handled', async () => {
      const { client, peer } = await connected()
      const told: unknown[] = []
      client.on('unanswered', ({ message, error }) => told.push([message.text(), (error as Error).message]))
      const responding = client.respond('t', (message) => {
        if (message.text() === 'bad') throw new Error('no')
        return message.payload
      })
      await peer.grant()
      await responding
      peer.publish('t', 'bad', { qos: 1, packetId: 1, properties })
      await peer.expect('puback', { packetId: 1 })
      expect(told).toEqual([['bad', 'no']])
      peer.publish('t', 'good', { properties })
      await peer.expect('publish', { topic: 'back' })
    })

    test('a message without a Response Topic is no request', async () => {
      const { client, peer } = await connected()
      let calls = 0
      const responding = client.respond('t', () => void calls++ as undefined)
      await peer.grant()
      await responding
      peer.publish('t', '', { qos: 1, packetId: 1 })
      await peer.expect('puback')
      expect(calls).toBe(0)
    })
  })
})
