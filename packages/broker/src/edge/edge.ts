import type { Duplex } from 'node:stream'
import { reason } from '@godwit/protocol'
import { makeGround } from '../basics.js'
import type { Broker } from '../broker.js'
import { DescriptorWatch } from '../connection/descriptor-watch.js'
import { Door, takeUp } from '../connection/door.js'
import { UnauthenticatedBytes } from '../connection/probation.js'
import { Descriptors } from '../descriptors.js'
import type { Counters } from '../drops.js'
import { BrokerError } from '../errors.js'
import { Metrics } from '../metrics.js'
import { plainAddress } from '../network.js'
import type { Chore } from '../time/chores.js'
import { DuplexTransport } from '../transport/duplex.js'
import { listen } from '../transport/listen.js'
import type { ListenOptions } from '../transport/listen-options.js'
import type { Listener, Peer, Transport } from '../transport/transport.js'
import { Dialer, type OwnerNode } from './dialer.js'
import { EdgeArrival, type EdgeParts } from './edge-arrival.js'
import {
  type CheckedEdgeOptions,
  checkEdgeOptions,
  checkEdgeReconfiguration,
  type EdgeOptions,
  type EdgeReconfiguration,
} from './edge-options.js'
import type { ForwardedClient } from './forwarded-client.js'
import { type Dial, NodeDial } from './node-dial.js'
import { readBytes } from './one-way.js'

/** One connection from it, and one to the node that serves. */
const filesOfClient = 2
const shuttingDown = 'the node is shutting down'
const anotherServes = 'another node serves now'

/**
 * The listeners of one node of a cluster, whoever serves. While that is another node, clients are passed on to its node listener,
 * each over a connection of its own: listeners, limits, back-off and times are this node's, all else is that of the node that serves. When
 * it is a broker of this process, clients are that broker's as if it had accepted them: no port is closed meanwhile. Made by
 * {@link createEdge}.
 */
export class Edge implements AsyncDisposable {
  /** For the brokers of this process, {@link BrokerOptions.counters}: all count on from where the one before has ended. */
  readonly counters: Counters
  readonly #options: CheckedEdgeOptions
  readonly #parts: EdgeParts
  readonly #dial: Dial
  readonly #descriptors: Descriptors
  readonly #descriptorWatch: DescriptorWatch
  readonly #listeners: Listener[] = []
  /** What sockets read into while they are read only to be passed on. */
  readonly #buffer = new Uint8Array(readBytes)
  /** The last of another node that is known. */
  #claim: string | undefined
  #closed: Promise<void> | undefined

  /** Use {@link createEdge}. */
  constructor(options: CheckedEdgeOptions, dial: Dial) {
    const ground = makeGround(options, new Metrics())
    const { limits, controlCharacters, backOff, holdMs } = options
    this.#options = options
    this.#dial = dial
    this.counters = ground
    ground.metrics.forward.isOn = true
    this.#descriptors = new Descriptors(ground.drops)
    this.#descriptorWatch = new DescriptorWatch(this.#descriptors, ground, filesOfClient)
    this.#parts = {
      ...ground,
      services: { ...ground, features: { controlCharacters } },
      tracing: { isOn: false, received() {}, sent() {} },
      door: new Door(ground),
      unauthenticated: new UnauthenticatedBytes(limits, ground.drops),
      arriving: new Set(),
      dialer: new Dialer(dial, ground),
      backOff,
      holdMs,
      here: { serve: undefined },
      forwarded: new Set(),
    }
  }

  /**
   * Opens a listener, as {@link Broker.listen} does; it is open whoever serves.
   * @throws BrokerError `listen-failed`, saying what is in the way; `invalid-option`; `closed`.
   */
  async listen(options: ListenOptions): Promise<Listener> {
    this.#ensureOpen()
    if (options.node)
      throw new BrokerError('invalid-option', 'a node listener is for the broker that serves, and not for an edge')
    const { metrics, drops, limits, log } = this.#parts
    const listener = await listen(options, {
      accept: (transport) => this.#accept(transport),
      authenticates: () => this.#options.authenticates,
      limits,
      metrics,
      drops,
      descriptors: this.#descriptors,
      log,
      readBuffer: () => (this.#parts.here.serve ? undefined : this.#buffer),
    })
    this.#listeners.push(listener)
    this.#descriptorWatch.start()
    if (this.#closed) await listener.close()
    this.#ensureOpen()
    return listener
  }

  /**
   * Serves one client over any ordered, lossless duplex stream of bytes. The stream is the edge's from then on.
   * @throws BrokerError `closed`.
   */
  handle(stream: Duplex, peer: Peer = { transport: 'stream', address: '' }): void {
    this.#ensureOpen()
    this.#accept(new DuplexTransport(stream, { ...peer, address: plainAddress(peer.address) }))
  }

  /**
   * Says who serves from now on: another node, a broker of this process, or, with `undefined`, nobody that is known. Clients that wait
   * go there; those that were passed on by an earlier claim are disconnected, and come again. With `undefined` those stay.
   */
  setOwner(owner: OwnerNode | Broker | undefined): void {
    if (this.#closed) return
    const { dialer, chores, forwarded, here } = this.#parts
    const broker = owner !== undefined && 'take' in owner ? owner : undefined
    here.serve = broker && ((transport, bytes) => broker.take(transport, bytes))
    const node = owner !== undefined && 'claim' in owner ? owner : undefined
    dialer.setOwner(node)
    if (owner === undefined) return
    this.#claim = node?.claim
    chores.add(this.#settle([...forwarded]))
  }

  /** In slices: there may be many, and who serves may have changed again meanwhile. */
  *#settle(clients: readonly ForwardedClient[]): Chore {
    const { faults, metrics } = this.#parts
    for (const client of clients) {
      try {
        if (client.claim !== undefined && client.claim !== this.#claim) {
          metrics.forward.ended++
          client.end(anotherServes)
        } else client.handOver()
      } catch (error) {
        faults.contain(error, client, 'going on with the node that serves now')
      }
      yield 4
    }
  }

  /** Plain counters from start, as they are now: its own and those of the brokers of this process that use {@link Edge.counters}. */
  async metrics(): Promise<Metrics> {
    return this.#parts.metrics.copy()
  }

  /**
   * Changes limits for who comes in, and whether strings of a CONNECT may hold control characters: what is left out stays as it was.
   * Which limits hold at once, and which for new connections, `limitEffects` says.
   * @throws BrokerError `invalid-option`: nothing has changed then; `closed`.
   */
  reconfigure(changes: EdgeReconfiguration): void {
    this.#ensureOpen()
    const { limits, services } = this.#parts
    const next = checkEdgeReconfiguration(changes, limits)
    // In place: everybody holds these two, and no number out of them.
    Object.assign(limits, next.limits)
    Object.assign(services.features, next.features)
    this.#descriptorWatch.warn()
  }

  /**
   * Reads certificate, key and CA for other nodes again; listeners have their own. Rejects, and keeps what it has, when they are broken.
   */
  async reload(): Promise<void> {
    await this.#dial.reload()
  }

  /** Ends in order: no new connections, those that are passed on end at both sides. Clients of a broker of this process are that one's. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #shutDown(): Promise<void> {
    const { arriving, forwarded, dialer, wheel, chores } = this.#parts
    for (const client of [...arriving, ...forwarded]) client.end(shuttingDown, reason.serverShuttingDown)
    dialer.close()
    this.#dial.close()
    wheel.close()
    chores.close()
    await Promise.allSettled(this.#listeners.map((listener) => listener.close()))
  }

  #accept(transport: Transport): void {
    const { serve } = this.#parts.here
    if (serve) return serve(transport)
    takeUp(transport, this.#parts, () => transport.start(new EdgeArrival(transport, this.#parts)))
  }

  #ensureOpen(): void {
    if (this.#closed) throw new BrokerError('closed', 'the edge has been closed')
  }
}

/**
 * Makes the edge of a node.
 * @throws BrokerError `invalid-option`, naming the option and what it takes, or the file that cannot be used.
 */
export async function createEdge(options: EdgeOptions = {}): Promise<Edge> {
  const checked = checkEdgeOptions(options)
  return new Edge(checked, await NodeDial.open(checked.tls, checked.log))
}
