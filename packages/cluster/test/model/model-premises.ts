import type { Commit } from '@godwit/broker'
import { positionWrite, type Write } from '@godwit/broker/store/lmdb'
import { decodePosition } from '../../src/log/position.js'
import type { FollowingCopy, LoadedBroker, Premises, SnapshotFile } from '../../src/node/premises.js'
import type { ReplicatedLog } from '../../src/node/replicated-log.js'
import type { ModelStream } from './model-stream.js'
import type { Process, Simulation } from './simulation.js'

/** What a machine has on disk. */
export interface Disk {
  /** Lists of what was written under each name, in order. */
  readonly lists: Map<string, string>
  position: Uint8Array | undefined
}

/** The names that every write of a client goes to, in one commit: they must never differ. */
export const listNames = ['a', 'b', 'c'] as const

export function newDisk(): Disk {
  return { lists: new Map(), position: undefined }
}

function copyOf({ lists, position }: Disk): Disk {
  return { lists: new Map(lists), position }
}

// The fact that a position is in begins with its checksum.
const { key: positionKey } = positionWrite(new Uint8Array(0))
const isPosition = ({ table, key }: Write): boolean => table === 'facts' && key.equals(positionKey)

/** Carries writes out on a disk, at once and whole. */
export function carryOut(disk: Disk, writes: readonly Write[]): void {
  for (const write of writes) {
    if (isPosition(write)) disk.position = write.value!.subarray(4)
    else if (write.value) disk.lists.set(write.key.toString(), Buffer.from(write.value).toString())
  }
}

/** A machine's disk, and the broker that runs on it: lists to which clients add, and which they read. */
export class ModelPremises implements Premises {
  readonly disk: Disk
  /** The broker that is loaded, if any. */
  app: ModelBroker | undefined
  isBroken = false
  readonly #simulation: Simulation
  readonly #process: Process
  readonly #stream: ModelStream
  readonly #name: string

  constructor(simulation: Simulation, process: Process, stream: ModelStream, name: string, disk: Disk) {
    this.#simulation = simulation
    this.#process = process
    this.#stream = stream
    this.#name = name
    this.disk = disk
  }

  /** Takes a moment; a process that dies meanwhile has carried out nothing. */
  async write(writes: readonly Write[]): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#process.timeout(this.#simulation.random.below(10), () => {
        if (!this.isBroken) carryOut(this.disk, writes)
        resolve()
      })
    })
    if (this.isBroken) throw new Error('no space left on device')
  }

  async open(): Promise<FollowingCopy> {
    const { disk } = this
    return {
      isEmpty: disk.lists.size === 0 && disk.position === undefined,
      position: () => disk.position && Buffer.from(disk.position),
      apply: (writes) => this.write(writes),
      close: async () => {},
    }
  }

  async load(log: ReplicatedLog): Promise<LoadedBroker> {
    log.attach({ once: (writes) => this.write(writes) })
    await this.#pause(this.#simulation.random.below(400))
    const app = new ModelBroker(log, this.loadedFrom, () => {
      if (this.app === app) this.app = undefined
    })
    this.app = app
    return app
  }

  /** What the broker takes up. */
  protected get loadedFrom(): Disk {
    return this.disk
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#process.timeout(ms, resolve))
  }

  async snapshot(): Promise<SnapshotFile> {
    const file = `${this.#name}-${this.#simulation.now}`
    this.#stream.files.set(file, copyOf(this.disk))
    const { sequence } = decodePosition(this.disk.position!)
    return { file, sequence, discard: async () => void this.#stream.files.delete(file) }
  }

  async replace(fetch: (file: string) => Promise<void>): Promise<void> {
    const file = `${this.#name}-coming`
    await fetch(file)
    this.#become(copyOf(this.#stream.files.get(file) as Disk))
  }

  async setAside(): Promise<string> {
    this.#become(newDisk())
    return 'aside'
  }

  #become({ lists, position }: Disk): void {
    this.disk.lists.clear()
    for (const [name, list] of lists) this.disk.lists.set(name, list)
    this.disk.position = position
  }
}

/** A broker as far as a log is concerned: it gathers commits, one in flight, and answers when they are safe. */
export class ModelBroker implements LoadedBroker {
  isServing = false
  readonly #log: ReplicatedLog
  readonly #lists: Map<string, string>
  readonly #onEnd: () => void
  #open = 1
  #gathered: Write[] = []
  #isAsked = false
  #flying: Promise<void> | undefined
  #isOver = false
  #waiting: { readonly commit: number; readonly answer: () => void }[] = []
  #flushed = 0

  constructor(log: ReplicatedLog, disk: Disk, onEnd: () => void) {
    this.#log = log
    this.#lists = new Map(disk.lists)
    this.#onEnd = onEnd
  }

  async serve(): Promise<void> {
    this.isServing = true
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

  /** A client adds something; it is answered when that is safe. */
  add(what: string, answer: () => void): void {
    for (const name of listNames) {
      const list = `${this.#lists.get(name) ?? ''}${what},`
      this.#lists.set(name, list)
      const key = Buffer.from(name)
      this.#gathered = this.#gathered.filter((write) => !write.key.equals(key))
      this.#gathered.push({ table: 'facts', key, value: Buffer.from(list) })
    }
    this.#after(this.#gather(), answer)
  }

  /** A client asks what there is. */
  read(answer: (list: string) => void): void {
    const list = this.#lists.get('a') ?? ''
    this.#after(
      this.#log.barrier(() => this.#gather() as Commit),
      () => answer(list),
    )
  }

  #after(commit: number, answer: () => void): void {
    if (commit <= this.#flushed) return answer()
    this.#waiting.push({ commit, answer })
  }

  #gather(): number {
    this.#isAsked = true
    if (!this.#flying) queueMicrotask(() => !this.#flying && this.#isAsked && void this.#fly())
    return this.#open
  }

  #fly(): Promise<void> {
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
