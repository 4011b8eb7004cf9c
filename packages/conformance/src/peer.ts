import {
  type Connack,
  encode,
  encodeUtf8,
  type Packet,
  type PacketOf,
  type PropertiesOf,
  type QoS,
} from '@godwit/protocol'
import { bytesInWords, describeValue, inWords, sentInWords } from './describe.js'
import { CheckFailure } from './failure.js'
import { Framer, type Received } from './framer.js'
import { malformed, packetOf } from './packet-of.js'
import type { PeerHost } from './peer-host.js'
import { concat, fromHex, toHex } from './raw-packets.js'
import type { ByteStream } from './target.js'
import { decodeUtf8 } from './text.js'

/** Fields a packet must have; those not named may be anything. */
export type Fields<T extends Packet['type']> = Partial<Omit<PacketOf<T>, 'type' | 'payload' | 'properties'>>

/** Fields a PUBLISH must have; the payload as text. */
export type PublishFields = Fields<'publish'> & { readonly payload?: string }

export interface PublishOptions {
  readonly qos?: QoS
  readonly retain?: boolean
  readonly dup?: boolean
  /** Default: one not used before on this connection. */
  readonly packetId?: number
  /** Of 5.0. */
  readonly properties?: PropertiesOf<'publish'>
}

/**
 * A scripted client: says what it is told to and fails the check when the answer is not the one expected. It answers
 * nothing by itself.
 */
export class Peer {
  readonly #stream: ByteStream
  readonly #host: PeerHost
  readonly #name: string
  readonly #framer: Framer
  readonly #inbox: Received[] = []
  #closed = false
  #said: 'nothing' | 'connect' | 'disconnect' = 'nothing'
  #lastPacketId = 0
  #maximumPacketSize: number
  #wake: (() => void) | undefined

  constructor(stream: ByteStream, host: PeerHost, name: string) {
    this.#stream = stream
    this.#host = host
    this.#name = name
    this.#framer = new Framer(host.version)
    this.#maximumPacketSize = host.maximumPacketSize ?? Number.POSITIVE_INFINITY
    stream.onData((chunk) => this.#receive(chunk))
    stream.onClose(() => this.#close())
  }

  get isClosed(): boolean {
    return this.#closed
  }

  // ---- saying

  send(...packets: readonly Packet[]): void {
    for (const packet of packets) {
      if (packet.type === 'connect' || packet.type === 'disconnect') this.#said = packet.type
      this.#host.sent(packet)
    }
    // One write: the packets travel together.
    const parts = packets.map((packet) => encode(packet, this.#host.version))
    for (const { length } of parts) this.#expectToBeTaken(length)
    for (const packet of packets) this.#host.note(`${this.#name} sends ${sentInWords(packet, this.#host.version)}`)
    this.#stream.write(concat(...parts))
  }

  /** A server of 5.0 says how large a packet may be (section 3.2.2.3.6). */
  #expectToBeTaken(length: number): void {
    if (length > this.#maximumPacketSize) {
      this.#host.skip(`does not apply: CONNACK says Maximum Packet Size ${this.#maximumPacketSize}`)
    }
  }

  /** Sends these bytes as they are; spaces are for the reader. */
  sendHex(hex: string): void {
    this.sendBytes(fromHex(hex))
  }

  sendBytes(bytes: Uint8Array): void {
    this.#host.note(`${this.#name} sends ${toHex(bytes)}`)
    this.#stream.write(bytes)
  }

  /** Sends a PUBLISH and takes no part in what follows. Gives the packet sent. */
  sendPublish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): PacketOf<'publish'> {
    const packet = this.publishPacket(topic, payload, options)
    this.send(packet)
    return packet
  }

  /** The PUBLISH that sendPublish sends. */
  publishPacket(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): PacketOf<'publish'> {
    const { qos = 0, retain = false, dup = false } = options
    const bytes = typeof payload === 'string' ? encodeUtf8(payload) : payload
    const packetId = qos > 0 ? (options.packetId ?? this.nextPacketId()) : undefined
    const { properties } = options
    return { type: 'publish', topic, payload: bytes, qos, retain, dup, packetId, ...(properties && { properties }) }
  }

  /** A packet identifier not used before on this connection. */
  nextPacketId(): number {
    return ++this.#lastPacketId
  }

  /** Ends without a word, as a failing network does. */
  async drop(): Promise<void> {
    this.#host.note(`${this.#name} drops the connection`)
    this.#stream.destroy()
    this.#closed = true
    await this.#host.settled()
  }

  /** Sends a FIN and goes on reading. */
  halfClose(): void {
    this.#host.note(`${this.#name} half-closes the connection`)
    this.#stream.end()
  }

  /** DISCONNECT, and the end of the connection. */
  async disconnect(): Promise<void> {
    if (this.#closed) return
    this.send({ type: 'disconnect' })
    await this.#host.settled()
    this.#stream.end()
    await this.#until(() => undefined)
    this.#stream.destroy()
    this.#closed = true
  }

  /** Leaves whatever state the dialogue is in, with DISCONNECT where that is allowed, so that no will is published. */
  async leave(): Promise<void> {
    if (!this.#closed && this.#said === 'connect') return this.disconnect()
    this.#stream.destroy()
  }

  // ---- hearing

  /** The next packet, of whatever type. */
  async next(expected = 'a packet'): Promise<Received> {
    const received = await this.#until(() => this.#inbox.shift())
    if (!received) throw this.#failure(expected)
    if (received.problem !== undefined) throw malformed(expected, received)
    return received
  }

  /**
   * The next packet of this type, which must have these fields. Packets of other types stay for their own `expect`:
   * the standard leaves the order between different kinds open.
   */
  async expect<T extends Packet['type']>(type: T, fields: Fields<T> = {}): Promise<PacketOf<T>> {
    return this.#expect(type, fields)
  }

  /** The next PUBLISH, which must have these fields; it is not acknowledged. */
  async expectPublish(fields: PublishFields = {}): Promise<PacketOf<'publish'>> {
    return this.#expect('publish', fields)
  }

  /** The next PUBLISH, which must have these fields, acknowledged as its QoS asks. */
  async receive(fields: PublishFields = {}): Promise<PacketOf<'publish'>> {
    const publish = await this.expectPublish(fields)
    await this.acknowledge(publish)
    return publish
  }

  /** Several PUBLISH packets in this order, each acknowledged. */
  async receiveAll(list: readonly PublishFields[]): Promise<void> {
    for (const fields of list) await this.receive(fields)
  }

  async acknowledge(publish: PacketOf<'publish'>): Promise<void> {
    const packetId = publish.packetId ?? 0
    if (publish.qos === 1) this.send({ type: 'puback', packetId })
    if (publish.qos !== 2) return
    this.send({ type: 'pubrec', packetId })
    await this.expect('pubrel', { packetId })
    this.send({ type: 'pubcomp', packetId })
  }

  /** The next packet must be exactly these bytes, one of several forms. */
  async expectHex(...forms: readonly string[]): Promise<void> {
    const wanted = forms.map((form) => toHex(fromHex(form)))
    const expected = (): string => forms.map((form) => bytesInWords(fromHex(form), this.#host.version)).join(' or ')
    const received = await this.#until(() => this.#inbox.shift())
    if (!received) throw this.#failure(expected())
    if (!wanted.includes(toHex(received.bytes))) throw new CheckFailure(expected(), `came ${inWords(received)}`)
  }

  /**
   * The server closes the connection, at once or within this much of its time: without another packet, but that in 5.0
   * a DISCONNECT may say why.
   */
  async expectClosed(options: { readonly withinMs?: number } = {}): Promise<void> {
    await this.#waitForClose(options.withinMs)
    if (this.#host.version === 5) await this.#until(() => undefined)
    const [reply, more] = this.#inbox
    const leftover = this.#host.version === 5 && saysWhy(reply) ? more : reply
    if (leftover) throw new CheckFailure('the connection to be closed with no reply', `came ${inWords(leftover)}`)
    if (!this.#closed) throw new CheckFailure('the connection to be closed', 'it stayed open')
  }

  /** The server does not accept: it closes, with or without a CONNACK that says why. */
  async expectRefused(): Promise<void> {
    await this.#until(() => undefined)
    const [reply, ...more] = this.#inbox
    if (reply && (reply.packet?.type !== 'connack' || reply.packet.reasonCode === 0 || more.length > 0)) {
      const expected = 'the connection to be closed, if anything after a CONNACK that refuses'
      throw new CheckFailure(expected, `came ${inWords(reply)}`)
    }
    if (!this.#closed) throw new CheckFailure('the connection to be closed', 'it stayed open')
  }

  /** Nothing has come, or will come, and the connection is open. */
  async expectNothing(): Promise<void> {
    await this.#host.settled()
    const leftover = this.#inbox[0]
    if (leftover) throw new CheckFailure('nothing', `came ${inWords(leftover)}`)
    if (this.#closed) throw new CheckFailure('the connection to stay open with nothing sent', 'it was closed')
  }

  /** The connection works: a PINGREQ is answered. */
  async expectOpen(): Promise<void> {
    this.send({ type: 'pingreq' })
    await this.expect('pingresp')
  }

  /**
   * What comes of what was said: the packets that came as hex, then `open` or `closed`.
   * @param options.toItsEnd waits for the connection to be closed, instead of for quiet
   */
  async reaction(options: { readonly toItsEnd: boolean }): Promise<string> {
    if (options.toItsEnd) await this.#until(() => undefined)
    else await this.#host.settled()
    const packets = this.heard().map(({ bytes }) => toHex(bytes).replaceAll(' ', ''))
    return [...packets, this.#closed ? 'closed' : 'open'].join(' ')
  }

  /** Something has come, or nothing will. */
  async answered(): Promise<void> {
    await this.#until(() => this.#inbox[0])
  }

  /** Takes all that has come so far, packets or not. */
  heard(): Received[] {
    return this.#inbox.splice(0)
  }

  /** Takes all packets of this type that have come by the time things are quiet. */
  async arrived<T extends Packet['type']>(type: T): Promise<PacketOf<T>[]> {
    await this.#host.settled()
    const packets: PacketOf<T>[] = []
    for (let received = this.#take(type); received; received = this.#take(type)) {
      packets.push(packetOf(type, received))
    }
    return packets
  }

  // ---- dialogues that many checks begin with

  /** Sends CONNECT and takes the CONNACK that accepts it. */
  async connect(packet: PacketOf<'connect'>): Promise<Connack> {
    this.send(packet)
    const received = await this.next('CONNACK')
    const connack = packetOf('connack', received)
    if (connack.reasonCode !== 0) throw new CheckFailure('CONNACK that accepts', `came ${inWords(received)}`)
    return connack
  }

  /** Subscribes to one filter and gives the code granted. */
  async subscribe(filter: string, qos: QoS = 0): Promise<number> {
    const packetId = this.nextPacketId()
    this.send({ type: 'subscribe', packetId, subscriptions: [{ filter, qos }] })
    const { reasonCodes } = await this.expect('suback', { packetId })
    const [granted] = reasonCodes
    if (granted === undefined) throw new CheckFailure('SUBACK with one code', 'it has none')
    return granted
  }

  async unsubscribe(...filters: readonly string[]): Promise<void> {
    const packetId = this.nextPacketId()
    this.send({ type: 'unsubscribe', packetId, filters })
    await this.expect('unsuback', { packetId })
  }

  /** Publishes and plays the sender's part to its end. */
  async publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    const { qos, packetId } = this.sendPublish(topic, payload, options)
    if (packetId === undefined) return
    if (qos === 1) {
      await this.expect('puback', { packetId })
      return
    }
    await this.expect('pubrec', { packetId })
    this.send({ type: 'pubrel', packetId })
    await this.expect('pubcomp', { packetId })
  }

  // ---- inside

  #receive(chunk: Uint8Array): void {
    for (const received of this.#framer.push(chunk)) {
      this.#host.note(`${this.#name} gets ${inWords(received)}`)
      this.#inbox.push(received)
      if (received.packet?.type === 'connack') this.#learn(received.packet)
    }
    this.#wake?.()
  }

  #learn({ properties }: Connack): void {
    this.#maximumPacketSize = properties?.maximumPacketSize ?? this.#maximumPacketSize
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#host.note(`${this.#name} is closed by the server`)
    this.#wake?.()
  }

  async #expect<T extends Packet['type']>(type: T, fields: Readonly<Record<string, unknown>>): Promise<PacketOf<T>> {
    const expected = [
      type.toUpperCase(),
      ...Object.entries(fields).map(([k, v]) => `${k} ${describeValue(k, v)}`),
    ].join(', ')
    const received = await this.#until(() => this.#take(type))
    if (!received) throw this.#failure(expected)
    const packet = packetOf(type, received)
    const wrong = Object.entries(fields).some(([key, value]) => !sameValue(packet[key as keyof typeof packet], value))
    if (wrong) throw new CheckFailure(expected, `came ${inWords(received)}`)
    return packet
  }

  /** The first packet of this type, out of the inbox. Bytes that are no packet fail whatever is waited for. */
  #take(type: Packet['type']): Received | undefined {
    const at = this.#inbox.findIndex(({ packet }) => packet === undefined || packet.type === type)
    return at < 0 ? undefined : this.#inbox.splice(at, 1)[0]
  }

  async #waitForClose(withinMs = 0): Promise<void> {
    if (withinMs === 0) await this.answered()
    const stepMs = 250
    for (let waited = 0; waited < withinMs && !this.#closed; waited += stepMs) await this.#host.sleep(stepMs)
    if (!this.#closed) await this.#host.settled()
  }

  /** Looks again whenever something happens, until there is something to see, the stream ends or patience does. */
  async #until<T>(look: () => T | undefined): Promise<T | undefined> {
    const deadline = performance.now() + this.#host.patienceMs
    for (;;) {
      const seen = look()
      const leftMs = deadline - performance.now()
      if (seen !== undefined || this.#closed || leftMs <= 0) return seen
      await this.#change(leftMs)
    }
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

  #failure(expected: string): CheckFailure {
    const instead = this.#inbox.length > 0 ? `came ${this.#inbox.map(inWords).join('; ')}` : 'nothing came'
    return new CheckFailure(expected, this.#closed ? `${instead}, and the connection was closed` : instead)
  }
}

function saysWhy(received: Received | undefined): boolean {
  return received?.packet?.type === 'disconnect' && (received.packet.reasonCode ?? 0) >= 0x80
}

function sameValue(actual: unknown, wanted: unknown): boolean {
  if (actual instanceof Uint8Array) return decodeUtf8(actual) === wanted
  return JSON.stringify(actual) === JSON.stringify(wanted)
}
