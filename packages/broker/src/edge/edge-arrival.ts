import type { Decoder } from '@godwit/protocol'
import { Arrival, type ArrivalParts } from '../connection/arrival.js'
import type { Transport } from '../transport/transport.js'
import { ForwardedClient, type ForwardParts, KeptBytes } from './forwarded-client.js'

/** What connections of an edge are made with. */
export type EdgeParts = ArrivalParts & ForwardParts

/** An arrival whose bytes are kept: they go on as they have come. */
export class EdgeArrival extends Arrival {
  readonly #kept: KeptBytes

  constructor(transport: Transport, parts: EdgeParts) {
    const kept = new KeptBytes()
    super(
      transport,
      parts,
      (_transport, connect, _decoder: Decoder, probation) =>
        new ForwardedClient(transport, connect, probation, kept, parts),
    )
    this.#kept = kept
  }

  override onData(chunk: Uint8Array): void {
    this.#kept.add(chunk)
    super.onData(chunk)
  }

  protected override get arrivedBytes(): number {
    return super.arrivedBytes + this.#kept.length
  }
}
