import type { Logger } from './log.js'
import type { ConnectionRefusal, DropReason, HandshakeRefusal, Metrics, SubscriptionRefusal } from './metrics.js'

/** How long lines about the same thing are gathered into one. */
const quietMs = 10_000

/**
 * The one place where messages are reported as dropped and connections as refused: each is counted, the first of a kind
 * is told at once, and those that follow are told together, so that a flood of drops is not a flood of lines.
 */
export class Drops {
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #after: (ms: number, callback: () => void) => void
  /** What came since the last line, by kind. */
  readonly #untold = new Map<string, number>()

  constructor(metrics: Metrics, log: Logger, after: (ms: number, callback: () => void) => void) {
    this.#metrics = metrics
    this.#log = log
    this.#after = after
  }

  /** @param topic where it was to go; said of what a publisher is refused. */
  report(reason: DropReason, clientId: string, topic?: string): void {
    this.#metrics.dropped[reason]++
    if (reason === 'offline-qos0') return // the standard's own terms: counted, not worth a line
    const which = topic === undefined ? {} : { topic }
    this.#tell(`${reason} ${clientId}`, 'message dropped', 'messages dropped', { clientId, reason }, which)
  }

  /** One filter of a SUBSCRIBE. */
  subscriptionRefused(reason: SubscriptionRefusal, clientId: string, filter: string): void {
    this.#metrics.subscriptionsRefused[reason]++
    const fields = { clientId, reason }
    this.#tell(`subscribe ${reason} ${clientId}`, 'subscription refused', 'subscriptions refused', fields, { filter })
  }

  /** Lines are by reason alone: whoever comes from ten thousand addresses shall not write ten thousand of them. */
  refused(reason: ConnectionRefusal, address: string): void {
    this.#metrics.connectionsRefused++
    this.#metrics.refused[reason]++
    this.#tell(reason, 'connection refused', 'connections refused', { address, reason })
  }

  /**
   * Before its first byte of MQTT.
   * @param why one of a limited number of texts, for each has a line of its own: nothing that the other side chose.
   */
  handshakeRefused(reason: HandshakeRefusal, address: string, why: string): void {
    this.#metrics.handshakesRefused[reason]++
    const fields = { address, reason, why }
    this.#tell(
      `handshake ${reason} ${why}`,
      'connection refused before MQTT',
      'connections refused before MQTT',
      fields,
    )
  }

  /** @param ofFirst what is true of the first of a kind alone. */
  #tell(
    kind: string,
    one: string,
    many: string,
    fields: Record<string, string>,
    ofFirst: Record<string, string> = {},
  ): void {
    const untold = this.#untold.get(kind)
    if (untold !== undefined) {
      this.#untold.set(kind, untold + 1)
      return
    }
    this.#untold.set(kind, 0)
    this.#log.log('warn', one, { ...fields, ...ofFirst })
    this.#after(quietMs, () => {
      const more = this.#untold.get(kind) ?? 0
      this.#untold.delete(kind)
      if (more > 0) this.#log.log('warn', `${more} more ${many}`, fields)
    })
  }
}
