import { isTopicFilter, isTopicName, matchesFilter, type QoS, splitShared } from '@godwit/protocol'
import { BrokerError } from '../errors.js'
import type { InsideMessage } from '../inside/inside-message.js'
import { checkNames, type NamesOf } from '../option-names.js'

/** A message on its way out. */
export interface OutletMessage extends Omit<InsideMessage, 'ack' | 'identifiers'> {
  /**
   * The same when the message comes again, also after a restart, and never that of another message of this broker: what notes it
   * with its data does each message once. Of a message at QoS 0 it is the same only within this process.
   */
  readonly id: string
  /** When the outlet was given it, in epoch ms: what waits on disk while the destination is away has not been given yet. */
  readonly receivedAt: number
}

/**
 * What `write` throws when the destination has said that it will never have these messages: trying again is of no use. Other errors
 * are tried again.
 */
export class MessageRefusedError extends Error {
  override readonly name = 'MessageRefusedError'
}

/** One attempt to write a batch. */
export interface OutletAttempt {
  /** Aborted when its time is over. */
  readonly signal: AbortSignal
  /** 1 and up, of this batch. */
  readonly attempt: number
}

export interface OutletOptions {
  /** What is wanted: Topic Filters, or filters with the highest QoS, which is 1 otherwise. `$share/…` too. */
  readonly filters: readonly (string | { readonly filter: string; readonly qos?: QoS | undefined })[]
  /**
   * Writes a batch. When it resolves, its messages are acknowledged. When it rejects, they are written again, after a while; but
   * with a {@link MessageRefusedError} the batch is halved until the message that is refused has been found.
   */
  readonly write: (messages: readonly OutletMessage[], attempt: OutletAttempt) => Promise<unknown>
  /** Client Identifier of the session in which messages wait. Default `plugin-` and the plugin's name. */
  readonly clientId?: string | undefined
  /** How long messages wait while nobody runs the plugin. Seconds, default Infinity: for ever. */
  readonly expirySeconds?: number | undefined
  /** Messages in a batch, at most. 1 to 10,000, default 500. As many again are in memory while it is written. */
  readonly maxBatchMessages?: number | undefined
  /** Bytes of payload after which a batch is closed. Default 1,048,576. */
  readonly maxBatchBytes?: number | undefined
  /** Milliseconds that the first message of a batch waits for others. Default 100; 0 = what is there goes at once. */
  readonly lingerMs?: number | undefined
  /** Milliseconds for one attempt. Default 30,000. */
  readonly timeoutMs?: number | undefined
  /** Milliseconds before the second attempt; doubled with each further one. Default 500. */
  readonly firstRetryMs?: number | undefined
  /** Milliseconds between attempts, at most. Default 30,000. */
  readonly mostRetryMs?: number | undefined
  /** Milliseconds that a write under way is given when the plugin ends. Default 5,000. */
  readonly graceMs?: number | undefined
  /** A topic on which messages that are refused are published, with why. Default: they are counted and told alone. */
  readonly refusedTopic?: string | undefined
  /** In front of each `id`. Of use where several brokers write to one place. Default: nothing. */
  readonly idPrefix?: string | undefined
}

/** Of what an outlet has done since it was opened. */
export interface OutletCounts {
  /** Messages that the destination has. */
  written: number
  /** Batches of them. */
  batches: number
  /** Attempts that failed and are repeated. */
  failed: number
  /** Messages that the destination will not have, set aside. */
  refused: number
}

/** The same with every default filled in. */
export type CheckedOutlet = {
  readonly [K in Exclude<keyof OutletOptions, 'filters' | 'refusedTopic'>]-?: NonNullable<OutletOptions[K]>
} & {
  readonly filters: ReadonlyMap<string, QoS>
  readonly refusedTopic: string | undefined
}

const names: NamesOf<OutletOptions> = {
  filters: true,
  write: true,
  clientId: true,
  expirySeconds: true,
  maxBatchMessages: true,
  maxBatchBytes: true,
  lingerMs: true,
  timeoutMs: true,
  firstRetryMs: true,
  mostRetryMs: true,
  graceMs: true,
  refusedTopic: true,
  idPrefix: true,
}
const filterNames = { filter: true, qos: true } as const
const longest = 2 ** 31 - 1

/** @throws BrokerError `invalid-option`; `invalid-topic`. */
export function checkOutlet(plugin: string, options: OutletOptions): CheckedOutlet {
  checkNames(options, names, 'openOutlet')
  const { write, clientId = `plugin-${plugin}`, expirySeconds = Number.POSITIVE_INFINITY, idPrefix = '' } = options
  const { maxBatchMessages = 500, maxBatchBytes = 1_048_576, lingerMs = 100, timeoutMs = 30_000 } = options
  const { firstRetryMs = 500, mostRetryMs = 30_000, graceMs = 5_000, refusedTopic } = options
  if (typeof write !== 'function') throw wrong('write', write, 'a function')
  checkWhole({ maxBatchMessages }, 1, 10_000)
  checkWhole({ maxBatchBytes, timeoutMs, firstRetryMs, mostRetryMs }, 1, longest)
  checkWhole({ lingerMs, graceMs }, 0, longest)
  const filters = filtersOf(options.filters)
  if (refusedTopic !== undefined) checkRefusedTopic(refusedTopic, filters)
  const times = { lingerMs, timeoutMs, firstRetryMs, mostRetryMs, graceMs }
  return { filters, write, clientId, expirySeconds, maxBatchMessages, maxBatchBytes, ...times, refusedTopic, idPrefix }
}

function filtersOf(given: OutletOptions['filters']): ReadonlyMap<string, QoS> {
  if (!Array.isArray(given) || given.length === 0) throw wrong('filters', given, "a list, such as ['sensors/#']")
  const filters = new Map<string, QoS>()
  for (const one of given) {
    const { filter, qos = 1 } = typeof one === 'string' ? { filter: one } : one
    if (typeof one === 'object') checkNames(one, filterNames, 'filters')
    if (typeof filter !== 'string' || !isTopicFilter(filter)) {
      throw new BrokerError('invalid-topic', `${JSON.stringify(filter)} is not a topic filter`)
    }
    if (qos !== 0 && qos !== 1 && qos !== 2) throw wrong('qos', qos, '0, 1 or 2')
    filters.set(filter, qos)
  }
  return filters
}

/** What is refused must not come back. */
function checkRefusedTopic(topic: string, filters: ReadonlyMap<string, QoS>): void {
  if (!isTopicName(topic) || topic.startsWith('$')) throw wrong('refusedTopic', topic, 'a topic name')
  for (const filter of filters.keys()) {
    if (!matchesFilter(splitShared(filter)?.filter ?? filter, topic)) continue
    throw wrong('refusedTopic', topic, `a topic that no filter matches; ${filter} does`)
  }
}

function checkWhole(values: Readonly<Record<string, number>>, least: number, most: number): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isInteger(value) || value < least || value > most) {
      throw wrong(name, value, `whole numbers from ${least} to ${most}`)
    }
  }
}

function wrong(name: string, value: unknown, takes: string): BrokerError {
  return new BrokerError('invalid-option', `${name} is ${JSON.stringify(value)}; it takes ${takes}`)
}
