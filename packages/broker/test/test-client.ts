import type { Duplex } from 'node:stream'
import {
  type Connect,
  encodeUtf8,
  type Packet,
  type PropertiesOf,
  type ProtocolVersion,
  type QoS,
  type Subscription,
} from '@godwit/protocol'
import { ScriptedPeer } from '@godwit/protocol/testing'

/** What a CONNECT of a test says beyond the usual: its own id, clean session, no keep-alive. */
export type ConnectOptions = Partial<Omit<Connect, 'type' | 'will' | 'password'>> & {
  readonly will?: { topic: string; payload: string; qos?: QoS; retain?: boolean; properties?: PropertiesOf<'will'> }
  readonly password?: string
}

/** A scripted client: it says what it is told to and answers nothing by itself. What it hears is kept as lines. */
export class TestClient {
  readonly clientId: string
  readonly #stream: Duplex
  readonly #peer: ScriptedPeer
  readonly #settled: () => Promise<void>
  readonly #ended: Promise<void>

  constructor(stream: Duplex, clientId: string, settled: () => Promise<void>, version: ProtocolVersion = 4) {
    this.clientId = clientId
    this.#stream = stream
    this.#settled = settled
    this.#peer = new ScriptedPeer((bytes) => stream.write(bytes), { version })
    stream.on('error', () => {}) // a reset is an end like any other
    this.#ended = new Promise((resolve) => {
      for (const event of ['end', 'close'] as const) {
        stream.once(event, () => {
          this.#peer.end()
          resolve()
        })
      }
    })
  }

  /** The connection has ended, from whichever side. */
  get closed(): boolean {
    return this.#peer.isOver
  }

  /** Takes what the broker sends from now on; a client that never does is a slow one. */
  read(): this {
    this.#stream.on('data', (chunk: Uint8Array) => this.#peer.hear(chunk))
    return this
  }

  /** Stops taking what the broker sends. */
  stopReading(): void {
    this.#stream.pause()
  }

  readOn(): void {
    this.#stream.resume()
  }

  // ---- saying; several packets travel in one chunk

  send(...packets: readonly Packet[]): this {
    this.#peer.send(...packets)
    return this
  }

  /** Says and hears this version from now on, as its CONNECT would make it. */
  speak(version: ProtocolVersion): this {
    this.#peer.speak(version)
    return this
  }

  sendBytes(bytes: Uint8Array): this {
    this.#stream.write(bytes)
    return this
  }

  sendHex(hex: string): this {
    return this.sendBytes(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  }

  publish(topic: string, payload: string | Uint8Array, qos: QoS = 0, packetId = 1, retain = false): this {
    return this.send(publishPacket(topic, payload, qos, packetId, retain))
  }

  subscribe(filter: string, qos: QoS = 0, packetId = 1): this {
    return this.send(subscribePacket([{ filter, qos }], packetId))
  }

  puback(...packetIds: readonly number[]): this {
    return this.send(...packetIds.map((packetId) => ({ type: 'puback', packetId }) as const))
  }

  disconnect(): this {
    return this.send({ type: 'disconnect' })
  }

  /** Half-closes: nothing more will be said. */
  end(): void {
    this.#stream.end()
  }

  /** Breaks off without a word. */
  drop(): void {
    this.#stream.destroy()
  }

  // ---- hearing

  /** Everything that has come since the last time, once things are quiet. */
  async heard(): Promise<string[]> {
    await this.#settled()
    return this.#peer.take().map(lineOf)
  }

  /** As {@link heard}, with reason codes and properties: `puback 1 0x10`, `publish a "x" {"contentType":"text"}`. */
  async heardInFull(): Promise<string[]> {
    await this.#settled()
    return this.#peer.take().map(fullLineOf)
  }

  /** The next `count` packets, however long they take; fewer where the connection ends. */
  async next(count = 1): Promise<string[]> {
    const lines: string[] = []
    while (lines.length < count) {
      const packet = await this.#peer.next()
      if (!packet) break
      lines.push(lineOf(packet))
    }
    return lines
  }

  /** Resolves when the connection has ended. */
  ended(): Promise<void> {
    return this.#ended
  }
}

export function connectPacket(clientId: string, options: ConnectOptions = {}): Connect {
  const { will, password, ...rest } = options
  return {
    type: 'connect',
    version: 4,
    clientId,
    cleanStart: true,
    keepAliveSeconds: 0,
    ...rest,
    ...(will && { will: { qos: 0, retain: false, ...will, payload: encodeUtf8(will.payload) } }),
    ...(password !== undefined && { password: encodeUtf8(password) }),
  }
}

export function publishPacket(
  topic: string,
  payload: string | Uint8Array,
  qos: QoS = 0,
  packetId = 1,
  retain = false,
  dup = false,
): Packet {
  const bytes = typeof payload === 'string' ? encodeUtf8(payload) : payload
  return { type: 'publish', topic, payload: bytes, qos, retain, dup, packetId: qos > 0 ? packetId : undefined }
}

export function subscribePacket(subscriptions: readonly Subscription[], packetId = 1): Packet {
  return { type: 'subscribe', packetId, subscriptions }
}

/** A packet in words: `publish a/b "x" qos 1 id 7 retain dup`. */
export function lineOf(packet: Packet): string {
  switch (packet.type) {
    case 'connack':
      return `connack ${packet.reasonCode.toString(16)}${packet.sessionPresent ? ' present' : ''}`
    case 'publish': {
      const { topic, payload, qos, packetId, retain, dup } = packet
      const text = payload.length > 200 ? `<${payload.length} bytes>` : `"${Buffer.from(payload).toString()}"`
      const id = qos > 0 ? ` qos ${qos} id ${packetId}` : ''
      const identifiers = packet.properties?.subscriptionIdentifiers ?? []
      const found = identifiers.length > 0 ? ` by ${identifiers.join(',')}` : ''
      return `publish ${topic} ${text}${id}${retain ? ' retain' : ''}${dup ? ' dup' : ''}${found}`
    }
    case 'suback':
      return `suback ${packet.packetId} [${packet.reasonCodes.join(' ')}]`
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
    case 'unsuback':
      return `${packet.type} ${packet.packetId}`
    default:
      return packet.type
  }
}

function fullLineOf(packet: Packet): string {
  const { properties, reasonCode = 0 } = packet as { properties?: Record<string, unknown>; reasonCode?: number }
  const { subscriptionIdentifiers: _, ...rest } = properties ?? {} // they are in the line already
  const isTold = packet.type !== 'connack' && reasonCode > 0
  const code = isTold ? ` 0x${reasonCode.toString(16).padStart(2, '0')}` : ''
  const codes = packet.type === 'unsuback' ? ` [${packet.reasonCodes.join(' ')}]` : ''
  const text = JSON.stringify(rest, (_key, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  )
  return `${lineOf(packet)}${code}${codes}${text === '{}' ? '' : ` ${text}`}`
}
