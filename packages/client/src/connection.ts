import { type Connect, Decoder, type Packet, type PacketOf, ProtocolError } from '@godwit/protocol'
import type { Clock } from './clock.js'
import { type AnyClientError, ClientError, ConnectionError, ServerRefusedError, storeFailed } from './errors.js'
import { KeepAlive } from './keep-alive.js'
import { Outbox } from './outbox.js'
import type { ServerAddress } from './server-address.js'
import type { ByteStream, OpenStream } from './socket.js'
import type { Outgoing } from './state/outbound.js'

export interface ConnectionOptions {
  readonly server: ServerAddress
  readonly connect: Connect
  readonly pingTimeoutMs: number
  readonly maxPacketBytes: number
  readonly unref: boolean
  readonly openStream: OpenStream
  readonly clock: Clock
  /** See Outbox. */
  readonly commit: () => Promise<void> | undefined
}

export interface ConnectionEvents {
  /** The server accepted. */
  onConnack(packet: PacketOf<'connack'>): void
  /** A packet of the kinds a server may send, CONNACK and PINGRESP excepted. */
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
  /** CONNECT may have reached the server, and its answer has not come. */
  unanswered = false
  readonly #connect: Connect
  readonly #pingTimeoutMs: number
  readonly #clock: Clock
  readonly #events: ConnectionEvents
  readonly #decoder: Decoder
  readonly #outbox: Outbox
  #stream: ByteStream | undefined
  #keepAlive: KeepAlive | undefined
  #phase: 'handshake' | 'up' | 'ending' | 'over' = 'handshake'

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    const { server, connect, clock } = options
    this.server = server
    this.#connect = connect
    this.#pingTimeoutMs = options.pingTimeoutMs
    this.#clock = clock
    this.#events = events
    this.#decoder = new Decoder({ version: connect.version, maxPacketBytes: options.maxPacketBytes })
    this.#outbox = new Outbox(connect.version, clock, {
      write: (bytes) => this.#write(bytes),
      commit: options.commit,
      writable: () => this.#events.onWritable(),
      failed: (error) => this.fail(asClientError(error, storeFailed)),
    })
    this.#open(options)
  }

  /** Packets should wait. */
  get full(): boolean {
    return this.#outbox.full
  }

  send(packet: Packet): void {
    if (this.#phase === 'up') this.#outbox.send(packet)
  }

  publish(message: Outgoing, dup: boolean): void {
    if (this.#phase === 'up') this.#outbox.publish(message, dup)
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
  end(): void {
    if (this.#phase !== 'up') return this.fail(this.#error('connection-closed', 'closed before CONNACK'))
    this.#outbox.send({ type: 'disconnect' })
    this.#phase = 'ending'
    this.#outbox.finish(() => this.#stream?.end())
    // What is left unread would keep the stream from closing.
    this.#stream?.resume()
  }

  /** Ends it at once. */
  fail(error: AnyClientError): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#keepAlive?.stop()
    this.#outbox.stop()
    this.#stream?.destroy()
    this.#events.onClose(error)
  }

  /** The server broke a rule of the standard [MQTT-4.8.0-1]. */
  violation(what: string): void {
    this.fail(this.#error('protocol-error', what))
  }

  #open({ server, openStream, unref }: ConnectionOptions): void {
    try {
      this.#stream = openStream(
        server,
        {
          onOpen: () => {
            if (this.#phase !== 'handshake') return
            this.unanswered = true
            this.#outbox.send(this.#connect) // [MQTT-3.1.0-1]
          },
          onData: (chunk) => this.#onData(chunk),
          onDrain: () => {
            this.#keepAlive?.progressed()
            this.#outbox.drained()
          },
          onClose: (cause) => this.#onStreamClose(cause),
        },
        unref,
      )
    } catch (error) {
      // The owner gets its reference to this object first.
      queueMicrotask(() =>
        this.fail(asClientError(error, (cause) => this.#error('network-error', String(cause), cause))),
      )
    }
  }

  #write(bytes: Uint8Array): boolean {
    this.#keepAlive?.sent()
    return this.#stream?.write(bytes) ?? true
  }

  #onData(chunk: Uint8Array): void {
    if (this.#phase === 'over') return
    this.#keepAlive?.received()
    try {
      this.#decoder.push(chunk)
      for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
        this.#onPacket(packet)
        if (this.#isOver()) return
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.fail(this.#error('protocol-error', `the server broke the protocol: ${error.message}`, error))
    }
  }

  #isOver(): boolean {
    return this.#phase === 'over'
  }

  #onPacket(packet: Packet): void {
    if (this.#phase === 'handshake') return this.#onFirstPacket(packet)
    if (this.#phase === 'ending') return
    switch (packet.type) {
      case 'publish':
      case 'puback':
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
      case 'suback':
      case 'unsuback':
        return this.#events.onPacket(packet)
      case 'pingresp':
        return
      default:
        this.violation(`the server sent ${packet.type.toUpperCase()}, which it may not`)
    }
  }

  #onFirstPacket(packet: Packet): void {
    if (packet.type !== 'connack') {
      return this.violation(`${packet.type.toUpperCase()} came before CONNACK`)
    }
    this.unanswered = false
    if (packet.reasonCode !== 0) return this.fail(new ServerRefusedError(this.server.url, packet.reasonCode))
    this.#phase = 'up'
    this.#keepAlive = new KeepAlive(this.#clock, this.#connect.keepAliveSeconds, this.#pingTimeoutMs, {
      ping: () => this.send({ type: 'pingreq' }),
      dead: () => this.fail(this.#error('keep-alive-timeout', 'the server did not answer PINGREQ')),
    })
    this.#events.onConnack(packet)
  }

  #onStreamClose(cause: Error | undefined): void {
    const when = this.#phase === 'handshake' ? 'before CONNACK' : 'without DISCONNECT'
    this.fail(
      cause === undefined
        ? this.#error('connection-closed', `the server closed the connection ${when}`)
        : this.#error('network-error', cause.message, cause),
    )
  }

  #error(code: ConnectionError['code'], message: string, cause?: unknown): ConnectionError {
    return new ConnectionError(code, this.server.url, message, cause)
  }
}

function asClientError(error: unknown, wrap: (error: unknown) => AnyClientError): AnyClientError {
  return error instanceof ClientError ? (error as AnyClientError) : wrap(error)
}
