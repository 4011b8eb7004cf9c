import type { QoS } from '@godwit/protocol'

/** One message as a subscriber saw it. */
export interface Received {
  readonly topic: string
  readonly payload: string
}

/** A subscriber at work. */
export interface Subscriber {
  /** What has arrived, in order. */
  readonly received: readonly Received[]
  /** Resolves when as many messages as asked for have arrived and the subscriber has ended; rejects when it ends before. */
  readonly ended: Promise<void>
  /** Ends it at once. */
  stop(): Promise<unknown>
}

/** A piece of MQTT software that can publish and subscribe: one row, and one column, of the table of pairs. */
export interface Peer {
  readonly name: string
  /** Why it cannot be used here and what to do, or undefined when it can. */
  readonly missing: string | undefined
  /** Resolves when the broker has acknowledged the subscription. */
  subscribe(port: number, filter: string, qos: QoS, count: number): Promise<Subscriber>
  /** Resolves when every message has been published as its QoS asks. */
  publish(port: number, topic: string, qos: QoS, payloads: readonly string[]): Promise<void>
}
