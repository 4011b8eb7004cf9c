import { type Broker, BrokerError } from '@godwit/broker'
import type { Client, QoS, WillOptions } from '@godwit/client'
import { isTopicName } from '@godwit/protocol'
import type { BridgeOptions } from './bridge-options.js'
import { remoteClientId } from './checked-options.js'
import { BridgeError } from './errors.js'

/** Where a bridge says whether it stands: `1` or `0`, retained, here and on the other broker, where a will says `0`. */
export class StateTopics {
  readonly topic: string | undefined
  /** Of the connection to the other broker. */
  readonly will: WillOptions | undefined
  readonly #broker: Broker
  readonly #onRefused: (topic: string, error: Error) => void
  #told: boolean | undefined

  /** @throws BridgeError for a topic that is none. */
  constructor(broker: Broker, options: BridgeOptions, onRefused: (topic: string, error: Error) => void) {
    const { name, state = {} } = options
    this.#broker = broker
    this.#onRefused = onRefused
    if (state === false) return
    const { topic = `$SYS/broker/connection/${remoteClientId(options)}/state`, localOnly = false } = state
    if (!isTopicName(topic))
      throw new BridgeError(name, `state.topic is ${JSON.stringify(topic)}, which is no topic name`)
    this.topic = topic
    if (!localOnly) this.will = { topic, payload: '0', qos: 1, retain: true }
  }

  /** Here. A broker that is closed need not be told. */
  async tell(isUp: boolean): Promise<void> {
    if (this.topic === undefined || this.#told === isUp) return
    this.#told = isUp
    try {
      await this.#broker.publish(this.topic, isUp ? '1' : '0', { qos: 1, retain: true })
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'closed') throw error
    }
  }

  /** On the other broker. */
  async tellThere(client: Client, isUp: boolean): Promise<void> {
    if (!this.will) return
    const { topic } = this.will
    const { maximumQos = 1, retainAvailable = true } = client.server?.properties ?? {}
    const qos = Math.min(1, maximumQos) as QoS
    try {
      await client.publish(topic, isUp ? '1' : '0', { qos, retain: retainAvailable, timeoutMs: 10_000 })
    } catch (error) {
      if (client.connected) this.#onRefused(topic, error as Error)
    }
  }
}
