import type { Logger } from '@godwit/broker'

type Facts = Readonly<Record<string, string | number>>

/** What a node says of itself in the log, and what hinders it: each problem is told once. */
export class NodeVoice {
  #problem: string | undefined
  readonly #log: Logger
  readonly #facts: () => Facts

  /** @param facts that stand in every line: which node it is, and how far it has come. */
  constructor(log: Logger | undefined, facts: () => Facts) {
    this.#log = log ?? { log: () => {} }
    this.#facts = facts
  }

  /** What hinders it, in words. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** This hinders it from now on. */
  tell(problem: string): void {
    if (this.#problem === problem) return
    this.#problem = problem
    this.#log.log('error', `the cluster: ${problem}`, this.#facts())
  }

  /** Nothing hinders it any more. */
  goesOn(): void {
    this.#problem = undefined
  }

  say(level: 'info' | 'warn', words: string, more: Facts = {}): void {
    this.#log.log(level, words, { ...this.#facts(), ...more })
  }
}
