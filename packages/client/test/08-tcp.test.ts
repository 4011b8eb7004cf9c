import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { connect } from '../src/index.js'
import { Mosquitto, skipped } from './mosquitto.js'
import { failure } from './rig.js'

/** A TCP server that answers whatever comes with these bytes. */
async function answering(bytes: number[]): Promise<{ url: string; close: () => void }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', () => socket.write(Uint8Array.from(bytes)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `mqtt://127.0.0.1:${(server.address() as { port: number }).port}`,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const connack = [0x20, 2, 0, 0]

describe('over TCP', () => {
  test('a port where nobody listens is a network error that names the server', async () => {
    const { url, close } = await answering([])
    close()
    const error = await failure(connect(url, { reconnect: false }))
    expect(error).toMatchObject({ code: 'network-error', permanent: false, cause: { code: 'ECONNREFUSED' } })
    expect((error as Error).message).toContain(url)
  })

  test('a host that does not exist, too', async () => {
    const error = await failure(connect('mqtt://no.such.host.invalid', { reconnect: false }))
    expect(error).toMatchObject({ code: 'network-error', server: 'mqtt://no.such.host.invalid' })
  })

  test.each([
    [false, 1],
    [true, 0],
  ])('unref: %s leaves %i socket and timer to keep the process alive', async (unref, kept) => {
    const { url, close } = await answering(connack)
    const count = (type: string): number => process.getActiveResourcesInfo().filter((name) => name === type).length
    await expect.poll(() => count('TCPSocketWrap')).toBe(0) // those of tests before are gone
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const cleared = vi.spyOn(globalThis, 'clearTimeout')
    const client = await connect(url, { unref })
    const theServersEnd = 1
    expect(count('TCPSocketWrap') - theServersEnd).toBe(kept)
    const running = timers.mock.results.flatMap(({ value }) =>
      cleared.mock.calls.flat().includes(value) ? [] : [value],
    )
    expect(running.filter((timer) => timer.hasRef())).toHaveLength(kept)
    vi.restoreAllMocks()
    await client.close()
    close()
  })
})

describe.skipIf(skipped).each([4, 5] as const)('against mosquitto at level %i', (version) => {
  let broker: Mosquitto
  beforeAll(async () => {
    broker = await Mosquitto.start()
  })
  afterAll(() => broker?.dispose())

  test.each([0, 1, 2] as const)('100 messages in order at QoS %i [MQTT-4.2.0-1] [MQTT-7.1.2-1]', async (qos) => {
    await using client = await connect(broker.url, { version })
    await using subscription = await client.subscribe(`count/${qos}/+n`, { qos })
    const published = Promise.all(
      Array.from({ length: 100 }, (_, n) => client.publish(`count/${qos}/${n}`, `${n}`, { qos })),
    )
    const seen: string[] = []
    for await (const message of subscription) {
      expect(message.text()).toBe(message.params.n)
      message.ack()
      if (seen.push(message.params.n) === 100) break
    }
    await published
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`))
  })

  test('retained messages and payloads of a megabyte', async () => {
    await using client = await connect(broker.url, { version })
    const payload = new Uint8Array(1_000_000).map((_, at) => at)
    await client.publish('retained', payload, { qos: 2, retain: true })
    await using subscription = await client.subscribe('retained', { qos: 1 })
    for await (const message of subscription) {
      expect(message.retain).toBe(true)
      expect(Buffer.compare(message.payload, payload)).toBe(0)
      break
    }
  })

  test('the will is published when the connection goes without DISCONNECT, and not after close()', async () => {
    await using watcher = await connect(broker.url, { version })
    await using wills = await watcher.subscribe('will/+who')
    const will = (who: string) => ({ will: { topic: `will/${who}`, payload: 'gone' } })
    const first = await connect(broker.url, { version, ...will('first'), clientId: 'first' })
    await first.close()
    const second = await connect(broker.url, { version, ...will('second'), clientId: 'second', reconnect: false })
    const successor = await connect(broker.url, { version, clientId: 'second' }) // takes the session over
    for await (const message of wills) {
      expect(message.params.who).toBe('second')
      break
    }
    await second.close()
    await successor.close()
  })

  test('a broker that is restarted: nothing published or subscribed is lost', async () => {
    await using client = await connect(broker.url, {
      version,
      clientId: 'steady',
      clean: false,
      reconnect: { initialMs: 50, maxMs: 100 },
    })
    const seen: string[] = []
    await client.subscribe('steady/#', { qos: 2, onMessage: (message) => void seen.push(message.text()) })
    const published: Promise<unknown>[] = []
    for (let n = 0; n < 50; n++) published.push(client.publish('steady/n', `${n}`, { qos: 2 }))
    await Promise.all(published)
    await broker.stop()
    for (let n = 50; n < 100; n++) published.push(client.publish('steady/n', `${n}`, { qos: 2 }))
    await broker.run()
    await Promise.all(published)
    while (seen.length < 100) await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`))
  })

  test('a session goes on in a new client', async () => {
    const options = { version, clientId: 'returning', clean: false }
    const first = await connect(broker.url, options)
    await first.subscribe('later', { qos: 1 })
    await first.close()
    await using other = await connect(broker.url, { version })
    await other.publish('later', 'while you were away', { qos: 1 })
    await using second = await connect(broker.url, options)
    for await (const message of await second.subscribe('later', { qos: 1 })) {
      expect(message.text()).toBe('while you were away')
      message.ack()
      break
    }
  })
})

describe.skipIf(skipped)('what 5.0 adds, against mosquitto', () => {
  let broker: Mosquitto
  beforeAll(async () => {
    broker = await Mosquitto.start()
  })
  afterAll(() => broker?.dispose())

  test('properties arrive as they were sent, and a topic that nobody wants is told', async () => {
    await using client = await connect(broker.url)
    expect(client.version).toBe(5)
    expect(await client.publish('nobody/wants', 'x', { qos: 1 })).toMatchObject({ reasonCode: 0x10 })
    await using subscription = await client.subscribe('props', { qos: 1 })
    const properties = {
      payloadFormatIndicator: 1 as const,
      contentType: 'text/plain',
      correlationData: Uint8Array.of(1, 2, 3),
      responseTopic: 'answers/here',
      userProperties: [
        ['a', '1'],
        ['a', '2'],
      ] as const,
    }
    await client.publish('props', 'x', { qos: 1, properties })
    for await (const message of subscription) {
      expect(message.properties).toMatchObject(properties)
      message.ack()
      break
    }
  })

  test('request and response, over many of both', async () => {
    await using server = await connect(broker.url)
    await server.respond('square/+n', ({ params }) => `${Number(params.n) ** 2}`)
    await using client = await connect(broker.url)
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => client.request(`square/${n}`, '')))
    expect(answers.map((message) => message.text())).toEqual(Array.from({ length: 50 }, (_, n) => `${n * n}`))
  })

  test('overlapping subscriptions: each message comes to each subscription once', async () => {
    await using client = await connect(broker.url)
    const seen: string[] = []
    await client.subscribe('over/#', { qos: 1, onMessage: (message) => void seen.push(`all ${message.text()}`) })
    await client.subscribe('over/a', { qos: 1, onMessage: (message) => void seen.push(`a ${message.text()}`) })
    const done = new Promise<void>((resolve) => client.subscribe('done', { qos: 1, onMessage: () => resolve() }))
    await client.publish('over/a', '1', { qos: 1 })
    await client.publish('over/b', '2', { qos: 1 })
    await client.publish('done', '', { qos: 1 })
    await done
    expect(seen.toSorted()).toEqual(['a 1', 'all 1', 'all 2'])
  })

  test('topic aliases outward: many messages on one topic arrive under its name', async () => {
    await using client = await connect(broker.url)
    expect(client.server?.properties?.topicAliasMaximum).toBeGreaterThan(0)
    await using subscription = await client.subscribe('a/rather/long/topic', { qos: 1 })
    const published = Promise.all(
      Array.from({ length: 30 }, (_, n) => client.publish('a/rather/long/topic', `${n}`, { qos: 1 })),
    )
    let count = 0
    for await (const message of subscription) {
      expect(message.topic).toBe('a/rather/long/topic')
      message.ack()
      if (++count === 30) break
    }
    await published
  })

  test('the server assigns a Client Identifier', async () => {
    await using client = await connect(broker.url, { clientId: '' })
    expect(client.clientId).not.toBe('')
    expect(client.server?.properties?.assignedClientIdentifier).toBe(client.clientId)
  })
})
