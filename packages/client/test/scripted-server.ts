import type { Packet, PacketOf } from '@godwit/protocol'
import { ScriptedPeer } from '@godwit/protocol/testing'
import { expect } from 'vitest'
import type { ByteStream, ByteStreamEvents, OpenStream } from '../src/socket.js'
import { settled } from './virtual-clock.js'

/** The server's end of one connection: the test reads packets and answers them, in memory. */
export class Peer {
  /** The URL that was dialled. */
  readonly url: string
  readonly #events: ByteStreamEvents
  readonly #peer = new ScriptedPeer((bytes) => this.sendBytes(bytes))
  /** All that the client has written on this connection, in hex, a packet an element when it writes so. */
  readonly written: string[] = []
  #inbox: Uint8Array[] = []
  #paused = false
  /** The client has ended its side, or destroyed the stream. */
  ended = false
  #over = false
  /** Whether writes say that there is no more room. */
  congested = false

  constructor(url: string, events: ByteStreamEvents) {
    this.url = url
    this.#events = events
  }

  readonly stream: ByteStream = {
    write: (bytes) => {
      if (this.#over) return true
      this.written.push(Buffer.from(bytes).toString('hex'))
      this.#peer.hear(bytes.slice())
      return !this.congested
    },
    end: () => {
      this.ended = true
      queueMicrotask(() => this.close())
    },
    destroy: () => {
      this.ended = true
      this.close()
    },
    pause: () => {
      this.#paused = true
    },
    resume: () => {
      this.#paused = false
      queueMicrotask(() => this.#deliver())
    },
  }

  get paused(): boolean {
    return this.#paused
  }

  /** The stream is open: CONNECT follows. */
  open(): void {
    this.#events.onOpen()
  }

  /** The next packet from the client, which must be of this type. */
  async expect<T extends Packet['type']>(type: T, fields: Partial<PacketOf<T>> = {}): Promise<PacketOf<T>> {
    const packet = (await this.#peer.next())!
    // A received payload is a getter, which toMatchObject would not see.
    const seen = packet.type === 'publish' ? { ...packet, payload: packet.payload } : packet
    expect(seen).toMatchObject({ type, ...fields })
    return packet as PacketOf<T>
  }

  /** The client has sent nothing more. */
  async expectNothing(): Promise<void> {
    await settled()
    expect(this.#peer.take()).toEqual([])
  }

  /** All packets not looked at yet. */
  async take(): Promise<Packet[]> {
    await settled()
    return this.#peer.take()
  }

  /** All packets not looked at yet, in words: `publish 1 dup`. */
  async rest(): Promise<string[]> {
    await settled()
    return this.#peer.take().map(inWords)
  }

  send(...packets: Packet[]): void {
    this.#peer.send(...packets)
  }

  sendBytes(bytes: Uint8Array): void {
    this.#inbox.push(bytes)
    queueMicrotask(() => this.#deliver())
  }

  /** Reads CONNECT, answers CONNACK. */
  async welcome(fields: Partial<PacketOf<'connack'>> = {}): Promise<PacketOf<'connect'>> {
    this.open()
    const connect = await this.expect('connect')
    this.send({ type: 'connack', sessionPresent: false, reasonCode: 0, ...fields })
    await settled()
    return connect
  }

  /** Answers UNSUBSCRIBE. */
  unsubscribed(packetId: number, ...codes: number[]): void {
    this.send({ type: 'unsuback', packetId, reasonCodes: codes.length > 0 ? codes : [0] })
  }

  /** Reads SUBSCRIBE, answers SUBACK. */
  async grant(...codes: number[]): Promise<PacketOf<'subscribe'>> {
    const subscribe = await this.expect('subscribe')
    const reasonCodes = subscribe.subscriptions.map(({ qos }, at) => codes[at] ?? qos)
    this.send({ type: 'suback', packetId: subscribe.packetId, reasonCodes })
    await settled()
    return subscribe
  }

  publish(topic: string, payload: string, fields: Partial<PacketOf<'publish'>> = {}): void {
    const bytes = new TextEncoder().encode(payload)
    this.send({ type: 'publish', topic, payload: bytes, qos: 0, retain: false, dup: false, ...fields })
  }

  /** There is room again after `congested`. */
  drain(): void {
    this.congested = false
    this.#events.onDrain()
  }

  /** The connection goes. */
  close(error?: Error): void {
    if (this.#over) return
    this.#over = true
    this.#inbox = []
    queueMicrotask(() => this.#events.onClose(error))
  }

  #deliver(): void {
    while (!this.#paused && !this.#over) {
      const bytes = this.#inbox.shift()
      if (bytes === undefined) return
      this.#events.onData(bytes)
    }
  }
}

export function inWords(packet: Packet): string {
  const words: (string | number)[] = [packet.type]
  if ('packetId' in packet && packet.packetId !== undefined) words.push(packet.packetId)
  if (packet.type === 'publish') {
    words.push(new TextDecoder().decode(packet.payload))
    if (packet.dup) words.push('dup')
  }
  if (packet.type === 'subscribe') words.push(...packet.subscriptions.map(({ filter }) => filter))
  if (packet.type === 'unsubscribe') words.push(...packet.filters)
  return words.join(' ')
}

/** Takes every connection a client makes and hands it to the test. */
export class ScriptedServer {
  readonly #arrived: Peer[] = []
  #wanted: ((peer: Peer) => void) | undefined
  /** Connections made so far. */
  count = 0

  readonly openStream: OpenStream = (server, events) => {
    const peer = new Peer(server.url, events)
    this.count += 1
    const wanted = this.#wanted
    this.#wanted = undefined
    if (wanted) wanted(peer)
    else this.#arrived.push(peer)
    return peer.stream
  }

  async accept(): Promise<Peer> {
    return this.#arrived.shift() ?? (await new Promise<Peer>((resolve) => (this.#wanted = resolve)))
  }
}
