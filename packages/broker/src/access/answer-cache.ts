import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../time/clock.js'

/**
 * Answers about credentials, for a while. The credentials are kept only as a keyed digest, whose key is this process's
 * own and never leaves it. The oldest answers go first when it is full.
 */
export class AnswerCache<T> {
  readonly #key = randomBytes(32)
  readonly #answers = new Map<string, { readonly answer: T; readonly until: number }>()
  readonly #seconds: number
  readonly #most: number
  readonly #clock: Clock

  /** @param seconds 0 = nothing is remembered. */
  constructor(seconds: number, most: number, clock: Clock) {
    this.#seconds = seconds
    this.#most = most
    this.#clock = clock
  }

  /** Names these credentials; no other parts, however they are cut, have the same name. */
  keyOf(...parts: readonly (string | Uint8Array | undefined)[]): string {
    const digest = createHmac('sha256', this.#key)
    for (const part of parts) {
      const bytes = part === undefined ? undefined : Buffer.from(part)
      digest.update(`${bytes?.length ?? '-'}:`).update(bytes ?? '')
    }
    return digest.digest('base64')
  }

  get(key: string): T | undefined {
    const known = this.#answers.get(key)
    if (known && known.until > this.#clock.monotonic()) return known.answer
    this.#answers.delete(key)
    return undefined
  }

  set(key: string, answer: T): void {
    if (this.#seconds === 0) return
    const [oldest] = this.#answers.keys()
    if (this.#answers.size >= this.#most && oldest !== undefined) this.#answers.delete(oldest)
    this.#answers.set(key, { answer, until: this.#clock.monotonic() + this.#seconds * 1000 })
  }

  clear(): void {
    this.#answers.clear()
  }
}
