import type { Duplex } from 'node:stream'
import { type Connack, Decoder, encode, encodeInto, type Packet, reason, reasonName, Writer } from '@godwit/protocol'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'
import { micros } from './clock.js'
import { dial } from './dial.js'
import type { BenchSettings } from './settings.js'

/** One for all connections of a thread: what was read is handled before anything else is read. */
const readBuffer = new Uint8Array(65_536)

/** What a connection tells whoever uses it. */
export interface ConnectionEvents {
  /** @param now when its bytes were read, in microseconds. */
  onPacket(packet: Packet, now: number): void
  /** The kernel has taken everything that was written. */
  onDrain(): void
  /** The connection has ended, and nobody asked for it. */
  onFailure(error: CommandError): void
}

/** Sessions that are kept (`--clean 0`) end by themselves if the bench dies before it can end them. */
const sessionExpirySeconds = 3600

/** MQTT on a bare stream, with nothing between a load and the server that would cost time. */
export class BenchConnection {
  /** Who this is, for messages to people: `publisher 3`. */
  readonly name: string
  /** Packets to be sent, up to the next `flush`. */
  readonly out: Writer = new Writer(256)
  readonly #settings: BenchSettings
  readonly #events: ConnectionEvents
  readonly #clientId: string
  readonly #decoder: Decoder
  #socket: Duplex | undefined
  #connack: ((connack: Connack) => void) | undefined
  #refuse: (error: CommandError) => void = () => {}
  #state: 'connecting' | 'open' | 'closed' = 'connecting'

  constructor(name: string, settings: BenchSettings, events: ConnectionEvents) {
    this.name = name
    this.#settings = settings
    this.#events = events
    // Letters and digits, 23 at most: what every server takes [MQTT-3.1.3-5].
    this.#clientId = settings.clientPrefix + name.replace(/^(.)\D*/, '$1')
    this.#decoder = new Decoder({ version: settings.version })
  }

  /** @throws CommandError when the server cannot be reached or says no. */
  async open(): Promise<Connack> {
    const { way, clean } = this.#settings
    const connack = await new Promise<Connack>((resolve, reject) => {
      this.#connack = resolve
      this.#refuse = reject
      const onread = { buffer: readBuffer, callback: (count: number) => this.#read(count) }
      this.#socket = dial(way, onread)
      this.#socket.on('drain', () => this.#events.onDrain())
      this.#socket.on('error', (error) => this.#ended(problemOf(error)))
      this.#socket.on('close', () => this.#ended('the server closed the connection'))
      this.#socket.write(this.#connect(clean))
    })
    if (connack.reasonCode !== reason.success) {
      this.#state = 'closed'
      this.#socket?.destroy()
      throw new CommandError(`the server refused ${this.name}: ${reasonName(connack.reasonCode)}`)
    }
    this.#state = 'open'
    return connack
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Whether the kernel has taken all that was written. */
  get isDrained(): boolean {
    return this.#socket?.writableLength === 0
  }

  /** Appends a packet that is not worth a template. */
  put(packet: Packet): void {
    encodeInto(this.out, packet, this.#settings.version)
  }

  /** Writes what has gathered, in one piece. */
  flush(): void {
    const { out } = this
    if (out.position === 0) return
    const written = out.written()
    this.#socket?.write(written)
    if (!this.isDrained) out.bytes = new Uint8Array(out.bytes.length) // those bytes are Node's until they are sent
    out.reset()
  }

  /** Says DISCONNECT, and waits until the connection has ended. Sessions that were kept end too. */
  async close(): Promise<void> {
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    await this.#end()
    if (this.#settings.clean || !wasOpen) return
    this.#socket = dial(this.#settings.way)
    this.#socket.on('error', () => {})
    this.#socket.write(this.#connect(true))
    await new Promise<void>((resolve) => {
      this.#socket?.once('data', () => resolve()).once('close', () => resolve())
    })
    await this.#end()
  }

  async #end(): Promise<void> {
    const socket = this.#socket
    if (!socket || socket.closed) return
    socket.resume()
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    const { version } = this.#settings
    if (socket.writable) socket.end(encode({ type: 'disconnect', reasonCode: reason.success }, version))
    else socket.destroy()
    const slow = setTimeout(() => socket.destroy(), 1000)
    await ended
    clearTimeout(slow)
  }

  #connect(cleanStart: boolean): Uint8Array {
    const { version, username, password } = this.#settings
    return encode(
      {
        ...{ type: 'connect', version, clientId: this.#clientId, cleanStart, keepAliveSeconds: 0 },
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password: Buffer.from(password) }),
        ...(!cleanStart && version === 5 && { properties: { sessionExpiryInterval: sessionExpirySeconds } }),
      },
      version,
    )
  }

  #read(count: number): boolean {
    if (this.#state === 'closed') return true
    const now = micros()
    const decoder = this.#decoder
    try {
      decoder.push(readBuffer.subarray(0, count))
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
        if (packet.type === 'connack') this.#connack?.(packet)
        else if (packet.type === 'disconnect') this.#ended(`the server said ${reasonName(packet.reasonCode ?? 0)}`)
        else this.#events.onPacket(packet, now)
      }
      this.flush()
    } catch (error) {
      this.#ended(error instanceof Error ? error.message : String(error))
      this.#socket?.destroy()
    }
    return true
  }

  #ended(why: string): void {
    if (this.#state === 'closed') return
    const { url } = this.#settings.way
    if (this.#state === 'connecting') {
      this.#refuse(new CommandError(`${this.name} cannot connect to ${url}: ${why}`))
    } else {
      this.#events.onFailure(new CommandError(`${this.name} lost its connection: ${why}; see the server's log`))
    }
    this.#state = 'closed'
  }
}

function problemOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EMFILE') return "this process may open no more files; raise 'ulimit -n'"
  if (error.code === 'EADDRNOTAVAIL') return 'this machine has no more ports for connections to that address'
  return systemProblem(error)
}
