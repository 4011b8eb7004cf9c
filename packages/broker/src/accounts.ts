/** Bytes held for anybody, and how many there may be. */
export class Account {
  bytes = 0
  readonly #mostOf: () => number

  /** @param mostOf asked whenever it matters: a limit may change. Default: no end. */
  constructor(mostOf: () => number = endless) {
    this.#mostOf = mostOf
  }

  get most(): number {
    return this.#mostOf()
  }

  /** So many more are held; below 0, so many fewer. */
  add(bytes: number): void {
    this.bytes += bytes
  }

  get isFull(): boolean {
    return this.bytes >= this.#mostOf()
  }

  hasRoomFor(bytes: number): boolean {
    return this.bytes + bytes <= this.#mostOf()
  }
}

const endless = (): number => Number.POSITIVE_INFINITY

/** What is held now, and how much there may be. */
export interface AccountView {
  readonly bytes: number
  readonly most: number
}

/** The accounts of a broker, as they are now. */
export interface AccountsView {
  /** What waits to be committed or answered; bounded by `limits.maxWaitingBytes`. */
  readonly waiting: AccountView
  /** What is kept, in memory or on disk; bounded by `limits.maxStoredBytes`. */
  readonly stored: AccountView
}

/**
 * The two accounts of a broker. Every byte it holds for somebody is in one of them: topic, properties, payload and what the
 * entry itself takes.
 */
export class Accounts {
  /**
   * What waits to be committed or answered: messages, records of sessions, subscriptions and wills, acknowledgements,
   * replies that are held back, packets that have come in part. Bounded by `limits.maxWaitingBytes`.
   */
  readonly waiting: Account
  /**
   * What is kept: queues of sessions and shared groups, retained messages, records; in memory or on disk. Bounded by
   * `limits.maxStoredBytes`.
   */
  readonly stored: Account

  constructor(limits: { readonly maxWaitingBytes?: number; readonly maxStoredBytes?: number } = {}) {
    this.waiting = new Account(() => limits.maxWaitingBytes ?? Number.POSITIVE_INFINITY)
    this.stored = new Account(() => limits.maxStoredBytes ?? Number.POSITIVE_INFINITY)
  }
}

/** What a small record (a session, a subscription) takes beside the texts in it, in memory and on disk, roughly. */
export const recordOverheadBytes = 256
