/** Listeners by event name. One that throws does not disturb the others: its error is reported as uncaught. */
export class Listeners<Events> {
  readonly #listeners = new Map<keyof Events, Set<(detail: never) => void>>()

  on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, set.add(listener))
    return () => set.delete(listener)
  }

  has(event: keyof Events): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0
  }

  emit<E extends keyof Events>(event: E, detail: Events[E]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        ;(listener as (detail: Events[E]) => void)(detail)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
