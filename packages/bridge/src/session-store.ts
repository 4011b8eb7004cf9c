import type { InsideSession } from '@godwit/broker'
import type { ClientStore, StoredPublish } from '@godwit/client'

/** Packet ids count from 1 upward with the numbers of messages: none needs storing. */
export function packetIdOf(number: number): number {
  return ((number - 1) % 65_535) + 1
}

/**
 * The state of the connection to the other broker, kept where the messages are: in the session inside this one. Of a message that
 * goes out it is told of PUBREC and of the end. A message that comes in is in it already when it is to be acknowledged.
 */
export class SessionStore implements ClientStore {
  readonly #session: InsideSession
  /** Something was promised to the other broker that may not be on disk. */
  #owes = false
  #ended = false

  constructor(session: InsideSession) {
    this.#session = session
    const end = (): void => {
      this.#ended = true
    }
    session.closed.then(end, end)
  }

  async load(): ReturnType<ClientStore['load']> {
    return { outgoing: this.#session.unfinished.map(numberAlone), received: this.#session.held }
  }

  putOutgoing({ sequence }: StoredPublish): void {
    this.#session.receive(sequence)
    this.#owes = true
  }

  removeOutgoing(sequence: number): void {
    this.#session.acknowledge(sequence)
  }

  putReceived(): void {}

  /** What is acknowledged next waits for all so far. */
  owe(): void {
    this.#owes = true
  }

  removeReceived(packetId: number): void {
    void this.#session.release(packetId).catch(() => {})
    this.#owes = true
  }

  flush(): Promise<void> | undefined {
    if (!this.#owes) return undefined
    if (this.#ended) return Promise.reject(new Error('the session inside the broker has ended'))
    this.#owes = false
    return this.#session.flush()
  }

  async close(): Promise<void> {}
}

/** Its PUBREC has come: PUBREL, which has no more than the packet id, is what is left to be sent. */
function numberAlone(sequence: number, at: number): StoredPublish {
  return {
    sequence,
    packetId: packetIdOf(sequence),
    released: at + 1,
    topic: '',
    payload: new Uint8Array(0),
    qos: 2,
    retain: false,
    properties: undefined,
    expiresAt: Number.POSITIVE_INFINITY,
  }
}
