import type { ProtocolVersion } from '@godwit/protocol'

/** Which servers are told, below 5.0, that the client is a bridge; see RelayTerms. */
export class BridgeLevel {
  /**
   * By URL, of servers that take no bridge's level. `known`: it has said so. `guessed`: it has closed without an answer, as one does
   * that is about to restart. `doubted`: it has taken a plain CONNECT since, and is asked once more. `closes`: it has closed
   * again; so it is, for one connection.
   */
  readonly #plain = new Map<string, 'known' | 'guessed' | 'doubted' | 'closes'>()

  /** Whether the next CONNECT says it. */
  isFor(url: string, version: ProtocolVersion): boolean {
    const plain = this.#plain.get(url)
    return version < 5 && (plain === undefined || plain === 'doubted')
  }

  /** Whether CONNECT was taken without it by a server that was not asked for it while it stood: it is now. */
  doubts(url: string, version: ProtocolVersion): boolean {
    if (version > 4 || this.#plain.get(url) !== 'guessed') return false
    this.#plain.set(url, 'doubted')
    return true
  }

  /** The server has taken CONNECT. */
  accepted(url: string, version: ProtocolVersion): void {
    if (this.isFor(url, version)) this.#plain.delete(url)
  }

  /**
   * An attempt has failed: `refused`, since the server has said that it knows no such version; `silent`, when it has closed instead of
   * an answer. True: it is tried again without.
   */
  gaveWay(url: string, version: ProtocolVersion, refused: boolean, silent: boolean): boolean {
    const plain = this.#plain.get(url)
    if (this.isFor(url, version) && (refused || silent)) {
      this.#plain.set(url, refused ? 'known' : plain === 'doubted' ? 'closes' : 'guessed')
      return true
    }
    if (plain === 'guessed' || plain === 'closes') this.#plain.delete(url)
    return false
  }

  /** What the server speaks is asked anew. */
  forget(url: string): void {
    if (this.#plain.get(url) === 'known') this.#plain.delete(url)
  }
}
