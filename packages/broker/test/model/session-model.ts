import type { QoS } from '@godwit/protocol'
import type { DropReason } from '../../src/metrics.js'

/** A message as a subscriber may see it. */
export interface ModelMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: QoS
  readonly retain: boolean
  /** Epoch seconds; infinite: never. */
  readonly expiresAt: number
  readonly publisher: string
}

export interface ModelGrant {
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** 0: none. */
  readonly identifier: number
}

/** A delivery at QoS 1 or 2 that is not done. */
export interface Delivery {
  readonly message: ModelMessage
  readonly qos: QoS
  readonly retain: boolean
  /** Of the subscriptions it came by, in order. */
  readonly identifiers: readonly number[]
  state: 'waiting' | 'sent' | 'released'
  /** The packet id it was first sent with; it must keep it [MQTT-4.4.0-1]. */
  packetId: number
  /** It is this group's, which takes it back when the member leaves. */
  readonly group: ModelGroup | undefined
  /** It came by a shared group. */
  readonly shared: boolean
}

export interface ModelWill {
  readonly topic: string
  readonly payload: string
  readonly qos: QoS
  readonly retain: boolean
  /** Seconds. */
  readonly delay: number
}

/** A shared group, as far as the standard says which member gets what: not at all. */
export class ModelGroup {
  readonly members: Map<ModelSession, ModelGrant> = new Map()
  /** What no member has. */
  readonly pending: Set<ModelMessage> = new Set()
  /** At QoS 0, or with members that take no more: to one that is online, or nobody. */
  fleeting: ModelMessage | undefined
}

/** One line a client must hear. */
export interface Expected {
  readonly line: string
  /** Set for a PUBLISH at QoS 1 or 2, whose packet id the broker chooses. */
  readonly delivery?: Delivery
}

/** What the standard calls Session state, in plain lists. */
export class ModelSession {
  readonly clientId: string
  /** A message is not sent, and why. */
  readonly drop: (reason: DropReason) => void
  readonly subscriptions: Map<string, ModelGrant> = new Map()
  deliveries: Delivery[] = []
  replays: { filter: string; upTo: number; grant: ModelGrant }[] = []
  connected = false
  version: 4 | 5 = 4
  window = 256
  /** Seconds it lives on without a connection. */
  expiry = 0
  /** When it ends, without a connection. */
  endsAt: number = Number.POSITIVE_INFINITY
  /** Packet ids of its QoS 2 publications without PUBREL: a repeat of one is not published again [MQTT-4.3.3-2]. */
  readonly held: Set<number> = new Set()
  will: ModelWill | undefined
  willDueAt: number = Number.POSITIVE_INFINITY
  /** What was sent on an earlier connection and not yet on this one. */
  unrepeated: Delivery[] = []
  repeated: Set<Delivery> = new Set()
  expected: Expected[] = []

  constructor(clientId: string, drop: (reason: DropReason) => void) {
    this.clientId = clientId
    this.drop = drop
  }

  get inFlight(): Delivery[] {
    return this.deliveries.filter(({ state }) => state !== 'waiting')
  }

  get waiting(): number {
    return this.deliveries.length - this.inFlight.length
  }

  /** A message would go out at once. */
  get ready(): boolean {
    return this.hasRoom && this.waiting === 0
  }

  get hasRoom(): boolean {
    return this.connected && this.unrepeated.length === 0 && this.inFlight.length < this.window
  }

  deliver(message: ModelMessage, qos: QoS, retain: boolean, identifiers: readonly number[], now: number): void {
    const delivery: Delivery = {
      message,
      qos,
      retain,
      identifiers,
      state: 'waiting',
      packetId: 0,
      group: undefined,
      shared: false,
    }
    if (qos > 0) {
      this.deliveries.push(delivery)
      this.sendWaiting(now)
    } else if (this.connected) this.expected.push({ line: this.lineOf(delivery, now) })
    else this.drop('offline-qos0')
  }

  /** What was sent before goes out again in its first order, as far as the window goes [MQTT-4.4.0-1]. */
  repeat(): void {
    while (this.unrepeated.length > 0) {
      const delivery = this.unrepeated[0]!
      if (delivery.state === 'released') this.expected.push({ line: `pubrel ${delivery.packetId}` })
      else if (this.repeated.size >= this.window) return
      else {
        this.repeated.add(delivery)
        const { message, qos, retain, packetId, identifiers } = delivery
        this.expected.push({
          line: `publish ${message.topic} "${message.payload}" qos ${qos} id ${packetId}${flag(retain)} dup${this.by(identifiers)}`,
        })
      }
      this.unrepeated.shift()
    }
  }

  sendWaiting(now: number): void {
    for (const delivery of [...this.deliveries]) {
      if (!this.hasRoom) return
      if (delivery.state !== 'waiting') continue
      if (delivery.message.expiresAt <= now) {
        this.deliveries.splice(this.deliveries.indexOf(delivery), 1)
        this.drop('expired')
      } else {
        delivery.state = 'sent'
        this.expected.push({ line: this.lineOf(delivery, now), delivery })
      }
    }
  }

  forget(delivery: Delivery): void {
    this.deliveries = this.deliveries.filter((other) => other !== delivery)
    this.unrepeated = this.unrepeated.filter((other) => other !== delivery)
    this.repeated.delete(delivery)
  }

  /** `publish t/a "m1" qos 1 retain expiry 7`; the packet id is the broker's to choose. */
  lineOf({ message: { topic, payload, expiresAt }, qos, retain, identifiers }: Delivery, now: number): string {
    const told = this.version === 5 && expiresAt !== Number.POSITIVE_INFINITY
    return `publish ${topic} "${payload}"${qos > 0 ? ` qos ${qos}` : ''}${flag(retain)}${this.by(identifiers)}${told ? ` expiry ${expiresAt - now}` : ''}`
  }

  by(identifiers: readonly number[]): string {
    return this.version === 5 && identifiers.length > 0 ? ` by ${identifiers.join(',')}` : ''
  }
}

function flag(retain: boolean): string {
  return retain ? ' retain' : ''
}
