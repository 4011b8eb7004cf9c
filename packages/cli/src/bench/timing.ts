/** When a load sends and what of it counts, in microseconds ({@link micros}). */
export interface Times {
  readonly start: number
  /** Before it, server and load get warm. */
  readonly measureFrom: number
  /** Nothing is sent from here on. */
  readonly end: number
}

/** {@link Times} that may end earlier than planned. */
export class Timing implements Times {
  readonly start: number
  readonly measureFrom: number
  #end: number

  constructor({ start, measureFrom, end }: Times) {
    this.start = start
    this.measureFrom = measureFrom
    this.#end = end
  }

  get end(): number {
    return this.#end
  }

  stop(at: number): void {
    this.#end = Math.min(this.#end, at)
  }

  /** Whether what happened, or was to happen, at that time counts. */
  measures(time: number): boolean {
    return time >= this.measureFrom && time < this.#end
  }
}
