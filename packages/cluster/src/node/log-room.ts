import type { LogState } from '../log/log-server.js'

/** The part of the stream that commits may fill: the rest is for heartbeats and claims. */
const share = 0.9
/** What a frame takes in the stream beside its bytes, about. */
const besideBytes = 200

/** How full the log is: as its servers said last, and by what was written since. */
export class LogRoom {
  #state: LogState | undefined
  #written = 0

  counted(state: LogState): void {
    this.#state = state
    this.#written = 0
  }

  wrote(bytes: number): void {
    this.#written += bytes + besideBytes
  }

  get isFull(): boolean {
    const { bytes, maxBytes } = this.#state ?? { bytes: 0, maxBytes: 0 }
    return maxBytes > 0 && bytes + this.#written >= share * maxBytes
  }
}
