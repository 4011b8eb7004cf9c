import { encodeInto, encodePublishHead, type Packet, type ProtocolVersion, Writer } from '@godwit/protocol'
import type { Clock } from './clock.js'
import type { Outgoing } from './state/outgoing.js'

/** Bytes gathered before a flush is not put off any longer, and beyond which the outbox counts as full. */
const highWaterBytes = 65_536

interface OutboxEvents {
  /** Bytes go to the stream; false asks to wait for `drained`. */
  write(bytes: Uint8Array): boolean
  /** Settles when everything the gathered packets promise is kept; undefined when it is already. */
  commit(): Promise<void> | undefined
  /** The outbox was full and is not any more. */
  writable(): void
  /** A commit failed: nothing more can be promised. */
  failed(error: unknown): void
}

/**
 * The way out of one connection. Packets of one turn of the event loop are laid one after another in one buffer and
 * written once. They leave when the store has kept what they promise; one commit is in flight, what comes meanwhile
 * is the next one.
 */
export class Outbox {
  readonly #version: ProtocolVersion
  readonly #clock: Clock
  readonly #events: OutboxEvents
  #writer = new Writer(1024)
  #scheduled = false
  #committing = false
  #blocked = false
  #whenEmpty: (() => void) | undefined
  #dead = false

  constructor(version: ProtocolVersion, clock: Clock, events: OutboxEvents) {
    this.#version = version
    this.#clock = clock
    this.#events = events
  }

  /** True while more should not be handed over. Control packets may be, always. */
  get full(): boolean {
    return this.#blocked || this.#writer.position >= highWaterBytes
  }

  send(packet: Packet): void {
    if (this.#dead) return
    encodeInto(this.#writer, packet, this.#version)
    this.#schedule()
  }

  /**
   * `topic` and `properties` are the message's own, or what stands for them on this connection.
   * @throws what keeps it from being written; then nothing of it has been.
   */
  publish(message: Outgoing, dup: boolean, topic: string, properties: Outgoing['properties']): void {
    if (this.#dead) return
    const { payload, qos, retain, packetId } = message
    const writer = this.#writer
    const before = writer.position
    try {
      encodePublishHead(writer, topic, qos, retain, dup, packetId, properties, payload.length, this.#version)
      writer.copy(payload, 0, payload.length)
    } catch (error) {
      writer.position = before // no half packet may be left: whatever followed would be read as the rest of it
      throw error
    }
    this.#schedule()
  }

  /** The stream has room again. */
  drained(): void {
    this.#blocked = false
    if (!this.full) this.#events.writable()
  }

  /** Writes what is gathered, then calls `done`. */
  finish(done: () => void): void {
    this.#whenEmpty = done
    this.#flush()
  }

  /** Forgets what has not been written. */
  stop(): void {
    this.#dead = true
  }

  #schedule(): void {
    if (this.#writer.position >= highWaterBytes) this.#flush()
    else if (!this.#scheduled) {
      this.#scheduled = true
      this.#clock.soon(() => {
        this.#scheduled = false
        this.#flush()
      })
    }
  }

  #flush(): void {
    if (this.#dead || this.#committing) return
    if (this.#writer.position === 0) {
      const done = this.#whenEmpty
      this.#whenEmpty = undefined
      done?.()
      return
    }
    const commit = this.#events.commit()
    const bytes = this.#writer.written()
    this.#writer = new Writer(Math.min(highWaterBytes, Math.max(1024, bytes.length)))
    if (commit === undefined) this.#write(bytes)
    else this.#writeAfter(commit, bytes)
  }

  #writeAfter(commit: Promise<void>, bytes: Uint8Array): void {
    this.#committing = true
    commit.then(
      () => {
        this.#committing = false
        if (this.#dead) return
        this.#write(bytes)
        if (!this.full) this.#events.writable()
      },
      (error: unknown) => {
        if (!this.#dead) this.#events.failed(error)
      },
    )
  }

  #write(bytes: Uint8Array): void {
    if (!this.#events.write(bytes)) this.#blocked = true
    this.#flush()
  }
}
