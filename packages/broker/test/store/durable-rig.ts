import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { idle } from '../../src/store/deliveries.contract.js'
import { type CommitLog, LocalLog } from '../../src/store/lmdb/commit-log.js'
import type { Disk } from '../../src/store/lmdb/disk.js'
import { type LmdbStoreOptions, lmdbStore } from '../../src/store/lmdb/lmdb-store.js'
import { openTables } from '../../src/store/lmdb/tables.js'
import type { Recovered, Store, StoreHost } from '../../src/store/store.js'

/** What a crash leaves: the folder as it is between two steps of a commit. */
export type Step = Parameters<NonNullable<LmdbStoreOptions['onStep']>>[0]

/** A durable store in a folder of its own, which can be closed, or die, and be opened again. */
export class DurableRig {
  readonly #root: string = mkdtempSync(join(tmpdir(), 'godwit-store-'))
  #life = 0
  readonly #options: Omit<LmdbStoreOptions, 'directory' | 'onStep'>
  readonly #host: Partial<StoreHost>
  store!: Store
  recovered!: Recovered
  /** Told of every step of every commit, before a crash at this step is carried out. */
  onStep: (step: Step) => void = () => {}
  #crash: { readonly at: Step; done(): void } | undefined

  readonly #makeLog: (disk: Disk) => CommitLog

  constructor(
    options: Omit<LmdbStoreOptions, 'directory' | 'onStep'> = {},
    host: Partial<StoreHost> = {},
    makeLog: (disk: Disk) => CommitLog = (disk) => new LocalLog(disk),
  ) {
    this.#options = options
    this.#host = host
    this.#makeLog = makeLog
  }

  get directory(): string {
    return join(this.#root, `life-${this.#life}`)
  }

  async open(): Promise<this> {
    const life = this.#life
    const options: LmdbStoreOptions = {
      ...this.#options,
      directory: this.directory,
      onStep: (step) => {
        if (life !== this.#life) return // what a dead process still does is nobody's business
        this.onStep(step)
        if (this.#crash?.at !== step) return
        this.#leaveImage()
        this.#crash.done()
        this.#crash = undefined
      },
    }
    this.store = lmdbStore({ ...options, commitLog: (disk) => this.#makeLog(disk as Disk) })
    this.recovered = await this.store.open(this.#host)
    return this
  }

  async reopen(): Promise<this> {
    await this.store.close()
    return this.open()
  }

  /** The process dies at the next such step; another one comes. */
  async crash(at: Step): Promise<this> {
    const dead = this.store
    await new Promise<void>((done) => {
      this.#crash = { at, done }
      dead.setWill('whoever', undefined) // so that there is a commit
    })
    await dead.close()
    return this.open()
  }

  /** How much each table holds, after a close. */
  async counts(): Promise<Record<string, number>> {
    const { root, ...tables } = openTables(join(this.directory, 'p0', 'data.mdb'))
    const counts = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.getKeysCount()]))
    await root.close()
    return counts
  }

  /** Ends everything there is, lets the store clear up, and answers what is left. */
  async countsWhenEmpty(): Promise<Record<string, number>> {
    await this.reopen()
    for (const { stored } of this.recovered.sessions) stored.delete()
    for (const { topic } of this.recovered.retained) this.store.setRetained(topic, undefined)
    for (const { clientId } of this.recovered.wills) this.store.setWill(clientId, undefined)
    await idle(this.store)
    await this.store.close()
    return this.counts()
  }

  async dispose(): Promise<void> {
    await this.store.close()
    rmSync(this.#root, { recursive: true })
  }

  #leaveImage(): void {
    const from = join(this.directory, 'p0', 'data.mdb')
    const format = join(this.directory, 'format')
    this.#life++
    mkdirSync(join(this.directory, 'p0'), { recursive: true })
    cpSync(from, join(this.directory, 'p0', 'data.mdb'))
    cpSync(format, join(this.directory, 'format'))
  }
}

/** Every table of an empty store. */
export const nothing: Record<string, number> = {
  shares: 0,
  bodies: 0,
  readers: 0,
  due: 0,
  sessions: 0,
  cursors: 0,
  subscriptions: 0,
  received: 0,
  ended: 0,
  retained: 0,
  wills: 0,
  facts: 1,
}
