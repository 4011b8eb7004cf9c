import type { Owner } from '../faults.js'
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'

/** The longest fixed header, the Protocol Name and the Protocol Level. */
const enough = 12
const nameAndLevel = [0, 4, 0x4d, 0x51, 0x54, 0x54, 5]
const noBytes: Uint8Array = new Uint8Array(0)

/**
 * Whether a connection without a client that ended so is worth no line at the usual level: `drops.ts` has told of the
 * refused, and whoever looks whether the port is open says nothing, and may leave by a reset.
 * @param error of the transport, if there was one.
 */
export function isUneventful(ending: string, error?: NodeJS.ErrnoException): boolean {
  if (error) return networkFailures.includes(error.code ?? '')
  return ending === 'connection refused' || ending === 'connection closed by the client'
}

/** That of the way to the other side, and not of what it said. */
const networkFailures = ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN']

/** What a connection has only until its client is in. */
export class Arrival {
  /** The first packet has come. */
  greeted = false
  #timer: WheelTimer
  /** What has come before it, as far as it tells which version is spoken. */
  #firstBytes = noBytes
  /** Made when somebody is asked who the client is. */
  #gone: AbortController | undefined

  constructor(wheel: TimerWheel, timeoutMs: number, onTimeout: (why: string) => void, owner: Owner) {
    const pausedBefore = wheel.pausedMs
    const onDue = (): void => onTimeout(this.greeted ? 'not authenticated in time' : 'no CONNECT in time')
    const onFirstDue = (): void => {
      // Time in which the broker did not run is given back: hooks have not run either.
      const lostMs = Math.min(wheel.pausedMs - pausedBefore, timeoutMs)
      if (lostMs > 0) this.#timer = wheel.after(lostMs, onDue, owner)
      else onDue()
    }
    this.#timer = wheel.after(timeoutMs, onFirstDue, owner)
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

  /** Aborted when the connection goes before the client is in. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController()
    return this.#gone.signal
  }

  /** What has come when it is HTTP or TLS, in words for the log; undefined for anything else. Nobody is answered who speaks no MQTT. */
  get stranger(): string | undefined {
    if (this.greeted && this.#firstBytes.length < enough) return undefined
    const text = String.fromCharCode(...this.#firstBytes)
    if (text.startsWith('\x16\x03')) return 'it speaks TLS; this port does not: it needs a listener with tls (mqtts)'
    if (!/^(GET|HEAD|POST|PUT|OPTIONS|CONNECT|DELETE|PATCH) /.test(text)) return undefined
    return 'it speaks HTTP; this port speaks MQTT only: WebSockets need a listener of their own (ws)'
  }

  /** The client is in. */
  end(): void {
    this.#timer.cancel()
  }

  /** Nobody will be. */
  fail(): void {
    this.end()
    this.#gone?.abort()
  }
}
