import { type LogFields, type Logger, type LogLevel, QuietLines } from '@godwit/broker'
import type { ServerInfo } from '@godwit/client'
import type { BridgeOptions } from './bridge-options.js'
import { timerOf } from './checked-options.js'
import type { BridgeDrop } from './counters.js'
import type { TopicRule } from './topic-map.js'

/** What a bridge tells in the log: each thing once, and a flood of one kind in a few lines. */
export class Narrator {
  /** Why it is not connected. */
  problem: string | undefined
  /** Since when it is connected, or not, in epoch ms. */
  since: number = Date.now()
  #isUp = false
  readonly #bridge: string
  readonly #log: Logger
  readonly #quiet: QuietLines

  constructor(options: BridgeOptions) {
    this.#bridge = options.name
    this.#log = options.log ?? { log() {} }
    this.#quiet = new QuietLines(this.#log, timerOf(options))
  }

  connected({ server, version, sessionPresent }: ServerInfo): void {
    this.problem = undefined
    this.#turns(true)
    this.#tell('info', 'bridge connected', { server, version: versionNames[version], sessionPresent })
  }

  /** The same failure is told once, however often it is met. */
  disconnected(error: Error): void {
    this.#turns(false)
    if (this.problem === error.message) return
    this.problem = error.message
    this.#tell('warn', 'bridge not connected; it goes on trying', { error: error.message })
  }

  /** Session or client have ended with an error. */
  over(error: unknown): void {
    this.disconnected(error instanceof Error ? error : new Error(String(error)))
  }

  /** @param queued messages that wait or are in doubt. */
  lostSession({ server }: ServerInfo, queued: number): void {
    const what = 'the other broker had no session of this bridge: what is in doubt is sent again, and what is retained'
    this.#tell('warn', what, { server, queued })
  }

  granted({ remoteFilter, qos }: TopicRule, granted: number): void {
    if (granted < qos) this.#tell('info', 'the other broker grants a lower QoS', { filter: remoteFilter, qos, granted })
  }

  refused({ remoteFilter }: TopicRule, error: Error): void {
    const what = 'the other broker refuses a subscription; it is asked again on the next connection'
    this.#tell('warn', what, { filter: remoteFilter, error: error.message })
  }

  stateRefused(topic: string, error: Error): void {
    const one = 'the other broker does not take the state of the bridge; give state.topic, or state: false'
    this.#quietly('info', 'state', one, 'states that it does not take', { topic, error: error.message })
  }

  dropped(reason: BridgeDrop, topic: string, why: string): void {
    this.#quietly('warn', reason, 'bridge dropped a message', 'messages dropped by the bridge', { reason, topic, why })
  }

  #turns(isUp: boolean): void {
    if (this.#isUp === isUp) return
    this.#isUp = isUp
    this.since = Date.now()
  }

  #tell(level: LogLevel, message: string, fields: LogFields): void {
    this.#log.log(level, message, { bridge: this.#bridge, ...fields })
  }

  #quietly(level: LogLevel, kind: string, one: string, many: string, fields: LogFields): void {
    const { reason } = fields
    const common = { bridge: this.#bridge, ...(reason !== undefined && { reason }) }
    this.#quiet.tell({ level, kind, one, many, fields: { bridge: this.#bridge, ...fields }, common })
  }
}

const versionNames = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const
