import type { Metrics } from '../metrics.js'
import type { Router } from '../router/router.js'
import type { Registry } from '../session/registry.js'
import { version } from '../version.js'
import { LoadAverages } from './load-averages.js'

/** What the `$SYS` topics tell of. */
interface SysSources {
  readonly metrics: Metrics
  readonly registry: Pick<Registry, 'count' | 'offline'>
  readonly router: Pick<Router, 'sessionSubscriptions' | 'retained' | 'sharedSubscriptions'>
  /** Milliseconds that never go back. */
  monotonic(): number
  /** What else is told, by the topic behind `$SYS/broker/`. */
  more(): Readonly<Record<string, string | number>>
}

/** The counters of which there is a load, by the names that mosquitto gives them. */
const loads: Readonly<Record<string, (metrics: Metrics) => number>> = {
  'messages/received': ({ packetsReceived }) => packetsReceived,
  'messages/sent': ({ packetsSent }) => packetsSent,
  'publish/received': ({ publishReceived }) => publishReceived,
  'publish/sent': ({ publishSent }) => publishSent,
  'publish/dropped': ({ messagesDropped }) => messagesDropped,
  'bytes/received': ({ bytesReceived }) => bytesReceived,
  'bytes/sent': ({ bytesSent }) => bytesSent,
  sockets: ({ connectionsAccepted }) => connectionsAccepted,
  connections: ({ clientsAccepted }) => clientsAccepted,
}

const topicOf = (name: string): string => `$SYS/broker/${name}`

/** The `$SYS` topics, under the names mosquitto uses: each time those whose values have changed. */
export class SysTopics {
  readonly #sources: SysSources
  readonly #startedAt: number
  #updatedAt: number
  #mostClients = 0
  #mostHeap = 0
  readonly #loads = new Map(Object.keys(loads).map((name) => [name, new LoadAverages()]))
  readonly #last = new Map<string, string>()
  #told: ReadonlySet<string> = new Set()

  constructor(sources: SysSources) {
    this.#sources = sources
    this.#startedAt = sources.monotonic()
    this.#updatedAt = this.#startedAt
  }

  /** What has changed since the last time; at first, all. */
  *changed(): Generator<readonly [topic: string, value: string]> {
    const facts = Object.entries({ ...this.#sources.more(), ...this.#facts(), ...this.#loadFacts() })
    this.#told = new Set(facts.map(([name]) => name))
    for (const [name, value] of facts) {
      const text = String(value)
      if (this.#last.get(name) === text) continue
      this.#last.set(name, text)
      yield [topicOf(name), text]
    }
  }

  /** Those that were told of and were not named the last time. */
  gone(): string[] {
    const names = [...this.#last.keys()].filter((name) => !this.#told.has(name))
    for (const name of names) this.#last.delete(name)
    return names.map(topicOf)
  }

  /** They are no longer told of; answers those that were. The next time all of them come again. */
  forget(): string[] {
    const topics = [...this.#last.keys()].map(topicOf)
    this.#last.clear()
    return topics
  }

  #facts(): Readonly<Record<string, string | number>> {
    const { metrics, registry, router, monotonic } = this.#sources
    const connected = registry.count - registry.offline
    this.#mostClients = Math.max(this.#mostClients, connected)
    const heap = process.memoryUsage().heapUsed
    this.#mostHeap = Math.max(this.#mostHeap, heap)
    return {
      version: `godwit ${version}`,
      uptime: `${Math.floor((monotonic() - this.#startedAt) / 1000)} seconds`,
      'clients/connected': connected,
      'clients/active': connected,
      'clients/disconnected': registry.offline,
      'clients/inactive': registry.offline,
      'clients/total': registry.count,
      'clients/maximum': this.#mostClients,
      'clients/expired': metrics.sessionsExpired,
      'messages/received': metrics.packetsReceived,
      'messages/sent': metrics.packetsSent,
      'messages/stored': metrics.queued.messages + router.retained.count,
      'store/messages/count': metrics.queued.messages + router.retained.count,
      'store/messages/bytes': metrics.queued.bytes + router.retained.bytes,
      'publish/messages/received': metrics.publishReceived,
      'publish/messages/sent': metrics.publishSent,
      'publish/messages/dropped': metrics.messagesDropped,
      'publish/bytes/received': metrics.publishBytesReceived,
      'publish/bytes/sent': metrics.publishBytesSent,
      'bytes/received': metrics.bytesReceived,
      'bytes/sent': metrics.bytesSent,
      'subscriptions/count': router.sessionSubscriptions,
      'shared_subscriptions/count': router.sharedSubscriptions,
      'retained messages/count': router.retained.count,
      'heap/current': heap,
      'heap/maximum': this.#mostHeap,
    }
  }

  #loadFacts(): Readonly<Record<string, string>> {
    const now = this.#sources.monotonic()
    const seconds = (now - this.#updatedAt) / 1000
    this.#updatedAt = now
    const facts: [string, string][] = []
    for (const [name, load] of this.#loads) {
      if (seconds > 0) load.update(loads[name]!(this.#sources.metrics), seconds)
      for (const [span, perMinute] of load.values) facts.push([`load/${name}/${span}`, perMinute])
    }
    return Object.fromEntries(facts)
  }
}
