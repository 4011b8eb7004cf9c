import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Dial } from '../../src/edge/node-dial.js'
import type { Broker } from '../../src/index.js'
import { memoryPair } from '../../src/index.js'
import { DuplexTransport } from '../../src/transport/duplex.js'
import type { Handshakes } from '../../src/transport/handshakes.js'
import { NodeStep } from '../../src/transport/node-step.js'
import type { Peer } from '../../src/transport/transport.js'

const here: Peer = { transport: 'memory', address: 'node' }

/** Connections to a broker in this process, without sockets: what a node listener reads, this reads. */
export class MemoryDial implements Dial {
  readonly #node: NodeStep

  constructor(broker: Broker) {
    const handshakes = {
      identified: () => true,
      refuse: (_socket: Socket, reason: string, why: string) => {
        throw new Error(`${reason}: ${why}`)
      },
    } as unknown as Handshakes
    const serve = (stream: Duplex, _socket: Socket, peer: Peer): void => broker.handle(stream, peer)
    this.#node = new NodeStep({ names: [] }, handshakes, serve)
  }

  open(_address: unknown, opened: (node: DuplexTransport) => void): () => void {
    const [ours, theirs] = memoryPair()
    this.#node.enter(theirs, new Socket(), here)
    let isWanted = true
    queueMicrotask(() => isWanted && opened(new DuplexTransport(ours, here)))
    return () => {
      isWanted = false
    }
  }

  async reload(): Promise<void> {}

  close(): void {}
}
