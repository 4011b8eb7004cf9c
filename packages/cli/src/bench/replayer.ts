import type { RecordableHistogram } from 'node:perf_hooks'
import type { Packet } from '@godwit/protocol'
import { CommandError } from '../command-error.js'
import { BenchConnection } from './bench-connection.js'
import { micros } from './clock.js'
import { scenarios } from './scenario.js'
import type { BenchSettings } from './settings.js'
import { acknowledge } from './subscriber.js'
import { note } from './tally.js'
import type { Timing } from './timing.js'

/**
 * Subscribes to all retained messages, and again as soon as it has them: every SUBSCRIBE has them sent [MQTT-3.8.4-3]
 * (5.0: Retain Handling 0). What is timed is the whole of such a replay.
 */
export class Replayer {
  readonly connection: BenchConnection
  /** Messages asked for. */
  sent = 0
  received = 0
  measured = 0
  readonly #settings: BenchSettings
  readonly #latency: RecordableHistogram
  #timing: Timing | undefined
  #asked = 0
  #packetId = 0

  constructor(
    index: number,
    settings: BenchSettings,
    latency: RecordableHistogram,
    onFailure: (error: CommandError) => void,
  ) {
    this.#settings = settings
    this.#latency = latency
    this.connection = new BenchConnection(`subscriber ${index}`, settings, {
      onPacket: (packet, now) => this.#onPacket(packet, now, onFailure),
      onDrain: () => {},
      onFailure,
    })
  }

  start(timing: Timing): void {
    this.#timing = timing
    this.#ask(micros())
  }

  #ask(now: number): void {
    const { scenario, topic, topics, qos } = this.#settings
    if (!this.#timing || now >= this.#timing.end) return
    this.#asked = now
    this.sent += topics
    this.#packetId = (this.#packetId % 65_535) + 1
    const filter = scenarios[scenario].filter(topic, 0)
    this.connection.put({ type: 'subscribe', packetId: this.#packetId, subscriptions: [{ filter, qos }] })
    this.connection.flush()
  }

  #onPacket(packet: Packet, now: number, onFailure: (error: CommandError) => void): void {
    if (packet.type === 'publish') {
      if (packet.qos > 0) acknowledge(this.connection, packet)
      this.received++
      if (this.#timing?.measures(now)) this.measured++
      if (this.received < this.sent) return
      if (this.#timing?.measures(this.#asked)) note(this.#latency, now - this.#asked)
      this.#ask(now)
    } else if (packet.type === 'pubrel') {
      this.connection.put({ type: 'pubcomp', packetId: packet.packetId })
    } else if (packet.type === 'suback' && (packet.reasonCodes[0] ?? 0x80) >= 0x80) {
      onFailure(new CommandError(`the server refused the subscription of ${this.connection.name}`))
    }
  }
}
