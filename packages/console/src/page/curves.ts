import type { History } from './answers.js'
import type { Point } from './news.js'
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

/** Of the last minutes, a point a second. */
export function curvesOfPoints(points: readonly Point[]): Curves {
  const of = (name: string): readonly (number | null)[] =>
    points.map(({ [name]: value }) => (typeof value === 'number' ? value : null))
  return curvesOf(
    points.map(({ at }) => Date.parse(at) / 1_000),
    of,
  )
}

/** What the broker's server has kept. */
export function curvesOfHistory({ times, series }: History): Curves {
  return curvesOf(times, (name) => series[name] ?? [])
}

function curvesOf(times: readonly number[], of: (name: string) => readonly (number | null)[]): Curves {
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
