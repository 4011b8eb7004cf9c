import type { QoS } from '@godwit/protocol'
import type { Delivery } from '../delivery/delivery.js'
import { released } from '../delivery/window.js'
import type { LocalProperties } from '../router/local-message.js'
import type { KeptMessage } from '../store/queue.js'
import type { Listed } from './page.js'

/** A message in the queue of a session: one that waits, or that was sent and is not acknowledged. */
export interface QueuedView {
  /** Its place in the session: it only rises. */
  readonly number: number
  /** `waiting`; `sent`, and not acknowledged; `released`: QoS 2, all but PUBCOMP. */
  readonly state: 'waiting' | 'sent' | 'released'
  readonly topic: string
  /** Of this delivery. */
  readonly qos: QoS
  /** Of this delivery. */
  readonly retain: boolean
  /** A copy. */
  readonly payload: Buffer
  readonly payloadBytes: number
  readonly properties: LocalProperties | undefined
  /** Client Identifier of the publisher; empty for the broker and the program that embeds it. */
  readonly publisher: string
  /** Epoch ms; infinite: never. */
  readonly expiresAt: number
  /** It came through a shared subscription. */
  readonly shared: boolean
}

/** What waits in a queue, in its order. Looking changes nothing: it is read anew, and what was read is not kept. */
export function queueOf({ queue, window, tail }: Delivery): Listed<QueuedView> {
  let looked: readonly [number: number, entry: KeptMessage] | undefined
  function* names(from: string): Generator<string> {
    for (let at = from === '' ? window.head : Number(from); at < tail; ) {
      const { entries, next } = queue.peek(at, tail)
      for (const entry of entries) {
        looked = entry
        yield String(entry[0])
      }
      at = next
    }
  }
  return {
    names,
    view(name) {
      if (looked === undefined || String(looked[0]) !== name) return undefined
      const [number, { message, qos, retain, shared = false }] = looked
      const { topic, payload, payloadBytes, publisher, expiresAt, properties } = message
      const state = number >= window.next ? 'waiting' : window.state(number) === released ? 'released' : 'sent'
      const copy = Buffer.from(payload)
      return {
        number,
        state,
        topic,
        qos,
        retain,
        payload: copy,
        payloadBytes,
        properties,
        publisher,
        expiresAt,
        shared,
      }
    },
    bytes: ({ payloadBytes }) => payloadBytes,
  }
}
