import { existsSync } from 'node:fs'
import { BodiesReader } from './bodies-record.js'
import { type FolderLook, lookAtFolder } from './folder.js'
import { type GroupNumber, readU32, readU48 } from './keys.js'
import { checkPages } from './page-check.js'
import * as records from './records.js'
import { readCursor } from './records.js'
import { ShareReader } from './share-record.js'
import { type TableName, tableNames } from './tables.js'
import { unusable } from './unusable.js'

/** What was found in a data folder. */
export interface StoreCheck {
  /** A line for each piece of damage, the first hundred. Empty: everything is as it was written. */
  readonly damage: readonly string[]
  /** Of all that was found, also of what is not in `damage`. */
  readonly damages: number
  /** Records that are as they were written, by table. */
  readonly records: Readonly<Record<string, number>>
  /** Messages that wait in queues and can be read. */
  readonly messages: number
  /** Bytes of the data file in use, and of the whole of it. */
  readonly liveBytes: number
  readonly fileBytes: number
}

const mostLines = 100

/**
 * Reads all that a data folder holds and changes nothing. It must not be in use.
 * @throws BrokerError `store-failed`: not there, in use, of another format.
 */
export async function checkStore(directory: string): Promise<StoreCheck> {
  const look = await lookAtFolder(directory)
  try {
    return new Check(look).run()
  } finally {
    look.release()
  }
}

/** @internal Goes through the records of a file, and sorts the good from the bad. */
export class Check {
  readonly #look: FolderLook
  readonly #records: Record<string, number> = {}
  readonly #damage: string[] = []
  readonly #groups = new Map<GroupNumber, number>()
  #damages = 0
  #messages = 0
  readonly #onGood: (table: TableName, key: Buffer, value: Buffer) => void

  /** @param onGood given each record that is as it was written. */
  constructor(look: FolderLook, onGood: (table: TableName, key: Buffer, value: Buffer) => void = () => {}) {
    this.#look = look
    this.#onGood = onGood
  }

  run(): StoreCheck {
    const { directory, file } = this.#look
    if (!existsSync(file)) throw unusable(directory, `has no ${file}; restore it from a backup`)
    const bodies: [number: GroupNumber, index: number, where: string][] = []
    const pages = checkPages(file, (table, key, value) => {
      if (!isTable(table)) return
      const flaw = this.#flawOf(table, key, value, bodies)
      if (flaw !== undefined)
        return this.#tell(`table ${table}, key ${key.toString('hex')}: ${flaw} (${value.length} bytes)`)
      this.#records[table] = (this.#records[table] ?? 0) + 1
      this.#onGood(table, key, value)
    })
    for (const line of pages.damage) this.#tell(line)
    this.#damages += pages.damages - pages.damage.length
    for (const [group, index, where] of bodies) {
      if (index >= (this.#groups.get(group) ?? 0)) this.#lose(`${where}: what it refers to is not there`)
    }
    const { live, file: all } = pages.counts
    return {
      damage: this.#damage,
      damages: this.#damages,
      records: this.#records,
      messages: this.#messages,
      liveBytes: live * pages.pageSize,
      fileBytes: all * pages.pageSize,
    }
  }

  #flawOf(table: TableName, key: Buffer, value: Buffer, bodies: [GroupNumber, number, string][]): string | undefined {
    try {
      if (table === 'shares') this.#readShare(key, value, bodies)
      else if (table === 'bodies') this.#readBodies(key, value)
      else if (table === 'cursors') return readCursor(key, value) ? undefined : wrong
      else return records.isWhole(table, key, value) ? undefined : wrong
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #readShare(key: Buffer, value: Buffer, bodies: [GroupNumber, number, string][]): void {
    const [session, first] = [readU32(key, 0), readU48(key, 4)]
    const share = new ShareReader(session, first, value)
    const before = this.#damages
    for (let index = 0; index < share.entries; index++) {
      const where = `session ${session}, message ${share.numberAt(index)}`
      try {
        const { place } = share.entryAt(index)
        if (place) bodies.push([place.group, place.index, where])
        this.#messages++
      } catch (error) {
        this.#tell(`${where}: ${error instanceof Error ? error.message : error}`)
      }
    }
    if (!share.isWhole && this.#damages === before) {
      this.#tell(`session ${session}, messages from ${first}: their checksum is wrong, though each can be read`)
    }
  }

  #readBodies(key: Buffer, value: Buffer): void {
    const bodies = new BodiesReader(readU48(key, 0), value)
    this.#groups.set(bodies.group, bodies.length)
    for (let index = 0; index < bodies.length; index++) {
      try {
        bodies.boundsAt(index)
      } catch (error) {
        this.#tell(
          `shared messages ${bodies.group}, number ${index}: ${error instanceof Error ? error.message : error}`,
        )
      }
    }
  }

  #lose(line: string): void {
    this.#messages--
    this.#tell(line)
  }

  #tell(line: string): void {
    this.#damages++
    if (this.#damage.length < mostLines) this.#damage.push(line)
  }
}

const wrong = 'its checksum is wrong'

function isTable(name: string): name is TableName {
  return (tableNames as readonly string[]).includes(name)
}
