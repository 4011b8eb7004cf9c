import { defaultLimits } from '../../limits.js'
import type { Logger } from '../../log.js'
import { type BackupMade, Backups } from './backup.js'
import { putAll } from './disk.js'
import { openFolder } from './folder.js'
import { quietLmdb } from './quiet-lmdb.js'
import { readFact, writeFact } from './records.js'
import { openTables, type Tables, type Write } from './tables.js'
import { unusable } from './unusable.js'

/**
 * The data of a broker that runs elsewhere, kept up to date by whoever reads its log: no broker runs on it. How far it has come stands
 * in it, see {@link positionWrite}.
 */
export interface Copy {
  readonly directory: string
  /** The LMDB file. */
  readonly file: string
  /** Whether nothing has been written to it yet. */
  readonly isEmpty: boolean
  /** How far it has come, as {@link positionWrite} was given it; `undefined`: no log has been read into it. */
  position(): Buffer | undefined
  /**
   * Carries writes out in one transaction, which is on disk when this settles.
   * @throws Error what the disk says.
   */
  apply(writes: readonly Write[]): Promise<void>
  /**
   * Copies all of it into a new file, as `backup` of a store does.
   * @throws BrokerError `backup-failed`.
   */
  backup(to: string): Promise<BackupMade>
  /** Gives the folder back: a store can be opened on it. */
  close(): Promise<void>
}

const positionKey = Buffer.from('position')

/** How far a copy has come, as a write that goes with those that bring it there; `undefined`: it is none any more. */
export function positionWrite(position: Uint8Array | undefined): Write {
  return { table: 'facts', key: positionKey, value: position && writeFact(positionKey, position) }
}

/**
 * Opens a data folder, or makes one, to follow a log with it.
 * @throws BrokerError `store-failed`, `store-damaged`.
 */
export async function openCopy(directory: string, log?: Logger): Promise<Copy> {
  const loud = quietLmdb(() => {}) // a write that fails is told by whoever asked for it
  try {
    const folder = await openFolder(directory, log)
    return new OpenCopy(directory, folder.file, openTables(folder.file), () => {
      folder.release('in order')
      loud()
    })
  } catch (error) {
    loud()
    throw error
  }
}

class OpenCopy implements Copy {
  readonly directory: string
  readonly file: string
  readonly #tables: Tables
  readonly #release: () => void
  readonly #backups = new Backups()

  constructor(directory: string, file: string, tables: Tables, release: () => void) {
    this.directory = directory
    this.file = file
    this.#tables = tables
    this.#release = release
  }

  get isEmpty(): boolean {
    const { root, facts, sessions, retained } = this.#tables
    root.resetReadTxn()
    return [facts, sessions, retained].every((table) => [...table.getKeys({ limit: 1 })].length === 0)
  }

  position(): Buffer | undefined {
    return positionIn(this.#tables)
  }

  async apply(writes: readonly Write[]): Promise<void> {
    await putAll(this.#tables, writes)
    await this.#tables.root.flushed
    this.#tables.root.resetReadTxn()
  }

  backup(to: string): Promise<BackupMade> {
    return this.#backups.make(
      { tables: this.#tables, file: this.file, limits: defaultLimits, isLow: () => false },
      to,
      {},
    )
  }

  async close(): Promise<void> {
    await this.#backups.close()
    await this.#tables.root.close()
    this.#release()
  }
}

function positionIn({ root, facts }: Tables): Buffer | undefined {
  root.resetReadTxn()
  const value = facts.get(positionKey)
  return value && readFact(positionKey, value)
}

/**
 * What a broker writes by itself no log knows of: the copy would part from the others, and nobody would see it.
 * @throws BrokerError `store-failed`.
 */
export function ensureNoCopy(directory: string, tables: Tables): void {
  if (!tables.facts.get(positionKey)) return
  const what = `is a node's copy of a cluster; start it with the cluster's configuration, or take the data out with "godwit cluster export ${directory} FOLDER"`
  throw unusable(directory, what)
}
