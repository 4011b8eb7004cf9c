import type { Owner } from '../faults.js'
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'

/** The longest fixed header, the Protocol Name and the Protocol Level. */
const enough = 12
const nameAndLevel = [0, 4, 0x4d, 0x51, 0x54, 0x54, 5]
const noBytes: Uint8Array = new Uint8Array(0)

/**
 * Whether a connection without a client that ended so is worth no line at the usual level: `drops.ts` has told of the
 * refused, and whoever looks whether the port is open says nothing.
 */
export function isUneventful(ending: string): boolean {
  return ending === 'connection refused' || ending === 'connection closed by the client'
}

/** What a connection has only until its client is in. */
export class Arrival {
  /** The first packet has come. */
  greeted = false
  readonly #timer: WheelTimer
  /** What has come before it, as far as it tells which version is spoken. */
  #firstBytes = noBytes

  constructor(wheel: TimerWheel, timeoutMs: number, onTimeout: (why: string) => void, owner: Owner) {
    const onDue = (): void => onTimeout(this.greeted ? 'not authenticated in time' : 'no CONNECT in time')
    this.#timer = wheel.after(timeoutMs, onDue, owner)
  }

  heard(chunk: Uint8Array): void {
    const known = this.#firstBytes
    if (this.greeted || known.length >= enough) return
    this.#firstBytes = Uint8Array.from([...known, ...chunk.subarray(0, enough - known.length)])
  }

  /** Nothing whole has come, but it is the beginning of a CONNECT of 5.0, whatever is wrong with the rest of it. */
  get beginsAs50(): boolean {
    const bytes = this.#firstBytes
    if (this.greeted || bytes[0] !== 0x10) return false
    let at = 1
    while (at < 4 && bytes[at]! > 127) at++
    return nameAndLevel.every((byte, n) => bytes[at + 1 + n] === byte)
  }

  end(): void {
    this.#timer.cancel()
  }
}
