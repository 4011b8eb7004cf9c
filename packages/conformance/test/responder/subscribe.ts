import { ProtocolError, reason, type Subscribe, type Subscription, type Unsubscribe } from '@godwit/protocol'
import type { Link } from './link.js'
import type { World } from './world.js'

/** SUBSCRIBE (section 3.8): each filter by itself, one SUBACK for all, then what is retained. */
export function onSubscribe(link: Link, { packetId, subscriptions: given, properties }: Subscribe): void {
  const { router, world } = link.services
  const { mutated } = world
  const session = link.session!
  const identifier = properties?.subscriptionIdentifiers?.[0]
  if (identifier !== undefined && world.chooses('identifiers-refused')) throw new IdentifiersNotSupported()
  const known = new Set(session.subscriptions.keys())
  const isSame = given.every(
    ({ filter, qos, retainHandling = 0 }) => retainHandling === 0 && session.subscriptions.get(filter)?.qos === qos,
  )
  const distinct = new Set(given.map(({ filter }) => filter))
  const isTwice = distinct.size < given.length && mutated('same-filter-counted-once')
  const subscriptions = isTwice ? given.slice(0, distinct.size) : given
  const taken = subscriptions.length > 1 && mutated('first-filter-only') ? subscriptions.slice(0, 1) : subscriptions
  const granted = taken.map((one) => ({ ...one, identifier }))
  for (const one of granted) {
    session.subscriptions.set(one.filter, one)
    if (session.expiryMs > 0 && mutated('subscriptions-last-a-second')) {
      world.clock.after(1500, () => void session.subscriptions.delete(one.filter))
    }
  }
  const isSecond = known.size === 1 && session.subscriptions.size === 2
  const reasonCodes = subscriptions.map((one) => codeFor(one, isSecond, mutated))
  if (reasonCodes.length > 1 && mutated('suback-codes-sorted')) reasonCodes.sort()
  if (!isSame || !mutated('renewal-unanswered')) link.send({ type: 'suback', packetId, reasonCodes })
  for (const one of granted) {
    if (!isReplayed(one, !known.has(one.filter), mutated)) continue
    for (const copy of router.retainedFor(one)) session.deliver(copy)
  }
}

class IdentifiersNotSupported extends ProtocolError {
  override readonly reasonCode = reason.subscriptionIdentifiersNotSupported
  constructor() {
    super('protocol-error', 'no subscription identifiers')
  }
}

/** The QoS asked for; a correct server refuses nothing. */
function codeFor({ filter, qos }: Subscription, isSecond: boolean, mutated: World['mutated']): number {
  if (/^[^/]+\/[^/]+\/\+\/#$/.test(filter) && mutated('wildcards-refused-but-served')) return reason.unspecifiedError
  if (filter.length > 4000 && mutated('long-filters-refused-with-0x90')) return reason.topicFilterInvalid
  return isSecond && qos === 1 && filter.split('/').length === 3 && mutated('suback-says-one-more') ? 2 : qos
}

/** Whether a subscription brings what is retained [MQTT-3.8.4-3]; 5.0 lets the client say (section 3.8.3.1). */
function isReplayed({ retainHandling = 0 }: Subscription, isNew: boolean, mutated: World['mutated']): boolean {
  if (!isNew && mutated('nothing-retained-for-renewals')) return false
  if (retainHandling === 0) return true
  if (retainHandling === 1) return isNew || mutated('retain-handling-1-ignored')
  return mutated('retain-handling-2-ignored')
}

/** UNSUBSCRIBE (section 3.10): filters compared character by character [MQTT-3.10.4-1]. */
export function onUnsubscribe(link: Link, { packetId, filters: given }: Unsubscribe): void {
  const { mutated } = link.services.world
  const session = link.session!
  const filters = given.length > 1 && mutated('first-unsubscribed-only') ? given.slice(0, 1) : given
  const known = new Set(session.subscriptions.keys())
  const removed = new Set<string>()
  for (const own of [...session.subscriptions.keys()]) {
    const same = (filter: string): boolean =>
      filter === own || (mutated('unsubscribe-ignores-case') && filter.toLowerCase() === own.toLowerCase())
    if (!filters.some(same)) continue
    removed.add(own)
    if (own.endsWith('#') && mutated('hash-not-unsubscribed')) continue
    session.subscriptions.delete(own)
  }
  if (mutated('unsubscribe-forgets-sent')) session.forgetSent()
  const isIdle = session.subscriptions.size + removed.size === 0 && given[0] !== '/'
  if (isIdle && mutated('nothing-unsubscribed-unanswered')) return
  const isEmpty = (filter: string): boolean => !known.has(filter)
  const isTold = !link.services.world.chooses('unsubscribed-says-success')
  if (packetId === 9 && mutated('unsubscribe-9-unanswered')) return
  const reasonCodes = given.map((filter) => (isEmpty(filter) && isTold ? reason.noSubscriptionExisted : reason.success))
  if (reasonCodes.length > 1 && mutated('unsuback-codes-sorted')) reasonCodes.sort((a, b) => b - a)
  link.send({ type: 'unsuback', packetId, reasonCodes })
}
