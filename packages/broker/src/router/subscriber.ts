import type { QoS } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Message } from '../message.js'

/** Whoever messages are routed to: a session's delivery, an in-process listener, later another node. */
export interface Subscriber {
  /** Takes a message over, within the QoS granted. Answers the commit that makes it safe; 0: nothing to wait for. */
  deliver(message: Message, granted: QoS): Commit
}
