import { type Packet, reasonName } from '@godwit/protocol'
import { CommandError } from '../command-error.js'
import { BenchConnection } from './bench-connection.js'
import { scenarios } from './scenario.js'
import type { BenchSettings } from './settings.js'

/** Unacknowledged messages at a time; a server that says less (Receive Maximum) is obeyed. */
const most = 500

/** The messages that are there before anybody subscribes, and are gone when the bench is. */
export class RetainedMessages {
  readonly #settings: BenchSettings
  readonly #connection: BenchConnection
  #window = most
  #acknowledged = 0
  #onAcknowledged: () => void = () => {}
  #failed: (error: CommandError) => void = () => {}

  constructor(settings: BenchSettings) {
    this.#settings = settings
    this.#connection = new BenchConnection('publisher 0', settings, {
      onPacket: (packet) => this.#onPacket(packet),
      onDrain: () => {},
      onFailure: (error) => this.#failed(error),
    })
  }

  /** @throws CommandError when the server does not take them. */
  async publish(): Promise<void> {
    const { properties = {} } = await this.#connection.open()
    if (properties.retainAvailable === false) throw new CommandError('the server keeps no retained messages')
    this.#window = Math.min(most, properties.receiveMaximum ?? most)
    await this.#send(new Uint8Array(this.#settings.size).fill(0x78))
  }

  /** Takes them away again, if the server is still there: an empty message does [MQTT-3.3.1-10]. */
  async clear(): Promise<void> {
    if (this.#connection.isOpen) await this.#send(new Uint8Array(0)).catch(() => {})
    await this.#connection.close()
  }

  async #send(payload: Uint8Array): Promise<void> {
    const { scenario, topic, topics } = this.#settings
    const qos = this.#settings.qos === 2 ? 2 : 1 // acknowledged, so that they are there when it is said
    this.#acknowledged = 0
    let sent = 0
    await new Promise<void>((resolve, reject) => {
      this.#failed = reject
      this.#onAcknowledged = () => {
        for (; sent < topics && sent - this.#acknowledged < this.#window; sent++) {
          const packetId = (sent % 65_535) + 1
          const name = scenarios[scenario].topic(topic, sent)
          this.#connection.put({ type: 'publish', topic: name, payload, qos, retain: true, dup: false, packetId })
        }
        this.#connection.flush()
        if (this.#acknowledged === topics) resolve()
      }
      this.#onAcknowledged()
    })
  }

  #onPacket(packet: Packet): void {
    if ('reasonCode' in packet && packet.reasonCode !== undefined && packet.reasonCode >= 0x80) {
      this.#failed(new CommandError(`the server refused a retained message: ${reasonName(packet.reasonCode)}`))
    } else if (packet.type === 'pubrec') this.#connection.put({ type: 'pubrel', packetId: packet.packetId })
    else if (packet.type === 'puback' || packet.type === 'pubcomp') {
      this.#acknowledged++
      this.#onAcknowledged()
    }
  }
}
