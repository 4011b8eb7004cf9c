import {
  byteLength,
  type QoS,
  reason,
  reasonName,
  type Suback,
  type Subscribe,
  type Subscription,
  splitShared,
  topicLevels,
} from '@godwit/protocol'
import { type Commit, later, noCommit } from '../commit.js'
import { MqttError } from '../errors.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import type { SubscriptionRefusal } from '../metrics.js'
import type { RetainedWalk } from '../router/retained.js'
import type { Answer, Context, Reply } from './context.js'
import { inTurns } from './in-turns.js'
import { reasonInWords } from './reason-string.js'

/** What became of one filter: the granted QoS, or a reason code of 0x80 and more. */
type Verdict = number

/** SUBSCRIBE (section 3.8): decide on each filter in turn, then SUBACK, then what is retained. */
export function onSubscribe(c: Context, p: Subscribe): Answer {
  const { maxTopicBytes, maxTopicLevels } = c.services.limits
  if (p.subscriptions.some(({ filter }) => byteLength(filter) > maxTopicBytes)) {
    throw new MqttError(reason.topicFilterInvalid, `a filter has more than ${maxTopicBytes} bytes`)
  }
  if (p.subscriptions.some(({ filter }) => topicLevels(filter) > maxTopicLevels)) {
    throw new MqttError(reason.topicFilterInvalid, `a filter has more than ${maxTopicLevels} levels`)
  }
  if (c.version === 5) checkSupported(c, p)
  return whenReady(decideAll(c, p.subscriptions), (verdicts) => (c.closed ? undefined : subscribeAll(c, p, verdicts)))
}

/** What CONNACK said is not there must not be asked for (sections 3.2.2.3.11 to 3.2.2.3.13). */
function checkSupported(c: Context, { subscriptions, properties }: Subscribe): void {
  if (!c.offered.subscriptionIdentifiers && properties?.subscriptionIdentifiers) {
    throw new MqttError(reason.subscriptionIdentifiersNotSupported, 'subscription identifiers are not supported here')
  }
  for (const { filter } of subscriptions) {
    const verdict = unsupported(c, filter)
    if (verdict) throw new MqttError(verdict, `${reasonName(verdict).toLowerCase()} here`)
  }
}

function unsupported(c: Context, filter: string): Verdict | undefined {
  if (!c.offered.sharedSubscriptions && splitShared(filter)) return reason.sharedSubscriptionsNotSupported
  if (!c.offered.wildcardSubscriptions && /[+#]/.test(filter)) return reason.wildcardSubscriptionsNotSupported // [MQTT-3.8.3-2]
  return undefined
}

/** One verdict a filter, asked for in the order of the filters. */
function decideAll(c: Context, subscriptions: readonly Subscription[]): MaybeAsync<Verdict[]> {
  const verdicts: Verdict[] = []
  const decideSome = (from: number, to: number): MaybeAsync<void> => {
    for (let at = from; at < to; at++) {
      const verdict = decide(c, subscriptions[at]!)
      if (verdict instanceof Promise) return decideRest(c, subscriptions.slice(at + 1, to), verdicts, verdict)
      verdicts.push(verdict)
    }
  }
  return whenReady(inTurns(subscriptions.length, decideSome), () => verdicts)
}

async function decideRest(
  c: Context,
  rest: readonly Subscription[],
  verdicts: Verdict[],
  pending: Promise<Verdict>,
): Promise<void> {
  verdicts.push(await pending)
  for (const subscription of rest) verdicts.push(await decide(c, subscription))
}

function decide(c: Context, { filter, qos }: Subscription): MaybeAsync<Verdict> {
  const { maximumQos } = c.offered
  const refused = unsupported(c, filter)
  if (refused) return refused
  const granted: QoS = qos < maximumQos ? qos : maximumQos
  const allowed = c.services.hooks.authorize({
    action: 'subscribe',
    client: c.client,
    topic: splitShared(filter)?.filter ?? filter,
    qos,
    retain: false,
  })
  return whenReady(allowed, (yes) => (yes ? granted : reason.notAuthorized))
}

/** Many filters act like many SUBSCRIBEs with one SUBACK, a code a filter, in their order [MQTT-3.8.4-4] [MQTT-3.9.3-1]. */
function subscribeAll(c: Context, p: Subscribe, verdicts: readonly Verdict[]): MaybeAsync<Reply | undefined> {
  const subscribing = new Subscribing(c, p)
  const done = inTurns(verdicts.length, (from, to) => {
    if (!c.closed) subscribing.take(verdicts.slice(from, to))
  })
  return whenReady(done, () => (c.closed ? undefined : subscribing.reply()))
}

const refusals: Readonly<Record<Verdict, SubscriptionRefusal>> = {
  [reason.notAuthorized]: 'not-authorized',
}

/** One SUBSCRIBE on its way to its SUBACK. */
class Subscribing {
  readonly #c: Context
  readonly #p: Subscribe
  readonly #identifier: number
  readonly #reasonCodes: Verdict[] = []
  /** What is retained, for after SUBACK. */
  readonly #owed = new Map<string, RetainedWalk>()
  /** Steps that may be spent on finding out what is retained. */
  #steps = 0
  #commit: Commit = noCommit

  constructor(c: Context, p: Subscribe) {
    this.#c = c
    this.#p = p
    this.#identifier = p.properties?.subscriptionIdentifiers?.[0] ?? 0
  }

  /** Subscribes to the next filters, as the verdicts say. */
  take(verdicts: readonly Verdict[]): void {
    const { slices } = this.#c.services
    const granted = slices.grant()
    this.#steps = granted
    for (const verdict of verdicts) {
      const subscription = this.#p.subscriptions[this.#reasonCodes.length]!
      if (verdict >= 0x80) this.#refused(subscription.filter, refusals[verdict] ?? 'not-supported')
      this.#reasonCodes.push(verdict < 0x80 ? this.#subscribe(subscription, verdict as QoS) : verdict)
    }
    slices.used(granted - this.#steps)
  }

  #refused(filter: string, why: SubscriptionRefusal): void {
    const { client, peer, services } = this.#c
    services.drops.subscriptionRefused(why, client.clientId, peer.address, filter)
  }

  #subscribe(subscription: Subscription, qos: QoS): Verdict {
    const { session, services, client } = this.#c
    const { filter, retainHandling = 0 } = subscription
    const isShared = splitShared(filter) !== undefined
    // Below 5.0 no client can ask for these; a bridge needs them, though never No Local of a shared one [MQTT-3.8.3-4].
    const { noLocal = client.bridge === true && !isShared, retainAsPublished = client.bridge === true } = subscription
    const identifier = this.#identifier
    const isNew = !session.subscriptions.has(filter)
    const full = session.subscriptions.size >= services.limits.maxSubscriptionsPerSession
    if (isNew && (full || this.#hasNoRoom())) {
      this.#refused(filter, full ? 'quota' : 'storage')
      return reason.quotaExceeded
    }
    // By default also for a filter that was there: its retained messages are sent again [MQTT-3.8.4-3].
    const wantsRetained = retainHandling === 0 || (retainHandling === 1 && isNew)
    const owed = wantsRetained && this.#owe(filter) && session.delivery.durable && qos > 0
    const grant = { qos, noLocal, retainAsPublished, identifier, ...(this.#c.isBridge && { bridge: true }) }
    this.#commit = later(this.#commit, session.subscribe(filter, grant, owed))
    return qos
  }

  /** Neither may more be kept, nor, for a session that outlives its connection, written. */
  #hasNoRoom(): boolean {
    const { session, services } = this.#c
    return services.accounts.stored.isFull || (session.delivery.durable && services.store.isLow)
  }

  /**
   * Notes what is retained for the filter; false: nothing is. That takes no more than the steps there are: when it has not been
   * found out by then, it is promised, and the same walk goes on after SUBACK.
   */
  #owe(filter: string): boolean {
    if (splitShared(filter)) return false // nothing retained goes to a shared subscription (section 4.8.2)
    const { router, time } = this.#c.services
    this.#owed.delete(filter)
    const walk = router.retainedFor(filter, () => time.now())
    while (this.#steps > 0) {
      this.#steps--
      const { done, value: found } = walk.next()
      if (done) return false
      if (!found) continue
      this.#owed.set(
        filter,
        router.retainedFor(filter, () => time.now()),
      ) // from the start: what was found may be replaced meanwhile
      return true
    }
    this.#owed.set(filter, walk)
    return true
  }

  reply(): Reply {
    const { session } = this.#c
    return {
      packet: {
        type: 'suback',
        packetId: this.#p.packetId,
        ...answerOf(this.#c, this.#p, this.#reasonCodes),
      },
      commit: this.#commit,
      refuses: this.#reasonCodes.every((code) => code >= 0x80),
      sent: () => {
        for (const [filter, messages] of this.#owed) session.replay(filter, messages)
        session.delivery.pump() // also for shared groups: they may have something waiting
      },
    }
  }
}

/** The codes as the client's version has them, and in words what is wrong with the first that refuses. */
function answerOf(
  c: Context,
  p: Subscribe,
  reasonCodes: readonly Verdict[],
): Pick<Suback, 'reasonCodes' | 'properties'> {
  const at = reasonCodes.findIndex((code) => code >= 0x80)
  if (at < 0) return { reasonCodes }
  // 3.1 has no refusal: its clients are answered what they asked for (its section 3.8).
  if (c.version === 3) {
    return { reasonCodes: reasonCodes.map((code, n) => (code < 0x80 ? code : p.subscriptions[n]!.qos)) }
  }
  const which = reasonCodes.length > 1 ? ` (filter ${at + 1} of ${reasonCodes.length})` : ''
  return { reasonCodes, ...reasonInWords(c, `${reasonName(reasonCodes[at]!)}${which}`) }
}
