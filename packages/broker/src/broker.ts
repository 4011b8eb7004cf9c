import type { Duplex } from 'node:stream'
import { isReasonFor, isTopicFilter, isTopicName, reason, reasonName, topicLevels } from '@godwit/protocol'
import type { AccountsView } from './accounts.js'
import type { BatchListener } from './batches.js'
import type { Change } from './changes.js'
import { closeInOrder } from './connection/closing.js'
import type { TraceEvent, TraceOptions } from './connection/tracing.js'
import { BrokerError } from './errors.js'
import { hooksAuthenticate } from './hooks/hook-runner.js'
import type { Hooks } from './hooks/hooks.js'
import { type InsideSession, openInside } from './inside/inside-session.js'
import type { InsideSessionOptions } from './inside/session-options.js'
import { Clients } from './inspection/clients.js'
import { type Readiness, ReadinessCheck } from './inspection/readiness.js'
import { RetainedList } from './inspection/retained.js'
import { Sessions } from './inspection/sessions.js'
import { SharedGroupList } from './inspection/shared-group-list.js'
import { SubscriptionList } from './inspection/subscriptions.js'
import { SysTopics } from './inspection/sys-topics.js'
import { Metrics } from './metrics.js'
import { plainAddress } from './network.js'
import { checkNames, type NamesOf } from './option-names.js'
import { type BrokerOptions, type CheckedOptions, checkOptions } from './options.js'
import { checkReconfiguration, type Reconfiguration } from './reconfiguration.js'
import { makeRooms, type Rooms } from './rooms.js'
import { localMessage, ownBytes, type PublishOptions } from './router/local-message.js'
import { type LocalMessage, LocalSubscription, patternOf } from './router/local-subscription.js'
import { plainGrant } from './router/subscriber.js'
import { isBridgeState, isSystemTopic } from './router/system-topics.js'
import { DuplexTransport } from './transport/duplex.js'
import type { ListenOptions } from './transport/listen-options.js'
import type { Listener, Peer, Transport } from './transport/transport.js'
import { Upkeep } from './upkeep.js'
import { type DropWatch, type TopicWatch, type Watch, watchDrops, watchOf, watchTopics } from './watches.js'
import { WaysIn } from './ways-in.js'

/** What an earlier process left in the store: sessions, retained messages, wills not yet published, messages queued. */
export interface RecoveredCounts {
  readonly sessions: number
  readonly retained: number
  readonly wills: number
  readonly queued: number
}

const shuttingDown = 'the broker is shutting down'

export interface DisconnectOptions {
  /** Of 0x80 and more (section 3.14.2.1). Default 0x98, Administrative action; with a Server Reference 0x9C, Use another server. */
  readonly reasonCode?: number
  /** In words, for a client that wants them. Default: the standard's words for the code. */
  readonly reasonString?: string
  /** Another server to use (section 4.11). Default: none. */
  readonly serverReference?: string
}

const disconnectNames: NamesOf<DisconnectOptions> = { reasonCode: true, reasonString: true, serverReference: true }
const traceNames: NamesOf<TraceOptions> = { clientId: true, topic: true }

/**
 * An MQTT broker inside this process. Made by {@link createBroker}; it serves nobody until {@link Broker.listen} opens
 * a listener or {@link Broker.handle} is given a stream.
 *
 * What asks and what steers answers a promise, and rejects it for a mistake of the caller's too: it never throws at once. Only
 * what takes part in the traffic (`handle`, `publish`, `subscribe`) acts, and throws, before it returns.
 */
export class Broker implements AsyncDisposable {
  /** A name that no other broker has, as long as the process lives: bridges tell by it where a message has been. */
  readonly id: string
  /** The clients that are connected. */
  readonly clients: Clients
  /** Those of connected clients, and those that wait for theirs. */
  readonly sessions: Sessions
  /** Those of sessions. */
  readonly subscriptions: SubscriptionList
  /** Shared subscriptions, their members and what waits for them. */
  readonly sharedGroups: SharedGroupList
  readonly retained: RetainedList
  /** What was found in the store at the start. */
  recovered: RecoveredCounts = { sessions: 0, retained: 0, wills: 0, queued: 0 }
  readonly #rooms: Rooms
  readonly #waysIn: WaysIn
  readonly #subscribed = new Set<LocalSubscription<string>>()
  readonly #readiness: ReadinessCheck
  readonly #upkeep: Upkeep
  #failure: BrokerError | undefined
  /** Called when the broker cannot go on: its stored data is damaged. It serves nobody any more; end the process. */
  onFailed: (error: BrokerError) => void = () => {}
  #closed: Promise<void> | undefined

  /** Use {@link createBroker}. */
  constructor(options: CheckedOptions) {
    const { store, clock, counters, sysTopics } = options
    const metrics = counters?.metrics ?? new Metrics()
    this.#rooms = makeRooms(options, metrics)
    const { registry, router, time, commits, door, slices } = this.#rooms
    this.id = this.#rooms.connectionParts.services.brokerId
    this.clients = new Clients(registry, slices)
    this.subscriptions = new SubscriptionList(registry, router, slices)
    this.sharedGroups = new SharedGroupList(router.groups, slices)
    const whenFlushed = commits.whenFlushed.bind(commits)
    this.sessions = new Sessions(registry, slices, whenFlushed)
    this.retained = new RetainedList({ router, slices, time, whenFlushed })
    this.#waysIn = new WaysIn(this.#rooms)
    const afterCommit = commits.after.bind(commits)
    const isOverloaded = (): boolean => door.isOverloaded
    this.#readiness = new ReadinessCheck({ store, metrics, clock, afterCommit, isOverloaded })
    const told = { metrics, registry, router, monotonic: () => clock.monotonic(), more: sysTopics }
    this.#upkeep = new Upkeep(this.#rooms, new SysTopics(told))
    store.onFlushed = commits.onFlushed
    store.onRoom = () => this.#rooms.waitingForRoom.goOn()
    store.onFailed = (error) => this.#fail(error)
  }

  /** Takes up what the store holds from an earlier process; {@link createBroker} calls it. */
  async start(): Promise<this> {
    const { limits, store, sysIntervalSeconds } = this.#rooms.options
    const { metrics, accounts, time, chores, router, registry } = this.#rooms
    const { sessions, groups, retained, wills, queued } = await store.open({ metrics, limits, accounts, time, chores })
    const kept = retained.filter((message) => !router.marks.takeUp(message))
    for (const message of kept) router.takeUp(message)
    registry.recover({ sessions, groups, wills })
    this.#upkeep.tick()
    this.recovered = { sessions: sessions.length, retained: kept.length, wills: wills.length, queued }
    this.#upkeep.setSysInterval(sysIntervalSeconds)
    return this
  }

  /**
   * Opens a listener: TCP, a Unix socket or one that was inherited; with TLS, as WebSocket, behind a proxy. By default MQTT
   * over TCP on port 1883 of this machine alone. There may be several. A number is the port: `listen(1884)`. An address that
   * other machines reach needs a hook that authenticates, or `allowAnonymous: true`.
   * @throws BrokerError `listen-failed`, saying what is in the way; `invalid-option`; `closed`.
   */
  async listen(where: ListenOptions | number = {}): Promise<Listener> {
    this.#ensureOpen()
    const options = typeof where === 'number' ? { port: where } : where
    const listener = await this.#waysIn.listen(options)
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
    this.#waysIn.take(new DuplexTransport(stream, { ...peer, address: plainAddress(peer.address) }))
  }

  /**
   * Serves one client over a transport that an {@link Edge} has accepted, with what has come of it.
   * @param bytes what the client has said already; left out: nothing, and nobody has listened to the transport yet.
   */
  take(transport: Transport, bytes?: Uint8Array): void {
    if (this.#closed) transport.destroy()
    else this.#waysIn.take(transport, bytes)
  }

  /**
   * Publishes from inside the process, to every matching subscription; no hook is asked. Under `$SYS` it takes the state of a
   * bridge alone (`$SYS/broker/connection/NAME/state`). The message has been routed when
   * the call returns; the promise resolves when it is safe, as an acknowledgement would come. It rejects (`closed`) only when
   * the broker is closed and the disk has not taken it; a promise that nobody looks at does no harm.
   * Bytes in any view are published as they lie in memory; they are copied.
   * @throws BrokerError at once: `invalid-topic` (section 4.7); `invalid-option`, for what is no payload; `closed`.
   * @throws ProtocolError at once, for properties that MQTT cannot carry.
   */
  publish(topic: string, payload: string | ArrayBuffer | ArrayBufferView, options: PublishOptions = {}): Promise<void> {
    this.#ensureOpen()
    if (!isTopicName(topic) || topicLevels(topic) > this.#rooms.options.limits.maxTopicLevels) {
      throw new BrokerError('invalid-topic', `${JSON.stringify(topic)} is not a topic name to publish to`)
    }
    if (isSystemTopic(topic) && !isBridgeState(topic))
      throw new BrokerError('invalid-topic', 'topics under $SYS are published by the broker itself')
    const commit = this.#rooms.router.publish(localMessage(topic, ownBytes(payload), options, this.#rooms.time.now()))
    return this.#rooms.commits.whenFlushed(commit)
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
    const subscription = new LocalSubscription<F>(pattern, listener, this.#rooms, (ended) => {
      this.#rooms.router.unsubscribe(pattern.filter, ended)
      this.#subscribed.delete(ended as unknown as LocalSubscription<string>)
    })
    this.#subscribed.add(subscription as unknown as LocalSubscription<string>)
    this.#rooms.router.subscribe(pattern.filter, subscription, plainGrant(2))
    subscription.replay(this.#rooms.router.retainedFor(pattern.filter, () => this.#rooms.time.expiryNow()))
    return subscription
  }

  /**
   * Opens a session for the program around the broker: a durable reader and writer with the rules of a client's session. It
   * goes on where it was when it was closed, or when the process ended. A network client that uses this Client Identifier is
   * disconnected (0x8E, Session taken over), and one that comes while it is open is refused (0x85; below 5.0 return code 2),
   * counted and logged. It is among `sessions` and `clients`, where `inside` and the transport `inside` mark it.
   * @throws BrokerError `invalid-option`; `session-in-use`, when a session inside the process has this Client Identifier;
   * `refused`: as many sessions as the broker keeps, or no room; `closed`.
   */
  async session(clientId: string, options: InsideSessionOptions = {}): Promise<InsideSession> {
    this.#ensureOpen()
    try {
      return await openInside(clientId, options, this.#rooms.inside)
    } catch (error) {
      this.#ensureOpen() // what became of it meanwhile says more
      throw error
    }
  }

  /**
   * Ends a client's connection; its session lives on as its expiry says, its will is published. A client of 5.0 is told
   * why, and may be sent to another server.
   * @returns whether the client was connected; when the broker is closed, nobody is.
   * @throws BrokerError `invalid-option`, for a reason code that is not for DISCONNECT.
   * @throws ProtocolError for a text that MQTT cannot carry.
   */
  async disconnect(clientId: string, options: DisconnectOptions = {}): Promise<boolean> {
    checkNames(options, disconnectNames, 'disconnect')
    const { serverReference } = options
    const { reasonCode = serverReference === undefined ? reason.administrativeAction : reason.useAnotherServer } =
      options
    const { reasonString = reasonName(reasonCode).toLowerCase() } = options
    if (reasonCode < 0x80 || !isReasonFor('disconnect', reasonCode)) {
      throw new BrokerError('invalid-option', `reasonCode is ${reasonCode}; it takes one of DISCONNECT, from 0x80 on`)
    }
    const user = this.#closed ? undefined : this.#rooms.registry.get(clientId)?.user
    user?.end(reasonString, reasonCode, serverReference)
    return user !== undefined
  }

  /**
   * Changes limits, features, hooks and the interval of the `$SYS` topics while the broker runs: all that is given, or, when
   * any of it is wrong, nothing; before it returns. A lower limit throws nothing away, it refuses what is new. What a client
   * of 5.0 was told in its CONNACK (Receive Maximum, Maximum Packet Size, Topic Alias Maximum, Keep Alive, Session Expiry,
   * Maximum QoS, what of MQTT is there) holds for its connection. Present clients are not asked anew who they are; other
   * rules on publishing, subscribing and deliveries hold for them at once, and subscriptions that exist stay.
   * @throws BrokerError `invalid-option`, as {@link createBroker} does; `closed`.
   */
  async reconfigure(changes: Reconfiguration): Promise<void> {
    this.#ensureOpen()
    const { options, offer } = this.#rooms
    const next = checkReconfiguration(changes, options)
    this.#waysIn.checkAccess(hooksAuthenticate(next.hooks))
    // In place: everybody holds these two, and no number out of them.
    Object.assign(options.limits, next.limits)
    Object.assign(options.features, next.features)
    offer.renew(options.limits, options.features)
    if (changes.hooks) this.#replaceHooks(changes.hooks)
    this.#upkeep.setSysInterval(next.sysIntervalSeconds)
    this.#waysIn.reconfigured()
  }

  #replaceHooks(next: readonly Hooks[]): void {
    const { hooks, registry } = this.#rooms
    const watched = hooks.watchesDelivery
    hooks.replace(next)
    if (watched || hooks.watchesDelivery) for (const { user } of registry.all()) user?.onHooksReplaced?.()
  }

  /**
   * Whether clients should be sent here: the store takes a commit within a second, which is tried, and the event loop is not
   * so late that new clients have to wait. A broker that is closed is not ready.
   */
  async readiness(): Promise<Readiness> {
    return this.#closed ? { ready: false, reasons: [shuttingDown] } : this.#readiness.ask()
  }

  /** Plain counters from start, and drops by reason, as they are now. */
  async metrics(): Promise<Metrics> {
    return this.#rooms.metrics.copy()
  }

  /** What waits and what is kept, in bytes, and how much of each there may be, as it is now. */
  async accounts(): Promise<AccountsView> {
    const { waiting, stored } = this.#rooms.accounts
    return {
      waiting: { bytes: waiting.bytes, most: waiting.most },
      stored: { bytes: stored.bytes, most: stored.most },
    }
  }

  /**
   * Tells of every change of what the broker holds, in order, beginning now; in batches, after the work that made them. For a
   * listener that does not keep up 20,000 changes are gathered, or 8 MiB; it is told how many more it has missed, and then lists
   * again what it wants to know.
   */
  async changes(listener: BatchListener<Change>): Promise<Watch> {
    return watchOf(this.#rooms.router.changes.listen(listener))
  }

  /**
   * Shows packets that come and go from now on, without payloads and passwords, in batches, after the work that made them. For
   * a listener that does not keep up 20,000 packets are gathered, or 8 MiB; it is told how many more it has missed.
   * @throws BrokerError `invalid-topic`; `invalid-option`.
   */
  async trace(options: TraceOptions, listener: BatchListener<TraceEvent>): Promise<Watch> {
    checkNames(options, traceNames, 'trace')
    const { topic } = options
    if (topic !== undefined && !isTopicFilter(topic)) {
      throw new BrokerError('invalid-topic', `${JSON.stringify(topic)} is not a topic filter`)
    }
    return watchOf(this.#rooms.tracing.start(options, listener))
  }

  /** Counts from now on which topics are published to most, until it is stopped. */
  async watchTopics(): Promise<TopicWatch> {
    return watchTopics(this.#rooms.router)
  }

  /** Counts from now on what is dropped and refused, by reason and by client, until it is stopped. */
  async watchDrops(): Promise<DropWatch> {
    const { drops, wheel, clock } = this.#rooms
    return watchDrops(drops, wheel, clock)
  }

  /**
   * Ends in order: no new connections, what was sent to clients goes out, connections end, the store is written out, and listeners
   * of changes and packets have been told all.
   * Settles always, within some twenty seconds also while the disk takes nothing: what was not safe then is given up, and
   * logged. A second call waits for the first.
   */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  /**
   * Ends at once, because another has taken this broker's place: connections are cut off without a word, no will is published, and
   * nothing more is written. What was acknowledged is the other's to go on with. For who runs brokers in a cluster.
   */
  abandon(): Promise<void> {
    this.#closed ??= this.#leave()
    return this.#closed
  }

  async #leave(): Promise<void> {
    const why = 'another broker has taken over'
    this.#rooms.options.store.abandon()
    this.#rooms.registry.cutOff(why)
    this.#waysIn.end(why)
    await this.#end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #shutDown(): Promise<void> {
    this.#waysIn.end(shuttingDown, reason.serverShuttingDown)
    this.#rooms.registry.shutDown(shuttingDown)
    await this.#end()
  }

  async #end(): Promise<void> {
    const { wheel, chores } = this.#rooms
    for (const subscription of [...this.#subscribed]) subscription.unsubscribe()
    wheel.close()
    chores.close()
    await closeInOrder(this.#waysIn.listeners, this.#rooms)
  }

  #ensureOpen(): void {
    if (this.#closed) throw new BrokerError('closed', 'the broker has been closed')
  }

  /** Nothing can be stored any more, so nothing may be acknowledged: the connections end. */
  #fail(error: BrokerError): void {
    if (this.#failure) return
    this.#failure = error
    this.#rooms.options.log.log('error', error.message)
    this.#rooms.registry.shutDown('the stored data is damaged')
    this.onFailed(error)
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
