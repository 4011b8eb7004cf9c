import { encodeUtf8, type Packet, type PropertiesOf, type QoS } from '@godwit/protocol'
import { now, type Timed } from './timeline.js'
import { type Version, Wire } from './wire.js'

export type PublisherEvent =
  | { readonly type: 'sent'; readonly packetId: number; readonly number: number; readonly time: number }
  /** PUBREC. */
  | { readonly type: 'received'; readonly packetId: number; readonly time: number }
  /** PUBACK or PUBCOMP. */
  | { readonly type: 'done'; readonly packetId: number; readonly time: number }

/** Every message with this number is retained as well, in turn on a few topics. */
const retainedEvery = 16
const retainedTopics = 4
/** Every message with this number is larger than a page of the store. */
const largeEvery = 41

/** What a publisher must remember of its session (3.1.1, section 4.4), and what it has been promised. */
export class PublisherState {
  readonly name: string
  /** The first level of its topics. */
  readonly root: string
  /** Handshakes that are not over, in the order of their PUBLISH. */
  readonly open = new Map<number, { readonly number: number; received: boolean }>()
  /** Messages the broker has taken over: PUBACK or PUBREC has come. */
  readonly acknowledged = new Set<number>()
  /** For each message when it was first sent, and until when it may have been taken over; by the broker's clock. */
  readonly times: { readonly sent: number; taken: number }[] = []
  /** The number of the next message. */
  next = 0

  constructor(name: string, root = 'c') {
    this.name = name
    this.root = root
  }

  apply(event: PublisherEvent): void {
    if (event.type === 'sent') {
      this.open.set(event.packetId, { number: event.number, received: false })
      this.next = event.number + 1
      this.times[event.number] = { sent: event.time, taken: Number.POSITIVE_INFINITY }
      return
    }
    const handshake = this.open.get(event.packetId)
    if (!handshake) return
    const times = this.times[handshake.number]!
    if (!this.acknowledged.has(handshake.number)) times.taken = event.time
    this.acknowledged.add(handshake.number)
    if (event.type === 'received') handshake.received = true
    else this.open.delete(event.packetId)
  }

  /** `name:number`, by which a message is known wherever it turns up. */
  keyOf(number: number): string {
    return `${this.name}:${number}`
  }

  /** For each topic with a retained message: the newest that was acknowledged. */
  retained(): ReadonlyMap<string, number> {
    const newest = new Map<string, number>()
    for (const number of this.acknowledged) {
      const topic = this.topicOf(number)
      if (isRetained(number) && number > (newest.get(topic) ?? -1)) newest.set(topic, number)
    }
    return newest
  }

  topicOf(number: number): string {
    return isRetained(number)
      ? `${this.root}/retained/${this.name}/${(number / retainedEvery) % retainedTopics}`
      : `${this.root}/${this.name}`
  }
}

function isRetained(number: number): boolean {
  return number % retainedEvery === 0
}

export interface PublisherOptions {
  readonly qos: QoS
  /** Handshakes open at a time. */
  readonly window: number
  /** Whether to keep back a PUBREL until the next connection. */
  readonly keepsBack?: () => boolean
  /** Default 4. */
  readonly version?: Version
  /** 5.0: what a message goes out with. Default: nothing. */
  readonly propertiesOf?: (key: string) => PropertiesOf<'publish'>
}

/** Publishes numbered messages for as long as it is let, and finishes after a crash what it had begun. */
export class Publisher {
  readonly journal: Timed<PublisherEvent>[] = []
  readonly #options: PublisherOptions
  state: PublisherState
  #wire: Wire | undefined
  /** What the broker's clock shows. */
  time = 0
  #loading = false
  #last = Number.POSITIVE_INFINITY
  #idle: () => void = () => {}

  constructor(state: PublisherState, options: PublisherOptions) {
    this.state = state
    this.#options = options
  }

  /** Connects, and sends again what is unfinished [MQTT-4.4.0-1]. Answers Session Present. */
  async connect(port: number): Promise<boolean> {
    const onPacket = (packet: Packet): void => this.#onPacket(packet)
    const wire = await Wire.open(port, { clientId: this.state.name, clean: false, onPacket }, this.#options.version)
    this.#wire = wire
    for (const [packetId, { number, received }] of this.state.open) {
      if (received) wire.send({ type: 'pubrel', packetId })
      else this.#publish(packetId, number, true)
    }
    return wire.present
  }

  /** Keeps its window full from now on. */
  load(): void {
    this.#loading = true
    this.#pump()
  }

  /** Publishes so many messages more and ends all handshakes. */
  async finish(more = 1): Promise<void> {
    this.#last = this.state.next + more - 1
    this.load()
    if (this.state.open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    this.#loading = false
    this.#last = Number.POSITIVE_INFINITY
  }

  /** The connection is gone. */
  async lost(): Promise<void> {
    this.#loading = false
    await this.#wire?.closed
  }

  async disconnect(): Promise<void> {
    this.#loading = false
    await this.#wire?.disconnect()
  }

  #pump(): void {
    const { open } = this.state
    while (this.#loading && open.size < this.#options.window && this.state.next <= this.#last) {
      // The lowest free id, so that ids are used again as soon as can be.
      let packetId = 1
      while (open.has(packetId)) packetId++
      const number = this.state.next
      this.#note({ type: 'sent', packetId, number, time: this.time })
      this.#publish(packetId, number, false)
    }
  }

  #publish(packetId: number, number: number, dup: boolean): void {
    const { qos, propertiesOf } = this.#options
    const topic = this.state.topicOf(number)
    const size = number % largeEvery === largeEvery - 1 ? 6000 : 64
    const key = this.state.keyOf(number)
    const payload = encodeUtf8(`${key} `.padEnd(size, '.'))
    const properties = propertiesOf?.(key)
    this.#wire?.send({
      ...{ type: 'publish', topic, payload, qos, retain: isRetained(number), dup, packetId },
      ...(properties && { properties }),
    })
  }

  #onPacket(packet: Packet): void {
    if (packet.type === 'pubrec') {
      this.#note({ type: 'received', packetId: packet.packetId, time: this.time })
      // What is kept back goes out with the next connection.
      const busy = this.#loading && this.#last === Number.POSITIVE_INFINITY
      if (!busy || !this.#options.keepsBack?.()) this.#wire?.send({ type: 'pubrel', packetId: packet.packetId })
      return
    }
    if (packet.type !== 'puback' && packet.type !== 'pubcomp') throw new Error(`${packet.type} to a publisher`)
    this.#note({ type: 'done', packetId: packet.packetId, time: this.time })
    this.#pump()
    if (this.state.open.size === 0) this.#idle()
  }

  #note(event: PublisherEvent): void {
    this.journal.push({ at: now(), event })
    this.state.apply(event)
  }
}
