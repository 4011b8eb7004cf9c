import type { Publish } from '@godwit/protocol'
import type { GivenRepeats } from '../relayed-message.js'
import type { ClientStore } from './store.js'

/**
 * - `waiting`: a consumer has it, or is yet to take it
 * - `done`: the consumers have finished; its acknowledgement leaves when those before it have
 * - `abandoned`: a consumer left without finishing; not acknowledged for its own sake
 */
type DeliveryState = 'waiting' | 'done' | 'abandoned'

/** A QoS 1 or 2 message from its arrival to its acknowledgement. */
export interface Delivery {
  readonly packetId: number
  readonly qos: 1 | 2
  readonly topic: string
  state: DeliveryState
  /** Consumers that have not finished. */
  consumers: number
}

/**
 * The receiving half of the session: which messages are with their consumers, which QoS 2 ids wait for PUBREL, and the
 * order in which acknowledgements leave, PUBACK among PUBACKs [MQTT-4.6.0-2] and PUBREC among PUBRECs [MQTT-4.6.0-3].
 */
export class Inbound {
  readonly #store: ClientStore
  readonly #acknowledge: (type: 'puback' | 'pubrec', packetId: number) => void
  /** Not acknowledged yet; survives the connection, so that what the server sends again finds its first delivery. */
  readonly #open = { 1: new Map<number, Delivery>(), 2: new Map<number, Delivery>() }
  /** Of this connection, in the order of arrival. */
  readonly #order: { 1: Delivery[]; 2: Delivery[] } = { 1: [], 2: [] }
  /** QoS 2 ids acknowledged with PUBREC and not yet released. */
  readonly #received = new Set<number>()
  /** Of a relay: what is finished with. */
  readonly #repeats: GivenRepeats | undefined

  constructor(
    store: ClientStore,
    acknowledge: (type: 'puback' | 'pubrec', packetId: number) => void,
    repeats: GivenRepeats | undefined,
  ) {
    this.#store = store
    this.#acknowledge = acknowledge
    this.#repeats = repeats
  }

  /** Takes up what an earlier process left. */
  restore(received: readonly number[]): void {
    for (const id of received) this.#received.add(id)
  }

  /** The connection has gone. Acknowledgements that have not left wait for the server to send their messages again. */
  detach(): void {
    this.#order[1] = []
    this.#order[2] = []
  }

  /** A new connection. */
  restart(sessionPresent: boolean): void {
    if (sessionPresent) return
    this.#repeats?.clear()
    this.#open[1].clear()
    this.#open[2].clear()
    for (const id of this.#received) this.#store.removeReceived(id)
    this.#received.clear()
  }

  /**
   * Gives the delivery of a message to be handed to consumers; undefined when they have it, or have had it, already.
   */
  onPublish(packet: Publish): Delivery | undefined {
    const packetId = packet.packetId!
    const qos = packet.qos as 1 | 2
    if (qos === 2 && this.#received.has(packetId)) {
      this.#acknowledge('pubrec', packetId) // [MQTT-4.3.3-2]
      return undefined
    }
    const known = this.#open[qos].get(packetId)
    // At QoS 2 the id alone decides. At QoS 1 an id may be used anew once the server has let the message go.
    const again = known !== undefined && (qos === 2 || (packet.dup && known.topic === packet.topic))
    if (again && known.state !== 'abandoned') {
      if (!this.#order[qos].includes(known)) this.#order[qos].push(known)
      this.#flush(qos)
      return undefined
    }
    const delivery: Delivery = { packetId, qos, topic: packet.topic, state: 'waiting', consumers: 0 }
    this.#open[qos].set(packetId, delivery)
    this.#order[qos].push(delivery)
    if (!this.#repeats?.isRepeat(packet)) return delivery
    delivery.state = 'done'
    this.#flush(qos)
    return undefined
  }

  /** One consumer has finished with it; or it has left without finishing, which it may still do. */
  settle(delivery: Delivery, how: 'done' | 'abandoned'): void {
    if (delivery.state === 'done') return
    if (how === 'done') delivery.consumers -= 1
    else delivery.state = 'abandoned'
    if (delivery.consumers > 0) return
    delivery.state = 'done'
    this.#flush(delivery.qos)
  }

  /** PUBREL: the id may be used for another message. PUBCOMP is the answer, also when the id is unknown: false. */
  onPubrel(packetId: number): boolean {
    const known = this.#received.delete(packetId)
    if (known) this.#store.removeReceived(packetId)
    return known
  }

  /** Sends what has no unfinished message before it. An abandoned one gives way to a later one that is done. */
  #flush(qos: 1 | 2): void {
    const order = this.#order[qos]
    let ready = 0
    for (const [at, delivery] of order.entries()) {
      if (delivery.state === 'waiting') break
      if (delivery.state === 'done') ready = at + 1
    }
    for (const delivery of order.splice(0, ready)) this.#finish(delivery)
  }

  #finish({ qos, packetId }: Delivery): void {
    this.#open[qos].delete(packetId)
    if (qos === 2) {
      this.#received.add(packetId)
      this.#store.putReceived(packetId)
    }
    this.#acknowledge(qos === 1 ? 'puback' : 'pubrec', packetId)
  }
}
