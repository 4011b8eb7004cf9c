// MQTT over WebSockets (section 6), in the form for Node and in that for browsers, against servers of this test.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type RawData, WebSocket } from 'ws'
import { type ConnectOptions, connect, type Message } from '../src/index.js'
import { socketOpener as browserOpener } from '../src/socket-browser.js'
import { Authority, type Pair } from './certificates.js'
import { Door, webSocketPeer } from './doors.js'
import { failure } from './rig.js'

const inBrowser = browserOpener({
  tls: undefined,
  headers: undefined,
  dial: undefined,
  servers: [],
  subprotocols: ['mqtt'],
  maxMessageBytes: 0,
})

/** A server whose one connection is awaited. */
async function awaiting(): Promise<{ door: Door; arrived: Promise<[WebSocket, IncomingMessage]> }> {
  let arrive: (connection: [WebSocket, IncomingMessage]) => void
  const arrived = new Promise<[WebSocket, IncomingMessage]>((resolve) => {
    arrive = resolve
  })
  return { door: await Door.webSocket((...connection) => arrive(connection)), arrived }
}

beforeEach(() => {
  // Node has one of its own from version 22 on.
  if ((globalThis as { WebSocket?: unknown }).WebSocket === undefined) vi.stubGlobal('WebSocket', WebSocket)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe.each<[string, ConnectOptions]>([
  ['Node', {}],
  ['a browser', { openStream: inBrowser }],
])('in %s', (_, form) => {
  describe.each([
    ['3.1.1', 4],
    ['5.0', 5],
  ] as const)('at MQTT %s', (_name, version) => {
    const own = { ...form, version, reconnect: false } as const
    const connack = version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]

    test('the client offers the subprotocol mqtt [MQTT-6.0.0-3]', async () => {
      const { door, arrived } = await awaiting()
      await using _door = door
      const connecting = connect(door.url, own)
      const [socket, request] = await arrived
      expect(request.headers['sec-websocket-protocol']).toBe('mqtt')
      await webSocketPeer(socket).welcome()
      await using client = await connecting
      expect(client.server).toMatchObject({ server: `${door.url}/mqtt` })
    })

    test('the client sends binary frames only [MQTT-6.0.0-1]', async () => {
      const { door, arrived } = await awaiting()
      await using _door = door
      const connecting = connect(door.url, own)
      const [socket] = await arrived
      const frames: boolean[] = []
      socket.on('message', (_data: RawData, isBinary: boolean) => frames.push(isBinary))
      const peer = webSocketPeer(socket)
      await peer.welcome()
      const client = await connecting
      await client.publish('a', 'x')
      await peer.expect('publish')
      const closed = once(socket, 'close')
      await client.close()
      await closed
      expect(frames).toEqual([true, true, true]) // CONNECT, PUBLISH, DISCONNECT
    })

    test('a text frame of the server ends the connection [MQTT-6.0.0-1]', async () => {
      const { door, arrived } = await awaiting()
      await using _door = door
      const connecting = failure(connect(door.url, own))
      const [socket] = await arrived
      const closed = once(socket, 'close')
      socket.send(String.fromCharCode(...connack)) // the very bytes that would be welcome
      expect(await connecting).toMatchObject({
        code: 'network-error',
        message: `${door.url}/mqtt: the server sent a WebSocket text frame, where MQTT has binary ones`,
      })
      await closed
    })

    test('where frames end means nothing: packets in pieces, and several in one [MQTT-6.0.0-2]', async () => {
      const { door, arrived } = await awaiting()
      await using _door = door
      const connecting = connect(door.url, own)
      const [socket] = await arrived
      const received: string[] = []
      for (const byte of connack) socket.send(Uint8Array.of(byte))
      await using client = await connecting
      const peer = webSocketPeer(socket)
      const subscribing = client.subscribe('#', { onMessage: (message) => void received.push(message.text()) })
      await peer.expect('connect')
      await peer.grant(0)
      await subscribing
      const properties = version === 5 ? [0] : []
      const publish = (text: string) => [0x30, 4 + properties.length, 0, 1, 0x61, ...properties, text.charCodeAt(0)]
      const bytes = [...publish('1'), ...publish('2'), ...publish('3')]
      socket.send(Uint8Array.from(bytes.slice(0, 9)))
      socket.send(Uint8Array.of())
      socket.send(Uint8Array.from(bytes.slice(9)))
      await vi.waitFor(() => expect(received).toEqual(['1', '2', '3']))
    })

    test('a server that goes is a lost connection', async () => {
      const { door, arrived } = await awaiting()
      await using _door = door
      const connecting = connect(door.url, own)
      const [socket] = await arrived
      await webSocketPeer(socket).welcome()
      const client = await connecting
      const ended = new Promise((resolve) => client.on('close', resolve))
      socket.close(1001)
      expect(await ended).toMatchObject({ error: { code: 'connection-closed' } })
    })
  })

  test('close() says goodbye in MQTT and then in WebSocket', async () => {
    const { door, arrived } = await awaiting()
    await using _door = door
    const connecting = connect(door.url, { ...form, reconnect: false })
    const [socket] = await arrived
    const peer = webSocketPeer(socket)
    await peer.welcome()
    const client = await connecting
    const closed = once(socket, 'close')
    await client.close()
    await peer.expect('disconnect')
    expect((await closed)[0]).toBe(1000)
  })

  test('more than the way takes at once: publishing waits, and all arrives', async () => {
    const { door, arrived } = await awaiting()
    await using _door = door
    const connecting = connect(door.url, { ...form, reconnect: false })
    const [socket] = await arrived
    const peer = webSocketPeer(socket)
    await peer.welcome()
    await using client = await connecting
    socket.pause()
    const payload = new Uint8Array(1_000_000)
    const published: Promise<unknown>[] = []
    for (let n = 0; n < 16; n++) published.push(client.publish('a', payload, { qos: 1 }))
    let isReady = false
    const ready = client.ready().then(() => {
      isReady = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isReady).toBe(false)
    socket.resume()
    for (let n = 0; n < 16; n++) {
      const { packetId, payload: got } = await peer.expect('publish')
      expect(got.length).toBe(payload.length)
      peer.send({ type: 'puback', packetId: packetId!, reasonCode: 0 })
    }
    await Promise.all([ready, ...published])
  })

  test('a slow consumer makes the client wait, and loses nothing', async () => {
    const { door, arrived } = await awaiting()
    await using _door = door
    const connecting = connect(door.url, { ...form, reconnect: false, maxBuffered: 2 })
    const [socket] = await arrived
    const peer = webSocketPeer(socket)
    await peer.welcome()
    await using client = await connecting
    const seen: string[] = []
    const done = new Promise<void>((resolve) => {
      const onMessage = async (message: Message): Promise<void> => {
        await new Promise((next) => setImmediate(next))
        if (seen.push(message.text()) === 100) resolve()
      }
      void client.subscribe('#', { onMessage })
    })
    await peer.grant(0)
    for (let n = 0; n < 100; n++) peer.publish('a', `${n}`)
    await done
    expect(seen).toEqual(Array.from({ length: 100 }, (_none, n) => `${n}`))
  })

  test('an attempt is given up before the server has answered the opening handshake', async () => {
    await using door = await Door.tcp(() => {})
    const url = door.url.replace('mqtt', 'ws')
    const error = await failure(connect(url, { ...form, reconnect: false, attemptTimeoutMs: 50 }))
    expect(error).toMatchObject({ code: 'attempt-timeout' })
  })

  test('a port where nobody listens is a network error', async () => {
    const door = await Door.tcp(() => {})
    await door[Symbol.asyncDispose]()
    const error = await failure(connect(door.url.replace('mqtt', 'ws'), { ...form, reconnect: false }))
    expect(error).toMatchObject({ code: 'network-error', permanent: false })
  })
})

describe('in Node only', () => {
  const own = { reconnect: false } as const

  test('at MQTT 3.1, mqttv3.1 is offered too', async () => {
    const { door, arrived } = await awaiting()
    await using _door = door
    const connecting = connect(door.url, { ...own, version: 3 })
    const [socket, request] = await arrived
    expect(request.headers['sec-websocket-protocol']).toBe('mqtt,mqttv3.1')
    await webSocketPeer(socket).welcome()
    await (await connecting).close()
  })

  test('headers go along; user name and password of the URL do not', async () => {
    const { door, arrived } = await awaiting()
    await using _door = door
    const url = `${door.url.replace('//', '//ada:secret@')}/mqtt?site=7`
    const connecting = connect(url, { ...own, headers: { Cookie: 'token=1' } })
    const [socket, request] = await arrived
    expect(request).toMatchObject({ url: '/mqtt?site=7', headers: { cookie: 'token=1' } })
    expect(request.headers.authorization).toBeUndefined()
    expect(await webSocketPeer(socket).welcome()).toMatchObject({ username: 'ada' })
    await (await connecting).close()
  })

  test('a server that has no MQTT at that path is told', async () => {
    await using door = await Door.webSocket(() => {})
    const error = await failure(connect(`${door.url}/elsewhere`, own))
    expect(error).toMatchObject({ code: 'network-error', message: expect.stringContaining('400') })
  })

  test('a message larger than a packet may be ends the connection', async () => {
    const { door, arrived } = await awaiting()
    await using _door = door
    const connecting = failure(connect(door.url, { ...own, maxPacketBytes: 100 }))
    const [socket] = await arrived
    socket.send(new Uint8Array(1_048_577))
    expect(await connecting).toMatchObject({ code: 'network-error', message: expect.stringContaining('payload size') })
  })

  test.each([
    [false, 1],
    [true, 0],
  ])('unref: %s leaves %i socket to keep the process alive', async (unref, kept) => {
    const { door, arrived } = await awaiting()
    await using _door = door
    const count = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    await vi.waitFor(() => expect(count()).toBe(0)) // those of earlier tests are gone
    const connecting = connect(door.url, { ...own, unref })
    const [socket] = await arrived
    await webSocketPeer(socket).welcome()
    const client = await connecting
    const theServersEnd = 1
    expect(count() - theServersEnd).toBe(kept)
    await client.close()
  })

  describe('over TLS', () => {
    let authority: Authority
    let server: Pair
    beforeAll(async () => {
      authority = await Authority.create()
      server = await authority.issue('localhost')
    })

    test('wss: a client connects', async () => {
      await using door = await Door.webSocket((socket) => void webSocketPeer(socket).welcome(), server)
      await using client = await connect(door.url, { ...own, tls: { ca: authority.cert } })
      expect(client.server).toMatchObject({ server: `${door.url}/mqtt` })
    })

    test('a certificate that fails a check ends the client at once, in words', async () => {
      await using door = await Door.webSocket(() => {}, server)
      const strange = (await Authority.create('another')).cert
      const error = await failure(connect(door.url, { tls: { ca: strange } }))
      expect(error).toMatchObject({ code: 'certificate-untrusted', permanent: true, server: `${door.url}/mqtt` })
      const misnamed = await failure(connect(door.url, { tls: { ca: authority.cert, servername: 'other' } }))
      expect(misnamed).toMatchObject({ code: 'certificate-wrong-name', permanent: true })
    })
  })
})
