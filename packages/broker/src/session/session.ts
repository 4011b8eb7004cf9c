import type { QoS } from '@godwit/protocol'
import type { Delivery } from '../delivery/delivery.js'
import type { MaybeAsync } from '../maybe-async.js'
import type { Router } from '../router/router.js'
import type { Commit } from '../store/commit.js'
import type { SessionStore } from '../store/store.js'

/** The connection a session is used by. */
export interface SessionUser {
  /** Another connection has come with the same Client Identifier: closes, with all that a close entails [MQTT-3.1.4-2]. */
  takeOver(): MaybeAsync<void>
}

/** What the standard calls Session state (3.1.1, section 3.1.2.4), server side. */
export class Session {
  readonly clientId: string
  readonly delivery: Delivery
  readonly subscriptions = new Map<string, QoS>()
  /** Packet ids of QoS 2 messages received and not yet released by the client. */
  readonly received = new Set<number>()
  user: SessionUser | undefined
  readonly #stored: SessionStore
  readonly #router: Router

  constructor(clientId: string, delivery: Delivery, stored: SessionStore, router: Router) {
    this.clientId = clientId
    this.delivery = delivery
    this.#stored = stored
    this.#router = router
  }

  /** Whether it outlives its connection. */
  get durable(): boolean {
    return this.delivery.durable
  }

  get stored(): SessionStore {
    return this.#stored
  }

  subscribe(filter: string, granted: QoS): Commit {
    this.subscriptions.set(filter, granted)
    this.#router.subscribe(filter, this.delivery, granted)
    return this.#stored.setSubscription(filter, granted)
  }

  unsubscribe(filter: string): Commit {
    if (!this.subscriptions.delete(filter)) return 0
    this.#router.unsubscribe(filter, this.delivery)
    this.delivery.cancelReplay(filter)
    return this.#stored.deleteSubscription(filter)
  }

  /** A QoS 2 message was taken over: a repeat of this id is answered, not delivered again [MQTT-4.3.3-2]. */
  hold(packetId: number): Commit {
    this.received.add(packetId)
    return this.#stored.hold(packetId)
  }

  unhold(packetId: number): Commit {
    return this.received.delete(packetId) ? this.#stored.unhold(packetId) : 0
  }

  /** Nothing of it is left, here or in the store. */
  end(): Commit {
    for (const filter of this.subscriptions.keys()) this.#router.unsubscribe(filter, this.delivery)
    this.subscriptions.clear()
    return this.#stored.delete()
  }
}
