import { type Connect, Decoder, encode, type Packet, ProtocolError, reason } from '@godwit/protocol'
import { MqttError } from '../errors.js'
import type { Features } from '../features.js'
import { refuse } from '../handlers/admission.js'
import type { Services } from '../handlers/context.js'
import type { Logger } from '../log.js'
import type { Peer, Transport, TransportEvents } from '../transport/transport.js'
import type { Door } from './door.js'
import { farewell } from './farewell.js'
import { isUneventful, type OnProbation, Probation, type ProbationParts, tooMuchWaits } from './probation.js'
import type { Tracing } from './tracing.js'

/** So many first bytes tell which version a CONNECT speaks: the longest fixed header, Protocol Name, Protocol Level. */
const enough = 12
const nameAndLevel = [0, 4, 0x4d, 0x51, 0x54, 0x54, 5]
const noBytes: Uint8Array = new Uint8Array(0)

/** What all arrivals are made with. */
export interface ArrivalParts extends ProbationParts {
  readonly services: Pick<Services, 'limits' | 'metrics' | 'drops' | 'faults'> & {
    readonly features: Pick<Features, 'controlCharacters'>
  }
  readonly tracing: Pick<Tracing, 'isOn' | 'received' | 'sent'>
  readonly door: Pick<Door, 'leave'>
  readonly log: Logger
}

/** Takes a transport over once its CONNECT is whole: a connection, or an edge that passes it on. */
export interface Arrived extends TransportEvents, OnProbation {
  /** Handles the CONNECT, and whatever has come behind it. */
  begin(connect: Connect): void
}

/**
 * Makes whoever takes the transport over.
 * @param decoder holds what has come behind CONNECT.
 */
export type Serve = (transport: Transport, connect: Connect, decoder: Decoder, probation: Probation) => Arrived

/**
 * A transport from its first byte until its CONNECT is whole: then it is handed on, with all bytes that have come. A first
 * packet that is no CONNECT ends it here; it is answered if the client seems to speak MQTT.
 */
export class Arrival implements TransportEvents {
  readonly peer: Peer
  readonly client = undefined
  readonly clientId = undefined
  readonly #transport: Transport
  readonly #parts: ArrivalParts
  readonly #services: ArrivalParts['services']
  readonly #serve: Serve
  readonly #probation: Probation
  readonly #decoder: Decoder
  /** The first {@link enough} bytes: they tell which version is spoken, or that it is not MQTT at all. */
  #firstBytes = noBytes
  #isOver = false

  constructor(transport: Transport, parts: ArrivalParts, serve: Serve) {
    const { services } = parts
    this.peer = transport.peer
    this.#transport = transport
    this.#parts = parts
    this.#services = services
    this.#serve = serve
    this.#decoder = new Decoder({
      version: 4,
      maxPacketBytes: services.limits.maxConnectBytes,
      allowControlCharacters: services.features.controlCharacters,
    })
    services.metrics.connectionsAccepted++
    this.#probation = new Probation(this.peer, parts, this)
  }

  onData(chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#services.metrics.bytesReceived += chunk.length
    this.#remember(chunk)
    try {
      this.#decoder.push(chunk)
      const packet = this.#decoder.next()
      if (packet) return this.#onFirst(packet)
    } catch (error) {
      this.#fail(error)
    }
    if (!this.#isOver && !this.#probation.charge(this.arrivedBytes)) {
      this.end(tooMuchWaits)
    }
  }

  /** How many bytes have come and are kept in memory. */
  protected get arrivedBytes(): number {
    return this.#decoder.bufferedBytes
  }

  /** A WebSocket message that is not whole: when it is too much, the transport, which would go on gathering, is cut off. */
  onPartial(bytes: number): void {
    if (this.#isOver || this.#probation.charge(bytes, this.#services.limits.maxConnectBytes)) return
    this.#letGo(tooMuchWaits)
    this.#transport.destroy()
  }

  onEnd(): void {
    this.end('connection closed by the client')
  }

  onClose(error?: Error): void {
    if (!this.#isOver)
      this.#letGo(error ? `connection failed: ${error.message}` : 'connection closed by the client', error)
  }

  onFault(): void {
    this.end('internal error')
  }

  /** Ends in order, without a word: nobody knows yet what is spoken. */
  end(why: string): void {
    if (this.#isOver) return
    this.#letGo(why)
    this.#transport.end()
  }

  /** The first packet of a connection is CONNECT, or the connection is not MQTT [MQTT-3.1.0-1]. */
  #onFirst(packet: Packet): void {
    const { tracing } = this.#parts
    this.#services.metrics.packetsReceived++
    if (packet.type === 'connect') return this.#handOn(packet)
    if (tracing.isOn) tracing.received(this, packet)
    throw new MqttError(reason.protocolError, `${packet.type} before connect`)
  }

  #handOn(connect: Connect): void {
    const served = this.#serve(this.#transport, connect, this.#decoder, this.#probation)
    this.#transport.handTo(served)
    this.#probation.passTo(served)
    this.#isOver = true
    served.begin(connect)
  }

  #fail(error: unknown): void {
    if (!(error instanceof ProtocolError || error instanceof MqttError)) {
      return this.#services.faults.contain(error, this, 'taking up a connection')
    }
    this.#services.metrics.protocolErrors++
    const isVersion = error instanceof ProtocolError && error.code === 'unsupported-protocol-version'
    if (isVersion) return this.#refuseVersion(error)
    // A CONNECT of 5.0 that cannot be read is answered too; what is no MQTT at all is not.
    const parting = { reasonCode: error.reasonCode, why: error.message, serverReference: undefined }
    if (this.#beginsAs50) this.#say(farewell(parting, false), 5)
    this.end(this.#stranger ?? error.message)
  }

  /** A level from the future is answered as at 5.0, any other as at 3.1.1, with a bridge's bit too [MQTT-3.1.2-2]. */
  #refuseVersion({ level = 0, message }: ProtocolError): void {
    const version = (level & 0x7f) > 4 ? 5 : 4
    // No reason in words: which form a later version has for them nobody knows.
    const from = { services: this.#services, peer: this.peer, version, wantsReasons: false } as const
    const { packet } = refuse(from, { reasonCode: reason.unsupportedProtocolVersion, why: message })
    this.#say(packet, version)
    this.end('connection refused')
  }

  /** The last packet, and the first. */
  #say(packet: Packet, version: 4 | 5): void {
    const { tracing, services } = this.#parts
    const { metrics } = services
    if (tracing.isOn) tracing.sent(this, packet)
    const bytes = encode(packet, version)
    metrics.packetsSent++
    metrics.bytesSent += bytes.length
    this.#transport.write([bytes], () => {})
  }

  #letGo(why: string, error?: Error): void {
    this.#isOver = true
    this.#probation.fail()
    this.#parts.door.leave(this.peer.address)
    const level = isUneventful(why, error) ? 'debug' : 'info'
    this.#parts.log.log(level, 'client gone', { clientId: undefined, address: this.peer.address, reason: why })
  }

  #remember(chunk: Uint8Array): void {
    const known = this.#firstBytes
    if (known.length < enough)
      this.#firstBytes = Uint8Array.from([...known, ...chunk.subarray(0, enough - known.length)])
  }

  /** Whether the first bytes are those of a CONNECT of 5.0, whatever is wrong with the rest of it. */
  get #beginsAs50(): boolean {
    const bytes = this.#firstBytes
    if (bytes[0] !== 0x10) return false
    let at = 1
    while (at < 4 && bytes[at]! > 127) at++
    return nameAndLevel.every((byte, n) => bytes[at + 1 + n] === byte)
  }

  /** What has come when it is HTTP or TLS, in words for the log; `undefined` for anything else. Nobody is answered who speaks no MQTT. */
  get #stranger(): string | undefined {
    const text = String.fromCharCode(...this.#firstBytes)
    if (text.startsWith('\x16\x03')) return 'it speaks TLS; this port does not: it needs a listener with tls (mqtts)'
    if (!/^(GET|HEAD|POST|PUT|OPTIONS|CONNECT|DELETE|PATCH) /.test(text)) return undefined
    return 'it speaks HTTP; this port speaks MQTT only: WebSockets need a listener of their own (ws)'
  }
}
