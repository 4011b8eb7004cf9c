import type { Clock } from '@godwit/broker'
import { positionWrite, type Write } from '@godwit/broker/store/lmdb'
import { Diverged, type Entry, type LogReader } from '../log/log-reader.js'
import { type Following, type LogServer, LogSilent, type StoredFrame } from '../log/log-server.js'
import { encodePosition, type Position } from '../log/position.js'
import type { Lease } from './lease.js'
import type { FollowingCopy } from './premises.js'

/** How often the leader of the stream is asked what it has last, in ms. */
const watchEveryMs = 250
/** When a reading has not brought for so long what the leader has, another is begun, in ms. */
const stalledMs = 3_000
/**
 * When the leader has said for so long that the log ends before what this copy has, that is so, in ms: a leader that was replaced may say
 * it for a while.
 */
const goneBackMs = 60_000
/** Frames without writes after which a copy notes on disk how far it has come: the log is trimmed one day. */
const noteEveryFrames = 1_000
/** Clocks are compared by so many frames at least. */
const leastSkews = 3
const mostSkews = 20
/** Writes that go into the copy in one transaction, about: a turn must not take long. */
const mostWritesTogether = 2_000

interface FollowerOptions {
  readonly server: LogServer
  readonly clock: Clock
  readonly copy: FollowingCopy
  readonly position: Position | undefined
  readonly lease: Lease
  readonly makeReader: (position: Position | undefined) => LogReader
  /** Called when a frame has come or the leader has answered: the node looks whether it may claim. */
  readonly onNews: () => void
  /** Called when the owner's question has come in the log: how far is this copy? */
  readonly onAsked: () => void
}

/** Reads the log into a copy, and knows whether that is all there is. */
export class Follower {
  /** The last frame that the copy has, in memory at least. */
  applied: Position | undefined
  /** The sequence that the leader had last; `undefined`: it has not answered yet. */
  last: number | undefined
  /** Frames and bytes read. */
  frames = 0
  bytes = 0
  readonly #options: FollowerOptions
  #reader: LogReader
  #following: Following | undefined
  #entries: Entry[] = []
  /** The owner's wall clock against the monotonic one here, by the last frames that came while this copy had all before them. */
  #clocks: readonly number[] = []
  #isApplying = false
  #noted: number
  #stalledSince: number | undefined
  #backSince: number | undefined
  #isStopped = false
  #failed: (error: unknown) => void = () => {}
  /** Rejects when it cannot go on: Diverged, Trimmed, NewerFrame, what the disk says. */
  readonly failure: Promise<never>
  #reading = 0

  constructor(options: FollowerOptions) {
    this.#options = options
    this.applied = options.position
    this.#noted = options.position?.sequence ?? 0
    this.#reader = options.makeReader(options.position)
    this.failure = new Promise((_, reject) => {
      this.#failed = reject
    })
    this.failure.catch(() => {}) // also when nobody looks any more
  }

  start(): void {
    void this.#read()
    void this.#watch()
  }

  /** The last frame that it has seen: behind what is applied there may be parts of a commit that its owner has not finished. */
  get seen(): number {
    return this.#reader.seen
  }

  /**
   * How far the wall clock of this machine is ahead of the owner's, by what came lately, in ms; `undefined`: too little did. A frame that
   * was long on its way says too much: the least is nearest.
   */
  get skewMs(): number | undefined {
    const { clock } = this.#options
    if (this.#clocks.length < leastSkews) return undefined
    return clock.now() - clock.monotonic() - Math.max(...this.#clocks)
  }

  /** Whether the copy has all that the leader of the stream has. */
  get isCaughtUp(): boolean {
    return this.last === this.seen && this.applied === this.#reader.position
  }

  /** Reads nothing more; settles when what was being applied is. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#following?.close()
    this.#entries = []
    await this.#idle
  }

  #idle: Promise<void> = Promise.resolve()

  async #read(): Promise<void> {
    const { server, clock } = this.#options
    const reading = ++this.#reading
    const isCurrent = (): boolean => reading === this.#reading && !this.#isStopped
    this.#following?.close()
    this.#following = undefined
    const again = (): void => {
      if (!isCurrent()) return
      this.#reading++
      clock.timeout(watchEveryMs, () => void (this.#isStopped || this.#read()))
    }
    try {
      this.#reader = this.#options.makeReader(this.#reader.position)
      const following = await server.follow(this.#reader.from, (frame) => isCurrent() && this.#take(frame), again)
      if (isCurrent()) this.#following = following
      else following.close()
    } catch (error) {
      if (error instanceof LogSilent) again()
      else if (isCurrent()) this.#failed(error)
    }
  }

  #take(stored: StoredFrame): void {
    const { lease, clock, onNews } = this.#options
    this.frames++
    this.bytes += stored.bytes.length
    this.#stalledSince = undefined
    const isNew = this.last !== undefined && this.last < stored.sequence // or it may have been there for long
    if (isNew && lease.isAnswered(clock.monotonic())) this.last = stored.sequence // a majority has it, so its leader does
    try {
      const entry = this.#reader.take(stored)
      lease.heard(clock.monotonic())
      if (!entry) return
      if (isNew) this.#clocks = [...this.#clocks.slice(1 - mostSkews), entry.frame.wall - clock.monotonic()]
      this.#entries.push(entry)
      if (!this.#isApplying) this.#idle = this.#applyAll()
      onNews()
    } catch (error) {
      this.#isStopped = true
      this.#following?.close()
      this.#failed(error)
    }
  }

  async #applyAll(): Promise<void> {
    this.#isApplying = true
    try {
      while (this.#entries.length > 0) await this.#applySome()
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#isApplying = false
    }
    this.#options.onNews()
  }

  async #applySome(): Promise<void> {
    const writes: Write[] = []
    let position = this.applied
    let taken = 0
    let isAsked = false
    for (const entry of this.#entries) {
      if (taken > 0 && writes.length + entry.writes.length > mostWritesTogether) break
      for (const write of entry.writes) writes.push(write)
      position = entry.position
      isAsked ||= entry.frame.kind === 'heartbeat' && entry.frame.body.length > 0
      taken++
    }
    this.#entries.splice(0, taken)
    const { sequence } = position!
    if (writes.length > 0 || sequence - this.#noted >= noteEveryFrames) {
      await this.#options.copy.apply([...writes, positionWrite(encodePosition(position!))])
      this.#noted = sequence
    }
    this.applied = position
    if (isAsked) this.#options.onAsked()
  }

  /**
   * Asks the leader what it has last, again and again: only while it answers does silence mean anything. The next question does not wait
   * for an answer, or a leader that has just been elected would be noticed late.
   */
  async #watch(): Promise<void> {
    const { clock } = this.#options
    while (!this.#isStopped) {
      void this.#ask()
      await new Promise<void>((resolve) => void clock.timeout(watchEveryMs, resolve))
    }
  }

  async #ask(): Promise<void> {
    const known = this.seen
    try {
      const last = await this.#options.server.last()
      if (!this.#isStopped) this.#onLast(last?.sequence ?? 0, known)
    } catch (error) {
      if (!(error instanceof LogSilent) && !this.#isStopped) this.#failed(error)
    }
  }

  /** @param before the last frame that was known here when the leader was asked: more may have come since. */
  #onLast(answer: number, before: number): void {
    const { lease, clock, onNews } = this.#options
    const now = clock.monotonic()
    const known = this.seen
    const sequence = answer < before ? answer : Math.max(answer, known)
    this.last = sequence
    lease.answered(now, sequence === known)
    this.#backSince = sequence < known ? (this.#backSince ?? now) : undefined
    if (this.#backSince !== undefined && now - this.#backSince > goneBackMs) {
      return this.#failed(
        new Diverged(`the log ends at ${sequence}, and this copy is at ${known}: it has lost what it had`),
      )
    }
    if (sequence > known) {
      this.#stalledSince ??= now
      if (now - this.#stalledSince > stalledMs) {
        this.#stalledSince = undefined
        void this.#read()
      }
    }
    onNews()
  }
}
