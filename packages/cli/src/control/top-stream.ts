import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Metrics } from '@godwit/broker'
import { version } from '../version.js'
import type { Answers } from './answers.js'
import { BusiestTopics } from './busiest-topics.js'
import type { InspectedBroker } from './inspected-broker.js'
import { Rankings } from './rankings.js'
import type { TopSnapshot, TopTotals } from './top-snapshot.js'

const intervalMs = 1_000
const delayResolutionMs = 10
const mostTopics = 20

/** Sends a snapshot a second until nobody reads any longer; one that a slow reader does not take is left out. */
export async function streamTop(
  broker: InspectedBroker,
  answers: Pick<Answers, 'send' | 'end' | 'whenLeft'>,
): Promise<void> {
  const left = new AbortController()
  const watch: Watch = {
    broker,
    rankings: new Rankings(broker, left.signal),
    topics: await BusiestTopics.of(broker),
    delay: monitorEventLoopDelay({ resolution: delayResolutionMs }),
  }
  watch.delay.enable()
  answers.whenLeft(() => {
    left.abort()
    void watch.topics.stop()
    watch.delay.disable()
  })
  Promise.all([watch.rankings.run(), send(watch, answers, left.signal)]).catch((error: unknown) => {
    if (!left.signal.aborted) answers.end({ error: `there is no snapshot: ${String(error)}` })
  })
}

/** What is looked at while somebody looks. */
interface Watch {
  readonly broker: InspectedBroker
  readonly rankings: Rankings
  readonly topics: BusiestTopics
  readonly delay: IntervalHistogram
}

async function send(watch: Watch, answers: Pick<Answers, 'send'>, left: AbortSignal): Promise<never> {
  await setImmediate() // the rankings of a small broker are known then
  for (;;) {
    answers.send(await snapshotOf(watch))
    await setTimeout(intervalMs, undefined, { signal: left, ref: false })
    await watch.topics.next()
  }
}

async function snapshotOf({ broker, rankings, topics, delay }: Watch): Promise<TopSnapshot> {
  const [clients, sessions, subscriptions, retained, retainedBytes, metrics] = await Promise.all([
    broker.clients.count(),
    broker.sessions.count(),
    broker.subscriptions.count(),
    broker.retained.count(),
    broker.retained.bytes(),
    broker.metrics(),
  ])
  const { slowest, deepest } = rankings
  const lateMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - delayResolutionMs) || 0 // NaN: no sample
  const eventLoopDelayMs = { mean: lateMs(delay.mean), max: lateMs(delay.max) }
  delay.reset()
  return {
    version,
    pid: process.pid,
    at: Date.now(),
    elapsedMs: performance.now(),
    uptimeSeconds: Math.floor(process.uptime()),
    clients,
    sessions,
    subscriptions,
    retained,
    retainedBytes,
    totals: totalsOf(metrics),
    memoryBytes: process.memoryUsage.rss(),
    eventLoopDelayMs,
    ...(slowest && { slowest }),
    ...(deepest && { deepest }),
    busiest: topics.top(mostTopics),
  }
}

function totalsOf(metrics: Metrics): TopTotals {
  const { user, system } = process.cpuUsage()
  return {
    messagesIn: metrics.publishReceived,
    messagesOut: metrics.publishSent,
    bytesIn: metrics.bytesReceived,
    bytesOut: metrics.bytesSent,
    dropped: metrics.messagesDropped,
    connects: metrics.connectionsAccepted,
    refused: metrics.connectionsRefused,
    cpuMs: (user + system) / 1_000,
  }
}
