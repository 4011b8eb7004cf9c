/** What was not taken: a message, a connection, one that had not begun with MQTT yet, or a subscription. */
export type DropKind = 'message' | 'connection' | 'handshake' | 'subscription'

/** How often something was dropped or refused, for one reason. */
export interface DropCount {
  readonly kind: DropKind
  /** A DropReason, ConnectionRefusal, HandshakeRefusal or SubscriptionRefusal. */
  readonly reason: string
  readonly count: number
}

/** Of one client: a Client Identifier, or the `$share/NAME/FILTER` of a shared group. */
export interface ClientDrops {
  readonly clientId: string
  readonly total: number
  readonly counts: readonly DropCount[]
}

/** One of the last, with what is known of it. */
export interface DropEvent {
  /** Epoch ms. */
  readonly at: number
  readonly kind: DropKind
  readonly reason: string
  readonly clientId?: string | undefined
  readonly address?: string | undefined
  /** Of a message. */
  readonly topic?: string | undefined
  /** Of a subscription. */
  readonly filter?: string | undefined
  /** In words. */
  readonly why?: string | undefined
}

/** What was dropped and refused in the last hour, or since the count began. */
export interface DropsView {
  readonly counts: readonly DropCount[]
  /** The clients with the most, the most first. */
  readonly clients: readonly ClientDrops[]
  /** Drops of clients that are not counted by name: there were too many in five minutes. */
  readonly ofOthers: number
  /** The newest first. QoS 0 for a session without a connection, which the standard drops, is not among them. */
  readonly last: readonly DropEvent[]
}

interface Counted {
  readonly kind: DropKind
  readonly reason: string
  count: number
}

/** Counts by kind and reason. */
type Counts = Map<string, Counted>

interface Bucket {
  readonly all: Counts
  readonly clients: Map<string, Counts>
  others: number
}

/** Counts are by five minutes; twelve of these are an hour, and the oldest goes as a new one begins. */
export const dropBucketMs = 300_000
const mostBuckets = 12
/** Clients counted by name in one bucket. */
const mostClients = 500
/** Clients that are shown. */
const mostShown = 500
const mostLast = 200
/** Of a text in the last ones: a client says what it likes there. */
const mostText = 1_000

/** Counts what is dropped and refused by reason and by client, for the last hour and in bounded memory, while somebody watches. */
export class RecentDrops {
  readonly #now: () => number
  #buckets: Bucket[] = [newBucket()]
  #last: DropEvent[] = []
  #next = 0

  constructor(now: () => number) {
    this.#now = now
  }

  add(
    kind: DropKind,
    reason: string,
    clientId: string | undefined,
    facts: Omit<DropEvent, 'at' | 'kind' | 'reason' | 'clientId'> = {},
  ): void {
    const bucket = this.#buckets[this.#buckets.length - 1]!
    count(bucket.all, kind, reason, 1)
    if (clientId) countOf(bucket, clientId, kind, reason)
    if (reason === 'offline-qos0') return
    const { address, topic, filter, why } = facts
    const event = {
      at: this.#now(),
      kind,
      reason,
      clientId,
      address,
      topic: short(topic),
      filter: short(filter),
      why: short(why),
    }
    this.#last[this.#next] = event
    this.#next = (this.#next + 1) % mostLast
  }

  /** Five minutes are over. */
  turn(): void {
    this.#buckets = [...this.#buckets.slice(1 - mostBuckets), newBucket()]
  }

  view(): DropsView {
    const all: Counts = new Map()
    const clients = new Map<string, Counts>()
    let ofOthers = 0
    for (const bucket of this.#buckets) {
      merge(all, bucket.all)
      ofOthers += bucket.others
      for (const [clientId, counts] of bucket.clients) {
        let known = clients.get(clientId)
        if (!known) {
          known = new Map()
          clients.set(clientId, known)
        }
        merge(known, counts)
      }
    }
    const byTotal = [...clients].map(([clientId, counts]) => ofClient(clientId, counts))
    byTotal.sort((one, other) => other.total - one.total)
    const last = [...this.#last.slice(this.#next), ...this.#last.slice(0, this.#next)].reverse()
    return { counts: listOf(all), clients: byTotal.slice(0, mostShown), ofOthers, last }
  }

  /** Of one client alone. */
  of(clientId: string): readonly DropCount[] {
    const counts: Counts = new Map()
    for (const bucket of this.#buckets) merge(counts, bucket.clients.get(clientId) ?? new Map())
    return listOf(counts)
  }
}

function newBucket(): Bucket {
  return { all: new Map(), clients: new Map(), others: 0 }
}

function countOf(bucket: Bucket, clientId: string, kind: DropKind, reason: string): void {
  let counts = bucket.clients.get(clientId)
  if (!counts) {
    if (bucket.clients.size >= mostClients) {
      bucket.others++
      return
    }
    counts = new Map()
    bucket.clients.set(clientId, counts)
  }
  count(counts, kind, reason, 1)
}

function count(counts: Counts, kind: DropKind, reason: string, more: number): void {
  const key = `${kind} ${reason}`
  const known = counts.get(key)
  if (known) known.count += more
  else counts.set(key, { kind, reason, count: more })
}

function merge(into: Counts, from: Counts): void {
  for (const { kind, reason, count: more } of from.values()) count(into, kind, reason, more)
}

function listOf(counts: Counts): DropCount[] {
  return [...counts.values()].map((one) => ({ ...one })).sort((one, other) => other.count - one.count)
}

function ofClient(clientId: string, counts: Counts): ClientDrops {
  const list = listOf(counts)
  return { clientId, total: list.reduce((sum, one) => sum + one.count, 0), counts: list }
}

function short(text: string | undefined): string | undefined {
  return text === undefined || text.length <= mostText ? text : `${text.slice(0, mostText)}…`
}
