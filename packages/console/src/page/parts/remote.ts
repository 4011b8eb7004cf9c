import { type Signal, useSignal } from '@preact/signals'
import { useCallback, useEffect, useRef } from 'preact/hooks'
import { Problem } from '../api.js'

/** What the server was asked for. While it is asked again, or does not answer, the value before stays. */
export interface Remote<T> {
  readonly value: T | undefined
  /** Why there is no newer one. */
  readonly problem: Problem | undefined
  readonly isLoading: boolean
}

export interface RemoteSource<T> {
  readonly remote: Signal<Remote<T>>
  /** Asks again. */
  reload(): void
}

/** A server that did not answer is asked again after so long. */
const retryMs = 3_000
/** A tab that nobody sees looks so often whether somebody does. */
const hiddenMs = 1_000

/**
 * Asks the server, and again whenever `key` changes; what came for another key is forgotten.
 * @param everyMs asks again after so long, while somebody looks. Default: not.
 */
export function useRemote<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { everyMs }: { readonly everyMs?: number } = {},
): RemoteSource<T> {
  const remote = useSignal<Remote<T>>({ value: undefined, problem: undefined, isLoading: true })
  const latest = useRef(load)
  latest.current = load
  const asking = useRef<Asking<T> | undefined>(undefined)
  useEffect(() => {
    const now = new Asking(remote, (signal) => latest.current(signal), everyMs)
    asking.current = now
    now.begin()
    return () => now.end()
  }, [key, everyMs, remote])
  return { remote, reload: useCallback(() => void asking.current?.ask(), []) }
}

class Asking<T> {
  readonly #remote: Signal<Remote<T>>
  readonly #load: (signal: AbortSignal) => Promise<T>
  readonly #everyMs: number | undefined
  readonly #ending = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #turn = 0

  constructor(remote: Signal<Remote<T>>, load: (signal: AbortSignal) => Promise<T>, everyMs: number | undefined) {
    this.#remote = remote
    this.#load = load
    this.#everyMs = everyMs
  }

  begin(): void {
    this.#remote.value = { value: undefined, problem: undefined, isLoading: true }
    void this.ask()
  }

  end(): void {
    this.#ending.abort()
    clearTimeout(this.#timer)
  }

  async ask(): Promise<void> {
    clearTimeout(this.#timer)
    const mine = ++this.#turn
    const { value: before } = this.#remote.peek()
    this.#remote.value = { ...this.#remote.peek(), isLoading: true }
    const [value, problem] = await this.#load(this.#ending.signal).then(
      (found) => [found, undefined] as const,
      (error: unknown) => [before, asProblem(error)] as const,
    )
    if (mine !== this.#turn || this.#ending.signal.aborted) return
    this.#remote.value = { value, problem, isLoading: false }
    this.#askAfter(problem?.status === 0 ? retryMs : this.#everyMs)
  }

  #askAfter(ms: number | undefined): void {
    if (ms === undefined) return
    this.#timer = setTimeout(() => (document.hidden ? this.#askAfter(hiddenMs) : void this.ask()), ms)
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem(-1, 'failed', error instanceof Error ? error.message : String(error))
}
