import type { Counters, History } from './answers.js'
import { type Look, rates, sum } from './live.js'
import type { Series } from './parts/curve.js'
import { texts } from './texts.js'

const words = texts.overview

/** The curves of the overview. */
export type CurveName = 'clients' | 'in' | 'out' | 'queued' | 'dropped' | 'commit' | 'loop' | 'bytes'

export interface Curves extends Readonly<Record<CurveName, readonly Series[]>> {
  /** Seconds since 1970. */
  readonly times: readonly number[]
}

const qosNames = ['QoS 0', 'QoS 1', 'QoS 2']
const one = (values: readonly (number | null)[]): readonly Series[] => [{ name: '', values }]

/** What this page has seen itself. */
export function curvesOfLooks(looks: readonly Look[]): Curves {
  const rate = (of: (counters: Counters) => number): readonly (number | null)[] => rates(of, looks)
  const byQos = (of: (counters: Counters) => readonly number[]): readonly Series[] =>
    qosNames.map((name, qos) => ({ name, values: rate((counters) => of(counters)[qos] ?? 0) }))
  const spent = rate(({ commits }) => commits.latency.sum)
  const made = rate(({ commits }) => commits.latency.count)
  return {
    times: looks.map(({ at }) => at / 1_000),
    clients: one(looks.map(({ broker }) => broker.clients)),
    in: byQos(({ publishReceivedByQos }) => publishReceivedByQos),
    out: byQos(({ publishSentByQos }) => publishSentByQos),
    queued: one(looks.map(({ counters }) => counters.queued.messages)),
    dropped: one(rate(({ dropped }) => sum(dropped))),
    commit: one(spent.map((value, at) => (value !== null && made[at] ? value / made[at] : null))),
    loop: one(looks.map(({ loop }) => loop)),
    bytes: [
      { name: words.inwards, values: rate(({ plain }) => plain.bytesReceived ?? 0) },
      { name: words.outwards, values: rate(({ plain }) => plain.bytesSent ?? 0) },
    ],
  }
}

/** What the broker's server has kept. */
export function curvesOfHistory({ times, series }: History): Curves {
  const of = (name: string): readonly (number | null)[] => series[name] ?? []
  const byQos = (name: string): readonly Series[] =>
    qosNames.map((title, qos) => ({ name: title, values: of(`${name}Qos${qos}`) }))
  return {
    times,
    clients: one(of('clients')),
    in: byQos('publishReceived'),
    out: byQos('publishSent'),
    queued: one(of('queuedMessages')),
    dropped: one(of('dropped')),
    commit: one(of('commitSeconds')),
    loop: one(of('eventLoopSeconds')),
    bytes: [
      { name: words.inwards, values: of('bytesReceived') },
      { name: words.outwards, values: of('bytesSent') },
    ],
  }
}
