import type { Usage } from './broker-process.js'
import type { Way } from './dial.js'
import { arrivedOf, type BenchSettings, connectionsOf, expectedOf } from './settings.js'
import type { Percentiles, Tally } from './tally.js'

/** What a bench came to: `--json` prints it. Times are in microseconds, sizes in bytes. */
export interface BenchResult {
  readonly scenario: BenchSettings['scenario']
  /** Host and port. */
  readonly server: string
  readonly version: '3.1.1' | '5.0'
  readonly qos: number
  readonly size: number
  readonly pubs: number
  readonly subs: number
  /** Retained messages, of the scenario `retained`; else null. */
  readonly topics: number | null
  readonly clean: boolean
  /** Null: closed loop. */
  readonly rate: number | null
  readonly window: number
  readonly workers: number
  /** How long was measured. */
  readonly seconds: number
  /** All that happened, warm-up included: `expected` is what should have arrived of what was sent. */
  readonly messages: {
    readonly sent: number
    readonly expected: number
    readonly received: number
    readonly missing: number
    readonly repeated: number
    readonly refused: number
    /** That the rate asked for and the server did not let out. */
    readonly late: number
  }
  /** Arrivals (where nobody subscribes: acknowledgements) in the measured time. Null for `conn`. */
  readonly messagesPerSecond: number | null
  /** Null when nothing was timed. */
  readonly latencyMicros: Percentiles | null
  readonly connections: {
    readonly count: number
    readonly perSecond: number
    readonly latencyMicros: Percentiles | null
  }
  /** With `--pid`. */
  readonly broker: BrokerUse | null
}

/** What the broker's process used. */
export interface BrokerUse {
  /** CPU of all its threads for one of the messages that `messagesPerSecond` counts. */
  readonly cpuMicrosPerMessage: number | null
  /** Of one core: 1 is all of it. */
  readonly cpuShare: number
  readonly cpuMicrosPerConnection: number
  /** RssAnon before the first connection, when all were made, and at the end. */
  readonly memoryBytes: { readonly before: number; readonly connected: number; readonly end: number }
  readonly memoryBytesPerConnection: number
}

/** What {@link resultOf} makes a result of. */
export interface Measured {
  readonly tally: Tally
  readonly connectSeconds: number
  /** Measured time. */
  readonly seconds: number
  readonly latency: Percentiles | undefined
  readonly connecting: Percentiles | undefined
  readonly usage: MeasuredUsage | undefined
}

interface MeasuredUsage {
  readonly before: Usage
  readonly connected: Usage
  /** At the two ends of the measured time. */
  readonly usedBefore: Usage
  readonly usedAfter: Usage
}

export function resultOf(settings: BenchSettings, measured: Measured): BenchResult {
  const { tally, seconds, connectSeconds } = measured
  const { scenario, way, version, qos, size, pubs, subs, topics, clean, rate, window, workers } = settings
  const count = connectionsOf(settings)
  const expected = expectedOf(settings, tally)
  const arrived = arrivedOf(settings, tally)
  return {
    ...{ scenario, server: serverName(way), version: version === 5 ? '5.0' : '3.1.1', qos, size, pubs, subs },
    ...{ topics: scenario === 'retained' ? topics : null, clean, rate: rate ?? null, window, workers, seconds },
    messages: {
      ...{ sent: tally.sent, expected, received: arrived, missing: expected - arrived },
      ...{ repeated: tally.repeated, refused: tally.refused, late: tally.late },
    },
    messagesPerSecond: scenario === 'conn' || seconds === 0 ? null : tally.measured / seconds,
    latencyMicros: measured.latency ?? null,
    connections: { count, perSecond: count / connectSeconds, latencyMicros: measured.connecting ?? null },
    broker: measured.usage ? brokerUse(measured.usage, measured, count) : null,
  }
}

function brokerUse(usage: MeasuredUsage, { tally, seconds }: Measured, connections: number): BrokerUse {
  const { before, connected, usedBefore, usedAfter } = usage
  const cpuMicros = usedAfter.cpuMicros - usedBefore.cpuMicros
  return {
    cpuMicrosPerMessage: tally.measured > 0 ? cpuMicros / tally.measured : null,
    cpuShare: seconds > 0 ? cpuMicros / (seconds * 1e6) : 0,
    cpuMicrosPerConnection: (connected.cpuMicros - before.cpuMicros) / connections,
    memoryBytes: { before: before.memoryBytes, connected: connected.memoryBytes, end: usedAfter.memoryBytes },
    memoryBytesPerConnection: (connected.memoryBytes - before.memoryBytes) / connections,
  }
}

/** `127.0.0.1:1883` for TCP, else the URL. */
function serverName({ url }: Way): string {
  return url.replace(/^mqtt:\/\//, '')
}
