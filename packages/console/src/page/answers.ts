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
  /** The cluster that it is a node of; null: it is alone. */
  readonly cluster: string | null
  /** What it tries to reach and cannot now. */
  readonly unreached: readonly Unreached[]
}

export interface Unreached {
  readonly what: 'bridge' | 'plugin'
  readonly name: string
  readonly since: string
  readonly problem: string
}

export interface Bridge {
  readonly name: string
  readonly connected: boolean
  readonly since: string
  readonly server: string | null
  readonly version: string | null
  readonly problem: string | null
  readonly queued: number
  readonly out: number
  readonly in: number
  readonly connections: number
  readonly lostSessions: number
  readonly dropped: Counts
}

export interface Outlet {
  readonly clientId: string
  readonly problem: string | null
  readonly since: string
  readonly queued: number
  readonly written: number
  readonly failed: number
  readonly refused: number
}

export interface Plugin {
  readonly name: string
  readonly module: string
  readonly since: string
  readonly authenticates: boolean
  readonly counts: Counts
  readonly outlets: readonly Outlet[]
}

export interface ClusterNode {
  readonly node: string
  readonly role: string
  readonly behindFrames: number
  readonly behindBytes: number
  readonly version: string
  readonly address: string | null
  /** The URL of its console. */
  readonly console: string | null
  readonly problem: string | null
  readonly toldAt: string
}

export interface Snapshot {
  readonly frame: number
  readonly bytes: number
  readonly createdAt: string | null
}

export interface ClusterFacts {
  readonly cluster: string
  readonly node: string
  readonly role: string
  readonly epoch: number
  readonly owner: string | null
  readonly frozen: boolean
  readonly held: 'silent' | 'full' | null
  readonly silentSeconds: number
  readonly problem: string | null
  readonly counters: {
    readonly claims: number
    readonly fenced: number
    readonly framesWritten: number
    readonly bytesWritten: number
  }
  readonly log: { readonly last: number; readonly bytes: number; readonly most: number | null }
  readonly acknowledged: { readonly half: number | null; readonly most: number | null }
  readonly nodes: readonly ClusterNode[]
  readonly snapshots: readonly Snapshot[]
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
  readonly listener: string | null
  readonly bridge: boolean
  readonly tls: { readonly protocol: string; readonly cipher: string } | null
  readonly certificate: {
    readonly subject: string
    readonly commonName: string | null
    readonly altNames: readonly string[]
    readonly fingerprint: string
  } | null
}

export interface DropCount {
  readonly kind: 'message' | 'connection' | 'handshake' | 'subscription'
  readonly reason: string
  readonly count: number
  readonly words: string
  readonly settings: readonly string[]
}

export interface DropEvent {
  readonly at: string
  readonly kind: DropCount['kind']
  readonly reason: string
  readonly words: string
  readonly clientId: string | null
  readonly address: string | null
  readonly topic: string | null
  readonly filter: string | null
  readonly why: string | null
}

export interface Drops {
  readonly since: string
  readonly counts: readonly DropCount[]
  readonly clients: readonly {
    readonly clientId: string
    readonly total: number
    readonly counts: readonly DropCount[]
  }[]
  readonly ofOthers: number
  readonly last: readonly DropEvent[]
}

export interface ClientWithDrops extends Client {
  readonly dropped: readonly DropCount[]
}

export interface Session {
  readonly clientId: string
  readonly connected: boolean
  readonly inside: boolean
  readonly expiresAt: string | null
  readonly durable: boolean
  readonly subscriptions: number
  readonly queued: number
  readonly inflight: number
}

export interface QueuedMessage {
  readonly number: number
  readonly state: 'waiting' | 'sent' | 'released'
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
  readonly payloadBytes: number
  /** In base64, where it was asked for. */
  readonly payload?: string
  readonly publisher: string
  readonly expiresAt: string | null
  readonly shared: boolean
}

export interface RetainedMessage {
  readonly topic: string
  readonly qos: number
  readonly payloadBytes: number
  /** In base64, where it was asked for. */
  readonly payload?: string
  readonly properties: MessageProperties | null
  /** Empty: the broker, or a program around it. */
  readonly publisher: string
  readonly publishedAt: string | null
  readonly expiresAt: string | null
}

/** Binary ones are in base64. */
export interface MessageProperties {
  readonly contentType?: string
  readonly [name: string]: unknown
}

export interface Subscription {
  readonly clientId: string
  readonly filter: string
  readonly shareName: string | null
  readonly qos: number
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly subscriptionIdentifier: number
}

export interface SharedGroup {
  readonly sharedFilter: string
  readonly shareName: string
  readonly filter: string
  readonly members: number
  readonly waiting: number
  readonly lent: number
  readonly queuedBytes: number
  readonly durable: boolean
}

export interface SharedGroupWithMembers extends SharedGroup {
  readonly memberList: readonly {
    readonly clientId: string
    readonly connected: boolean
    readonly ready: boolean
    readonly qos: number
  }[]
}

export interface History {
  readonly stepSeconds: number
  /** Seconds since 1970. */
  readonly times: readonly number[]
  readonly series: Readonly<Record<string, readonly (number | null)[]>>
}

export interface LogLine {
  readonly at: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, string | number | boolean>>
}

export interface Rule {
  readonly allow?: Actions
  readonly deny?: Actions
  readonly filter: string
  readonly user?: string | readonly string[]
  readonly client?: string | readonly string[]
  readonly anonymous?: boolean
  readonly matching?: 'within' | 'wildcard' | 'exact'
  readonly where?: string
}

export type Action = 'publish' | 'subscribe' | 'receive'
export type Actions = Action | readonly Action[]

export interface AccessAnswer {
  readonly allowed: boolean
  readonly rule: Rule | null
  readonly why: string | null
}

export interface Setting {
  readonly name: string
  readonly value: string | number | boolean | null
  readonly origin: string
}

export interface Backup {
  readonly name: string
  readonly bytes: number
  readonly createdAt: string
}
