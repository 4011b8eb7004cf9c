import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Handshakes } from './handshakes.js'
import type { NodeOptions } from './listen-options.js'
import { parseNodeHeader } from './node-header.js'
import { NodeNames } from './node-names.js'
import { readProxyHeader } from './proxy-protocol.js'
import type { Peer } from './transport.js'

/** The step of a node listener, behind its TLS: who is a node of the cluster says what client it passes on. */
export class NodeStep {
  readonly #names: NodeNames
  readonly #listeners: ReadonlySet<string | undefined> | undefined
  readonly #handshakes: Handshakes
  readonly #next: (stream: Duplex, socket: Socket, peer: Peer) => void

  constructor(
    { names, listeners }: NodeOptions,
    handshakes: Handshakes,
    next: (stream: Duplex, socket: Socket, peer: Peer) => void,
  ) {
    this.#names = new NodeNames(names)
    this.#listeners = listeners && new Set(listeners)
    this.#handshakes = handshakes
    this.#next = next
  }

  /** @param node who is at the other end; without TLS only programs of this machine can be. */
  readonly enter = (stream: Duplex, socket: Socket, node: Peer): void => {
    if (node.transport === 'tls' && !(node.certificate && this.#names.has(node.certificate))) {
      return this.#handshakes.refuse(
        socket,
        'tls',
        'its certificate has none of the names of the nodes of this cluster',
      )
    }
    readProxyHeader(stream, socket, parseNodeHeader, this.#handshakes, ({ peer, length }) =>
      this.#announced(stream, socket, peer, length),
    )
  }

  #announced(stream: Duplex, socket: Socket, peer: Peer, headerBytes: number): void {
    if (this.#listeners && !this.#listeners.has(peer.listener)) {
      const why = 'its client came to a listener that this node has not; give all nodes the same listeners'
      return this.#handshakes.refuse(socket, 'proxy-header', why)
    }
    if (!this.#handshakes.identified(socket, peer.address, headerBytes)) return
    this.#next(stream, socket, peer)
    stream.resume() // it was read by hand, so it would wait to be told
  }
}
