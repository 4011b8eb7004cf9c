/** Something that happened, and when. */
export interface Timed<Event> {
  /** Nanoseconds of CLOCK_MONOTONIC: the same for all processes of a machine. */
  readonly at: bigint
  readonly event: Event
}

/** Nanoseconds of CLOCK_MONOTONIC. */
export function now(): bigint {
  return process.hrtime.bigint()
}

/** Brings a state to where it was at a moment. */
export function replay<Event, State extends { apply(event: Event): void }>(
  state: State,
  journal: readonly Timed<Event>[],
  until: bigint,
): State {
  for (const { at, event } of journal) {
    if (at > until) break
    state.apply(event)
  }
  return state
}
