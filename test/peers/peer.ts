import type { QoS } from '@godwit/protocol'

/** The versions of MQTT that every peer speaks: 3.1.1 and 5.0. */
export type PeerVersion = 4 | 5

/** What each message carries at 5.0. MQTT.js keeps no order between names, so equal ones stand together. */
export const userProperties: readonly (readonly [name: string, value: string])[] = [
  ['b', '1'],
  ['b', '3'],
  ['a', '2'],
]

/** The Message Expiry Interval of each message at 5.0, in seconds. */
export const expirySeconds = 600

/** One message as a subscriber saw it. */
export interface Received {
  readonly topic: string
  readonly payload: string
  /** Message Expiry Interval; undefined when there was none. */
  readonly expiry: number | undefined
  /** As `name:value name:value`, in the order they came in. */
  readonly userProperties: string
}

export interface Subscribing {
  readonly port: number
  readonly filter: string
  readonly qos: QoS
  /** How many messages end it; 0: it ends when it has subscribed. */
  readonly count: number
  /** A Client Identifier whose session is kept for ten minutes (Session Expiry Interval), at 5.0. */
  readonly session?: string
  readonly onMessage?: (message: Received) => void
}

export interface Publishing {
  readonly port: number
  readonly topic: string
  readonly qos: QoS
  readonly payloads: readonly string[]
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
  subscribe(what: Subscribing): Promise<Subscriber>
  /** Resolves when every message has been published as its QoS asks. */
  publish(what: Publishing): Promise<void>
}

/** Something that asks: one row of the table of requests and responses. */
export interface Requester {
  readonly name: string
  readonly missing: string | undefined
  /** Resolves with the response. */
  request(port: number, topic: string, payload: string): Promise<string>
}

/** Something that answers requests with `re:` and what they said: one column of that table. */
export interface Responder {
  readonly name: string
  readonly missing: string | undefined
  /** Resolves when it listens. */
  respond(port: number, topic: string): Promise<{ stop(): Promise<unknown> }>
}
