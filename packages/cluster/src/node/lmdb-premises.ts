import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@godwit/broker'
import { type Copy, lmdbStore, openCopy, restoreBackup, type StoreOnDisk } from '@godwit/broker/store/lmdb'
import { decodePosition } from '../log/position.js'
import type { FollowingCopy, LoadedBroker, Premises, SnapshotFile } from './premises.js'
import type { ReplicatedLog } from './replicated-log.js'

interface LmdbPremisesOptions {
  /** The data folder of the node: its copy is in `copy` below it. */
  readonly directory: string
  /** Makes a broker on the store, and starts it; clients are let in by {@link LoadedBroker.serve}. */
  readonly load: (store: StoreOnDisk) => Promise<LoadedBroker>
  readonly log?: Logger | undefined
}

/** A node's copy in LMDB: it follows the log there, and the broker is opened on the same file. */
export class LmdbPremises implements Premises {
  readonly #options: LmdbPremisesOptions
  /** The data folder of the copy. */
  readonly folder: string
  #copy: Copy | undefined
  #store: StoreOnDisk | undefined
  #log: ReplicatedLog | undefined

  constructor(options: LmdbPremisesOptions) {
    this.#options = options
    this.folder = join(options.directory, 'copy')
  }

  async open(): Promise<FollowingCopy> {
    this.#ensureNotAlone()
    await mkdir(this.#options.directory, { recursive: true, mode: 0o700 })
    const copy = await openCopy(this.folder, this.#options.log)
    this.#copy = copy
    return {
      get isEmpty() {
        return copy.isEmpty
      },
      position: () => copy.position(),
      apply: (writes) => copy.apply(writes),
      close: async () => {
        this.#copy = undefined
        await copy.close()
      },
    }
  }

  /** Refuses a folder with the data of a broker that ran alone: beside the copy they would seem to be gone. */
  #ensureNotAlone(): void {
    const { directory } = this.#options
    if (!existsSync(join(directory, 'format'))) return
    throw new Error(
      `${directory} holds the data of a broker that ran alone: bring it into the cluster with "godwit cluster import ${directory}", or name another folder`,
    )
  }

  async load(log: ReplicatedLog): Promise<LoadedBroker> {
    const store = lmdbStore({
      directory: this.folder,
      ...(this.#options.log && { log: this.#options.log }),
      commitLog: (disk) => log.attach(disk),
    })
    const broker = await this.#options.load(store)
    this.#store = store
    this.#log = log
    return {
      serve: () => broker.serve(),
      stop: () => this.#ended(broker.stop()),
      abandon: () => this.#ended(broker.abandon()),
    }
  }

  async #ended(end: Promise<void>): Promise<void> {
    this.#store = undefined
    this.#log = undefined
    await end
  }

  async snapshot(): Promise<SnapshotFile> {
    const source = this.#copy ?? this.#store
    if (!source) throw new Error('a snapshot cannot be made now')
    const sequence = this.#positionOnDisk()
    const file = join(this.#options.directory, 'snapshot')
    await rm(file, { force: true })
    await source.backup(file)
    return { file, sequence, discard: () => rm(file, { force: true }) }
  }

  #positionOnDisk(): number {
    const bytes = this.#copy?.position()
    const sequence = bytes ? decodePosition(bytes).sequence : this.#log?.applied?.sequence
    if (sequence === undefined) throw new Error('there is nothing to make a snapshot of')
    return sequence
  }

  async replace(fetch: (file: string) => Promise<void>): Promise<void> {
    const { directory } = this.#options
    const file = join(directory, 'snapshot.coming')
    const coming = `${this.folder}.coming`
    await rm(file, { force: true })
    await rm(coming, { recursive: true, force: true })
    await fetch(file)
    await restoreBackup(file, coming)
    await rm(this.folder, { recursive: true, force: true })
    await rename(coming, this.folder)
    await rm(file, { force: true })
  }

  async setAside(): Promise<string> {
    const aside = `${this.folder}.aside-${new Date().toISOString().replace(/[:.]/g, '-')}`
    await rename(this.folder, aside)
    return aside
  }
}
