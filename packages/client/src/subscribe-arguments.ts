import { encode, ProtocolError, splitShared, type TopicPattern, topicPattern } from '@godwit/protocol'
import { InvalidArgumentError } from './errors.js'
import { isQos } from './qos.js'
import type { SubscribeOptions } from './subscription.js'

/**
 * The filters of subscribe(), read.
 * @throws InvalidArgumentError for what no server could be sent.
 */
export function patternsOf<F extends string>(
  filter: F | readonly F[],
  { qos = 0, noLocal = false, retainHandling = 0, properties }: SubscribeOptions<F>,
): TopicPattern<string>[] {
  const patterns = (typeof filter === 'string' ? [filter] : filter).map(patternOf)
  if (patterns.length === 0) throw new InvalidArgumentError('invalid-filter', 'no topic filter was given') // [MQTT-3.8.3-3]
  if (!isQos(qos)) throw invalidOption(`qos is ${qos}, not 0, 1 or 2`)
  if (![0, 1, 2].includes(retainHandling)) throw invalidOption(`retainHandling is ${retainHandling}, not 0, 1 or 2`)
  const shared = noLocal ? patterns.find((pattern) => splitShared(pattern.filter)) : undefined
  if (shared !== undefined) throw invalidOption(`noLocal is not for the shared subscription '${shared.filter}'`) // [MQTT-3.8.3-4] of 5.0
  if (properties !== undefined) checkProperties(properties)
  return patterns
}

function checkProperties({ userProperties }: NonNullable<SubscribeOptions['properties']>): void {
  try {
    const properties = userProperties && { userProperties }
    encode({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }], properties }, 5)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw invalidOption(error.message)
  }
}

function patternOf(filter: string): TopicPattern<string> {
  try {
    return topicPattern(filter)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new InvalidArgumentError('invalid-filter', error.message)
  }
}

function invalidOption(what: string): InvalidArgumentError {
  return new InvalidArgumentError('invalid-option', `subscribe: ${what}`)
}
