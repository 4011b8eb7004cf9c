import type { Broker, Hooks } from '@godwit/broker'

/** The hooks of a broker by who brings them, asked in the order in which those are named here. */
export class HookSets {
  readonly #sets: Map<string, readonly Hooks[]>
  #broker: Pick<Broker, 'reconfigure'> | undefined

  constructor(...order: readonly string[]) {
    this.#sets = new Map(order.map((who) => [who, []]))
  }

  get all(): readonly Hooks[] {
    return [...this.#sets.values()].flat()
  }

  /** @param broker made with all of them; from here on it gets others at once. */
  serve(broker: Pick<Broker, 'reconfigure'>): void {
    this.#broker = broker
  }

  /** From here on somebody brings these. */
  replace(who: string, hooks: readonly Hooks[]): void {
    this.#sets.set(who, hooks)
    this.#broker?.reconfigure({ hooks: this.all }).catch(() => {}) // it has been closed
  }
}
