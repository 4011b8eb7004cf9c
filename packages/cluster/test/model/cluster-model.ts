import { decodeFrame } from '../../src/frame/frame.js'
import { LogReader } from '../../src/log/log-reader.js'
import type { LogWriterOptions } from '../../src/log/log-writer.js'
import { LogWriter } from '../../src/log/log-writer.js'
import { decodePosition } from '../../src/log/position.js'
import { ClusterNode, type NodeParts } from '../../src/node/cluster-node.js'
import { lifeMs, type ModelBroker, type ModelReader } from './model-broker.js'
import { carryOut, type Disk, newDisk } from './model-disk.js'
import { ModelPremises } from './model-premises.js'
import { Door, ModelStream } from './model-stream.js'
import { Process, Simulation } from './simulation.js'

/** What a run is made of; a planted mistake puts something else in its place. */
export interface Making {
  node(parts: NodeParts): ClusterNode
  door(...of: ConstructorParameters<typeof Door>): Door
  premises(...of: ConstructorParameters<typeof ModelPremises>): ModelPremises
}

/** A node that cuts its commits into small parts, so that there are some. */
export class ModelNode extends ClusterNode {
  protected override writer(options: LogWriterOptions): LogWriter {
    return new LogWriter({ ...options, mostPartBytes: 100 })
  }
}

export const sound: Making = {
  node: (parts) => new ModelNode(parts),
  door: (...of) => new Door(...of),
  premises: (...of) => new ModelPremises(...of),
}

const faultsUntilMs = 20_000
const settings = { leaseMs: 3_000, housekeeping: { everyMs: 1_500, snapshotEveryFrames: 25 } }

/** A machine with a node: its disk outlives the process. */
export class Machine {
  readonly name: string
  readonly disk: Disk = newDisk()
  process: Process
  door!: Door
  premises!: ModelPremises
  node!: ClusterNode
  readonly #model: ClusterModel

  constructor(name: string, model: ClusterModel) {
    this.name = name
    this.#model = model
    this.process = new Process(model.simulation)
  }

  start(): void {
    const { simulation, stream, making } = this.#model
    this.process = new Process(simulation, this.process.wallOffset)
    this.door = making.door(stream, this.process)
    this.premises = making.premises(simulation, this.process, stream, this.name, this.disk)
    const { door: server, premises, process: clock } = this
    this.node = making.node({ server, premises, clock, node: this.name, ...settings })
    this.node.onChange = () => this.#model.onChange(this)
    this.node.start()
  }

  kill(): void {
    this.process.kill()
    this.door.isCut = true
    this.#model.look(this)
  }

  get isServing(): boolean {
    return this.process.isAlive && this.premises.app?.isServing === true
  }
}

/** What a disk held at a moment. */
interface Look {
  readonly of: string
  readonly sequence: number
  readonly lists: ReadonlyMap<string, string>
}

/** Clients, nodes and a log, and chance: what was promised must hold in the end. */
export class ClusterModel {
  readonly simulation: Simulation
  readonly stream: ModelStream
  readonly machines: Machine[]
  readonly making: Making
  readonly problems: string[] = []
  readonly #acknowledged = new Map<string, number>()
  readonly #reads: { readonly list: string; readonly known: readonly string[] }[] = []
  #looks: Look[] = []
  #written = 0
  #isOver = false
  /** What the reader was given, and what of it as if for the first time. */
  readonly #taken: { readonly number: number; readonly what: string }[] = []
  readonly #takenAsNew = new Set<number>()
  /** For how long somebody has served, in ms; and how long that was when what expires was sent. */
  #servedMs = 0
  readonly #expiring = new Map<string, number>()
  /** A wall clock was stepped: who took over with it may have let time pass. */
  #isStepped = false
  /** Servers have lost what they had acknowledged: then only that nobody passes over it can be asked for. */
  #isLossy = false
  /** A node has told that its copy and the log have parted. */
  #isDivergenceSeen = false

  constructor(seed: number, making: Making = sound) {
    this.simulation = new Simulation(seed)
    this.stream = new ModelStream(this.simulation)
    this.making = making
    this.machines = ['a', 'b', 'c'].map((name) => new Machine(name, this))
  }

  async run(): Promise<readonly string[]> {
    const { simulation } = this
    for (const machine of this.machines) machine.start()
    for (let client = 0; client < 3; client++) void this.#client()
    void this.#reader()
    void this.#countServed()
    void this.#faults()
    await simulation.run(faultsUntilMs)
    this.#heal()
    await simulation.run(faultsUntilMs + 2_000)
    this.#isOver = true
    await this.#settle()
    this.#judge()
    for (const machine of this.machines) machine.process.kill()
    return this.problems
  }

  onChange({ name, node, door }: Machine): void {
    this.simulation.tell(`${name} ${node.role} ${node.status.epoch}`)
    if (node.role === 'diverged') this.#isDivergenceSeen = true
    if (node.role !== 'claiming' || this.#isReleased || this.simulation.now - door.leaderAnsweredAt < 1_500) return
    this.problems.push(`${name} claims though the leader has not answered it`)
  }

  /** Its owner has let go: that it is silent says nothing more. */
  get #isReleased(): boolean {
    const last = this.stream.frames.at(-1)
    return last !== undefined && decodeFrame(last.bytes).kind === 'released'
  }

  /** Remembers what a disk holds. */
  look({ name, disk }: Machine): void {
    if (!disk.position) return
    this.#looks.push({ of: name, sequence: decodePosition(disk.position).sequence, lists: new Map(disk.lists) })
  }

  async #client(): Promise<void> {
    const { simulation } = this
    const { random } = simulation
    while (!this.#isOver) {
      await simulation.pause(random.below(250))
      const serving = this.machines.filter((machine) => machine.isServing)
      if (serving.length === 0) continue
      await this.#ask(random.of(serving), random.chance(0.3))
    }
  }

  /** A client that reads, and lives all the time: it goes to whoever serves in the highest epoch. */
  async #reader(): Promise<void> {
    const { simulation } = this
    const { random } = simulation
    let at: ModelBroker | undefined
    for (;;) {
      await simulation.pause(random.below(300))
      const serving = this.machines.filter((machine) => machine.isServing)
      const epoch = Math.max(...serving.map(({ node }) => node.status.epoch))
      const machine = serving.find(({ node }) => node.status.epoch === epoch)
      const broker = machine?.premises.app
      if (!machine || !broker || (broker === at && random.chance(0.9))) continue
      at = broker
      this.#connect(machine, broker)
    }
  }

  /** Another connection of the reader, with a window of its own. */
  #connect({ process }: Machine, broker: ModelBroker): void {
    const { simulation } = this
    const { random } = simulation
    const reader: ModelReader = {
      window: 1 + random.below(6),
      take: (number, what, again) => {
        simulation.after(random.below(5), () => {
          this.#take(number, what, again)
          simulation.after(random.below(200), () => process.here(() => broker.acknowledge(reader, number)))
        })
      },
    }
    broker.onWill = () => this.#isLossy || this.problems.push('the will of a living client went out')
    broker.onExpired = (what) => this.#judgeExpired(what)
    simulation.after(random.below(5), () => process.here(() => broker.isServing && broker.connect(reader)))
  }

  #take(number: number, what: string, again: boolean): void {
    this.#taken.push({ number, what })
    if (again || this.#isLossy) return
    if (this.#takenAsNew.has(number)) this.problems.push(`${what} was given twice as if for the first time`)
    this.#takenAsNew.add(number)
  }

  async #countServed(): Promise<void> {
    const everyMs = 200
    for (;;) {
      await this.simulation.pause(everyMs)
      // A broker's time goes on from when it is loaded: what its claim takes counts too.
      if (this.machines.some(({ isServing, premises }) => isServing || premises.app)) this.#servedMs += everyMs
    }
  }

  /** Time in which nobody served counts for nothing. */
  #judgeExpired(what: string): void {
    const lived = this.#servedMs - (this.#expiring.get(what) ?? 0)
    if (this.#isStepped || this.#isLossy || lived >= lifeMs - 1_000) return
    this.problems.push(`${what} expired after ${lived} ms in which somebody served, and lives for ${lifeMs}`)
  }

  /** Something is sent to a machine: what comes back, if anything does, is remembered. */
  #ask({ process, premises }: Machine, isRead: boolean): Promise<void> {
    const { simulation } = this
    const { random } = simulation
    const broker = premises.app
    const known = [...this.#acknowledged.keys()]
    const what = String(++this.#written)
    return new Promise((resolve) => {
      const answered = (note: () => void) => (): void => {
        simulation.after(random.below(5), () => {
          note()
          resolve()
        })
      }
      simulation.after(random.below(5), () =>
        process.here(() => {
          if (premises.app !== broker || !broker?.isServing) return
          if (isRead) broker.read((list) => answered(() => void this.#reads.push({ list, known }))())
          else {
            this.#expiring.set(what, this.#servedMs)
            broker.add(
              what,
              answered(() => void this.#acknowledged.set(what, simulation.now)),
              random.chance(0.3),
            )
          }
        }),
      )
      simulation.after(1_000 + random.below(4_000), resolve)
    })
  }

  async #faults(): Promise<void> {
    const { simulation } = this
    const { random } = simulation
    for (;;) {
      await simulation.pause(500 + random.below(2_500))
      if (simulation.now >= faultsUntilMs) return
      this.#fault(random.of(this.machines), 300 + random.below(random.chance(0.2) ? 9_000 : 2_500))
    }
  }

  #fault(machine: Machine, ms: number): void {
    const { simulation, stream } = this
    const { random } = simulation
    const { process, door, premises, name } = machine
    const owner = this.machines.find(({ isServing }) => isServing) ?? machine
    const kind = random.below(13)
    simulation.tell(`fault ${kind} of ${name}, owner ${owner.name}, ${ms} ms`)
    if (kind < 2) this.#restart(machine, ms)
    else if (kind < 4) this.#restart(owner, ms)
    else if (kind < 6) this.#stop(owner.process, ms)
    else if (kind === 6) this.#stop(process, ms)
    else if (kind < 9) this.#cut(random.chance(0.5) ? owner.door : door, ms)
    else if (kind === 9) stream.elect(ms)
    else if (kind === 10) {
      this.#isStepped = true
      process.wallOffset = random.below(20_000) - 10_000
      simulation.after(ms, () => {
        process.wallOffset = 0
      })
    } else if (kind === 11) {
      if (random.chance(0.5)) return owner.node.handOver()
      premises.isBroken = true
      simulation.after(ms, () => {
        premises.isBroken = false
      })
    } else if (random.chance(0.3) && stream.frames.length > 4) {
      this.#isLossy = true
      stream.rollBack(1 + random.below(4))
    } else stream.endReadings('the consumer is gone')
  }

  #restart(machine: Machine, ms: number): void {
    if (!machine.process.isAlive) return
    machine.kill()
    this.simulation.after(ms, () => machine.process.isAlive || machine.start())
  }

  #stop(process: Process, ms: number): void {
    process.stop()
    this.simulation.after(ms, () => process.goOn())
  }

  #cut(door: Door, ms: number): void {
    door.isCut = true
    this.simulation.after(ms, () => {
      door.isCut = !this.machines.some((machine) => machine.door === door && machine.process.isAlive)
    })
  }

  #heal(): void {
    this.stream.loss = 0
    for (const machine of this.machines) {
      if (!machine.process.isAlive) machine.start()
      machine.process.goOn()
      machine.process.wallOffset = 0
      machine.door.isCut = false
      machine.premises.isBroken = false
    }
  }

  /** Until one serves and the others have all it has. */
  async #settle(): Promise<void> {
    const { simulation } = this
    if (this.#isLossy) return await simulation.run(simulation.now + 75_000)
    const deadline = simulation.now + 60_000
    while (simulation.now < deadline) {
      await simulation.run(simulation.now + 500)
      if (this.#isSettled() && (await this.#isAnswered())) return
    }
    const roles = this.machines.map(
      ({ name, node }) => `${name} ${node.role} at ${node.status.applied} ${node.status.problem ?? ''}`,
    )
    this.problems.push(`it does not settle: the log is at ${this.stream.expected}, ${roles.join(', ')}`)
  }

  #isSettled(): boolean {
    const roles = this.machines.map(({ node }) => node.role)
    if (roles.filter((role) => role === 'owner').length !== 1) return false
    return roles.every((role) => role === 'owner' || role === 'following')
  }

  /** A client of the owner is answered, and all have it. */
  async #isAnswered(): Promise<boolean> {
    const { simulation } = this
    const owner = this.machines.find(({ isServing }) => isServing)
    if (!owner) return false
    const before = this.#acknowledged.size
    void this.#ask(owner, false)
    await simulation.run(simulation.now + 2_500)
    const [first, ...others] = this.machines.map(({ disk }) => disk.lists.get('a'))
    return this.#acknowledged.size > before && others.every((list) => list === first) && this.#isSettled()
  }

  #judge(): void {
    if (this.#isLossy) return this.#judgeWhoFollows()
    for (const machine of this.machines) this.look(machine)
    this.#judgeDisks()
    const lists = this.machines[0]!.disk.lists
    const final = lists.get('a') ?? ''
    const present = final.split(',')
    const times = new Map<string, number>()
    for (const one of present) times.set(one, (times.get(one) ?? 0) + 1)
    for (const what of this.#acknowledged.keys()) {
      if (!times.has(what)) this.problems.push(`${what} was acknowledged and is lost`)
    }
    for (const [what, count] of times)
      if (what !== '' && count > 1) this.problems.push(`${what} is there ${count} times`)
    for (const { number, what } of this.#taken) {
      if (present[number] !== what)
        this.problems.push(`message ${number} was given as ${what}, and is ${present[number]}`)
    }
    for (const { list, known } of this.#reads) {
      if (!final.startsWith(list)) this.problems.push(`a client was shown ${list}, and ${final} is what there is`)
      const shown = new Set(list.split(','))
      const missing = known.find((what) => !shown.has(what))
      if (missing !== undefined)
        this.problems.push(`a client was not shown ${missing}, which had been acknowledged before`)
    }
  }

  /** Each disk must hold what the log says of where it is. */
  #judgeDisks(): void {
    const due = this.#looks.sort((one, other) => one.sequence - other.sequence)
    const disk = newDisk()
    const reader = new LogReader(undefined)
    let at = 0
    const judge = (until: number): void => {
      for (; at < due.length && due[at]!.sequence < until; at++) {
        const { of, sequence, lists } = due[at]!
        const differs = [...lists].some(([name, list]) => disk.lists.get(name) !== list)
        if (differs && !this.#isLossy)
          this.problems.push(`the disk of ${of} is at ${sequence} and holds something else`)
      }
    }
    for (const frame of this.stream.history) {
      judge(frame.sequence)
      try {
        const entry = reader.take(frame)
        if (entry) carryOut(disk, entry.writes)
      } catch (error) {
        return void this.problems.push(`the log does not hold together: ${(error as Error).message}`)
      }
    }
    judge(this.stream.last + 1)
    for (const { of, sequence } of due.slice(at)) {
      this.problems.push(`the disk of ${of} is at ${sequence}, ahead of the log`)
    }
  }

  /** Servers have lost what they had acknowledged: whose copy is not what the log says must not pass over it. */
  #judgeWhoFollows(): void {
    for (const { name, node, disk } of this.machines) {
      const { role, silentMs, applied } = node.status
      if (role === 'diverged' || role === 'owner' || silentMs > 0 || !disk.position) continue
      const { sequence } = decodePosition(disk.position)
      const said = this.#saidUpTo(sequence)
      // Having lost a claim, servers have taken frames of two owners, which was told; those that were recovered since go by the owner's copy.
      if (said === 'nothing that holds together' && this.#isDivergenceSeen) {
        if (this.#isUnlikeOwners(disk)) this.problems.push(`the copy of ${name} is not the owner's, and follows it`)
        continue
      }
      const differs = typeof said === 'string' || [...disk.lists].some(([list, what]) => said.lists.get(list) !== what)
      if (differs) this.problems.push(`the copy of ${name} is at ${applied}, is not what the log says, and follows it`)
    }
  }

  /** At the same place it holds something else. */
  #isUnlikeOwners({ position, lists }: Disk): boolean {
    const owner = this.machines.find(({ node }) => node.role === 'owner')?.disk
    if (!owner?.position || decodePosition(owner.position).sequence !== decodePosition(position!).sequence) return false
    return [...owner.lists].some(([list, what]) => lists.get(list) !== what)
  }

  /** What a disk holds that has followed to there. */
  #saidUpTo(sequence: number): Disk | 'nothing yet' | 'nothing that holds together' {
    const disk = newDisk()
    const reader = new LogReader(undefined)
    if (sequence > this.stream.last) return 'nothing yet'
    try {
      for (const frame of this.stream.history) {
        const entry = frame.sequence <= sequence ? reader.take(frame) : undefined
        if (entry) carryOut(disk, entry.writes)
      }
      return disk
    } catch {
      return 'nothing that holds together'
    }
  }
}
