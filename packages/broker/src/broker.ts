import type { Duplex } from 'node:stream'
import { encodeUtf8, isReasonFor, isTopicFilter, isTopicName, reason, reasonName, topicLevels } from '@godwit/protocol'
import { type Change, Changes } from './changes.js'
import { closeInOrder } from './connection/closing.js'
import { Commits } from './connection/commits.js'
import { Connection } from './connection/connection.js'
import type { ConnectionParts } from './connection/connection-parts.js'
import { Door } from './connection/door.js'
import { EncodedOnce } from './connection/encoded-once.js'
import { type TraceEvent, type TraceOptions, Tracing } from './connection/tracing.js'
import { Turn } from './connection/turn.js'
import { Waiting } from './connection/waiting.js'
import { WriterPool } from './connection/writer-pool.js'
import { Drops } from './drops.js'
import { BrokerError } from './errors.js'
import { Faults } from './faults.js'
import { HookRunner } from './hooks/hook-runner.js'
import { Clients } from './inspection/clients.js'
import { type Readiness, ReadinessCheck } from './inspection/readiness.js'
import { RetainedList } from './inspection/retained.js'
import { Sessions } from './inspection/sessions.js'
import { SubscriptionList } from './inspection/subscriptions.js'
import { SysTopics } from './inspection/sys-topics.js'
import { Message } from './message.js'
import { Metrics } from './metrics.js'
import { type BrokerOptions, type CheckedOptions, checkOptions } from './options.js'
import { localMessage, type PublishOptions } from './router/local-message.js'
import { type LocalMessage, type LocalParts, LocalSubscription, patternOf } from './router/local-subscription.js'
import { RetainedMessages } from './router/retained.js'
import { Router } from './router/router.js'
import { SharedGroups } from './router/shared-groups.js'
import { plainGrant } from './router/subscriber.js'
import { isSystemTopic } from './router/system-topics.js'
import { type TopicCount, TopicSketch } from './router/topic-sketch.js'
import { Registry } from './session/registry.js'
import { Slices } from './time/slices.js'
import { TimerWheel } from './time/timer-wheel.js'
import { DuplexTransport } from './transport/duplex.js'
import { listen } from './transport/listen.js'
import type { ListenOptions } from './transport/listen-options.js'
import type { Listener, Peer, Transport } from './transport/transport.js'

/** What an earlier process left in the store: sessions, retained messages, wills not yet published, messages queued. */
export interface RecoveredCounts {
  readonly sessions: number
  readonly retained: number
  readonly wills: number
  readonly queued: number
}

const sweepMs = 1_000
const shuttingDown = 'the broker is shutting down'

/** What is watched until it is stopped. */
export interface Watch {
  stop(): void
}

/** The busiest topics since the count began, in bounded memory: a count may be too high, none that is busy is missed. */
export interface TopicWatch extends Watch {
  /** So many, 1,000 at most, the busiest first. */
  top(count: number): readonly TopicCount[]
}

export interface DisconnectOptions {
  /** Of 0x80 and more (section 3.14.2.1). Default 0x98, Administrative action; with a Server Reference 0x9C, Use another server. */
  readonly reasonCode?: number
  /** In words, for a client that wants them. Default: the standard's words for the code. */
  readonly reasonString?: string
  /** Another server to use (section 4.11). Default: none. */
  readonly serverReference?: string
}

/**
 * An MQTT broker inside this process. Made by {@link createBroker}; it serves nobody until {@link Broker.listen} opens
 * a door or {@link Broker.handle} is given a stream.
 */
export class Broker implements AsyncDisposable {
  /** Plain counters from start, and drops by reason. */
  readonly metrics: Metrics = new Metrics()
  /** The clients that are connected. */
  readonly clients: Clients
  /** Those of connected clients, and those that wait for theirs. */
  readonly sessions: Sessions
  /** Those of sessions. */
  readonly subscriptions: SubscriptionList
  readonly retained: RetainedList
  /** What was found in the store at the start. */
  recovered: RecoveredCounts = { sessions: 0, retained: 0, wills: 0, queued: 0 }
  readonly #options: CheckedOptions
  readonly #wheel: TimerWheel
  readonly #drops: Drops
  readonly #router: Router
  readonly #registry: Registry
  readonly #parts: ConnectionParts<Connection>
  /** Connections whose client is not in yet; the others are known by their session. */
  readonly #arriving = new Set<Connection>()
  readonly #listeners: Listener[] = []
  readonly #locals: LocalParts
  readonly #subscribed = new Set<LocalSubscription<string>>()
  readonly #tracing: Tracing
  readonly #readiness: ReadinessCheck
  readonly #sysTopics: SysTopics
  #closed: Promise<void> | undefined

  /** Use {@link createBroker}. */
  constructor(options: CheckedOptions) {
    const { limits, features, store, log, clock, responseInformation, willsAfterRestart } = options
    const { metrics } = this
    const later = (ms: number, callback: () => void): void => void wheel.after(ms, callback)
    const faults = new Faults(metrics, log, later)
    const wheel = new TimerWheel(clock, faults)
    const slices = new Slices(faults)
    const now = (): number => clock.now()
    const drops = new Drops(metrics, log, later)
    const retained = new RetainedMessages(limits.maxRetainedMessages, limits.maxRetainedBytes)
    const groups = new SharedGroups({
      store,
      drops,
      maxQueuedMessages: limits.maxQueuedMessages,
      maxQueuedBytes: limits.maxQueuedBytes,
      queued: metrics.queued,
      handOverAtDisconnect: features.sharedHandOverAtDisconnect,
      faults,
      slices,
      now,
    })
    const changes = new Changes(faults)
    const tracing = new Tracing(now, faults)
    const { retainAvailable } = features
    const router = new Router({ retained, groups, store, drops, changes, retainAvailable, faults, slices })
    const shared = { limits, router, store, metrics, drops, log, clock, wheel, slices, faults }
    const registry = new Registry({ ...shared, willsAfterRestart })
    const hooks = new HookRunner(options.hooks, faults, changes)
    const commits = new Commits(store, faults)
    this.#parts = {
      services: {
        limits,
        features,
        hooks,
        router,
        registry,
        store,
        metrics,
        drops,
        faults,
        slices,
        log,
        tracing,
        responseInformation,
        now,
      },
      outbox: {
        turn: new Turn(faults),
        slices,
        writers: new WriterPool(),
        encodedOnce: new EncodedOnce(),
        commits,
        metrics,
        tracing,
        maxOutboxBytes: limits.maxOutboxBytes,
        now,
      },
      store,
      waiting: new Waiting(limits.maxUnauthenticatedBytes, drops),
      door: new Door({ limits, clock, wheel, metrics, drops }),
      clock,
      wheel,
      log,
      onAccepted: (connection) => void this.#arriving.delete(connection),
      onClosed: (connection) => {
        this.#arriving.delete(connection)
        this.#parts.door.leave(connection.peer.address)
      },
    }
    this.#options = options
    this.#wheel = wheel
    this.#drops = drops
    this.#locals = { drops, faults, slices }
    this.#router = router
    this.#registry = registry
    this.#tracing = tracing
    this.clients = new Clients(registry)
    this.sessions = new Sessions(registry)
    this.subscriptions = new SubscriptionList(registry, router)
    this.retained = new RetainedList(router, now)
    const { door } = this.#parts
    const afterCommit = commits.after.bind(commits)
    const isOverloaded = (): boolean => door.isOverloaded
    this.#readiness = new ReadinessCheck({ store, metrics, clock, afterCommit, isOverloaded })
    this.#sysTopics = new SysTopics({ metrics, registry, router, monotonic: () => clock.monotonic() })
    store.onFlushed = () => commits.onFlushed()
  }

  /** Takes up what the store holds from an earlier process; {@link createBroker} calls it. */
  async start(): Promise<this> {
    const { sessions, groups, retained, wills, queued } = await this.#options.store.open(this.metrics)
    if (this.#options.features.retainAvailable) for (const message of retained) this.#router.takeUp(message)
    this.#registry.recover({ sessions, groups, wills })
    this.#sweep()
    this.recovered = { sessions: sessions.length, retained: retained.length, wills: wills.length, queued }
    if (this.#options.sysIntervalSeconds > 0) this.#publishSys()
    return this
  }

  /**
   * Opens a door: TCP, a Unix socket or one that was inherited; with TLS, as WebSocket, behind a proxy. By default MQTT
   * over TCP on port 1883 of this machine alone. There may be several.
   * @throws BrokerError `listen-failed`, saying what is in the way; `invalid-option`; `closed`.
   */
  async listen(options: ListenOptions = {}): Promise<Listener> {
    this.#ensureOpen()
    const { limits, hooks, log } = this.#options
    const listener = await listen(options, {
      accept: (transport) => this.#accept(transport),
      anonymous: !hooks.some(({ authenticate, authenticationMethods }) => authenticate ?? authenticationMethods),
      maxMessageBytes: limits.maxPacketBytes,
      metrics: this.metrics,
      drops: this.#drops,
      log,
    })
    this.#listeners.push(listener)
    if (this.#closed) await listener.close()
    this.#ensureOpen()
    return listener
  }

  /**
   * Serves one client over any ordered, lossless duplex stream of bytes: a TLS socket, a WebSocket stream, one end of
   * {@link memoryPair}. The stream is the broker's from then on.
   * @throws BrokerError `closed`.
   */
  handle(stream: Duplex, peer: Peer = { transport: 'stream', address: '' }): void {
    this.#ensureOpen()
    this.#accept(new DuplexTransport(stream, peer))
  }

  /**
   * Publishes from inside the process, to every matching subscription; no hook is asked. The message has been routed when
   * the call returns; the promise resolves when it is safe, as an acknowledgement would come. It rejects (`closed`) only when
   * the broker is closed and the disk has not taken it; a promise that nobody looks at does no harm.
   * @throws BrokerError at once: `invalid-topic` (section 4.7); `closed`.
   * @throws ProtocolError at once, for properties that MQTT cannot carry.
   */
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    this.#ensureOpen()
    if (!isTopicName(topic) || topicLevels(topic) > this.#options.limits.maxTopicLevels) {
      throw new BrokerError('invalid-topic', `${JSON.stringify(topic)} is not a topic name to publish to`)
    }
    if (isSystemTopic(topic))
      throw new BrokerError('invalid-topic', 'topics under $SYS are published by the broker itself')
    const bytes = typeof payload === 'string' ? encodeUtf8(payload) : new Uint8Array(payload)
    const commit = this.#router.publish(localMessage(topic, bytes, options, this.#options.clock.now()))
    return this.#parts.outbox.commits.whenFlushed(commit)
  }

  /**
   * Subscribes from inside the process. Wildcards may be named (`home/+room/temp`): their values are in `params`. With
   * a listener, each message is given to it at once; without, iterate the subscription. Retained messages come first, however
   * many there are: an iteration pulls them as fast as it takes them; a listener gets some hundred at once and the rest in later
   * turns, where newer messages may come between. An iterating consumer that falls 10,000 messages behind what is published
   * loses further ones, counted as `slow-listener`.
   * @throws BrokerError `invalid-topic` (section 4.7); `closed`.
   */
  subscribe<const F extends string>(filter: F, listener?: (message: LocalMessage<F>) => void): LocalSubscription<F> {
    this.#ensureOpen()
    const pattern = patternOf(filter)
    const subscription = new LocalSubscription<F>(pattern, listener, this.#locals, (ended) => {
      this.#router.unsubscribe(pattern.filter, ended)
      this.#subscribed.delete(ended as unknown as LocalSubscription<string>)
    })
    this.#subscribed.add(subscription as unknown as LocalSubscription<string>)
    this.#router.subscribe(pattern.filter, subscription, plainGrant(2))
    subscription.replay(this.#router.retained.match(pattern.filter, () => this.#options.clock.now()))
    return subscription
  }

  /**
   * Ends a client's connection; its session lives on as its expiry says, its will is published. A client of 5.0 is told
   * why, and may be sent to another server.
   * @returns whether the client was connected.
   * @throws BrokerError `invalid-option`, for a reason code that is not for DISCONNECT; `closed`.
   * @throws ProtocolError for a text that MQTT cannot carry.
   */
  disconnect(clientId: string, options: DisconnectOptions = {}): boolean {
    this.#ensureOpen()
    const { serverReference } = options
    const { reasonCode = serverReference === undefined ? reason.administrativeAction : reason.useAnotherServer } =
      options
    const { reasonString = reasonName(reasonCode).toLowerCase() } = options
    if (reasonCode < 0x80 || !isReasonFor('disconnect', reasonCode)) {
      throw new BrokerError('invalid-option', `reasonCode is ${reasonCode}; it takes one of DISCONNECT, from 0x80 on`)
    }
    const user = this.#registry.get(clientId)?.user
    user?.end(reasonString, reasonCode, serverReference)
    return user !== undefined
  }

  /**
   * Whether clients should be sent here: the store takes a commit within a second, which is tried, and the event loop is not
   * so late that new clients have to wait. A broker that is closed is not ready.
   */
  async readiness(): Promise<Readiness> {
    return this.#closed ? { ready: false, reasons: [shuttingDown] } : this.#readiness.ask()
  }

  /** Tells of every change of what the broker holds, at once and in order, beginning now. */
  changes(listener: (change: Change) => void): Watch {
    return this.#router.changes.listen(listener)
  }

  /**
   * Shows packets as they come and go, without payloads and passwords. What costs is the packets that are shown; the
   * listener is called in the middle of the broker's work and must not take its time.
   * @throws BrokerError `invalid-topic`.
   */
  trace(options: TraceOptions, listener: (event: TraceEvent) => void): Watch {
    const { topic } = options
    if (topic !== undefined && !isTopicFilter(topic)) {
      throw new BrokerError('invalid-topic', `${JSON.stringify(topic)} is not a topic filter`)
    }
    return this.#tracing.start(options, listener)
  }

  /** Counts from now on which topics are published to most, until it is stopped. */
  watchTopics(): TopicWatch {
    const sketch = new TopicSketch()
    const router = this.#router
    router.sketches = [...(router.sketches ?? []), sketch]
    return {
      top: (count) => sketch.top(count),
      stop: () => {
        const left = router.sketches?.filter((other) => other !== sketch)
        router.sketches = left && left.length > 0 ? left : undefined
      },
    }
  }

  /**
   * Ends in order: no new connections, what was sent to clients goes out, connections end, the store is written out.
   * Settles always, within some twenty seconds also while the disk takes nothing: what was not safe then is given up, and
   * logged. A second call waits for the first.
   */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #shutDown(): Promise<void> {
    const { store, clock, log } = this.#options
    for (const connection of [...this.#arriving]) connection.end(shuttingDown, reason.serverShuttingDown)
    this.#registry.shutDown(shuttingDown)
    for (const subscription of [...this.#subscribed]) subscription.unsubscribe()
    this.#wheel.close()
    await closeInOrder({ listeners: this.#listeners, commits: this.#parts.outbox.commits, store, clock, log })
  }

  #accept(transport: Transport): void {
    if (!this.#parts.door.enter(transport.peer.address)) return transport.destroy()
    try {
      const connection = new Connection(transport, this.#parts)
      if (!connection.closed) this.#arriving.add(connection) // it may have been over before it began
    } catch (error) {
      const onFault = (): void => transport.destroy()
      this.#locals.faults.contain(error, { clientId: undefined, onFault }, 'taking up a connection')
    }
  }

  #ensureOpen(): void {
    if (this.#closed) throw new BrokerError('closed', 'the broker has been closed')
  }

  /** Removes retained messages whose time is over: what is asked for meanwhile is looked at then. */
  #sweep(): void {
    this.#wheel.after(sweepMs, () => this.#sweep()) // first: one that fails must not be the last
    this.#router.sweep(this.#options.clock.now())
  }

  /** Publishes what has changed, and sets itself again. */
  #publishSys(): void {
    this.#wheel.after(this.#options.sysIntervalSeconds * 1000, () => this.#publishSys())
    for (const [topic, value] of this.#sysTopics.changed()) {
      this.#router.publish(Message.of(topic, encodeUtf8(value), 0, true))
    }
  }
}

/**
 * Makes a broker.
 * @throws BrokerError `invalid-option`, naming the option and what it takes; `store-failed`, saying what is wrong with the
 * stored data and what to do.
 */
export async function createBroker(options: BrokerOptions = {}): Promise<Broker> {
  return new Broker(checkOptions(options)).start()
}
