import {
  type Connect,
  Decoder,
  encode,
  type Packet,
  type PacketOf,
  ProtocolError,
  type ProtocolVersion,
  reason,
} from '@godwit/protocol'
import type { Clock } from './clock.js'
import type { Authenticator, EnhancedAuth } from './enhanced-auth.js'
import {
  type AnyClientError,
  asClientError,
  ConnectionError,
  invalidOption,
  ServerDisconnectedError,
  ServerRefusedError,
  storeFailed,
} from './errors.js'
import { KeepAlive } from './keep-alive.js'
import { mostPublishBytes } from './most-publish-bytes.js'
import { otherProtocol } from './other-protocol.js'
import { Outbox } from './outbox.js'
import type { ServerAddress } from './server-address.js'
import { publishBytes, type ServerLimits, serverLimits } from './server-limits.js'
import type { ByteStream, OpenStream } from './socket.js'
import type { Outgoing } from './state/outgoing.js'
import { IncomingAliases, OutgoingAliases } from './topic-aliases.js'

/** How long a last word may take to leave before the stream is cut. */
const farewellMs = 1000
/** What a new alias can add to a PUBLISH: the property, and a byte more for each of the two lengths. */
const aliasBytes = 5

export interface ConnectionOptions {
  readonly server: ServerAddress
  readonly connect: Connect
  readonly authentication: Authenticator | undefined
  readonly pingTimeoutMs: number
  readonly maxPacketBytes: number
  readonly topicAliases: boolean
  readonly topicAliasMaximum: number
  readonly unref: boolean
  readonly openStream: OpenStream
  readonly clock: Clock
  /** See Outbox. */
  readonly commit: () => Promise<void> | undefined
}

export interface ConnectionEvents {
  /** The server accepted. */
  onConnack(packet: PacketOf<'connack'>): void
  /** A packet of the session's kinds. */
  onPacket(packet: ServerPacket): void
  /** There is room to send again. */
  onWritable(): void
  /** The connection, or the attempt, is over. Called once; nothing comes after it. */
  onClose(error: AnyClientError): void
}

export type ServerPacket = PacketOf<'publish' | 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'suback' | 'unsuback'>

/** One network connection: from opening the stream, through CONNECT and CONNACK, to its end. */
export class Connection {
  readonly server: ServerAddress
  readonly version: ProtocolVersion
  /** What the server takes; known from CONNACK on. */
  limits: ServerLimits
  /** CONNECT may have reached the server, and its answer has not come. */
  unanswered = false
  readonly #options: ConnectionOptions
  readonly #clock: Clock
  readonly #events: ConnectionEvents
  readonly #decoder: Decoder
  readonly #outbox: Outbox
  readonly #auth: EnhancedAuth | undefined
  readonly #incomingAliases: IncomingAliases
  #outgoingAliases = new OutgoingAliases(0)
  #stream: ByteStream | undefined
  #keepAlive: KeepAlive | undefined
  /** `proving`: CONNACK accepted, and its proof is being checked. */
  #phase: 'handshake' | 'proving' | 'up' | 'ending' | 'over' = 'handshake'
  /** The first bytes of the server, as long as there are not more than these. */
  #firstBytes: readonly number[] = []
  #cancelFarewell: () => void = () => {}

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    const { server, connect, clock, authentication } = options
    this.server = server
    this.version = connect.version
    this.limits = serverLimits(connect.version, undefined)
    this.#options = options
    this.#clock = clock
    this.#events = events
    this.#decoder = new Decoder({ version: connect.version, maxPacketBytes: options.maxPacketBytes })
    this.#outbox = new Outbox(connect.version, clock, {
      write: (bytes) => this.#write(bytes),
      commit: options.commit,
      writable: () => this.#events.onWritable(),
      failed: (error) => this.fail(asClientError(error, storeFailed)),
    })
    this.#incomingAliases = new IncomingAliases(connect.version === 5 ? options.topicAliasMaximum : 0)
    this.#auth = authentication?.exchange({
      server: server.url,
      send: (packet) => this.#isOver() || this.#outbox.send(packet),
      fail: (error) => this.fail(error),
      violation: (what) => this.violation(what),
    })
    this.#open()
  }

  /** Packets should wait. */
  get full(): boolean {
    return this.#outbox.full
  }

  send(packet: Packet): void {
    if (this.#phase === 'up') this.#outbox.send(packet)
  }

  /** @throws what keeps it from being written; then nothing of it has been. */
  publish(message: Outgoing, dup: boolean): void {
    if (this.#phase !== 'up') return
    const { maximumPacketSize } = this.limits
    const aliased = this.#outgoingAliases.of(
      message.topic,
      () =>
        mostPublishBytes(message) + aliasBytes <= maximumPacketSize ||
        publishBytes(message) + aliasBytes <= maximumPacketSize,
    )
    const properties = this.#propertiesOf(message)
    if (aliased === undefined) return this.#outbox.publish(message, dup, message.topic, properties)
    try {
      this.#outbox.publish(message, dup, aliased.topic, { ...properties, topicAlias: aliased.alias })
    } catch (error) {
      if (aliased.topic !== '') this.#outgoingAliases.forget(aliased.topic)
      throw error
    }
  }

  /** A message that has waited has less time left. Once sent it is sent again in any case, and says 1 s then. */
  #propertiesOf({ properties, deadline }: Outgoing): Outgoing['properties'] {
    if (deadline === Infinity) return properties
    const least = Math.min(1, properties?.messageExpiryInterval ?? 1)
    const left = Math.ceil((deadline - this.#clock.now()) / 1000)
    return { ...properties, messageExpiryInterval: Math.max(least, left) }
  }

  /** Authenticates again; `done` is called when the server has agreed. False: it is not possible now. */
  reauthenticate(done: () => void): boolean {
    return this.#phase === 'up' && this.#auth !== undefined && this.#auth.reauthenticate(done)
  }

  /** Whether packets are taken from the server. */
  setReading(reading: boolean): void {
    if (reading) this.#stream?.resume()
    else this.#stream?.pause()
    this.#keepAlive?.setReading(reading)
  }

  /**
   * Sends DISCONNECT after what was handed over, then closes [MQTT-3.14.4-1]; sends nothing after it [MQTT-3.14.4-2].
   */
  end(disconnect: PacketOf<'disconnect'>): void {
    if (this.#phase !== 'up') return this.fail(this.#error('connection-closed', 'closed before CONNACK'))
    this.#outbox.send(this.#fitting(disconnect))
    this.#phase = 'ending'
    this.#outbox.finish(() => this.#stream?.end())
    // What is left unread would keep the stream from closing.
    this.#stream?.resume()
  }

  /** Ends it at once. */
  fail(error: AnyClientError): void {
    if (this.#stop()) return
    this.#stream?.destroy()
    this.#events.onClose(error)
  }

  /**
   * The server broke a rule of the standard [MQTT-4.8.0-1]: at 5.0 it is told which, and then the connection is closed
   * (section 4.13.1).
   */
  violation(what: string, reasonCode: number = reason.protocolError, cause?: unknown): void {
    const wasUp = this.#phase === 'up'
    const error = this.#error('protocol-error', what, cause)
    if (!wasUp || this.version < 5) return this.fail(error)
    this.#stop()
    const disconnect = this.#fitting({ type: 'disconnect', reasonCode, properties: { reasonString: what } })
    this.#stream?.write(encode(disconnect, this.version))
    this.#stream?.end()
    this.#stream?.resume()
    this.#cancelFarewell = this.#clock.after(farewellMs, () => this.#stream?.destroy())
    this.#events.onClose(error)
  }

  /** True: it was over already. */
  #stop(): boolean {
    if (this.#phase === 'over') return true
    this.#phase = 'over'
    this.#keepAlive?.stop()
    this.#outbox.stop()
    return false
  }

  /** Reason and properties give way to the server's limit [MQTT-3.14.2-3] [MQTT-3.14.2-4]. */
  #fitting(packet: PacketOf<'disconnect'>): PacketOf<'disconnect'> {
    if (encode(packet, this.version).length <= this.limits.maximumPacketSize) return packet
    const { sessionExpiryInterval } = packet.properties ?? {}
    const bare = { ...packet, properties: sessionExpiryInterval === undefined ? undefined : { sessionExpiryInterval } }
    return encode(bare, this.version).length <= this.limits.maximumPacketSize ? bare : { type: 'disconnect' }
  }

  #open(): void {
    const { server, openStream, connect } = this.#options
    try {
      this.#stream = openStream(
        server,
        {
          onOpen: () => {
            if (this.#phase !== 'handshake') return
            this.unanswered = true
            this.#outbox.send(connect) // [MQTT-3.1.0-1]
          },
          onData: (chunk) => this.#onData(chunk),
          onDrain: () => {
            this.#keepAlive?.progressed()
            this.#outbox.drained()
          },
          onClose: (cause) => this.#onStreamClose(cause),
        },
        this.#options.unref,
      )
    } catch (error) {
      // Not from inside the constructor: whoever made this does not hold it yet.
      queueMicrotask(() => this.fail(asClientError(error, (cause) => this.#notOpened(cause))))
    }
  }

  /** What a stream throws at once, because of what it was given, it would throw again. */
  #notOpened(error: unknown): AnyClientError {
    if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
      return invalidOption(`${this.server.url}: ${error.message}`)
    }
    return this.#error('network-error', String(error), error)
  }

  #write(bytes: Uint8Array): boolean {
    this.#keepAlive?.sent()
    return this.#stream?.write(bytes) ?? true
  }

  #onData(chunk: Uint8Array): void {
    if (this.#phase === 'over') return
    this.#keepAlive?.received()
    if (this.#firstBytes.length < 2) this.#firstBytes = [...this.#firstBytes, ...chunk.subarray(0, 2)]
    this.#decoder.push(chunk)
    this.#decode()
  }

  #decode(): void {
    try {
      while (!this.#isOver() && this.#phase !== 'proving') {
        const packet = this.#decoder.next()
        if (packet === undefined) return
        this.#onPacket(packet)
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      if (this.#isOldConnack()) return this.#refused({ reasonCode: reason.unsupportedProtocolVersion })
      const other = this.#phase === 'handshake' ? otherProtocol(this.#firstBytes) : undefined
      if (other !== undefined) return this.fail(this.#error('protocol-error', other, error))
      this.violation(`the server broke the protocol: ${error.message}`, error.reasonCode, error)
    }
  }

  #isOver(): boolean {
    return this.#phase === 'over'
  }

  /** A CONNACK of two bytes is none of 5.0: the server speaks 3.1.1 only, and says in its words that it knows no 5. */
  #isOldConnack(): boolean {
    const [type, length] = this.#firstBytes
    return this.#phase === 'handshake' && this.version === 5 && type === 0x20 && length === 2
  }

  #onPacket(packet: Packet): void {
    if (this.#phase === 'handshake') return this.#onFirstPacket(packet)
    if (this.#phase === 'ending') return
    switch (packet.type) {
      case 'publish': {
        const publish = this.#incomingAliases.resolve(packet, (what, code) => this.violation(what, code))
        return publish && this.#events.onPacket(publish)
      }
      case 'puback':
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
      case 'suback':
      case 'unsuback':
        return this.#events.onPacket(packet)
      case 'pingresp':
        return
      case 'auth':
        if (this.#auth !== undefined) return this.#auth.onAuth(packet)
        break
      case 'disconnect':
        if (this.version === 5) return this.#onDisconnect(packet)
    }
    this.violation(`the server sent ${packet.type.toUpperCase()}, which it may not`)
  }

  #onDisconnect({ reasonCode = reason.normalDisconnection, properties }: PacketOf<'disconnect'>): void {
    if (properties?.sessionExpiryInterval !== undefined) {
      return this.violation('the server sent a Session Expiry Interval in DISCONNECT, which it may not')
    }
    this.fail(new ServerDisconnectedError(this.server.url, reasonCode, properties))
  }

  #onFirstPacket(packet: Packet): void {
    if (packet.type === 'auth' && this.#auth !== undefined) return this.#auth.onAuth(packet)
    if (packet.type !== 'connack') {
      return this.violation(`${packet.type.toUpperCase()} came before CONNACK`)
    }
    if (packet.reasonCode !== 0) return this.#refused(packet)
    if (this.version === 5 && this.#options.connect.cleanStart && packet.sessionPresent) {
      return this.violation('the server has a session, though Clean Start asked for none') // [MQTT-3.2.2-4]
    }
    if (this.#auth === undefined) return this.#accepted(packet)
    this.#phase = 'proving'
    this.#auth.onConnack(packet.properties, () => {
      if (this.#isOver()) return
      this.#accepted(packet)
      this.#decode()
    })
  }

  #refused({ reasonCode, properties }: Pick<PacketOf<'connack'>, 'reasonCode' | 'properties'>): void {
    this.unanswered = false
    this.fail(new ServerRefusedError(this.server.url, reasonCode, properties))
  }

  #accepted(packet: PacketOf<'connack'>): void {
    const { connect, pingTimeoutMs, topicAliases } = this.#options
    this.unanswered = false
    this.#phase = 'up'
    this.limits = serverLimits(this.version, packet.properties)
    if (topicAliases) this.#outgoingAliases = new OutgoingAliases(this.limits.topicAliasMaximum)
    const keepAliveSeconds = packet.properties?.serverKeepAlive ?? connect.keepAliveSeconds // [MQTT-3.1.2-21]
    this.#keepAlive = new KeepAlive(this.#clock, keepAliveSeconds, pingTimeoutMs, {
      ping: () => this.send({ type: 'pingreq' }),
      dead: () => this.fail(this.#error('keep-alive-timeout', 'the server did not answer PINGREQ')),
    })
    this.#events.onConnack(packet)
  }

  #onStreamClose(cause: Error | undefined): void {
    this.#cancelFarewell()
    const when = this.#phase === 'handshake' ? 'before CONNACK' : 'without DISCONNECT'
    this.fail(
      cause === undefined
        ? this.#error('connection-closed', `the server closed the connection ${when}`)
        : asClientError(cause, () => this.#error('network-error', cause.message, cause)),
    )
  }

  #error(code: ConnectionError['code'], message: string, cause?: unknown): ConnectionError {
    return new ConnectionError(code, this.server.url, message, cause)
  }
}
