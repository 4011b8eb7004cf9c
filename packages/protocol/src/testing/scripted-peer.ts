import { Decoder } from '../decoder.js'
import type { Packet, PacketOf } from '../definitions.js'
import { encode } from '../encoder.js'
import type { ProtocolVersion } from '../version.js'

/** The connection ended before what was waited for had come. */
export class PeerClosed extends Error {
  override readonly name = 'PeerClosed'
}

export interface ScriptedPeerOptions {
  /** What is spoken, until {@link ScriptedPeer.speak} or a CONNECT says otherwise. Default 4. */
  readonly version?: ProtocolVersion
  /** Is given each packet that nobody waits for, as it comes. Default: it is kept until somebody asks. */
  readonly onPacket?: (packet: Packet) => void
}

interface Waiting {
  readonly type: Packet['type'] | undefined
  resolve(packet: Packet): void
  reject(error: PeerClosed): void
}

/**
 * One side of a dialogue in packets, client or server, over whatever carries bytes: it says what it is told to, and answers nothing
 * by itself.
 */
export class ScriptedPeer {
  readonly #write: (bytes: Uint8Array) => void
  readonly #decoder: Decoder
  readonly #onPacket: (packet: Packet) => void
  readonly #inbox: Packet[] = []
  readonly #waiting: Waiting[] = []
  #isOver = false

  /** @param write carries bytes to the other side. */
  constructor(write: (bytes: Uint8Array) => void, options: ScriptedPeerOptions = {}) {
    const { version = 4, onPacket = (packet) => void this.#inbox.push(packet) } = options
    this.#write = write
    this.#decoder = new Decoder({ version })
    this.#onPacket = onPacket
  }

  get version(): ProtocolVersion {
    return this.#decoder.version
  }

  /** The connection has ended. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Says and hears this version from now on. */
  speak(version: ProtocolVersion): void {
    this.#decoder.version = version
  }

  /** Several packets travel in one piece. A CONNECT is the version that is spoken from then on. @throws ProtocolError. */
  send(...packets: readonly Packet[]): void {
    for (const packet of packets) if (packet.type === 'connect') this.speak(packet.version)
    const parts = packets.map((packet) => encode(packet, this.version))
    const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    this.#write(bytes)
  }

  /** Takes bytes that came from the other side; they must not change afterwards. @throws ProtocolError. */
  hear(bytes: Uint8Array): void {
    this.#decoder.push(bytes)
    for (let packet = this.#decoder.next(); packet; packet = this.#decoder.next()) this.#take(packet)
  }

  /** The connection has ended: what is waited for does not come any more. */
  end(): void {
    this.#isOver = true
    for (const { type, reject } of this.#waiting.splice(0)) {
      reject(new PeerClosed(`the connection ended while ${type ?? 'a packet'} was awaited`))
    }
  }

  /** The next packet, whatever it is; `undefined`: the connection has ended. */
  async next(): Promise<Packet | undefined> {
    try {
      return await this.#wait(undefined)
    } catch (error) {
      if (error instanceof PeerClosed) return undefined
      throw error
    }
  }

  /** The next packet of this type; others stay where they are. @throws PeerClosed. */
  expect<T extends Packet['type']>(type: T): Promise<PacketOf<T>> {
    return this.#wait(type) as Promise<PacketOf<T>>
  }

  /** Takes all that has come and that nobody has asked for. */
  take(): Packet[] {
    return this.#inbox.splice(0)
  }

  #wait(type: Packet['type'] | undefined): Promise<Packet> {
    const at = this.#inbox.findIndex((packet) => type === undefined || packet.type === type)
    if (at >= 0) return Promise.resolve(this.#inbox.splice(at, 1)[0]!)
    return new Promise((resolve, reject) => {
      if (this.#isOver) reject(new PeerClosed(`the connection ended before ${type ?? 'a packet'}`))
      else this.#waiting.push({ type, resolve, reject })
    })
  }

  #take(packet: Packet): void {
    const at = this.#waiting.findIndex(({ type }) => type === undefined || type === packet.type)
    if (at < 0) this.#onPacket(packet)
    else this.#waiting.splice(at, 1)[0]!.resolve(packet)
  }
}
