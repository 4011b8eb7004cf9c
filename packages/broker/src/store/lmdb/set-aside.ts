import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../log.js'
import type { Metrics } from '../../metrics.js'
import type { TableName, Tables } from './tables.js'

/** Records kept for a person to look at; further ones are counted alone. */
const mostFiles = 1_000

/** What a damaged record was of, as far as it is known. */
export interface Whose {
  readonly clientId?: string | undefined
  readonly topic?: string | undefined
}

/** Keeps records that cannot be read in files of their own beside the data, and tells of them. */
export class SetAside {
  readonly #folder: string
  readonly #tables: Tables
  readonly #metrics: Metrics
  readonly #log: Logger
  /** Called with what is damaged, in words, before anything is done about it. */
  onFound: (damage: string) => void = () => {}
  #files: number | undefined
  #lines = 0

  constructor(directory: string, tables: Tables, metrics: Metrics, log: Logger) {
    this.#folder = join(directory, 'damaged')
    this.#tables = tables
    this.#metrics = metrics
    this.#log = log
  }

  /** Counts it, tells of it, and keeps what is there. */
  keep(table: TableName, key: Buffer, why: unknown, whose: Whose = {}): void {
    this.#metrics.store.damagedRecords++
    const value = this.#tables[table].get(key)
    const file = value && this.#write(`${table}-${key.toString('hex')}`, value)
    const words = why instanceof Error ? why.message : String(why)
    this.onFound(`${table}: ${words}`)
    const fields = { ...whose, table, bytes: value?.length ?? 0, why: words, file }
    if (this.#lines++ < mostFiles) this.#log.log('error', 'stored data is damaged and was set aside', fields)
  }

  /** A single message among others that are whole. */
  tell(why: unknown, whose: Whose): void {
    this.#metrics.store.damagedRecords++
    const words = why instanceof Error ? why.message : String(why)
    this.onFound(words)
    if (this.#lines++ < mostFiles)
      this.#log.log('error', 'a stored message is damaged and is not delivered', { ...whose, why: words })
  }

  /** Answers where it is; `undefined`: there is no room for more. */
  #write(name: string, value: Buffer): string | undefined {
    try {
      this.#files ??= this.#count()
      if (this.#files >= mostFiles) return undefined
      this.#files++
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      const file = join(this.#folder, name)
      writeFileSync(file, value, { mode: 0o600 })
      return file
    } catch {
      return undefined // it is counted and told all the same
    }
  }

  #count(): number {
    try {
      return readdirSync(this.#folder).length
    } catch {
      return 0
    }
  }
}
