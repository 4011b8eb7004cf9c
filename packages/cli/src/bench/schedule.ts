/**
 * When a publisher's messages are to be sent. The time of a message depends on its number alone: one that goes out late,
 * because the server did not read or answer, is still timed from here, and so are those that had to wait behind it. A
 * load that waits with the server, and then counts from when it was let, does not see the waiting ("coordinated omission").
 */
export class Schedule {
  readonly #firstMicros: number
  readonly #stepMicros: number

  /**
   * @param start of the whole load, in microseconds.
   * @param rate messages a second of all publishers together, who take turns.
   */
  constructor(start: number, rate: number, publisher: number, publishers: number) {
    this.#firstMicros = start + (publisher * 1e6) / rate
    this.#stepMicros = (publishers * 1e6) / rate
  }

  /** When message `number` (from 0) is to be sent, in microseconds. */
  timeOf(number: number): number {
    return this.#firstMicros + number * this.#stepMicros
  }

  /** How many messages are to be sent before a time. */
  dueBefore(time: number): number {
    return Math.max(0, Math.ceil((time - this.#firstMicros) / this.#stepMicros))
  }
}
