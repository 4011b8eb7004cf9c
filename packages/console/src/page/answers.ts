/** What the API answers, as far as this page looks at it; the whole is in the OpenAPI document of `@godwit/admin`. */
export interface Listed<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

export interface Account {
  readonly bytes: number
  /** null: no bound. */
  readonly most: number | null
}

export interface BrokerFacts {
  readonly version: string
  readonly startedAt: string
  readonly uptimeSeconds: number
  readonly listeners: readonly string[]
  readonly ready: boolean
  readonly notReadyBecause: readonly string[]
  readonly recovered: {
    readonly sessions: number
    readonly retained: number
    readonly wills: number
    readonly queued: number
  }
  readonly clients: number
  readonly sessions: number
  readonly subscriptions: number
  readonly retained: number
  readonly retainedBytes: number
  readonly waiting: Account
  readonly stored: Account
  readonly tlsExpiresAt: string | null
}

export interface Histogram {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly count: number
  readonly sum: number
}

export type Counts = Readonly<Record<string, number>>

export interface Counters {
  readonly at: string
  readonly plain: Counts
  readonly publishReceivedByQos: readonly number[]
  readonly publishSentByQos: readonly number[]
  readonly dropped: Counts
  readonly refused: Counts
  readonly handshakesRefused: Counts
  readonly subscriptionsRefused: Counts
  readonly queued: { readonly messages: number; readonly bytes: number }
  readonly commits: { readonly latency: Histogram; readonly failures: number; readonly failing: string | null }
  readonly store: {
    readonly liveBytes: number
    readonly fileBytes: number
    readonly freeBytes: number
    readonly reserveBytes: number
    readonly isLow: boolean
    readonly damagedRecords: number
  }
}

export interface Client {
  readonly clientId: string
  readonly username: string | null
  readonly address: string
  readonly transport: string
  readonly version: string
  readonly connectedAt: string
  readonly keepAliveSeconds: number
  readonly cleanStart: boolean
  readonly subscriptions: number
  readonly inflight: number
  readonly queued: number
  readonly outboxBytes: number
}
