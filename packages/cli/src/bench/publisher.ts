import type { RecordableHistogram } from 'node:perf_hooks'
import type { Connack, Packet } from '@godwit/protocol'
import { CommandError } from '../command-error.js'
import { BenchConnection } from './bench-connection.js'
import { micros } from './clock.js'
import { PublishTemplate } from './publish-template.js'
import { scenarios } from './scenario.js'
import { Schedule } from './schedule.js'
import { type BenchSettings, receiversOf } from './settings.js'
import { note } from './tally.js'
import type { Timing } from './timing.js'

/** Bytes gathered before they are handed to the kernel, to see whether it takes them. */
const burstBytes = 65_536

export interface PublisherEvents {
  /** There may be room for more: `pump` is to be called at the end of the turn. */
  onRoom(publisher: Publisher): void
  onFailure(error: CommandError): void
}

/** Sends as much as its rate or its window lets. */
export class Publisher {
  readonly index: number
  readonly connection: BenchConnection
  sent = 0
  acknowledged = 0
  refused = 0
  /** Acknowledged within the measured time. */
  measured = 0
  readonly #settings: BenchSettings
  readonly #events: PublisherEvents
  readonly #latency: RecordableHistogram
  readonly #template: PublishTemplate
  readonly #receivers: number
  /** Messages this publisher sends at most. */
  readonly #count: number
  #window: number
  /** Received by its subscribers, each copy counted. */
  #copies = 0
  #timing: Timing | undefined
  #schedule: Schedule | undefined
  /** When the messages on their way were to be sent; kept where nobody but the server says that they have come. */
  readonly #times: Float64Array
  /** At QoS 0 a PINGREQ follows some messages, and its answer says that the server has read them: how many, each time. */
  readonly #fences: number[] = []

  constructor(index: number, settings: BenchSettings, latency: RecordableHistogram, events: PublisherEvents) {
    const { scenario, topic, pubs, window, count = Number.POSITIVE_INFINITY } = settings
    this.index = index
    this.#settings = settings
    this.#latency = latency
    this.#receivers = receiversOf(settings)
    this.#window = window
    this.#count = Math.ceil((count - index) / pubs)
    this.#template = new PublishTemplate(scenarios[scenario].topic(topic, index), settings, index)
    this.#times = new Float64Array(this.#receivers === 0 ? window : 0)
    this.connection = new BenchConnection(`publisher ${index}`, settings, {
      onPacket: (packet, now) => this.#onPacket(packet, now),
      onDrain: () => this.pump(micros()),
      onFailure: events.onFailure,
    })
    this.#events = events
  }

  /** @throws CommandError when the server cannot take such messages. */
  async open(): Promise<void> {
    const { qos } = this.#settings
    const { properties = {} }: Connack = await this.connection.open()
    const { maximumQos = 2, maximumPacketSize = Number.POSITIVE_INFINITY, receiveMaximum = 65_535 } = properties
    if (qos > maximumQos) throw new CommandError(`the server takes QoS ${maximumQos} at most; see --qos`)
    if (this.#template.length > maximumPacketSize) {
      throw new CommandError(`the server takes packets of ${maximumPacketSize} bytes at most; see --size`)
    }
    if (qos > 0) this.#window = Math.min(this.#window, receiveMaximum) // [MQTT-3.3.4-9]
  }

  start(timing: Timing): void {
    const { rate, pubs } = this.#settings
    this.#timing = timing
    if (rate !== undefined) this.#schedule = new Schedule(timing.start, rate, this.index, pubs)
    this.pump(micros())
  }

  /** Copies have come to subscribers. */
  delivered(copies: number): void {
    this.#copies += copies
    this.#events.onRoom(this)
  }

  /** Messages that were to be sent by now and have not been. */
  late(now: number): number {
    if (!this.#timing || !this.#schedule) return 0
    const due = Math.min(this.#schedule.dueBefore(Math.min(now, this.#timing.end)), this.#count)
    return Math.max(0, due - this.sent)
  }

  /** When its next message is to be sent, in microseconds: in the past, if it waits for room. */
  get nextTime(): number {
    if (!this.#schedule || this.sent >= this.#count) return Number.POSITIVE_INFINITY
    return this.#schedule.timeOf(this.sent)
  }

  /** Sends what is due and has room. */
  pump(now: number): void {
    const timing = this.#timing
    if (!timing) return
    const { out } = this.connection
    const fenceAfter = this.#fenceAfter()
    let unfenced = 0
    while (this.connection.isDrained && this.#hasRoom()) {
      const time = this.#schedule ? this.#schedule.timeOf(this.sent) : now
      if (time > now || time >= timing.end) break
      if (this.#times.length > 0) this.#times[this.sent % this.#times.length] = time
      this.#template.writeTo(out, time, this.sent)
      this.sent++
      if (++unfenced === fenceAfter) {
        this.#fence()
        unfenced = 0
      }
      if (out.position >= burstBytes) this.connection.flush()
    }
    if (unfenced > 0 && fenceAfter < Number.POSITIVE_INFINITY) this.#fence()
    this.connection.flush()
  }

  #hasRoom(): boolean {
    const { sent, acknowledged } = this
    if (sent >= this.#count) return false
    const taken = this.#settings.qos > 0 || this.#receivers === 0 ? acknowledged : sent
    const arrived = this.#receivers > 0 ? Math.floor(this.#copies / this.#receivers) : taken
    return sent - Math.min(taken, arrived) < this.#window
  }

  /** A quarter of the window at a time, so that the server is not left without work while an answer is on its way. */
  #fenceAfter(): number {
    if (this.#settings.qos > 0 || this.#receivers > 0) return Number.POSITIVE_INFINITY
    return Math.max(1, Math.floor(this.#window / 4))
  }

  #fence(): void {
    this.connection.put({ type: 'pingreq' })
    this.#fences.push(this.sent)
  }

  #onPacket(packet: Packet, now: number): void {
    switch (packet.type) {
      case 'puback':
      case 'pubcomp':
        this.#acknowledge(this.acknowledged + 1, packet.reasonCode, now)
        break
      case 'pubrec':
        if ((packet.reasonCode ?? 0) < 0x80) {
          this.connection.put({ type: 'pubrel', packetId: packet.packetId })
          return // nothing has made room
        }
        this.#acknowledge(this.acknowledged + 1, packet.reasonCode, now)
        break
      case 'pingresp':
        this.#acknowledge(this.#fences.shift() ?? this.acknowledged, 0, now)
        break
      default:
        return
    }
    this.#events.onRoom(this)
  }

  #acknowledge(upTo: number, reasonCode = 0, now: number): void {
    const timing = this.#timing
    if (reasonCode >= 0x80) this.refused++
    const { length } = this.#times
    for (; this.acknowledged < upTo; this.acknowledged++) {
      if (length === 0 || !timing) continue
      const time = this.#times[this.acknowledged % length]!
      if (timing.measures(time)) note(this.#latency, now - time)
      if (timing.measures(now)) this.measured++
    }
  }
}
