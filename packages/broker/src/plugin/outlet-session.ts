import { randomInt, randomUUID } from 'node:crypto'
import type { Broker } from '../broker.js'
import type { InsideMessage } from '../inside/inside-message.js'
import type { InsideSession } from '../inside/inside-session.js'
import type { Clock } from '../time/clock.js'
import { codeOf } from './in-words.js'
import type { CheckedOutlet, OutletMessage } from './outlet-options.js'

/** The greatest Subscription Identifier (section 3.8.2.1.2). */
const mostIdentifier = 268_435_455

/**
 * Opens the session of an outlet, and gives it the subscriptions that are wanted. Numbers of messages begin anew with each new
 * session, so its subscriptions carry one identifier, drawn when it was new: with the number it names a message for good.
 */
export async function openSession(
  broker: Broker,
  outlet: CheckedOutlet,
  take: (message: InsideMessage) => unknown,
): Promise<InsideSession> {
  const { clientId, expirySeconds, maxBatchMessages, filters } = outlet
  const session = await broker.session(clientId, {
    expirySeconds,
    maxInflight: 2 * maxBatchMessages,
    ack: 'manual',
    onMessage: take,
  })
  try {
    let identifier = 0
    for await (const { filter, subscriptionIdentifier } of broker.subscriptions.list({ clientId })) {
      identifier ||= subscriptionIdentifier
      if (!filters.has(filter)) await session.unsubscribe(filter)
    }
    identifier ||= randomInt(1, mostIdentifier)
    for (const [filter, qos] of filters) await subscribe(session, filter, { qos, identifier, retainHandling: 1 })
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}

/** Where the broker offers no identifiers, it goes without. */
async function subscribe(
  session: InsideSession,
  filter: string,
  options: Parameters<InsideSession['subscribe']>[1] & object,
): Promise<void> {
  try {
    await session.subscribe(filter, options)
  } catch (error) {
    if (codeOf(error) !== 'refused') throw error
    const { identifier: _, ...rest } = options
    await session.subscribe(filter, filter.startsWith('$share/') ? { qos: rest.qos ?? 1 } : rest)
  }
}

/** The same message, as an outlet gives it on. */
export function outgoing(message: InsideMessage, idPrefix: string, clock: Clock): OutletMessage {
  const { number, identifiers } = message
  const [life] = identifiers
  const id = number > 0 && life !== undefined ? `${life.toString(36)}-${number.toString(36)}` : randomUUID()
  return Object.assign(message, { id: idPrefix + id, receivedAt: clock.now() })
}
