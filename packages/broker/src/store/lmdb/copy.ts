import { defaultLimits } from '../../limits.js'
import type { Logger } from '../../log.js'
import { type BackupMade, Backups } from './backup.js'
import { putAll } from './disk.js'
import { type OpenData, openData } from './open-data.js'
import { readFact, writeFact } from './records.js'
import type { Tables, Write } from './tables.js'
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
  return new OpenCopy(await openData(directory, log))
}

class OpenCopy implements Copy {
  readonly #data: OpenData
  readonly #backups = new Backups()

  constructor(data: OpenData) {
    this.#data = data
  }

  get directory(): string {
    return this.#data.directory
  }

  get file(): string {
    return this.#data.file
  }

  get isEmpty(): boolean {
    const { root, facts, sessions, retained } = this.#data.tables
    root.resetReadTxn()
    return [facts, sessions, retained].every((table) => [...table.getKeys({ limit: 1 })].length === 0)
  }

  position(): Buffer | undefined {
    return positionIn(this.#data.tables)
  }

  async apply(writes: readonly Write[]): Promise<void> {
    const { tables, turns } = this.#data
    await turns.take(async () => {
      await putAll(tables, writes)
      await tables.root.flushed
    })
    tables.root.resetReadTxn()
  }

  backup(to: string): Promise<BackupMade> {
    return this.#backups.make({ ...this.#data, limits: defaultLimits, isLow: () => false }, to, {})
  }

  async close(): Promise<void> {
    await this.#backups.close()
    await this.#data.close('in order')
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
export function ensureNoCopy({ directory, tables }: Pick<OpenData, 'directory' | 'tables'>): void {
  if (!tables.facts.get(positionKey)) return
  const what = `is a node's copy of a cluster; start it with the cluster's configuration, or take the data out with "godwit cluster export ${directory} FOLDER"`
  throw unusable(directory, what)
}
