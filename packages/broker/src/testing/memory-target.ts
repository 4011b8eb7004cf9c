import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Broker } from '../broker.js'
import { memoryPair } from '../transport/memory.js'
import type { VirtualClock } from './virtual-clock.js'

/** One end of a connection, as the conformance checks want it. */
interface MemoryStream {
  write(bytes: Uint8Array): void
  end(): void
  destroy(): void
  onData(listener: (chunk: Uint8Array) => void): void
  onClose(listener: () => void): void
}

/** Turns of the event loop after which everything written to a memory pair has been handled and answered. */
const turnsToSettle = 12

/** A broker to run conformance checks against: connections without sockets, time that passes when told to. */
export class MemoryTarget {
  readonly patienceMs = 2000
  readonly #broker: Broker
  readonly #clock: VirtualClock

  constructor(broker: Broker, clock: VirtualClock) {
    this.#broker = broker
    this.#clock = clock
  }

  async open(): Promise<MemoryStream> {
    const [ours, theirs] = memoryPair()
    this.#broker.handle(theirs, { transport: 'memory', address: 'test' })
    return streamOf(ours)
  }

  async sleep(ms: number): Promise<void> {
    await this.settled()
    this.#clock.advance(ms)
    await this.settled()
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < turnsToSettle; turn++) await nextTurn()
  }
}

function streamOf(duplex: Duplex): MemoryStream {
  duplex.on('error', () => {}) // a reset is a close here
  return {
    write: (bytes) => void duplex.write(bytes),
    end: () => void duplex.end(),
    destroy: () => void duplex.destroy(),
    onData: (listener) => void duplex.on('data', listener),
    onClose: (listener) => {
      duplex.once('end', listener)
      duplex.once('close', listener)
    },
  }
}
