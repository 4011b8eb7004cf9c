import {
  type Following,
  type LogServer,
  LogSilent,
  type LogState,
  type NodeNote,
  type PublishAnswer,
  type SnapshotNote,
  type StoredFrame,
} from '../../src/log/log-server.js'
import type { Process, Simulation } from './simulation.js'

const requestTimeoutMs = 1_000

interface Reading {
  next: number
  readonly door: Door
  readonly onFrame: (frame: StoredFrame) => void
  readonly onEnd: (why: string) => void
  isOpen: boolean
}

/** One stream, as a majority of servers has it, with all that servers and networks do to who uses it. */
export class ModelStream {
  frames: StoredFrame[] = []
  last = 0
  /** No leader until then. */
  leaderlessUntil = 0
  /** What a leader that was replaced believes is last, and until when somebody may still ask it. */
  stale: { readonly last: number; readonly until: number } | undefined
  /** How likely a frame, or an answer, is lost on its way. */
  loss = 0.02
  /** Files that somebody can read: snapshots on their way. */
  readonly files = new Map<string, unknown>()
  snapshots: (SnapshotNote & { readonly content: unknown })[] = []
  readonly notes = new Map<string, NodeNote>()
  /** Frames that are gone for good: servers lost what they had acknowledged. */
  readonly rolledBack: StoredFrame[] = []
  /** Snapshots of later frames may hold what was lost; a person removes them. */
  doubtful: number | undefined
  readonly ids = new Map<string, number>()
  /** All that was ever taken and not lost, trimmed or not. */
  readonly history: StoredFrame[] = []
  readonly simulation: Simulation
  readonly #readings = new Set<Reading>()

  constructor(simulation: Simulation) {
    this.simulation = simulation
  }

  get hasLeader(): boolean {
    return this.simulation.now >= this.leaderlessUntil
  }

  get first(): number {
    return this.frames[0]?.sequence ?? this.last + 1
  }

  /** The leader is gone: another comes after a while, and what the old one had not finished may be lost. */
  elect(ms: number): void {
    const { now } = this.simulation
    this.stale = { last: this.last, until: now + ms + 3_000 }
    this.leaderlessUntil = Math.max(this.leaderlessUntil, now + ms)
    this.endReadings('no leader')
  }

  /** The servers lose what they had on disk, and acknowledged. */
  rollBack(frames: number): void {
    const lost = this.frames.splice(Math.max(0, this.frames.length - frames))
    this.rolledBack.push(...lost)
    if (lost.length > 0) this.history.splice(this.history.indexOf(lost[0]!))
    this.last = this.frames.at(-1)?.sequence ?? Math.max(0, (lost[0]?.sequence ?? 1) - 1)
    this.doubtful ??= this.last
    this.endReadings('the stream was lost')
  }

  /** What a person does before a copy is recovered. */
  removeDoubtful(): void {
    const { doubtful = Number.POSITIVE_INFINITY } = this
    this.snapshots = this.snapshots.filter(({ sequence }) => sequence <= doubtful)
    this.doubtful = undefined
  }

  endReadings(why: string): void {
    for (const reading of [...this.#readings]) this.#close(reading, why)
  }

  /** The sequence of the last message of the subject: 0 when none is left. */
  get expected(): number {
    return this.frames.at(-1)?.sequence ?? 0
  }

  append(bytes: Uint8Array): number {
    this.last++
    const frame = { sequence: this.last, bytes }
    this.frames.push(frame)
    this.history.push(frame)
    for (const reading of this.#readings) this.#deliver(reading)
    return this.last
  }

  read(reading: Reading): void {
    this.#readings.add(reading)
    this.#deliver(reading)
  }

  unread(reading: Reading): void {
    reading.isOpen = false
    this.#readings.delete(reading)
  }

  trim(before: number): void {
    this.frames = this.frames.filter(({ sequence }) => sequence >= before)
  }

  #close(reading: Reading, why: string): void {
    this.unread(reading)
    reading.door.arrives(() => reading.onEnd(why))
  }

  #deliver(reading: Reading): void {
    const { random } = this.simulation
    for (const frame of this.frames) {
      if (frame.sequence < reading.next || !reading.isOpen) continue
      reading.next = frame.sequence + 1
      if (random.chance(this.loss / 4)) return this.#close(reading, 'a message was left out')
      reading.door.arrivesInOrder(
        () => reading.isOpen && reading.onFrame(frame),
        () => reading.isOpen && this.#close(reading, 'the connection was lost'),
      )
    }
  }
}

/** The way from one process to the stream, which may be cut. */
export class Door implements LogServer {
  isCut = false
  /** When the leader has answered it last. */
  leaderAnsweredAt = Number.NEGATIVE_INFINITY
  protected readonly stream: ModelStream
  protected readonly process: Process
  #orderedAt = 0

  constructor(stream: ModelStream, process: Process) {
    this.stream = stream
    this.process = process
  }

  protected get simulation(): Simulation {
    return this.stream.simulation
  }

  #way(): number {
    const { random } = this.simulation
    return random.chance(0.02) ? random.below(1_500) : 1 + random.below(6)
  }

  #isLost(): boolean {
    return this.isCut || this.simulation.random.chance(this.stream.loss)
  }

  arrives(call: () => void): void {
    this.simulation.after(this.#way(), () => this.process.here(call))
  }

  /** @param lost called when it does not get there: what comes behind it is not given out either. */
  arrivesInOrder(call: () => void, lost: () => void): void {
    if (this.isCut) return lost()
    this.#orderedAt = Math.max(this.#orderedAt, this.simulation.now + 1 + this.simulation.random.below(6))
    this.simulation.after(this.#orderedAt - this.simulation.now, () => (this.isCut ? lost() : this.process.here(call)))
  }

  /** Something is asked of the leader; what it answers may be late or lost. */
  #ask<T>(answer: () => T | undefined, timeoutMs = requestTimeoutMs): Promise<T | undefined> {
    return new Promise((resolve) => {
      const cancel = this.process.timeout(timeoutMs, () => resolve(undefined))
      if (this.#isLost()) return
      this.simulation.after(this.#way(), () => {
        if (!this.stream.hasLeader || this.isCut) return
        const answered = answer()
        if (answered === undefined || this.#isLost()) return
        this.arrives(() => {
          cancel()
          resolve(answered)
        })
      })
    })
  }

  async #demand<T>(answer: () => T): Promise<T> {
    const answered = await this.#ask(() => ({ is: answer() }))
    if (!answered) throw new LogSilent('no answer')
    return answered.is
  }

  async publish(bytes: Uint8Array, after: number, withinMs: number): Promise<PublishAnswer> {
    return (await this.#ask(() => this.handle(bytes, after), withinMs)) ?? 'silent'
  }

  protected handle(bytes: Uint8Array, after: number): PublishAnswer | undefined {
    const { random } = this.simulation
    if (random.chance(0.01)) return 'look' // 10164, or 10071 for who is right: another compare was in flight
    if (after !== this.stream.expected) return 'look'
    if (random.chance(0.01)) return undefined // the leader goes before a majority has it
    return this.stream.append(bytes)
  }

  last(): Promise<StoredFrame | undefined> {
    return this.#demand(() => {
      const { stale, frames } = this.stream
      if (stale && stale.until > this.simulation.now && this.simulation.random.chance(0.3)) {
        return frames.findLast(({ sequence }) => sequence <= stale.last) // who asks has reached the leader before
      }
      return frames.at(-1)
    }).then((last) => {
      this.leaderAnsweredAt = this.simulation.now
      return last
    })
  }

  async follow(from: number, onFrame: (frame: StoredFrame) => void, onEnd: (why: string) => void): Promise<Following> {
    const reading: Reading = { next: from, door: this, onFrame, onEnd, isOpen: true }
    await this.#demand(() => this.stream.read(reading) ?? true)
    return { close: () => this.stream.unread(reading) }
  }

  state(): Promise<LogState> {
    const { stream } = this
    return this.#demand(() => ({
      first: stream.first,
      last: stream.last,
      bytes: stream.frames.length * 100,
      maxBytes: 0,
    }))
  }

  trim(before: number): Promise<void> {
    return this.#demand(() => this.stream.trim(before))
  }

  snapshots(): Promise<readonly SnapshotNote[]> {
    return this.#demand(() => [...this.stream.snapshots].sort((a, b) => b.sequence - a.sequence))
  }

  async putSnapshot(file: string, sequence: number): Promise<SnapshotNote> {
    const content = this.stream.files.get(file)
    return await this.#demand(() => {
      const note = { name: `s${sequence}`, sequence, bytes: 1, createdAt: '', content }
      this.stream.snapshots = [...this.stream.snapshots.filter(({ name }) => name !== note.name), note]
      return note
    })
  }

  async getSnapshot({ name }: SnapshotNote, file: string): Promise<void> {
    const found = await this.#demand(
      () => this.stream.snapshots.find((one) => one.name === name) ?? { content: undefined },
    )
    if (found.content === undefined) throw new Error('it is gone')
    this.stream.files.set(file, found.content)
  }

  deleteSnapshot({ name }: SnapshotNote): Promise<void> {
    return this.#demand(() => {
      this.stream.snapshots = this.stream.snapshots.filter((one) => one.name !== name)
    })
  }

  note(note: NodeNote): Promise<boolean> {
    return this.#demand(() => this.stream.notes.set(note.node, note).size > 0)
  }

  notes(): Promise<readonly NodeNote[]> {
    return this.#demand(() => [...this.stream.notes.values()])
  }

  async ensure(): Promise<void> {}

  async close(): Promise<void> {
    this.isCut = true
  }
}
