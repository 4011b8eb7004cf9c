import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Backup, type Backups, NotEditable, NotThere } from '@godwit/admin/parts'
import { BrokerError } from '@godwit/broker'
import type { StoreOnDisk } from '@godwit/broker/store/lmdb'
import { systemProblem } from './system-problem.js'

/** A backup's name says when it was made, to the millisecond: `godwit-2026-11-30T07-44-56.789Z.backup`. */
const form = /^godwit-(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3}Z)\.backup$/

/** What a backup that was cut off in the middle of it has left, once it is so old that nobody works on it any more. */
const unfinished = /^godwit-[\dTZ.-]+\.backup\.coming$/
const oldMs = 3_600_000

/** The backups of a broker, in one folder. */
export class BackupFolder implements Backups {
  #folder: string | undefined
  readonly #store: Pick<StoreOnDisk, 'backup'> | undefined

  /** @param folder, store `undefined`: there is none, and no backup can be made. */
  constructor(folder: string | undefined, store: Pick<StoreOnDisk, 'backup'> | undefined) {
    this.#folder = folder
    this.#store = store
  }

  /** From here on backups are made there, and those of there are listed. */
  moveTo(folder: string | undefined): void {
    this.#folder = folder
  }

  /** Where a backup of that name is. */
  pathOf(name: string): string {
    return join(this.#folder ?? '', name)
  }

  async create(signal: AbortSignal): Promise<Backup> {
    if (this.#folder === undefined) {
      throw new NotEditable(
        'no folder for backups is configured; name one in backup.directory, and reload the broker (godwit reload)',
      )
    }
    if (!this.#store) throw new NotEditable('this broker keeps nothing on disk, so that there is nothing to copy')
    const name = `godwit-${new Date().toISOString().replaceAll(':', '-')}.backup`
    try {
      await mkdir(this.#folder, { mode: 0o700 }).catch((error) => {
        if (error.code !== 'EEXIST') throw error
      })
      await this.#tidy(this.#folder)
      const { bytes } = await this.#store.backup(this.pathOf(name), { signal })
      return { name, bytes, createdAt: createdAtOf(name)! }
    } catch (error) {
      if (error instanceof BrokerError) throw new NotEditable(error.message)
      throw new NotEditable(
        `no backup was made: ${this.#folder} cannot be made or written to (${systemProblem(error)}); let the broker write there, under systemd by ReadWritePaths= in "systemctl edit godwit", or name another folder in backup.directory`,
      )
    }
  }

  async list(): Promise<readonly Backup[]> {
    const names = (await this.#names()).filter((name) => createdAtOf(name) !== undefined)
    const backups = names.sort().map(async (name) => {
      const found = await stat(this.pathOf(name)).catch(() => undefined)
      return found?.isFile() ? [{ name, bytes: found.size, createdAt: createdAtOf(name)! }] : []
    })
    return (await Promise.all(backups)).flat().reverse()
  }

  async open(name: string): Promise<{ readonly bytes: number; readonly stream: ReadableStream<Uint8Array> }> {
    const { bytes } = await this.#find(name)
    const stream = Readable.toWeb(createReadStream(this.pathOf(name))) as ReadableStream<Uint8Array>
    return { bytes, stream }
  }

  async remove(name: string): Promise<void> {
    await this.#find(name)
    try {
      await rm(this.pathOf(name))
    } catch (error) {
      throw new NotEditable(`${this.pathOf(name)} cannot be removed: ${systemProblem(error)}`)
    }
  }

  /** By the list alone, so that no name leads out of the folder. */
  async #find(name: string): Promise<Backup> {
    const found = (await this.list()).find((backup) => backup.name === name)
    if (found) return found
    throw new NotThere('there is no backup of that name')
  }

  async #names(): Promise<string[]> {
    return this.#folder === undefined ? [] : readdir(this.#folder).catch(() => [])
  }

  async #tidy(folder: string): Promise<void> {
    for (const name of (await this.#names()).filter((one) => unfinished.test(one))) {
      const found = await stat(join(folder, name)).catch(() => undefined)
      if (found && Date.now() - found.mtimeMs > oldMs) await rm(join(folder, name), { force: true })
    }
  }
}

function createdAtOf(name: string): string | undefined {
  const [, date, hours, minutes, seconds] = form.exec(name) ?? []
  return date === undefined ? undefined : `${date}${hours}:${minutes}:${seconds}`
}
