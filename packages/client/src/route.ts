import { type ProtocolVersion, reason } from '@godwit/protocol'
import { Backoff } from './backoff.js'
import { type AnyClientError, ConnectionError, ServerDisconnectedError, ServerRefusedError } from './errors.js'
import { Redirects } from './redirects.js'
import type { ServerAddress } from './server-address.js'
import type { Settings } from './settings.js'

/** How one connection, or the attempt to make it, ended. */
export interface Ending {
  readonly error: AnyClientError
  /** Undefined when it was never accepted. */
  readonly connectedMs: number | undefined
  /** CONNECT may have reached the server, and no answer has come. */
  readonly unanswered: boolean
}

/** How it goes on. */
export interface Next {
  /** Undefined: not at all. */
  readonly retryInMs: number | undefined
  /** A step on the way to a connection rather than the end of one: nobody needs to hear of it. */
  readonly isStep: boolean
}

const noBackoff = { initialMs: 0, maxMs: 0, stableMs: 0 }

/** Where the next attempt goes, in which version, and when. */
export class Route {
  readonly #settings: Settings
  readonly #backoff: Backoff
  readonly #redirects = new Redirects()
  /**
   * By URL: what the server turned out to speak. Unproven: it has closed without an answer at 5.0, and 3.1.1 is a guess, for one
   * connection; it may have been restarting.
   */
  readonly #versions = new Map<string, { readonly version: ProtocolVersion; readonly proven: boolean }>()
  /** One of the servers has taken 5.0. */
  #speaks5 = false

  constructor(settings: Settings) {
    this.#settings = settings
    this.#backoff = new Backoff(settings.reconnect ?? noBackoff, settings.servers, settings.clock)
  }

  get server(): ServerAddress {
    return this.#redirects.target ?? this.#backoff.server
  }

  get version(): ProtocolVersion {
    return this.#versions.get(this.server.url)?.version ?? this.#settings.version
  }

  /** The server has taken CONNECT. */
  accepted(): void {
    const { server, version } = this
    this.#settings.relay?.bridgeLevel?.accepted(server.url, version)
    this.#speaks5 ||= version === 5
    if (!this.#versions.has(server.url)) this.#versions.set(server.url, { version, proven: true })
  }

  after(ending: Ending): Next {
    const { error, connectedMs } = ending
    const { reconnect, followRedirects } = this.#settings
    const isStep = connectedMs === undefined
    if (this.#fallsBack(ending)) return { retryInMs: 0, isStep: true }
    if (connectedMs !== undefined && connectedMs >= (reconnect?.stableMs ?? 0)) this.#redirects.settled()
    if (
      followRedirects &&
      (reconnect !== undefined || isStep) &&
      this.#redirects.follow(this.server, referenceOf(error))
    ) {
      return { retryInMs: 0, isStep }
    }
    if (reconnect === undefined || error.permanent) return { retryInMs: undefined, isStep: false }
    if (this.#redirects.target !== undefined && isStep) this.#redirects.leave()
    return { retryInMs: this.#backoff.next(connectedMs ?? 0), isStep: false }
  }

  #fallsBack({ error, unanswered }: Ending): boolean {
    const { server, version } = this
    const proven = this.#versions.get(server.url)?.proven
    const refused = error instanceof ServerRefusedError && error.reasonCode === reason.unsupportedProtocolVersion
    // A server from before 5.0 may close instead; so may one that is about to restart, and then 3.1.1 is no better.
    const silent = !proven && unanswered && error instanceof ConnectionError && error.code === 'connection-closed'
    if (this.#settings.relay?.bridgeLevel?.gaveWay(server.url, version, refused, silent)) return true
    if (!this.#settings.fallback) return false
    // Several servers stand for one: where another has taken 5.0, the session there would not be the same at 3.1.1.
    if (version === 5 && (refused || (silent && !this.#speaks5))) {
      this.#versions.set(server.url, { version: 4, proven: refused })
      return true
    }
    if (version < 5 && !proven) this.#forget(server.url)
    return false
  }

  #forget(url: string): void {
    this.#versions.delete(url)
    this.#settings.relay?.bridgeLevel?.forget(url)
  }
}

/** The Server Reference of "Use another server" or "Server moved". */
function referenceOf(error: AnyClientError): string | undefined {
  const isAnswer = error instanceof ServerRefusedError || error instanceof ServerDisconnectedError
  if (!isAnswer || (error.reasonCode !== reason.useAnotherServer && error.reasonCode !== reason.serverMoved)) {
    return undefined
  }
  return error.properties?.serverReference
}
