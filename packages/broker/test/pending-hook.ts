/** A hook that takes its time: the test answers, in the order it was asked. */
export class PendingHook<T> {
  readonly #asked: ((answer: T) => void)[] = []

  readonly ask = (): Promise<T> => new Promise((resolve) => void this.#asked.push(resolve))

  answer(value: T): void {
    const answer = this.#asked.shift()
    if (!answer) throw new Error('the hook was not asked')
    answer(value)
  }
}
