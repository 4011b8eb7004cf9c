import type { QoS } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Terms } from '../delivery/terms.js'
import type { Owner } from '../faults.js'
import type { Message } from '../message.js'
import type { StoredGrant } from '../store/store.js'

/** How a subscription was granted. */
export type Grant = StoredGrant

/** A grant with nothing asked for but a QoS: all there is below 5.0. */
export function plainGrant(qos: QoS): Grant {
  return { qos, noLocal: false, retainAsPublished: false, identifier: 0 }
}

/** Whoever messages are routed to: a session's delivery, an in-process listener, later another node. */
export interface Subscriber extends Owner {
  /** The Client Identifier, for No Local; empty where there is none. */
  readonly clientId: string
  /** Whether what it is given at QoS 1 and 2 outlives the process, if anything does. */
  readonly durable: boolean
  /** Takes a message over, on these terms. Answers the commit that makes it safe; 0: nothing to wait for. */
  deliver(message: Message, terms: Terms): Commit
}
