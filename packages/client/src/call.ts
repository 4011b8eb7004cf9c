import type { Clock } from './clock.js'
import { InterruptedError } from './errors.js'
import type { CallOptions } from './options.js'
import { quiet } from './quiet.js'

/** A promise that waits for the server, its signal and its time limit. Only the first outcome counts. */
export class Call<T> {
  readonly promise: Promise<T>
  #resolve!: (value: T) => void
  #reject!: (error: unknown) => void
  readonly #onReject: ((error: unknown) => void) | undefined
  #cleanUp: (() => void) | undefined
  #settled = false

  /**
   * `what` is the subject of the error: "publish to 'a/b'". `onInterrupt` runs when the caller gives up later, `onReject`
   * whenever the promise rejects.
   */
  constructor(
    clock: Clock,
    options: CallOptions | undefined,
    what: string,
    onInterrupt: () => void,
    onReject?: (error: unknown) => void,
  ) {
    this.#onReject = onReject
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (options === undefined) return
    const { signal, timeoutMs = 0 } = options
    const interrupt = (error: InterruptedError): void => {
      if (this.#settled) return
      this.reject(error)
      onInterrupt()
    }
    const aborted = (): InterruptedError => new InterruptedError('aborted', `${what}: aborted`, signal?.reason)
    const abort = (): void => interrupt(aborted())
    if (signal?.aborted) {
      this.reject(aborted())
      return
    }
    signal?.addEventListener('abort', abort, { once: true })
    const cancelTimer =
      timeoutMs > 0
        ? clock.after(timeoutMs, () =>
            interrupt(new InterruptedError('timeout', `${what}: no answer in ${timeoutMs} ms`)),
          )
        : undefined
    this.#cleanUp = () => {
      signal?.removeEventListener('abort', abort)
      cancelTimer?.()
    }
  }

  get settled(): boolean {
    return this.#settled
  }

  resolve(value: T): void {
    if (this.#settle()) this.#resolve(value)
  }

  reject(error: unknown): void {
    if (!this.#settle()) return
    quiet(this.promise)
    this.#reject(error)
    this.#onReject?.(error)
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#cleanUp?.()
    return true
  }
}
