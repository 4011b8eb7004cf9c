import type { QoS } from '@godwit/protocol'
import type { Way } from './dial.js'
import { type ScenarioName, scenarios } from './scenario.js'
import type { Tally } from './tally.js'

/** What a bench is to do; the same for all its threads, so plain data. */
export interface BenchSettings {
  readonly scenario: ScenarioName
  readonly way: Way
  readonly username?: string
  readonly password?: string
  /** 4 is MQTT 3.1.1. */
  readonly version: 4 | 5
  readonly qos: QoS
  /** Bytes of a payload, {@link stampBytes} at least. */
  readonly size: number
  readonly pubs: number
  readonly subs: number
  readonly clients: number
  /** Retained messages, of the scenario `retained`. */
  readonly topics: number
  /** Whether sessions end with their connections. */
  readonly clean: boolean
  /** Messages a second of all publishers together (of `conn`: connections); undefined: as many as the window lets. */
  readonly rate?: number
  /** Messages of one publisher that may be on their way (of `conn`: connections being made). */
  readonly window: number
  /** Messages to be published altogether; undefined: no bound but time. */
  readonly count?: number
  readonly warmupSeconds: number
  readonly seconds: number
  /** What all topics begin with. */
  readonly topic: string
  /** What all Client Identifiers begin with: new for each run. */
  readonly clientPrefix: string
  /** Threads that make the load. */
  readonly workers: number
}

/** How many subscribers get each message that is published. */
export function receiversOf({ scenario, subs }: BenchSettings): number {
  return scenarios[scenario].paired ? 1 : subs
}

/** How many messages should have come (where nobody subscribes: been acknowledged) of those sent so far. */
export function expectedOf(settings: BenchSettings, { sent, received }: Tally): number {
  const { listens, retained } = scenarios[settings.scenario]
  if (listens) return received // only their publisher knows
  return settings.subs === 0 || retained ? sent : sent * receiversOf(settings)
}

/** How many have. */
export function arrivedOf({ subs }: BenchSettings, { received, acknowledged }: Tally): number {
  return subs === 0 ? acknowledged : received
}

/** Connections of all roles. */
export function connectionsOf({ pubs, subs, clients }: BenchSettings): number {
  return pubs + subs + clients
}

/** Those of `count` things that one of the threads has: every so-many-th, so that pairs stay together. */
export function shareOf(count: number, worker: number, workers: number): readonly number[] {
  return Array.from({ length: Math.ceil(Math.max(0, count - worker) / workers) }, (_, at) => at * workers + worker)
}
