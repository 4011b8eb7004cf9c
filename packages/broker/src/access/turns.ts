import type { MaybeAsync } from '../maybe-async.js'

/** Whether an attempt may be judged now, how many of its network may be at once, and how many may wait for that. */
interface TurnRules {
  readonly mostWaiting: number
  mustWait(network: string): boolean
  atOnce(network: string): number
}

/** One attempt is being judged. Once its verdict has been counted it ends: those who wait are asked for again then. */
export interface Turn {
  /** May be called twice. */
  end(): void
}

/** The attempts of one network. */
interface Line {
  judged: number
  /** In the order in which they came. */
  readonly waiting: Set<() => void>
}

/**
 * Lets the attempts of one network be judged a few at a time: what they guess must be known to be wrong before more is
 * guessed. Those that are right give their place back, so that many clients behind one address come in one after another.
 * What an attempt holds ends with its client.
 */
export class Turns {
  readonly #rules: TurnRules
  readonly #lines = new Map<string, Line>()

  constructor(rules: TurnRules) {
    this.#rules = rules
  }

  /**
   * A place, at once or when it is this attempt's turn; `undefined`: the network has to wait, or too many do already, or
   * the client has gone.
   */
  take(network: string, signal: AbortSignal | undefined): MaybeAsync<Turn | undefined> {
    const { mustWait, atOnce, mostWaiting } = this.#rules
    if (signal?.aborted || mustWait(network)) return undefined
    const line = this.#lineOf(network)
    if (line.waiting.size === 0 && line.judged < atOnce(network)) return this.#begin(network, line, signal)
    if (line.waiting.size >= mostWaiting) return undefined
    return new Promise((resolve) => {
      const decide = (): void => {
        line.waiting.delete(decide)
        signal?.removeEventListener('abort', decide)
        resolve(signal?.aborted || mustWait(network) ? undefined : this.#begin(network, line, signal))
      }
      line.waiting.add(decide)
      signal?.addEventListener('abort', decide)
    })
  }

  #lineOf(network: string): Line {
    const known = this.#lines.get(network)
    if (known) return known
    const line = { judged: 0, waiting: new Set<() => void>() }
    this.#lines.set(network, line)
    return line
  }

  #begin(network: string, line: Line, signal: AbortSignal | undefined): Turn {
    line.judged++
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      signal?.removeEventListener('abort', end)
      line.judged--
      this.#askAgain(network, line)
    }
    signal?.addEventListener('abort', end) // nobody can come in by it any more, so nobody need wait for it
    return { end }
  }

  /** While one is judged, or there is room for one: those who wait never wait for nothing. */
  #askAgain(network: string, line: Line): void {
    const { mustWait, atOnce } = this.#rules
    for (const decide of line.waiting) {
      if (!mustWait(network) && line.judged >= atOnce(network)) break
      decide()
    }
    if (line.judged === 0 && line.waiting.size === 0) this.#lines.delete(network)
  }
}
