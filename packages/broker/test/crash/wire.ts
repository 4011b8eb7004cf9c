import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Packet, PacketOf, QoS, Subscription, Will } from '@godwit/protocol'
import { PeerClosed, ScriptedPeer } from '@godwit/protocol/testing'

export interface Greeting {
  readonly clientId: string
  /** Clean Session; with 5.0 Clean Start, and a session that ends with the connection. */
  readonly clean: boolean
  /** 5.0: how long the session lives on. Default: for ever, unless `clean`. */
  readonly expirySeconds?: number
  readonly will?: Will
  /** Is given every packet but those {@link Wire.expect} waits for; the first may come together with CONNACK. */
  readonly onPacket?: (packet: Packet, wire: Wire) => void
}

/** The connection ended before what was asked of it. */
export { PeerClosed as Closed }

export type Version = 4 | 5

const serverShuttingDown = 0x8b
const forEver = 0xffff_ffff

/** One connection of a scripted client: raw packets of MQTT 3.1.1 or 5.0, nothing done by itself. */
export class Wire {
  /** Session Present, as CONNACK said. */
  present = false
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #peer: ScriptedPeer

  /** Connects and waits for CONNACK. @throws Closed. */
  static async open(port: number, greeting: Greeting, version: Version = 4): Promise<Wire> {
    const { clientId, clean, will, onPacket, expirySeconds = clean ? 0 : forEver } = greeting
    const wire = new Wire(connect({ port, host: '127.0.0.1', noDelay: true }), version, onPacket)
    const properties = { sessionExpiryInterval: expirySeconds }
    wire.send({
      ...{ type: 'connect', version, clientId, cleanStart: clean, keepAliveSeconds: 0 },
      ...(will && { will }),
      ...(version === 5 && { properties }),
    })
    const connack = await wire.expect('connack')
    if (connack.reasonCode !== 0) throw new Error(`${clientId} was refused with code ${connack.reasonCode}`)
    wire.present = connack.sessionPresent
    return wire
  }

  private constructor(socket: Socket, version: Version, onPacket: Greeting['onPacket']) {
    this.#socket = socket
    this.#peer = new ScriptedPeer((bytes) => socket.writable && socket.write(bytes), {
      version,
      onPacket: (packet) => {
        const isFarewell = packet.type === 'disconnect' && packet.reasonCode === serverShuttingDown
        if (!isFarewell) onPacket?.(packet, this) // behind it comes the close
      },
    })
    socket.on('data', (chunk) => this.#peer.hear(chunk))
    socket.on('error', () => {}) // a killed broker resets connections; 'close' follows
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#peer.end()
        resolve()
      })
    })
  }

  get isClosed(): boolean {
    return this.#peer.isOver
  }

  send(packet: Packet): void {
    this.#peer.send(packet)
  }

  /** The next packet of a type. @throws Closed. */
  expect<T extends Packet['type']>(type: T): Promise<PacketOf<T>> {
    return this.#peer.expect(type)
  }

  /** Answers when SUBACK has come. @throws Closed. */
  async subscribe(qos: QoS, ...filters: readonly string[]): Promise<void> {
    this.send({ type: 'subscribe', packetId: 65_000, subscriptions: filters.map((filter) => ({ filter, qos })) })
    await this.expect('suback')
  }

  /** With the options and, above 0, the Subscription Identifier of 5.0. Answers when SUBACK has come. @throws Closed. */
  async subscribeWith(subscription: Subscription, identifier: number): Promise<void> {
    const properties = identifier > 0 ? { subscriptionIdentifiers: [identifier] } : undefined
    this.send({ type: 'subscribe', packetId: 65_000, subscriptions: [subscription], ...(properties && { properties }) })
    await this.expect('suback')
  }

  /** Answers when UNSUBACK has come. @throws Closed. */
  async unsubscribe(filter: string): Promise<void> {
    this.send({ type: 'unsubscribe', packetId: 65_000, filters: [filter] })
    await this.expect('unsuback')
  }

  /** DISCONNECT, and the close with which the broker says that it has been taken note of. */
  async disconnect(how: Omit<PacketOf<'disconnect'>, 'type'> = {}): Promise<void> {
    this.send({ type: 'disconnect', ...how })
    await this.closed
  }

  /** Ends the connection without a word. */
  async cut(): Promise<void> {
    this.#socket.destroy()
    if (!this.#socket.closed) await once(this.#socket, 'close')
  }
}
