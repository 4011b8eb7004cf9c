import { allParts } from './all-parts.js'
import { BridgeLevel } from './bridge-level.js'
import type { Client } from './client.js'
import type { ConnectOptions } from './options.js'
import { ReconnectingClient } from './reconnecting-client.js'
import type { RelayedMessage, Relaying, RelayTerms } from './relayed-message.js'
import { RequestingClient } from './requesting-client.js'
import type { GivenServers } from './server-address.js'
import { resolveOptions } from './settings.js'
import type { OutgoingOwner } from './state/outgoing.js'
import { RelayedIds } from './state/relayed-ids.js'

export type { GivenRepeats, RelayedMessage, RelayTerms } from './relayed-message.js'
export type { DropReason, OutgoingOwner } from './state/outgoing.js'

/**
 * A client for whoever passes messages on from a session that keeps them: they are sent under the numbers they have there, so
 * that a new process goes on with their handshakes. Nothing is kept twice: its store is that session, and hears of PUBREC and of
 * the end of each message (`putOutgoing` with `released` above 0, `removeOutgoing`).
 *
 * A message that its server may have is never given up because that server has forgotten its session; it is sent again.
 */
export class Relay {
  /** To subscribe, to listen and to close. Of overlapping subscriptions the first one that matches is given a message. */
  readonly client: Client
  readonly #client: ReconnectingClient

  /** Use {@link relay}. */
  constructor(client: ReconnectingClient, checked: Client) {
    this.#client = client
    this.client = checked
  }

  /** Whether a message given now would be sent at once. */
  get isOpen(): boolean {
    return this.#client.isOpen
  }

  /**
   * Below 5.0, where each SUBSCRIBE brings all that is retained, subscriptions of a session that the server has still are asked for
   * again only now: when what comes late cannot be taken for news. They may be there; nobody knows.
   */
  askAgain(): void {
    this.#client.askAgain()
  }

  /**
   * Sends it, as soon as there is a connection with room; `owner` is told how it ended. All leave in the order of the calls, also
   * those that a new process gives again. Give few while it is not open: {@link Client.ready} tells when it is.
   */
  send(message: RelayedMessage, owner: OutgoingOwner): void {
    this.#client.relay(message, owner)
  }
}

/**
 * Looks at what a relay would be made with.
 * @throws InvalidArgumentError for options that cannot work, or do not exist.
 */
export function checkRelay(server: GivenServers, options: ConnectOptions): void {
  resolveOptions(server, options, allParts)
}

/**
 * Makes one, which connects in the background.
 * @param options with `store`.
 * @throws InvalidArgumentError for options that cannot work, or do not exist.
 */
export async function relay(server: GivenServers, options: ConnectOptions, terms: RelayTerms): Promise<Relay> {
  const relaying: Relaying = {
    firstPacketId: terms.firstPacketId,
    bridgeLevel: terms.bridge ? new BridgeLevel() : undefined,
    ids: new RelayedIds(),
    ...(terms.repeats && { repeats: terms.repeats }),
  }
  const settings = { ...resolveOptions(server, { ...options, background: true }, allParts), relay: relaying }
  const client = new ReconnectingClient(settings)
  const checked = new RequestingClient(client, settings)
  await client.start()
  return new Relay(client, checked)
}
