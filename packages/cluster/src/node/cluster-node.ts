import { randomBytes } from 'node:crypto'
import { type Clock, type Logger, systemClock, version } from '@godwit/broker'
import { frameVersion, NewerFrame } from '../frame/frame.js'
import { Diverged, LogReader, Trimmed } from '../log/log-reader.js'
import { type LogServer, LogSilent, type NodeNote } from '../log/log-server.js'
import { Fenced, LogWriter, type LogWriterOptions } from '../log/log-writer.js'
import { decodePosition, type OwnerNote, type Position } from '../log/position.js'
import { pause } from '../pause.js'
import { Follower } from './follower.js'
import { Housekeeping, type HousekeepingParts, type HousekeepingSettings } from './housekeeping.js'
import { Lease } from './lease.js'
import { LogRoom } from './log-room.js'
import type { LoadedBroker, Premises } from './premises.js'
import { ReplicatedLog } from './replicated-log.js'

/**
 * What a node does: reads the log (`following`), takes up its copy to claim the log (`claiming`), serves (`owner`), or has a copy that
 * has parted from the log (`diverged`), until a person decides.
 */
export type NodeRole = 'starting' | 'following' | 'claiming' | 'owner' | 'diverged' | 'closed'

export interface NodeSettings {
  /** Its name among the nodes. */
  readonly node: string
  /** Where clients of other nodes are taken to. Default: nowhere. */
  readonly address?: string | undefined
  /** How long the owner must have been silent before another claims, in ms. Default 3,000. */
  readonly leaseMs?: number
  /** How long the owner waits for the engine before it says that it is not ready, in ms. Default 15,000. */
  readonly holdMs?: number
  /** Claims before others do. Default false. */
  readonly preferred?: boolean
  readonly housekeeping?: Partial<HousekeepingSettings>
}

export interface NodeParts extends NodeSettings {
  readonly server: LogServer
  readonly premises: Premises
  readonly clock?: Clock
  readonly log?: Logger
}

/** A node as it is now. */
export interface NodeStatus {
  readonly node: string
  readonly role: NodeRole
  readonly epoch: number
  /** Who owns the log, as far as this node has read; left out: nobody has yet. */
  readonly owner?: OwnerNote
  /** The last frame in its copy. */
  readonly applied: number
  /** The last frame of the log, as its leader said last; left out: it has not. */
  readonly last?: number
  readonly frozen: boolean
  readonly preferred: boolean
  /** How long no frame of this owner has been answered, in ms; 0: all is well. */
  readonly silentMs: number
  /** The log has no room for commits: nothing is acknowledged until it is trimmed. */
  readonly isFull: boolean
  /** What hinders it, in words. */
  readonly problem?: string
  /** Counters since the start. */
  readonly counters: NodeCounters
}

export interface NodeCounters {
  /** Frames written as owner, and read as replica; their bytes. */
  framesWritten: number
  bytesWritten: number
  framesRead: number
  bytesRead: number
  /** Times that it has become owner, was replaced, and has parted from the log. */
  claims: number
  fenced: number
  diverged: number
}

const heartbeatEveryMs = 1_000
/** Wall clocks that are further apart let nobody claim: what expires would go by another clock, in ms. */
const mostSkewMs = 5_000
/** Who is not preferred lets who is come first, in ms. */
const courtesyMs = 300
/** After a failure, before the next attempt, in ms. */
const againAfterMs = 1_000

/** Why an owner stops. */
type Ending = 'fenced' | 'handover' | 'closing' | 'disk'

/**
 * One node of a cluster. It follows the log into its copy; when the owner is gone it loads a broker on the copy, claims the log, and
 * serves until another has claimed it or it lets go.
 */
export class ClusterNode {
  role: NodeRole = 'starting'
  /** Automatic fail-over is off: this node does not claim by itself. */
  frozen = false
  /** Called when the role or the owner has changed. */
  onChange: () => void = () => {}
  readonly counters: NodeCounters = {
    framesWritten: 0,
    bytesWritten: 0,
    framesRead: 0,
    bytesRead: 0,
    claims: 0,
    fenced: 0,
    diverged: 0,
  }
  protected readonly parts: NodeParts
  protected readonly clock: Clock
  readonly #log: Logger
  readonly #lease: Lease
  #position: Position | undefined
  #follower: Follower | undefined
  #writer: LogWriter | undefined
  #ownLog: ReplicatedLog | undefined
  #housekeeping!: Housekeeping
  readonly #room = new LogRoom()
  #problem: string | undefined
  #isClosing = false
  #running: Promise<void> = Promise.resolve()
  /** Wakes whoever waits in this role. */
  #wake: () => void = () => {}
  #end: (why: Ending) => void = () => {}
  /** It has just let go: somebody else comes first, on the monotonic clock. */
  #restsUntil = Number.NEGATIVE_INFINITY
  #readySince: number | undefined
  #isForced = false
  #isRecovering = false

  constructor(parts: NodeParts) {
    this.parts = parts
    this.clock = parts.clock ?? systemClock
    this.#log = parts.log ?? { log: () => {} }
    this.#lease = new Lease(parts.leaseMs ?? 3_000)
  }

  /** Begins to follow. */
  start(): this {
    this.#running = this.#run()
    void this.#keepHouse()
    return this
  }

  /** Tells of this node, makes snapshots, and trims the log. */
  async #keepHouse(): Promise<void> {
    const { server, premises, housekeeping } = this.parts
    const keeping = this.housekeeping({
      server,
      premises,
      clock: this.clock,
      settings: housekeeping ?? {},
      onState: (state) => this.#room.counted(state),
    })
    this.#housekeeping = keeping
    while (!this.#isClosing) {
      try {
        await keeping.look(this.note())
        if (keeping.othersWithName > 1)
          this.#tell(
            `another node calls itself ${JSON.stringify(this.parts.node)}: give one of them another name (cluster.node)`,
          )
      } catch (error) {
        if (!(error instanceof LogSilent))
          this.#log.log('warn', `the cluster: ${(error as Error).message}`, this.#facts())
      }
      await pause(this.clock, keeping.everyMs)
    }
  }

  protected housekeeping(parts: HousekeepingParts): Housekeeping {
    return new Housekeeping(parts)
  }

  get status(): NodeStatus {
    const { node, preferred = false } = this.parts
    const position = this.#follower?.applied ?? later(this.#ownLog?.applied, this.#position)
    const written = this.#ownLog?.isSettled ? this.#writer?.written : undefined // heartbeats are in no table
    const last = this.#follower?.last ?? this.#writer?.written
    const owner = position?.owner.node ? position.owner : undefined
    const silentSince = this.#writer?.silentSince
    const problem = this.#problem
    return {
      node,
      role: this.role,
      epoch: position?.epoch ?? 0,
      ...(owner && { owner }),
      applied: written ?? position?.sequence ?? 0,
      ...(last !== undefined && { last }),
      frozen: this.frozen,
      preferred,
      silentMs: silentSince === undefined ? 0 : Math.max(1, this.clock.monotonic() - silentSince),
      isFull: this.role === 'owner' && this.#room.isFull,
      ...(problem !== undefined && { problem }),
      counters: this.#counted(),
    }
  }

  #counted(): NodeCounters {
    const { frames = 0, bytes = 0 } = this.#follower ?? {}
    return {
      ...this.counters,
      framesRead: this.counters.framesRead + frames,
      bytesRead: this.counters.bytesRead + bytes,
    }
  }

  /** Lets go of the log, in order: another takes over at once. Does nothing where this node is not the owner. */
  handOver(): void {
    this.#end('handover')
  }

  /** Claims as soon as this copy has all there is, whatever clocks and the freeze say: a person has decided. */
  claimNow(): void {
    this.#isForced = true
    this.#wake()
  }

  /** Sets a copy that has parted from the log aside, and begins anew from a snapshot: a person has decided. */
  recover(): void {
    this.#isRecovering = true
    this.#wake()
  }

  /** Makes a snapshot now. @throws LogSilent, or why there is none. */
  async snapshot(): Promise<void> {
    await this.#housekeeping.make()
  }

  /** Ends in order: an owner lets go first. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#end('closing')
    this.#wake()
    await this.#running
    this.#become('closed')
  }

  async #run(): Promise<void> {
    while (!this.#isClosing) {
      try {
        await this.#term()
      } catch (error) {
        await this.#onFailure(error)
      }
    }
  }

  /** Follows until it may claim, then serves until it has to let go. */
  async #term(): Promise<void> {
    const { premises } = this.parts
    const copy = await premises.open()
    let seen = 0
    try {
      const bytes = copy.position()
      this.#position = bytes && decodePosition(bytes)
      if (!bytes && !copy.isEmpty) throw new Diverged('it holds the data of a broker that ran alone')
      this.#become('following')
      await this.#follow(copy)
    } finally {
      await this.#follower?.stop()
      seen = this.#follower?.seen ?? 0
      this.#position = this.#follower?.applied ?? this.#position
      this.counters.framesRead += this.#follower?.frames ?? 0
      this.counters.bytesRead += this.#follower?.bytes ?? 0
      this.#follower = undefined
      await copy.close()
    }
    if (!this.#isClosing) await this.takeOver(this.#position, seen)
  }

  async #follow(copy: Awaited<ReturnType<Premises['open']>>): Promise<void> {
    const { server } = this.parts
    this.#lease.restart()
    this.#readySince = undefined
    const mayClaim = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#isClosing || this.#mayClaimNow()) resolve()
      }
    })
    let owner = this.#position?.epoch
    const onNews = (): void => {
      if (this.#follower?.applied?.epoch !== owner) {
        owner = this.#follower?.applied?.epoch
        this.onChange()
      }
      this.#wake()
    }
    const follower = new Follower({
      server,
      clock: this.clock,
      copy,
      position: this.#position,
      lease: this.#lease,
      makeReader: (position) => this.reader(position),
      onNews,
    })
    this.#follower = follower
    follower.start()
    await Promise.race([mayClaim, follower.failure])
  }

  protected reader(position: Position | undefined): LogReader {
    return new LogReader(position)
  }

  /** Whether this node may claim, and its turn has come. */
  #mayClaimNow(): boolean {
    const follower = this.#follower
    const now = this.clock.monotonic()
    if (!follower || !this.isDue(follower, this.#lease, now)) {
      this.#readySince = undefined
      return false
    }
    this.#readySince ??= now
    return this.#isForced || this.parts.preferred === true || now - this.#readySince >= courtesyMs
  }

  /** All there is is in this copy, and nobody writes. */
  protected isDue(follower: Follower, lease: Lease, now: number): boolean {
    if (!follower.isCaughtUp || this.#housekeeping.othersWithName > 1) return false
    if (this.#isForced) return true
    const isFree = (follower.applied === undefined || follower.applied.released) && now >= this.#restsUntil
    if (!isFree && !lease.isOver(now)) return false
    return !this.frozen && this.#areClocksRight(follower)
  }

  #areClocksRight({ skewMs, applied }: Follower): boolean {
    const ahead = (applied?.wall ?? 0) - this.clock.now()
    const apart = Math.max(Math.abs(skewMs ?? 0), ahead)
    if (apart <= mostSkewMs) return true
    this.#tell(
      `this machine's clock and the last owner's are ${Math.round(apart / 1000)} s apart: it claims nothing until they are set right`,
    )
    return false
  }

  /**
   * Loads what the copy holds, then claims, then serves.
   * @param seen the last frame of the log: behind the copy's position there may be parts of what was never finished.
   */
  protected async takeOver(position: Position | undefined, seen: number): Promise<void> {
    this.#become('claiming')
    const log = this.makeLog(position)
    const broker = await this.load(log)
    const writer = this.writer({
      server: this.parts.server,
      clock: this.clock,
      epoch: (position?.epoch ?? 0) + 1,
      instance: randomBytes(16).toString('hex'),
      after: seen,
      owner: { node: this.parts.node, ...(this.parts.address !== undefined && { address: this.parts.address }) },
    })
    this.#writer = writer
    this.#isForced = false
    const ending = new Promise<Ending>((resolve) => {
      this.#end = (why) => {
        if (why === 'closing' && this.role !== 'owner') writer.end()
        resolve(why)
      }
      writer.onFenced = () => resolve('fenced')
      log.onDiskFailed = (error) => {
        this.#tell(`its disk does not take what is safe (${error.message})`)
        resolve('disk')
      }
    })
    if (this.#isClosing) writer.end()
    try {
      this.#position = await writer.claim()
    } catch (error) {
      log.refuse(error as Error)
      await broker.abandon()
      if (!(error instanceof Fenced)) throw error
      return
    }
    try {
      await this.#own({ log, broker, writer, ending })
    } finally {
      this.#ownLog = undefined
      writer.end()
      this.#writer = undefined
      this.#end = () => {}
    }
  }

  protected makeLog(position: Position | undefined): ReplicatedLog {
    return new ReplicatedLog(position)
  }

  protected load(log: ReplicatedLog): Promise<LoadedBroker> {
    return this.parts.premises.load(log)
  }

  protected writer(options: LogWriterOptions): LogWriter {
    return new LogWriter(options)
  }

  async #own({ log, broker, writer, ending }: Ownership): Promise<void> {
    this.counters.claims++
    this.#problem = undefined
    writer.mayCommit = () => this.#untilRoom(writer)
    writer.onTaken = (bytes) => {
      this.#room.wrote(bytes)
      this.counters.framesWritten++
      this.counters.bytesWritten += bytes
    }
    writer.lastTakenAt = this.clock.monotonic()
    this.#ownLog = log
    this.#become('owner')
    log.begin(writer)
    void this.#beat(writer)
    const failed = broker.serve().then(
      () => ending,
      (error: Error) => {
        this.#tell(`it cannot serve (${error.message})`)
        return 'handover' as const
      },
    )
    const why = await Promise.race([ending, failed])
    this.#position = log.applied
    if (why === 'fenced') {
      this.counters.fenced++
      log.refuse(new Fenced('another node serves'))
      this.#become('following')
      this.#log.log('warn', 'another node has taken over: this one follows', this.#facts())
      await broker.abandon()
      return
    }
    this.#log.log('info', 'this node lets go of the log', { ...this.#facts(), why })
    await this.#letGo(broker, writer)
    this.#position = log.applied
  }

  async #letGo(broker: LoadedBroker, writer: LogWriter): Promise<void> {
    const { leaseMs = 3_000 } = this.parts
    this.#restsUntil = this.clock.monotonic() + 2 * leaseMs
    const isOver = this.#endWhenSilent(writer, leaseMs)
    try {
      await broker.stop()
      await writer.release()
    } catch (error) {
      if (!(error instanceof Fenced)) this.#tell(`it could not end in order (${(error as Error).message})`)
    } finally {
      isOver()
    }
  }

  /** What nobody answers for so long is given up. */
  #endWhenSilent(writer: LogWriter, ms: number): () => void {
    let isOver = false
    const look = (): void => {
      const { silentSince } = writer
      if (isOver) return
      if (silentSince !== undefined && this.clock.monotonic() - silentSince > ms)
        writer.end('the engine does not answer')
      this.clock.timeout(heartbeatEveryMs, look)
    }
    look()
    return () => {
      isOver = true
    }
  }

  /** The stream is nearly full: commits wait until it is trimmed, so that heartbeats and claims still fit. */
  async #untilRoom(writer: LogWriter): Promise<void> {
    while (this.#room.isFull && this.#writer === writer) {
      this.#tell(
        'the log is nearly full: nothing is acknowledged until a snapshot lets it be trimmed, or its stream is given more (max_bytes)',
      )
      await pause(this.clock, heartbeatEveryMs / 4)
    }
  }

  /** Says that it is there when nothing else does. */
  async #beat(writer: LogWriter): Promise<void> {
    while (this.#writer === writer) {
      const quietMs = this.clock.monotonic() - writer.lastTakenAt
      try {
        if (quietMs >= heartbeatEveryMs && !writer.isBusy) await writer.heartbeat()
      } catch {
        return // its end has been told
      }
      await pause(this.clock, Math.max(50, heartbeatEveryMs - (this.clock.monotonic() - writer.lastTakenAt)))
    }
  }

  async #onFailure(error: unknown): Promise<void> {
    if (this.#isClosing) return
    if (error instanceof Trimmed) return await this.#catchUp(error.message)
    if (error instanceof Diverged || error instanceof NewerFrame) return await this.#part(error)
    this.#tell(error instanceof Error ? error.message : String(error))
    await this.#pauseUnlessClosing(againAfterMs)
  }

  /** This copy and the log have parted: nothing is claimed until a person has decided. */
  async #part(error: Error): Promise<void> {
    this.counters.diverged++
    this.#tell(error.message)
    this.#become('diverged')
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#isClosing || this.#isRecovering) resolve()
      }
      this.#wake()
    })
    if (this.#isClosing) return
    this.#isRecovering = false
    const kept = await this.parts.premises.setAside()
    this.#log.log('warn', 'the copy was set aside, and begins anew', { ...this.#facts(), kept })
    this.#problem = undefined
  }

  /** The log is trimmed past this copy: it goes on from a snapshot. */
  async #catchUp(why: string): Promise<void> {
    const { server, premises } = this.parts
    try {
      const [newest] = await server.snapshots()
      if (!newest) {
        this.#tell(`${why}, and there is no snapshot yet: another node will make one`)
        return await this.#pauseUnlessClosing(5 * againAfterMs)
      }
      this.#log.log('info', 'goes on from a snapshot', { ...this.#facts(), snapshot: newest.name, bytes: newest.bytes })
      await premises.replace((file) => server.getSnapshot(newest, file))
      this.#problem = undefined
    } catch (error) {
      this.#tell(`${why}, and a snapshot cannot be had (${(error as Error).message})`)
      await this.#pauseUnlessClosing(againAfterMs)
    }
  }

  /** What this node tells of itself. */
  note(): NodeNote {
    const { node, role, epoch, applied, preferred, problem } = this.status
    const { address } = this.parts
    return {
      node,
      role,
      epoch,
      applied,
      version,
      frameVersion,
      preferred,
      ...(address !== undefined && { address }),
      ...(problem !== undefined && { problem }),
      at: this.clock.now(),
    }
  }

  #pauseUnlessClosing(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.timeout(ms, resolve)
      this.#wake = () => {
        if (!this.#isClosing) return
        cancel()
        resolve()
      }
      this.#wake()
    })
  }

  #become(role: NodeRole): void {
    if (this.role === role) return
    this.role = role
    if (role !== 'closed') this.#log.log('info', `this node is ${words[role]}`, this.#facts())
    this.onChange()
  }

  #facts(): Record<string, string | number> {
    return { node: this.parts.node, epoch: this.#position?.epoch ?? 0, frame: this.#position?.sequence ?? 0 }
  }

  /** Once for each problem. */
  #tell(problem: string): void {
    if (this.#problem === problem) return
    this.#problem = problem
    this.#log.log('error', `the cluster: ${problem}`, this.#facts())
  }
}

const words: Readonly<Record<Exclude<NodeRole, 'closed'>, string>> = {
  starting: 'starting',
  following: 'following',
  claiming: 'claiming the log',
  owner: 'the owner: it serves',
  diverged: 'parted from the log; see "godwit cluster recover"',
}

/** An owner's claim is in no table, and what is in them may be older. */
function later(one: Position | undefined, other: Position | undefined): Position | undefined {
  return (one?.sequence ?? 0) > (other?.sequence ?? 0) ? one : other
}

/** All that an owner has. */
interface Ownership {
  readonly log: ReplicatedLog
  readonly broker: LoadedBroker
  readonly writer: LogWriter
  readonly ending: Promise<Ending>
}
