import type { RecordableHistogram } from 'node:perf_hooks'
import type { Packet, Publish, ReceivedPublish } from '@godwit/protocol'
import { CommandError } from '../command-error.js'
import { BenchConnection } from './bench-connection.js'
import { scenarios } from './scenario.js'
import type { BenchSettings } from './settings.js'
import { stampNumber, stampPublisher, stampTime } from './stamp.js'
import { note } from './tally.js'
import type { Timing } from './timing.js'

export interface SubscriberEvents {
  /** A message of that publisher has come. */
  onReceived(publisher: number): void
  onFailure(error: CommandError): void
}

/** Takes what comes, acknowledges it, and knows what it has seen. */
export class Subscriber {
  readonly connection: BenchConnection
  /** Without those that came again. */
  received = 0
  repeated = 0
  /** Within the measured time. */
  measured = 0
  readonly #index: number
  readonly #settings: BenchSettings
  readonly #latency: RecordableHistogram
  readonly #events: SubscriberEvents
  readonly #listens: boolean
  /** The number of the next message of each publisher: a server keeps their order [MQTT-4.6.0-6]. */
  readonly #next: number[] = []
  #timing: Timing | undefined
  #subscribed: (failure?: CommandError) => void = () => {}

  constructor(index: number, settings: BenchSettings, latency: RecordableHistogram, events: SubscriberEvents) {
    this.#index = index
    this.#settings = settings
    this.#latency = latency
    this.#events = events
    this.#listens = scenarios[settings.scenario].listens === true
    this.connection = new BenchConnection(`subscriber ${index}`, settings, {
      onPacket: (packet, now) => this.#onPacket(packet, now),
      onDrain: () => {},
      onFailure: (error) => {
        this.#subscribed(error)
        events.onFailure(error)
      },
    })
  }

  /** @throws CommandError when the server refuses. */
  async subscribe(): Promise<void> {
    const { scenario, topic, qos } = this.#settings
    const filter = scenarios[scenario].filter(topic, this.#index)
    await new Promise<void>((resolve, reject) => {
      this.#subscribed = (failure) => (failure ? reject(failure) : resolve())
      this.connection.put({ type: 'subscribe', packetId: 1, subscriptions: [{ filter, qos }] })
      this.connection.flush()
    })
  }

  start(timing: Timing): void {
    this.#timing = timing
  }

  #onPacket(packet: Packet, now: number): void {
    switch (packet.type) {
      case 'publish':
        this.#onPublish(packet, now)
        break
      case 'pubrel':
        this.connection.put({ type: 'pubcomp', packetId: packet.packetId })
        break
      case 'suback': {
        const granted = packet.reasonCodes[0] ?? 0x80
        const refused = new CommandError(`the server refused the subscription of ${this.connection.name}`)
        this.#subscribed(granted < 0x80 ? undefined : refused)
      }
    }
  }

  #onPublish(packet: Publish, now: number): void {
    if (packet.qos > 0) acknowledge(this.connection, packet)
    const timing = this.#timing
    const isMeasured = timing?.measures(now) === true
    if (this.#listens) {
      this.received++
      if (isMeasured) this.measured++
      return
    }
    const { bytes, payloadStart } = packet as ReceivedPublish // whatever a decoder gives is one
    const publisher = stampPublisher(bytes, payloadStart)
    const number = stampNumber(bytes, payloadStart)
    if (number < (this.#next[publisher] ?? 0)) {
      this.repeated++
      return
    }
    this.#next[publisher] = number + 1
    this.received++
    if (isMeasured) this.measured++
    const time = stampTime(bytes, payloadStart)
    if (timing?.measures(time)) note(this.#latency, now - time)
    this.#events.onReceived(publisher)
  }
}

/** The first answer to a message of QoS 1 or 2. By hand: it is as frequent as messages are. */
export function acknowledge({ out }: BenchConnection, { qos, packetId = 0 }: Publish): void {
  out.u8(qos === 1 ? 0x40 : 0x50)
  out.u8(2)
  out.u16(packetId)
}
