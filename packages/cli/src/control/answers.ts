import type { Socket } from 'node:net'

/** What may wait for a reader that takes nothing. */
const mostWaitingBytes = 1_048_576
/** For the other side to close the connection once it has its answer. */
const lingerMs = 5_000

/** The answers to one request: lines of JSON. What a slow reader does not take is not kept for it. */
export class Answers {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** @returns Whether they are on their way; false, and nothing was written, when the reader is too slow or gone. */
  send(...answers: readonly object[]): boolean {
    if (!this.#socket.writable || this.#socket.writableLength > mostWaitingBytes) return false
    this.#socket.write(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''))
    return true
  }

  /** The same, once a slow reader has taken what waits for it. @returns false when it has gone. */
  async sendInTurn(...answers: readonly object[]): Promise<boolean> {
    while (this.#socket.writable && this.#socket.writableLength > mostWaitingBytes) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          this.#socket.off('drain', go).off('close', go)
          resolve()
        }
        this.#socket.once('drain', go).once('close', go)
      })
    }
    return this.send(...answers)
  }

  /** The last one. */
  end(answer: object): void {
    this.send(answer)
    this.#socket.end()
    const linger = setTimeout(() => this.#socket.destroy(), lingerMs).unref()
    this.#socket.once('close', () => clearTimeout(linger))
  }

  /** Calls back once, when nobody reads any longer: the other side has closed the connection, or its own half. */
  whenLeft(callback: () => void): void {
    let left = false
    const leave = (): void => {
      if (left) return
      left = true
      callback()
      this.#socket.end()
    }
    this.#socket.once('end', leave).once('close', leave)
    if (this.#socket.readableEnded || this.#socket.destroyed) leave()
  }
}
