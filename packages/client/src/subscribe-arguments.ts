import { encode, ProtocolError, splitShared, type TopicPattern, topicPattern } from '@godwit/protocol'
import type { Checks } from './checks.js'
import { InvalidArgumentError, invalidOption } from './errors.js'
import { ownProperties } from './given-properties.js'
import type { SubscribeOptions } from './subscription.js'
import { kindOf } from './value-kind.js'

/** What subscribe() was given, read and copied. */
export interface SubscribeArguments {
  readonly patterns: readonly TopicPattern<string>[]
  readonly options: SubscribeOptions
}

/** @throws InvalidArgumentError for what no server could be sent. */
export function subscribeArguments(
  filter: unknown,
  options: SubscribeOptions | undefined,
  checks: Checks,
): SubscribeArguments {
  const patterns = patternsOf('subscribe', filter)
  if (options === undefined) return { patterns, options: {} }
  checks.options('subscribe', 'subscribe', options)
  const { noLocal = false } = options
  const shared = noLocal ? patterns.find((pattern) => splitShared(pattern.filter)) : undefined
  if (shared !== undefined) throw notFor(`noLocal is not for the shared subscription '${shared.filter}'`) // [MQTT-3.8.3-4] of 5.0
  const properties = ownProperties<'subscribe'>(options.properties)
  checkTerms(options, properties)
  return { patterns, options: properties === undefined ? options : { ...options, properties } }
}

/** @throws InvalidArgumentError 'invalid-filter'. */
export function patternsOf(call: string, filter: unknown): TopicPattern<string>[] {
  const patterns = (Array.isArray(filter) ? filter : [filter]).map((each) => patternOf(call, each))
  if (patterns.length === 0) throw new InvalidArgumentError('invalid-filter', `${call}: no topic filter was given`) // [MQTT-3.8.3-3]
  return patterns
}

function checkTerms(options: SubscribeOptions, properties: SubscribeOptions['properties']): void {
  const { qos = 0, retainHandling = 0 } = options
  try {
    encode({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos, retainHandling }], properties }, 5)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw notFor(error.message)
  }
}

function patternOf(call: string, filter: unknown): TopicPattern<string> {
  if (typeof filter !== 'string') {
    throw new InvalidArgumentError('invalid-filter', `${call}: the filter is ${kindOf(filter)}, not a string`)
  }
  try {
    return topicPattern(filter)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new InvalidArgumentError('invalid-filter', error.message)
  }
}

function notFor(what: string): InvalidArgumentError {
  return invalidOption(`subscribe: ${what}`)
}
