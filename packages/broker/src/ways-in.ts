import { Arrival } from './connection/arrival.js'
import { Connection } from './connection/connection.js'
import { DescriptorWatch } from './connection/descriptor-watch.js'
import { takeUp } from './connection/door.js'
import { Descriptors } from './descriptors.js'
import type { Rooms } from './rooms.js'
import { listen, type OpenListener } from './transport/listen.js'
import type { ListenOptions } from './transport/listen-options.js'
import type { Listener, Transport } from './transport/transport.js'

/** How clients come in: by listeners, or over transports that somebody else has accepted. */
export class WaysIn {
  readonly #rooms: Rooms
  readonly #descriptors: Descriptors
  readonly #descriptorWatch: DescriptorWatch
  readonly #listeners = new Set<OpenListener>()

  constructor(rooms: Rooms) {
    this.#rooms = rooms
    this.#descriptors = new Descriptors(rooms.drops)
    this.#descriptorWatch = new DescriptorWatch(this.#descriptors, rooms)
  }

  /** Those that are open. */
  get listeners(): readonly Listener[] {
    return [...this.#listeners]
  }

  /** @throws BrokerError `listen-failed`, `invalid-option`. */
  async listen(options: ListenOptions): Promise<Listener> {
    const { hooks, metrics, drops, limits, log } = this.#rooms
    const opened = await listen(options, {
      accept: (transport) => this.take(transport),
      authenticates: () => hooks.authenticates,
      descriptors: this.#descriptors,
      ...{ limits, metrics, drops, log },
    })
    const listener: OpenListener = {
      ...opened,
      close: () => {
        this.#listeners.delete(listener)
        return opened.close()
      },
    }
    this.#listeners.add(listener)
    this.#descriptorWatch.start()
    return listener
  }

  /**
   * Whether each listener may be open where it is.
   * @param authenticates whether somebody says who may come in.
   * @throws BrokerError `invalid-option`, of the first that may not.
   */
  checkAccess(authenticates: boolean): void {
    for (const listener of this.#listeners) listener.checkAccess(authenticates)
  }

  /** @param bytes what the client has said already; left out: nothing, and nobody has listened to the transport yet. */
  take(transport: Transport, bytes?: Uint8Array): void {
    takeUp(transport, this.#rooms, () => {
      const arrival = this.#arrival(transport)
      if (!bytes) return transport.start(arrival)
      transport.handTo(arrival)
      arrival.onData(bytes)
    })
  }

  #arrival(transport: Transport): Arrival {
    const { connectionParts } = this.#rooms
    return new Arrival(transport, connectionParts, (_, connect, decoder, probation) => {
      return new Connection(transport, connectionParts, connect, decoder, probation)
    })
  }

  /** Limits are others now. */
  reconfigured(): void {
    this.#descriptorWatch.warn()
  }

  /** Ends those whose CONNECT is not whole yet. */
  end(why: string, reasonCode?: number): void {
    for (const arriving of [...this.#rooms.connectionParts.arriving]) arriving.end(why, reasonCode)
  }
}
