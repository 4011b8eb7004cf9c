import { encode, type Packet, type PacketOf, type PropertiesOf, type ProtocolVersion } from '@godwit/protocol'
import { inWords } from '../describe.js'
import { CheckFailure } from '../failure.js'
import { Framer, type Received } from '../framer.js'
import { concat, fromHex, toHex } from '../raw-packets.js'
import type { ByteStream } from '../target.js'

/** A packet of the client, and when it came. */
export interface Heard extends Received {
  /** Milliseconds on the clock of `performance`. */
  readonly at: number
}

/** What the server answers to a packet by itself. */
export type Manners = (packet: Packet) => readonly Packet[]

export interface ConnectionOptions {
  readonly version: ProtocolVersion
  /** Stands before each line of the record. */
  readonly name: string
  note(line: string): void
}

type Look<T> = () => T | undefined

/** The server's end of one connection of the client: all that came stays in `heard`, in its order. */
export class Connection {
  readonly heard: Heard[] = []
  readonly #stream: ByteStream
  readonly #version: ProtocolVersion
  readonly #note: (line: string) => void
  readonly #name: string
  #manners: Manners = () => []
  #end: 'open' | 'client' | 'server' = 'open'
  #wake: (() => void) | undefined

  constructor(stream: ByteStream, { version, name, note }: ConnectionOptions) {
    this.#stream = stream
    this.#version = version
    this.#name = name
    this.#note = note
    const framer = new Framer(version)
    stream.onData((chunk) => {
      for (const received of framer.push(chunk)) this.#take(received)
      this.#wake?.()
    })
    stream.onClose(() => this.#closed('client'))
  }

  /** Who has closed it, if anybody has. */
  get end(): 'open' | 'client' | 'server' {
    return this.#end
  }

  /** From now on what comes is answered so. */
  behave(manners: Manners): void {
    this.#manners = manners
  }

  /** The packets of this type that have come. */
  packets<T extends Packet['type']>(type: T): PacketOf<T>[] {
    return this.heard.flatMap(({ packet }) => (packet?.type === type ? [packet as PacketOf<T>] : []))
  }

  send(...packets: readonly Packet[]): void {
    if (packets.length > 0) this.sendBytes(concat(...packets.map((packet) => encode(packet, this.#version))))
  }

  sendBytes(bytes: Uint8Array | string): void {
    const data = typeof bytes === 'string' ? fromHex(bytes) : bytes
    this.#note(`${this.#name}: server sends ${toHex(data)}`)
    this.#stream.write(data)
  }

  /** CONNACK that accepts. */
  accept(sessionPresent: boolean, properties?: PropertiesOf<'connack'>): void {
    this.send({ type: 'connack', sessionPresent, reasonCode: 0, ...(properties && { properties }) })
  }

  /** Ends without a word, as a failing network does. */
  drop(): void {
    if (this.#end !== 'open') return
    this.#note(`${this.#name}: server drops the connection`)
    this.#closed('server')
    this.#stream.destroy()
  }

  /** Looks again whenever something happens, until there is something to see, the connection ends or the time is up. */
  async until<T>(look: Look<T>, withinMs: number): Promise<T | undefined> {
    const deadline = performance.now() + withinMs
    for (;;) {
      const seen = look()
      const leftMs = deadline - performance.now()
      if (seen !== undefined || this.#end !== 'open' || leftMs <= 0) return seen
      await this.#change(leftMs)
    }
  }

  /** Waits until the client has closed, or nothing has come for this long; in the end for `atMostMs`. */
  async quiet(quietMs: number, atMostMs = 3000): Promise<void> {
    const deadline = performance.now() + atMostMs
    for (let count = -1; count !== this.heard.length && performance.now() < deadline; ) {
      count = this.heard.length
      await this.until(() => (this.heard.length > count ? true : undefined), quietMs)
    }
  }

  /** Waits for the client to close the connection. */
  async expectClosed(withinMs: number): Promise<void> {
    await this.until(() => undefined, withinMs)
    if (this.#end !== 'client') throw new CheckFailure('the client to close the connection', 'it stayed open')
  }

  #take(received: Received): void {
    this.#note(`${this.#name}: client sends ${inWords(received)}`)
    this.heard.push({ ...received, at: performance.now() })
    if (received.packet && this.#end === 'open') this.send(...this.#manners(received.packet))
  }

  #closed(by: 'client' | 'server'): void {
    if (this.#end !== 'open') return
    this.#end = by
    if (by === 'client') this.#note(`${this.#name}: client closes the connection`)
    this.#wake?.()
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
