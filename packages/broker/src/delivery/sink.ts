import type { Commit } from '../commit.js'
import type { DropReason } from '../metrics.js'
import type { QueuedMessage } from '../store/queue.js'

/** Where a session's deliveries go while it has a connection. */
export interface Sink {
  /** True while the client's socket takes nothing more: QoS 0 is dropped, QoS 1 and 2 wait. */
  readonly full: boolean
  /** Why the client cannot have it, if so: too large for it [MQTT-3.1.2-24], or not for its eyes. */
  refusal(entry: QueuedMessage): DropReason | undefined
  /** Sends a PUBLISH, not before `commit` is flushed. `packetId` is 0 at QoS 0. */
  publish(entry: QueuedMessage, dup: boolean, packetId: number, commit: Commit): void
  /** Something has failed on the way to this client: its connection ends. */
  onFault(): void
  /** Sends a PUBREL again, after a reconnection. */
  pubrel(packetId: number): void
}
