import type { Clock, Commit } from '@godwit/broker'
import type { Write } from '@godwit/broker/store/lmdb'
import type { LoadedBroker } from '../../src/node/premises.js'
import type { ReplicatedLog } from '../../src/node/replicated-log.js'
import { type Disk, listNames } from './model-disk.js'

export interface ModelBrokerParts {
  readonly log: ReplicatedLog
  readonly disk: Disk
  readonly clock: Clock
  readonly onEnd: () => void
}

/** The client that reads what is added, and has a will: a connection of it. */
export interface ModelReader {
  /** Messages that it takes before it has acknowledged them. */
  readonly window: number
  /** @param again it may have been given before. */
  take(number: number, what: string, again: boolean): void
}

/** What is kept of the reader's session. */
interface Kept {
  /** The first that is not acknowledged. */
  readonly head: number
  /** Only those before it may have been given out. */
  readonly limit: number
  /** A connection of it is there, and so is its will. */
  readonly isConnected: boolean
}

/** How long what expires lives, and a will waits for its client after a start, in ms of the broker's time. */
export const lifeMs = 4_000
const graceMs = 12_000
const sweepMs = 500

/** Under these names a broker keeps what is its own. */
const own = { session: 'session', clock: 'clock', expiring: 'expiring' } as const

/**
 * A broker as far as a log is concerned: it gathers commits, one in flight, and answers when they are safe. Clients add to its lists, one
 * reads them with a window and a will, and some of what they add expires.
 */
export class ModelBroker implements LoadedBroker {
  isServing = false
  /** Called when the reader's will has gone out, and when something has expired. */
  onWill: () => void = () => {}
  onExpired: (what: string) => void = () => {}
  readonly #log: ReplicatedLog
  readonly #clock: Clock
  readonly #lists: Map<string, string>
  readonly #onEnd: () => void
  #open = 1
  #gathered: Write[] = []
  #isAsked = false
  #flying: Promise<void> | undefined
  #isOver = false
  #waiting: { readonly commit: number; readonly answer: () => void }[] = []
  #flushed = 0
  /** The broker's time when it was made, and what the monotonic clock showed then. */
  readonly #began: { readonly time: number; readonly at: number }
  readonly #loaded: Kept
  #reader: ModelReader | undefined
  #session: Kept
  /** Up to there it is safe that something may have been given out. */
  #safeLimit: number
  /** The first that has not been given to this connection, and to none of this broker's. */
  #next = 0
  #given = 0
  /** What a message came with that was added here. */
  readonly #commits = new Map<number, Commit>()

  constructor({ log, disk, clock, onEnd }: ModelBrokerParts) {
    this.#log = log
    this.#clock = clock
    this.#lists = new Map(disk.lists)
    this.#onEnd = onEnd
    const kept = this.#lists.get(own.session)
    this.#loaded = kept ? (JSON.parse(kept) as Kept) : { head: 0, limit: 0, isConnected: false }
    this.#session = this.#loaded
    this.#safeLimit = this.#loaded.limit
    this.#began = { time: this.#keptTime(), at: clock.monotonic() }
  }

  async serve(): Promise<void> {
    this.isServing = true
    this.#sweep()
    if (this.#session.isConnected) this.#clock.timeout(this.graceMs, () => this.#publishWill())
  }

  async stop(): Promise<void> {
    this.isServing = false
    try {
      while (this.#flying || this.#isAsked) await (this.#flying ?? this.#fly())
      await this.#log.settled()
    } finally {
      this.#end()
    }
  }

  async abandon(): Promise<void> {
    this.#end()
    await this.#log.settled().catch(() => {})
  }

  #end(): void {
    this.isServing = false
    this.#isOver = true
    this.#onEnd()
  }

  // ---- clients that add, and ask what there is

  /** A client adds something; it is answered when that is safe. */
  add(what: string, answer: () => void, expires = false): void {
    const number = this.#entries().length
    for (const name of listNames) this.#put(name, `${this.#lists.get(name) ?? ''}${what},`)
    if (expires) this.#put(own.expiring, [...this.#expiring(), `${what}@${this.#time + lifeMs}`].join(' '))
    const commit = this.#gather()
    this.#commits.set(number, commit)
    this.#after(commit, answer)
    this.#give()
  }

  read(answer: (list: string) => void): void {
    const list = this.#lists.get('a') ?? ''
    this.#after(
      this.#log.barrier(() => this.#gather()),
      () => answer(list),
    )
  }

  #entries(): readonly string[] {
    return (this.#lists.get('a') ?? '').split(',').slice(0, -1)
  }

  // ---- the client that reads

  /** It has come; the connection before, if any, is gone. */
  connect(reader: ModelReader): void {
    this.#reader = reader
    this.#next = this.#session.head
    this.#keep(this.#session.head)
  }

  acknowledge(reader: ModelReader, number: number): void {
    if (reader === this.#reader && number === this.#session.head) this.#keep(number + 1)
  }

  /** That something may have been given out is safe before it is. */
  #keep(head: number): void {
    const limit = Math.max(this.#session.limit, head + this.#reader!.window)
    this.#session = { head, limit, isConnected: true }
    this.#put(own.session, JSON.stringify(this.#session))
    this.#after(this.#gather(), () => {
      this.#safeLimit = Math.max(this.#safeLimit, limit)
      this.#give()
    })
  }

  #give(): void {
    const reader = this.#reader
    const entries = this.#entries()
    if (!reader) return
    const end = Math.min(entries.length, this.#safeLimit, this.#session.head + reader.window)
    for (; this.#next < end; this.#next++) {
      const number = this.#next
      const again = number < this.#given || number < this.mayHaveBeenGiven(this.#loaded, reader)
      this.#given = Math.max(this.#given, number + 1)
      const commit = this.#log.beforeQos1(this.#commits.get(number) ?? (0 as Commit))
      this.#after(commit, () => reader === this.#reader && reader.take(number, entries[number]!, again))
    }
  }

  /** Those before it the owner before may have given out. */
  protected mayHaveBeenGiven({ limit }: Pick<Kept, 'head' | 'limit'>, _reader: ModelReader): number {
    return limit
  }

  /** How long a will waits for its client. */
  protected get graceMs(): number {
    return graceMs
  }

  /** Its client has not come back. */
  #publishWill(): void {
    if (this.#isOver || this.#reader) return
    this.#session = { ...this.#session, isConnected: false }
    this.#put(own.session, JSON.stringify(this.#session))
    this.#after(this.#gather(), () => this.onWill())
  }

  // ---- time

  /** It goes on where the last owner stopped, if the log says so. */
  #keptTime(): number {
    const kept = this.#lists.get(own.clock)
    if (kept === undefined) return 0
    const { wall, time } = JSON.parse(kept) as { wall: number; time: number }
    return time + Math.max(0, (this.#log.stoppedAt ?? this.#clock.now()) - wall)
  }

  get #time(): number {
    return this.#began.time + this.#clock.monotonic() - this.#began.at
  }

  #expiring(): readonly string[] {
    return (this.#lists.get(own.expiring) ?? '').split(' ').filter((one) => one !== '')
  }

  #sweep(): void {
    if (this.#isOver) return
    const all = this.#expiring()
    const left = all.filter((one) => Number(one.split('@')[1]) > this.#time)
    if (left.length < all.length) {
      this.#put(own.expiring, left.join(' '))
      const gone = all.filter((one) => !left.includes(one))
      this.#after(this.#gather(), () => {
        for (const one of gone) this.onExpired(one.split('@')[0]!)
      })
    }
    this.#clock.timeout(sweepMs, () => this.#sweep())
  }

  // ---- commits

  #put(name: string, value: string): void {
    this.#lists.set(name, value)
    const key = Buffer.from(name)
    this.#gathered = this.#gathered.filter((write) => !write.key.equals(key))
    this.#gathered.push({ table: 'facts', key, value: Buffer.from(value) })
  }

  #after(commit: number, answer: () => void): void {
    if (commit <= this.#flushed) return answer()
    this.#waiting.push({ commit, answer })
  }

  #gather(): Commit {
    this.#isAsked = true
    if (!this.#flying) queueMicrotask(() => !this.#flying && this.#isAsked && void this.#fly())
    return this.#open as Commit
  }

  #fly(): Promise<void> {
    if (this.#gathered.length > 0 || this.#open === 1)
      this.#put(own.clock, JSON.stringify({ wall: this.#clock.now(), time: Math.round(this.#time) }))
    const [commit, writes] = [this.#open++, this.#gathered]
    this.#gathered = []
    this.#isAsked = false
    this.#flying = this.#log.append(commit as Commit, writes).then(
      () => this.#landed(commit),
      () => this.#failed(),
    )
    return this.#flying
  }

  #failed(): void {
    this.#flying = undefined
    this.#isAsked = false
    this.#end()
  }

  #landed(commit: number): void {
    this.#flying = undefined
    this.#flushed = commit
    const safe = this.#waiting.filter((one) => one.commit <= commit)
    this.#waiting = this.#waiting.filter((one) => one.commit > commit)
    if (!this.#isOver) for (const { answer } of safe) answer()
    if (this.#isAsked && !this.#isOver) void this.#fly()
  }
}
