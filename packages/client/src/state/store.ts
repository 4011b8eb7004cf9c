import type { PropertiesOf } from '@godwit/protocol'

/** A QoS 1 or 2 publication on its way out. */
export interface StoredPublish {
  /** Grows with each publication: the one outbound order. */
  readonly sequence: number
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 1 | 2
  readonly retain: boolean
  readonly properties: PropertiesOf<'publish'> | undefined
  /** Epoch ms after which it is not sent for the first time; Infinity: never. */
  readonly expiresAt: number
  /** 0: not sent yet. */
  readonly packetId: number
  /** 0: PUBREC has not come. Otherwise its place among the PUBRECs [MQTT-4.6.0-4]. */
  readonly released: number
}

export interface StoredSession {
  /** In the order of `sequence`. */
  readonly outgoing: readonly StoredPublish[]
  /** Packet ids of QoS 2 messages received and not yet released by PUBREL. */
  readonly received: readonly number[]
}

/**
 * What of a session must outlive the process. Calls take effect in order. Nothing that promises a change to the server
 * leaves before `flush()` has settled, and one flush covers every change made before it.
 */
export interface ClientStore {
  /** Opens it. Rejects with StoreError 'store-in-use' or 'store-unusable'. */
  load(): Promise<StoredSession>
  /** Adds a publication, or replaces the one with the same sequence. */
  putOutgoing(publish: StoredPublish): void
  removeOutgoing(sequence: number): void
  putReceived(packetId: number): void
  removeReceived(packetId: number): void
  /**
   * Settles when all changes so far are kept; undefined when they are already. Rejects with StoreError 'store-failed':
   * the changes are then tried again with the next flush.
   */
  flush(): Promise<void> | undefined
  /** Flushes, and lets go of it; it may be loaded again. Rejects as `flush()`, and has let go all the same. */
  close(): Promise<void>
}

/**
 * Keeps state as long as the object lives: a client that is given the store of an earlier one goes on with its session.
 */
export function memoryStore(): ClientStore {
  const outgoing = new Map<number, StoredPublish>()
  const received = new Set<number>()
  return {
    load: () =>
      Promise.resolve({
        outgoing: [...outgoing.values()].sort((a, b) => a.sequence - b.sequence),
        received: [...received],
      }),
    putOutgoing: (publish) => void outgoing.set(publish.sequence, publish),
    removeOutgoing: (sequence) => void outgoing.delete(sequence),
    putReceived: (packetId) => void received.add(packetId),
    removeReceived: (packetId) => void received.delete(packetId),
    flush: () => undefined,
    close: () => Promise.resolve(),
  }
}
