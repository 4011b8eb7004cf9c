import type { Credential } from '../tokens.js'

/** Bytes that may wait for one reader. */
const mostWaiting = 256 * 1024

const encoder = new TextEncoder()

/** One event as server-sent events have it. */
export function eventOf(name: string, data: string): Uint8Array {
  return encoder.encode(`event: ${name}\ndata: ${data}\n\n`)
}

const beat = encoder.encode(': still there\n\n')

/** The events of one page. What a slow reader does not take is not kept for it: it is cut off, and told how much it misses. */
export class EventStream {
  readonly who: Credential
  readonly readable: ReadableStream<Uint8Array>
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  readonly #onEnd: (stream: EventStream) => void

  /** @param onEnd called once, when nobody reads any longer. */
  constructor(who: Credential, onEnd: (stream: EventStream) => void) {
    this.who = who
    this.#onEnd = onEnd
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: mostWaiting })
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        cancel: () => this.#leave(),
      },
      strategy,
    )
  }

  /** @param items how many things the event tells of, to be counted where it does not fit any more. */
  send(event: Uint8Array, items: number): void {
    if (!this.#controller) return
    if ((this.#controller.desiredSize ?? 0) > 0) this.#controller.enqueue(event)
    else this.end('cut', { missed: items })
  }

  /** So that proxies, and the reader, know it is there. */
  beat(): void {
    this.send(beat, 0)
  }

  /** The last event. */
  end(name: 'cut' | 'end', data: object): void {
    const controller = this.#controller
    if (!controller) return
    controller.enqueue(eventOf(name, JSON.stringify(data)))
    this.#leave()
    controller.close()
  }

  #leave(): void {
    if (!this.#controller) return
    this.#controller = undefined
    this.#onEnd(this)
  }
}
