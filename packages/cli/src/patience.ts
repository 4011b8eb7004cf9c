/** After this long, in milliseconds, whoever waits wants to know what for. */
const enoughMs = 2000

/** Says once that something takes long. */
export class Patience {
  readonly #isWanted: boolean
  readonly #tell: () => void
  #timer: NodeJS.Timeout | undefined
  #hasTold = false

  constructor(isWanted: boolean, tell: () => void) {
    this.#isWanted = isWanted
    this.#tell = tell
  }

  /** The wait begins, unless it has begun already. */
  begin(): void {
    if (!this.#isWanted || this.#hasTold || this.#timer) return
    this.#timer = setTimeout(() => {
      this.#hasTold = true
      this.#tell()
    }, enoughMs)
    this.#timer.unref()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
