/**
 * A message of a shared group that one member is being sent at QoS 1. It stays in the group's queue until it is
 * acknowledged, so that handing it to another member moves nothing.
 */
export interface Loan {
  /** Whether it goes back as soon as the connection is gone, not only with the session. */
  readonly endsWithConnection: boolean
  /** Acknowledged or refused: done for the whole group [MQTT-4.8.2-6]. */
  settle(): void
  /** Not acknowledged, and no longer this member's. False: there is no group any more that could have it back. */
  giveBack(): boolean
}

/** Where a session that has room gets more to send: the shared groups it is a member of. */
export interface Supply<T> {
  /**
   * Hands the taker messages that wait, as long as it has room, and no more than its credit. Answers how many. Fewer, while the taker has
   * room: no more wait; what comes is offered by itself.
   */
  supply(taker: T, credit: number): number
  /** The taker has a connection again. */
  isBack(taker: T): void
}
