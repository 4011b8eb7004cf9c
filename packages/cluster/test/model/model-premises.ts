import type { Write } from '@godwit/broker/store/lmdb'
import { decodePosition } from '../../src/log/position.js'
import type { FollowingCopy, LoadedBroker, Premises, SnapshotFile } from '../../src/node/premises.js'
import type { ReplicatedLog } from '../../src/node/replicated-log.js'
import { ModelBroker, type ModelBrokerParts } from './model-broker.js'
import { carryOut, copyOf, type Disk, newDisk } from './model-disk.js'
import type { ModelStream } from './model-stream.js'
import type { Process, Simulation } from './simulation.js'

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
    const app = this.makeApp({
      log,
      disk: this.loadedFrom,
      clock: this.#process,
      onEnd: () => {
        if (this.app === app) this.app = undefined
      },
    })
    this.app = app
    return app
  }

  protected makeApp(parts: ModelBrokerParts): ModelBroker {
    return new ModelBroker(parts)
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
