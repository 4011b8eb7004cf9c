import { randomBytes } from 'node:crypto'
import { type Clock, type Logger, systemClock } from '@godwit/broker'
import { Diverged, LogReader } from '../log/log-reader.js'
import type { LogServer, LogState, NodeNote } from '../log/log-server.js'
import { Fenced, LogWriter, type LogWriterOptions } from '../log/log-writer.js'
import { decodePosition, type Position } from '../log/position.js'
import { pause } from '../pause.js'
import { Candidacy } from './candidacy.js'
import { CopyRescue, DamagedCopy } from './copy-rescue.js'
import { Follower } from './follower.js'
import { Housekeeping, type HousekeepingParts, type HousekeepingSettings } from './housekeeping.js'
import { Lease } from './lease.js'
import { LogRoom } from './log-room.js'
import {
  isWell,
  type NodeCounters,
  type NodeRole,
  type NodeStatus,
  noteOf,
  roleInWords,
  statusOf,
} from './node-status.js'
import { NodeVoice } from './node-voice.js'
import { diskLow, type Ending, Ownership } from './ownership.js'
import type { FollowingCopy, LoadedBroker, Premises } from './premises.js'
import { defaultHoldMs, ReplicatedLog } from './replicated-log.js'

export interface NodeSettings {
  /** Its name among the nodes. */
  readonly node: string
  /** Where clients of other nodes are taken to. Default: nowhere. */
  readonly address?: string | undefined
  /** The URL at which people find its console, for whoever looks at another node. Default: it does not tell. */
  readonly console?: string | undefined
  /**
   * How long the owner must have been silent before another claims, in ms; half as long, and 1,500 at least, after the engine had no leader.
   * Default 3,000.
   */
  readonly leaseMs?: number
  /** How long clients wait for the engine before what needs it is refused, in ms. Default 15,000. */
  readonly holdMs?: number
  /** Claims before others do. Default false. */
  readonly preferred?: boolean
  readonly housekeeping?: Partial<HousekeepingSettings>
}

export interface NodeParts extends NodeSettings {
  readonly server: LogServer
  readonly premises: Premises
  /** Has the log begin anew with this node's copy, which nobody uses meanwhile; answers the frame. Default: it cannot. */
  readonly publishCopy?: () => Promise<number>
  readonly clock?: Clock
  readonly log?: Logger
}

const defaultLeaseMs = 3_000
/** For how long nobody hands over to a node whose disk was down to its reserve, in ms: else two such nodes would do so without end. */
const lowMs = 60_000
/** At its end a node waits no longer than this until it has told the others, in ms. */
const farewellMs = 1_000

/**
 * One node of a cluster. It follows the log into its copy; when the owner is gone it loads a broker on the copy, claims the log, and
 * serves until another has claimed it or it lets go.
 */
export class ClusterNode {
  role: NodeRole = 'starting'
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
  readonly #voice: NodeVoice
  readonly #lease: Lease
  readonly #leaseMs: number
  readonly #room = new LogRoom()
  readonly #candidacy: Candidacy
  readonly #rescue: CopyRescue
  #housekeeping!: Housekeeping
  #position: Position | undefined
  #follower: Follower | undefined
  #writer: LogWriter | undefined
  #ownLog: ReplicatedLog | undefined
  #owning: Ownership | undefined
  #isClosing = false
  #running: Promise<void> = Promise.resolve()
  /** Has the part of this node that waits look again: for its time to claim, or for what a person decides. */
  #wake: () => void = () => {}
  /** What a person has decided about the copy: it is set aside, or the log begins anew with it. */
  #decision: 'set aside' | 'publish' | undefined

  constructor(parts: NodeParts) {
    this.parts = parts
    this.clock = parts.clock ?? systemClock
    const { server, premises, node, preferred = false, leaseMs = defaultLeaseMs } = parts
    const { clock } = this
    this.#leaseMs = leaseMs
    this.#lease = new Lease(leaseMs)
    this.#voice = new NodeVoice(parts.log, () => this.#facts())
    const voice = this.#voice
    this.#candidacy = new Candidacy({
      ...{ node, preferred, clock, voice },
      others: () => this.#housekeeping.others,
      isNameTaken: () => this.#housekeeping.othersWithName > 1,
    })
    this.#rescue = new CopyRescue({
      ...{ server, premises, clock, voice },
      hasOthers: () => this.#hasOthers,
      whenDecided: (as) => this.#whenDecided(as),
      isClosing: () => this.#isClosing,
    })
  }

  /** Begins to follow. */
  start(): this {
    const { server, premises, housekeeping: settings = {} } = this.parts
    const onState = (state: LogState): void => this.#room.counted(state)
    this.#housekeeping = this.housekeeping({ server, premises, clock: this.clock, settings, onState })
    this.#running = this.#run()
    const own = (): NodeNote => this.note()
    void this.#housekeeping.run(own, this.#voice, () => this.#isClosing)
    return this
  }

  protected housekeeping(parts: HousekeepingParts): Housekeeping {
    return new Housekeeping(parts)
  }

  /** Whether another node has a copy of its own that it uses. */
  get #hasOthers(): boolean {
    return this.#housekeeping.others.some(isWell)
  }

  /** Automatic fail-over is off: this node does not claim by itself. */
  get frozen(): boolean {
    return this.#candidacy.isFrozen
  }

  set frozen(is: boolean) {
    this.#candidacy.isFrozen = is
    this.#tellAll()
  }

  get status(): NodeStatus {
    const { node, preferred = false } = this.parts
    const { role, frozen, counters } = this
    return statusOf(
      {
        ...{ node, role, frozen, preferred, counters },
        problem: this.#voice.problem,
        isFull: role === 'owner' && this.#room.isFull,
        position: this.#position,
        follower: this.#follower,
        ownLog: this.#ownLog,
        writer: this.#writer,
      },
      this.clock.monotonic(),
    )
  }

  /**
   * Lets go of the log, in order, once another node has all there is: that one takes over. Where there is none, this node goes on. Does
   * nothing where it is not the owner.
   */
  handOver(): void {
    this.#owning?.end('handover')
  }

  /** The broker can serve no longer: lets go of the log, whoever comes next. */
  letGo(): void {
    this.#owning?.end('broken')
  }

  /**
   * Claims as soon as this copy has all there is, whatever clocks and the freeze say: a person has decided. Tried ten times where an owner
   * that lives writes in between.
   */
  claimNow(): void {
    this.#candidacy.force()
    this.#wake()
  }

  /** Sets a copy that has parted from the log aside, and begins anew from a snapshot: a person has decided. */
  recover(): void {
    if (this.role === 'diverged') this.#decide('set aside')
  }

  /** Has the log begin anew with this copy, for all nodes: a person has decided. Does nothing while this node takes over or serves. */
  publishCopy(): void {
    if (this.role !== 'owner' && this.role !== 'claiming') this.#decide('publish')
  }

  #decide(decision: 'set aside' | 'publish'): void {
    this.#decision = decision
    this.#wake()
  }

  /** Makes a snapshot now. @throws LogSilent, or why there is none. */
  async snapshot(): Promise<void> {
    await this.#housekeeping.make()
  }

  /** Ends in order: an owner lets go first. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.role === 'owner') this.#owning?.end('closing')
    else this.#writer?.end()
    this.#wake()
    this.#rescue.wake()
    await this.#running
    this.#become('closed')
    const told = this.#housekeeping.tell(this.note()).catch(() => {})
    await Promise.race([told, pause(this.clock, farewellMs)]) // or others would wait for it
  }

  async #run(): Promise<void> {
    while (!this.#isClosing) {
      try {
        await this.#term()
      } catch (error) {
        if (error instanceof Diverged) this.counters.diverged++
        await this.#rescue.after(error)
      }
    }
  }

  /** Follows until it may claim, then serves until it has to let go. */
  async #term(): Promise<void> {
    if (this.#decision === 'publish') await this.#publish()
    const { premises } = this.parts
    const copy = await premises.open()
    let seen = 0
    try {
      const bytes = copy.position()
      this.#position = bytes && decodePosition(bytes)
      if (!bytes && !copy.isEmpty) throw new Diverged('it holds the data of a broker that ran alone')
      if (this.#voice.problem !== diskLow) this.#voice.goesOn()
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
    if (!this.#isClosing && this.#decision !== 'publish') await this.takeOver(this.#position, seen)
  }

  async #follow(copy: FollowingCopy): Promise<void> {
    const { server } = this.parts
    this.#lease.restart()
    this.#candidacy.restart()
    const isOver = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#isClosing || this.#decision === 'publish' || this.#mayClaimNow()) resolve()
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
      onAsked: () => this.#tellAll(),
    })
    this.#follower = follower
    follower.start()
    await Promise.race([isOver, follower.failure])
  }

  /** Tells the other nodes of this one, before it is due. */
  #tellAll(): void {
    this.#housekeeping.tell(this.note()).catch(() => {}) // it tells again soon
  }

  protected reader(position: Position | undefined): LogReader {
    return new LogReader(position)
  }

  /** Whether this node may claim, and its turn has come. */
  #mayClaimNow(): boolean {
    const follower = this.#follower
    const now = this.clock.monotonic()
    if (!follower) return false
    return this.#candidacy.isItsTurn(this.isDue(follower, this.#lease, now), follower.applied, now)
  }

  /** Whether this node may claim: its copy has all of the log, and nobody writes it. */
  protected isDue(follower: Follower, lease: Lease, now: number): boolean {
    return this.#candidacy.isDue(follower, lease, now)
  }

  /**
   * Loads what the copy holds, then claims, then serves.
   * @param seen the last frame of the log: behind the last one in the copy there may be parts of a commit that was never finished.
   */
  protected async takeOver(position: Position | undefined, seen: number): Promise<void> {
    this.#become('claiming')
    const log = this.makeLog(position)
    log.hasOthers = () => this.#hasOthers
    const broker = await this.load(log)
    await this.#ensureWhole(log, broker)
    const { server, node, address } = this.parts
    const writer = this.writer({
      ...{ server, clock: this.clock, after: seen },
      epoch: (position?.epoch ?? 0) + 1,
      instance: randomBytes(16).toString('hex'),
      owner: { node, ...(address !== undefined && { address }) },
    })
    this.#writer = writer
    if (this.#isClosing) writer.end()
    try {
      this.#position = await writer.claim()
    } catch (error) {
      log.refuse(error as Error)
      await broker.abandon()
      if (!(error instanceof Fenced)) throw error
      this.#candidacy.refused()
      return
    }
    this.#candidacy.succeeded()
    const why = await this.#own(log, broker, writer)
    this.#position = log.applied
    if (why === 'low') this.clock.timeout(lowMs, () => this.#forgetLow())
    if (why === 'fenced') this.counters.fenced++
    else this.#candidacy.rest(2 * this.#leaseMs)
    if (log.damage !== undefined) throw new DamagedCopy(log.damage)
  }

  /** Others may hand over to it again: there may be room by now. */
  #forgetLow(): void {
    if (this.#voice.problem === diskLow) this.#voice.goesOn()
  }

  protected makeLog(position: Position | undefined): ReplicatedLog {
    return new ReplicatedLog(position, { clock: this.clock, holdMs: this.parts.holdMs ?? defaultHoldMs })
  }

  protected load(log: ReplicatedLog): Promise<LoadedBroker> {
    return this.parts.premises.load(log)
  }

  protected writer(options: LogWriterOptions): LogWriter {
    return new LogWriter(options)
  }

  /** @throws DamagedCopy when a record could not be read and another node may have it. */
  async #ensureWhole(log: ReplicatedLog, broker: LoadedBroker): Promise<void> {
    if (log.damage === undefined) return
    await this.#housekeeping.seek(this.note()).catch(() => {}) // else it is as it was at the last look
    if (!this.#hasOthers) return log.passOver()
    log.refuse(new Fenced('this copy is damaged'))
    await broker.abandon()
    throw new DamagedCopy(log.damage)
  }

  async #own(log: ReplicatedLog, broker: LoadedBroker, writer: LogWriter): Promise<Ending> {
    const { server, node } = this.parts
    const { clock } = this
    this.counters.claims++
    this.#voice.goesOn()
    const owning = new Ownership({
      ...{ node, server, clock, log, broker, writer, room: this.#room, voice: this.#voice, leaseMs: this.#leaseMs },
      onTaken: (bytes) => {
        this.counters.framesWritten++
        this.counters.bytesWritten += bytes
      },
      onFenced: () => {
        this.#become('following')
        this.#voice.say('warn', 'another node has taken over: this one follows')
      },
    })
    this.#ownLog = log
    this.#owning = owning
    this.#become('owner')
    if (this.#isClosing) owning.end('closing')
    try {
      return await owning.serve()
    } finally {
      this.#ownLog = undefined
      this.#owning = undefined
      this.#writer = undefined
    }
  }

  /** Settles when a person has decided what becomes of this copy, or when this node ends. */
  async #whenDecided(as: 'diverged' | 'starting'): Promise<boolean> {
    this.#become(as)
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#isClosing || this.#decision !== undefined) resolve()
      }
      this.#wake()
    })
    if (this.#isClosing || this.#decision !== 'set aside') return false
    this.#decision = undefined
    return true
  }

  /** The log begins anew with this copy. */
  async #publish(): Promise<void> {
    this.#decision = undefined
    const { publishCopy } = this.parts
    if (!publishCopy) throw new Error('this node has nothing to begin the log anew with')
    const begins = await publishCopy()
    this.#voice.say('warn', 'the log begins anew with the copy of this node', { begins })
    this.#voice.goesOn()
  }

  /** What this node tells of itself. */
  note(): NodeNote {
    return noteOf(this.status, this.parts, this.clock.now())
  }

  #become(role: NodeRole): void {
    if (this.role === role) return
    this.role = role
    if (role !== 'closed') this.#voice.say('info', `this node is ${roleInWords[role]}`)
    this.onChange()
  }

  #facts(): Record<string, string | number> {
    return { node: this.parts.node, epoch: this.#position?.epoch ?? 0, frame: this.#position?.sequence ?? 0 }
  }
}
