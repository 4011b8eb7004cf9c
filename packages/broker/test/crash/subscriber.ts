import type { Packet, QoS, ReceivedPublish } from '@godwit/protocol'
import { now, type Timed } from './timeline.js'
import { type Version, Wire } from './wire.js'

export type SubscriberEvent =
  /** PUBLISH. */
  | { readonly type: 'published'; readonly packetId: number; readonly qos: QoS; readonly key: string }
  /** PUBREL. */
  | { readonly type: 'released'; readonly packetId: number }

/** What a subscriber must remember of its session (3.1.1, section 4.4), and what it has been given. */
export class SubscriberState {
  /** How many times each message was given to the application. */
  readonly deliveries = new Map<string, number>()
  /** Messages that came for the first time after a later one of their publisher. */
  readonly outOfOrder: string[] = []
  /** QoS 2 ids that were received and not yet released. */
  readonly #held = new Set<number>()
  readonly #newest = new Map<string, number>()

  apply(event: SubscriberEvent): void {
    if (event.type === 'released') {
      this.#held.delete(event.packetId)
      return
    }
    if (event.qos === 2 && this.#held.has(event.packetId)) return // a repeat [MQTT-4.3.3-2]
    if (event.qos === 2) this.#held.add(event.packetId)
    const before = this.deliveries.get(event.key) ?? 0
    this.deliveries.set(event.key, before + 1)
    if (before === 0) this.#checkOrder(event.key)
  }

  #checkOrder(key: string): void {
    const [name, number] = key.split(':') as [string, string]
    if (Number(number) < (this.#newest.get(name) ?? -1)) this.outOfOrder.push(key)
    else this.#newest.set(name, Number(number))
  }
}

export interface SubscriberOptions {
  /** Whether to leave the next answer (PUBACK, PUBREC or PUBCOMP) until the next connection. Default: never. */
  readonly keepsBack?: () => boolean
  /** Default 4. */
  readonly version?: Version
  /** Sees every PUBLISH, repeats too. */
  readonly onPublish?: (packet: ReceivedPublish, key: string) => void
}

/** Takes messages as its standard asks, keeping back some answers when told to. */
export class Subscriber {
  readonly name: string
  readonly journal: Timed<SubscriberEvent>[] = []
  readonly state: SubscriberState
  readonly #options: SubscriberOptions
  readonly #awaited = new Map<string, () => void>()
  #wire: Wire | undefined

  constructor(name: string, state: SubscriberState, options: SubscriberOptions = {}) {
    this.name = name
    this.state = state
    this.#options = options
  }

  /** Answers Session Present. */
  async connect(port: number): Promise<boolean> {
    const onPacket = (packet: Packet, wire: Wire): void => this.#onPacket(packet, wire)
    this.#wire = await Wire.open(port, { clientId: this.name, clean: false, onPacket }, this.#options.version)
    return this.#wire.present
  }

  async subscribe(qos: QoS, ...filters: readonly string[]): Promise<void> {
    await this.#wire?.subscribe(qos, ...filters)
  }

  /** Resolves when a message has come. */
  async received(key: string): Promise<void> {
    if (this.state.deliveries.has(key)) return
    await new Promise<void>((resolve) => this.#awaited.set(key, resolve))
  }

  /** The connection is gone. */
  async lost(): Promise<void> {
    await this.#wire?.closed
  }

  async disconnect(): Promise<void> {
    await this.#wire?.disconnect()
  }

  #onPacket(packet: Packet, wire: Wire): void {
    if (packet.type === 'publish') this.#onPublish(packet as ReceivedPublish, wire)
    else if (packet.type === 'pubrel') {
      this.#note({ type: 'released', packetId: packet.packetId })
      if (!this.#options.keepsBack?.()) wire.send({ type: 'pubcomp', packetId: packet.packetId })
    } else throw new Error(`${packet.type} to a subscriber`)
  }

  #onPublish(packet: ReceivedPublish, wire: Wire): void {
    const { packetId = 0, qos, payload } = packet
    const key = keyIn(payload)
    this.#note({ type: 'published', packetId, qos, key })
    this.#options.onPublish?.(packet, key)
    if (!this.#options.keepsBack?.()) wire.send({ type: qos === 1 ? 'puback' : 'pubrec', packetId })
    this.#awaited.get(key)?.()
    this.#awaited.delete(key)
  }

  #note(event: SubscriberEvent): void {
    this.journal.push({ at: now(), event })
    this.state.apply(event)
  }
}

/** The key a payload begins with. */
export function keyIn(payload: Uint8Array): string {
  const text = Buffer.from(payload).toString()
  return text.slice(0, text.indexOf(' '))
}
