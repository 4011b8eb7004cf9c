import { type LogFields, type Logger, QuietLines } from './log.js'
import type { ConnectionRefusal, DropReason, HandshakeRefusal, Metrics, SubscriptionRefusal } from './metrics.js'
import type { DropEvent, DropKind, RecentDrops } from './recent-drops.js'

const acceptProblems: Readonly<Record<string, string>> = {
  EMFILE: 'this process may open no more files; raise it with ulimit -n, or LimitNOFILE= in the systemd unit (EMFILE)',
  ENFILE: 'this machine may open no more files; raise the sysctl fs.file-max (ENFILE)',
}

/** What counts, and tells of what was refused: of one broker, or of all that one node is in turn. */
export interface Counters {
  readonly metrics: Metrics
  readonly drops: Drops
}

/**
 * The one place where messages are reported as dropped, and connections and subscriptions as refused: each is counted, the
 * first of a kind is told at once, and those that follow are told together, so that a flood of drops is not a flood of lines.
 */
export class Drops {
  /** Counts of the last hour, while somebody watches. */
  #watchers: readonly RecentDrops[] = []
  readonly #metrics: Metrics
  readonly #lines: QuietLines

  constructor(metrics: Metrics, log: Logger, after: (ms: number, callback: () => void) => void) {
    this.#metrics = metrics
    this.#lines = new QuietLines(log, after)
  }

  /** Shows it what is refused from now on. @returns ends that. */
  watch(recent: RecentDrops): () => void {
    this.#watchers = [...this.#watchers, recent]
    return () => {
      this.#watchers = this.#watchers.filter((other) => other !== recent)
    }
  }

  /** @param refused where it is its publisher who is refused: from where it came, and where it was to go. */
  report(reason: DropReason, clientId: string, refused: { address?: string; topic?: string } = {}): void {
    this.#metrics.dropped[reason]++
    if (this.#watchers.length > 0) this.#show('message', reason, clientId, refused)
    if (reason === 'offline-qos0') return // the standard's own terms: counted, not worth a line
    const fields = { clientId, address: refused.address, reason, topic: refused.topic }
    this.#tell(`${reason} ${clientId}`, 'message dropped', 'messages dropped', fields, { clientId, reason })
  }

  /** One filter of a SUBSCRIBE. The client may know; at 3.1.1 many do not look. */
  subscriptionRefused(reason: SubscriptionRefusal, clientId: string, address: string, filter: string): void {
    this.#metrics.subscriptionsRefused[reason]++
    if (this.#watchers.length > 0) this.#show('subscription', reason, clientId, { address, filter })
    const fields = { clientId, address, reason, filter }
    const kind = `subscribe ${reason} ${clientId}`
    this.#tell(kind, 'subscription refused', 'subscriptions refused', fields, { clientId, reason })
  }

  /**
   * Lines are by reason alone: whoever comes from ten thousand addresses shall not write ten thousand of them.
   * @param more of the client, as far as it is known, and why in words.
   */
  refused(
    reason: ConnectionRefusal,
    address: string,
    more: { clientId?: string | undefined; why?: string } = {},
  ): void {
    this.#metrics.connectionsRefused++
    this.#metrics.refused[reason]++
    if (this.#watchers.length > 0) this.#show('connection', reason, more.clientId, { address, why: more.why })
    const fields = { clientId: more.clientId, address, reason, why: more.why }
    this.#tell(reason, 'connection refused', 'connections refused', fields, { reason })
  }

  /**
   * The system did not hand over a connection.
   * @param code of its error; one of few.
   */
  acceptFailed(code: string): void {
    this.#metrics.acceptFailures++
    const why = acceptProblems[code] ?? code
    this.#tell(`accept ${code}`, 'a connection could not be accepted', 'times that was so', { why }, { why })
  }

  /**
   * Before its first byte of MQTT.
   * @param why one of a limited number of texts, for each has a line of its own: nothing that the other side chose.
   */
  handshakeRefused(reason: HandshakeRefusal, address: string, why: string): void {
    this.#metrics.handshakesRefused[reason]++
    if (this.#watchers.length > 0) this.#show('handshake', reason, undefined, { address, why })
    const [one, many] = ['connection refused before MQTT', 'connections refused before MQTT'] as const
    this.#tell(`handshake ${reason} ${why}`, one, many, { address, reason, why }, { reason, why })
  }

  #show(
    kind: DropKind,
    reason: string,
    clientId: string | undefined,
    facts: Pick<DropEvent, 'address' | 'topic' | 'filter' | 'why'>,
  ): void {
    for (const watcher of this.#watchers) watcher.add(kind, reason, clientId, facts)
  }

  /**
   * @param fields of the one that is told at once.
   * @param common what of it holds for all of the kind.
   */
  #tell(kind: string, one: string, many: string, fields: LogFields, common: LogFields): void {
    this.#lines.tell({ level: 'warn', kind, one, many, fields, common })
  }
}
