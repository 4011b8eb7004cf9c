import { Decoder, encode, type Packet, type Publish } from '@godwit/protocol'
import type { ByteStreamEvents, OpenStream } from '../src/socket.js'
import type { VirtualClock } from './virtual-clock.js'

/** How one connection fares. */
export interface Fate {
  /** Bytes from the client until the connection breaks. */
  readonly upBytes: number
  /** Bytes to the client until the connection breaks. */
  readonly downBytes: number
  /** Milliseconds that bytes take. */
  readonly delayMs: number
  /**
   * The server has forgotten the session when this connection is made, and its CONNACK says so. (Were that CONNACK lost,
   * no client could tell the new session from the old one by the next.)
   */
  readonly forget: boolean
}

const calm: Fate = { upBytes: Infinity, downBytes: Infinity, delayMs: 1, forget: false }

interface Sent {
  readonly text: string
  readonly qos: 1 | 2
  packetId: number
  released: boolean
}

/**
 * A server for one client that keeps its session, over connections that break anywhere. It notes what it was given, and
 * every rule of the standard that the client breaks.
 */
export class ModelServer {
  /** Payloads in the order of delivery: QoS 2 at the first PUBLISH (section 4.3.3, method B). */
  readonly delivered: string[] = []
  readonly violations: string[] = []
  readonly #clock: VirtualClock
  readonly #fates: Fate[]
  #known = false
  #subscribed = false
  /** QoS 2 ids of the client between PUBLISH and PUBREL, in the order of the PUBRECs. */
  #received = new Set<number>()
  /** What goes to the client: waiting, then sent and not completed. */
  #waiting: Sent[]
  #sent: Sent[] = []
  #lastId = 0

  constructor(clock: VirtualClock, fates: readonly Fate[], messages: readonly { text: string; qos: 1 | 2 }[]) {
    this.#clock = clock
    this.#fates = [...fates]
    this.#waiting = messages.map(({ text, qos }) => ({ text, qos, packetId: 0, released: false }))
  }

  /** Everything meant for the client has been acknowledged. */
  get done(): boolean {
    return this.#waiting.length === 0 && this.#sent.length === 0
  }

  readonly openStream: OpenStream = (_, events) => new Line(this.#clock, this.#fates.shift() ?? calm, events, this)

  /** One packet of the client; the answers go through `send`. */
  onPacket(packet: Packet, line: Line): void {
    switch (packet.type) {
      case 'connect':
        return this.#onConnect(line)
      case 'publish':
        return this.#onPublish(packet, line)
      case 'pubrel':
        this.#checkFirst([...this.#received], packet.packetId, 'PUBREL')
        this.#received.delete(packet.packetId)
        return line.send({ type: 'pubcomp', packetId: packet.packetId })
      case 'subscribe':
        this.#subscribed = true
        line.send({
          type: 'suback',
          packetId: packet.packetId,
          reasonCodes: packet.subscriptions.map(({ qos }) => qos),
        })
        return this.#deliver(line)
      case 'puback':
        this.#checkFirst(this.#ids(1, false), packet.packetId, 'PUBACK')
        return this.#complete(packet.packetId, line)
      case 'pubrec':
        return this.#onPubrec(packet.packetId, line)
      case 'pubcomp':
        return this.#complete(packet.packetId, line)
      case 'pingreq':
        return line.send({ type: 'pingresp' })
      case 'disconnect':
        return line.break()
      default:
        this.violations.push(`${packet.type} from a client`)
    }
  }

  #onConnect(line: Line): void {
    if (line.fate.forget && line.fate.downBytes >= line.connackBytes) {
      this.#known = false
      this.#subscribed = false
      this.#received.clear()
      this.#waiting = [...this.#sent, ...this.#waiting]
      this.#sent = []
    }
    line.send({ type: 'connack', sessionPresent: this.#known, reasonCode: 0 })
    this.#known = true
    for (const message of this.#sent) {
      line.send(message.released ? { type: 'pubrel', packetId: message.packetId } : publishOf(message, true))
    }
    this.#deliver(line)
  }

  #onPublish({ qos, packetId = 0, dup, payload }: Publish, line: Line): void {
    const text = new TextDecoder().decode(payload)
    if (qos === 0) return
    if (qos === 1) {
      this.delivered.push(text)
      return line.send({ type: 'puback', packetId })
    }
    if (!this.#received.has(packetId)) this.delivered.push(text)
    else if (!dup) this.violations.push(`PUBLISH ${text} with id ${packetId}, which is in use`)
    this.#received.add(packetId)
    line.send({ type: 'pubrec', packetId })
  }

  #onPubrec(packetId: number, line: Line): void {
    this.#checkFirst(this.#ids(2, false), packetId, 'PUBREC')
    const message = this.#sent.find((sent) => sent.packetId === packetId)
    if (message !== undefined) message.released = true
    line.send({ type: 'pubrel', packetId })
  }

  #complete(packetId: number, line: Line): void {
    this.#sent = this.#sent.filter((sent) => sent.packetId !== packetId)
    this.#deliver(line)
  }

  #deliver(line: Line): void {
    while (this.#subscribed && this.#sent.length < 3) {
      const message = this.#waiting.shift()
      if (message === undefined) return
      message.packetId = this.#takeId()
      message.released = false
      this.#sent.push(message)
      line.send(publishOf(message, false))
    }
  }

  /** Few ids, soon used again, but never while in use. */
  #takeId(): number {
    do this.#lastId = (this.#lastId % 5) + 1
    while (this.#sent.some(({ packetId }) => packetId === this.#lastId))
    return this.#lastId
  }

  #ids(qos: 1 | 2, released: boolean): number[] {
    return this.#sent.filter((sent) => sent.qos === qos && sent.released === released).map(({ packetId }) => packetId)
  }

  /** Acknowledgements keep the order of what they acknowledge; one for nothing may be a repetition. */
  #checkFirst(ids: readonly number[], packetId: number, what: string): void {
    if (ids.includes(packetId) && ids[0] !== packetId) this.violations.push(`${what} ${packetId} before ${ids[0]}`)
  }
}

function publishOf({ text, qos, packetId }: Sent, dup: boolean): Packet {
  return { type: 'publish', topic: 'down', payload: new TextEncoder().encode(text), qos, packetId, dup, retain: false }
}

/** One connection: bytes arrive late, in order, in odd pieces, until its fate breaks it. */
class Line {
  readonly fate: Fate
  readonly #clock: VirtualClock
  readonly #events: ByteStreamEvents
  readonly #server: ModelServer
  readonly #decoder = new Decoder({ version: 4 })
  #up = 0
  #down = 0
  #broken = false

  constructor(clock: VirtualClock, fate: Fate, events: ByteStreamEvents, server: ModelServer) {
    this.#clock = clock
    this.fate = fate
    this.#events = events
    this.#server = server
    clock.after(fate.delayMs, () => this.#broken || events.onOpen())
  }

  get connackBytes(): number {
    return this.#decoder.version === 5 ? 5 : 4
  }

  write(bytes: Uint8Array): boolean {
    const room = this.fate.upBytes - this.#up
    this.#up += bytes.length
    const arriving = bytes.slice(0, Math.max(0, room))
    this.#later(() => {
      this.#decoder.push(arriving)
      for (let packet = this.#decoder.next(); packet; packet = this.#decoder.next()) this.#server.onPacket(packet, this)
      if (bytes.length > room) this.break(lost())
    })
    return true
  }

  send(packet: Packet): void {
    const bytes = encode(packet, this.#decoder.version)
    const room = this.fate.downBytes - this.#down
    this.#down += bytes.length
    const arriving = bytes.slice(0, Math.max(0, room))
    this.#later(() => {
      const half = arriving.length >> 1
      if (half > 0) this.#events.onData(arriving.slice(0, half))
      if (!this.#broken) this.#events.onData(arriving.slice(half))
      if (bytes.length > room) this.break(lost())
    })
  }

  break(error?: Error): void {
    if (this.#broken) return
    this.#broken = true
    queueMicrotask(() => this.#events.onClose(error))
  }

  end(): void {
    this.#later(() => this.break())
  }

  destroy(): void {
    this.break()
  }

  pause(): void {}
  resume(): void {}

  #later(task: () => void): void {
    this.#clock.after(this.fate.delayMs, () => this.#broken || task())
  }
}

/** The network's doing, not the server's. */
function lost(): Error {
  return Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' })
}
