const minutes = [1, 5, 15] as const

/** How much of something there is a minute, over the last one, five and fifteen minutes: older minutes count ever less. */
export class LoadAverages {
  #last = 0
  readonly #perMinute: [number, number, number] = [0, 0, 0]

  /** @param total counted since the start. @param seconds since the time before. */
  update(total: number, seconds: number): void {
    const perMinute = ((total - this.#last) * 60) / seconds
    this.#last = total
    for (const [at, span] of minutes.entries()) {
      const older = Math.exp(-seconds / (60 * span))
      this.#perMinute[at]! += (perMinute - this.#perMinute[at]!) * (1 - older)
    }
  }

  /** By the names that mosquitto gives them. */
  get values(): readonly (readonly [span: string, perMinute: string])[] {
    return minutes.map((span, at) => [`${span}min`, this.#perMinute[at]!.toFixed(2)] as const)
  }
}
