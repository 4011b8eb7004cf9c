import { brokerProperty } from '@godwit/broker/bridging'
import type { RelayWindow } from '@godwit/client/relay'
import type { BridgeOptions } from './bridge-options.js'
import type { TopicRule } from './topic-map.js'

/** As many as mosquitto, by its own measure (`max_inflight_messages`), knows of after a restart. */
const careful = 20
const wide = 65_535

/**
 * How many messages the other broker may have on their way to here at 5.0. After a restart mosquitto 2.0 knows of the first 20 what was
 * acknowledged, and sends the others again or never finishes them. So where QoS 2 comes in, there are 20 and no more, but from a
 * Godwit, which knows of all: it says in CONNACK what it is, and is then connected to anew.
 */
export class ReceiveWindow implements RelayWindow {
  readonly #given: number | undefined
  readonly #isCareful: boolean
  /** URLs of Godwits. */
  readonly #godwits = new Set<string>()

  constructor({ receiveMaximum }: BridgeOptions, rules: readonly TopicRule[]) {
    this.#given = receiveMaximum
    this.#isCareful = receiveMaximum === undefined && rules.some(({ comesIn, qos }) => comesIn && qos === 2)
  }

  receiveMaximum(url: string): number {
    return this.#given ?? (this.#isCareful && !this.#godwits.has(url) ? careful : wide)
  }

  isWrongFor(url: string, said: readonly (readonly [string, string])[]): boolean {
    if (!this.#isCareful || this.#godwits.has(url) || !said.some(([name]) => name === brokerProperty)) return false
    this.#godwits.add(url)
    return true
  }
}
