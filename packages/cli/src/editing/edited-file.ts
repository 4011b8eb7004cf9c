import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EditConflict, NotEditable } from '@godwit/admin/parts'
import { systemProblem } from '../system-problem.js'
import { replaceFile } from './replaced-file.js'

/** A file as it was read. */
export interface Reading {
  readonly text: string
  /** Another one for every other text. */
  readonly etag: string
}

/** What is to become of a file. */
export interface Edit {
  /** As it was read by whoever edits it; what is there now must be that. Default: whatever is there. */
  readonly etag: string | undefined
  /** The new text; what it throws leaves all as it was. */
  change(text: string): string | Promise<string>
}

/**
 * A file that is edited while a broker runs on it: one edit after another, each whole and in force when it is done, or not
 * there at all. The text before is kept beside it.
 */
export class EditedFile {
  readonly path: string
  readonly #takeUp: () => Promise<void>
  #last: Promise<unknown> = Promise.resolve()

  /** @param takeUp puts in force what is in the file now. */
  constructor(path: string, takeUp: () => Promise<void>) {
    this.path = path
    this.#takeUp = takeUp
  }

  /** @throws NotEditable */
  async read(): Promise<Reading> {
    const { text, etag } = await this.#read()
    return { text, etag }
  }

  /** @throws EditConflict, NotEditable */
  edit(edit: Edit): Promise<Reading> {
    const done = this.#last.then(() => this.#edit(edit))
    this.#last = done.catch(() => {})
    return done
  }

  async #edit({ etag, change }: Edit): Promise<Reading> {
    const old = await this.#read()
    if (etag !== undefined && etag !== old.etag) throw new EditConflict(old.etag)
    const text = await change(old.text)
    const now = await this.#read() // a hash takes its time
    if (now.etag !== old.etag) throw new EditConflict(now.etag)
    if (text === old.text) return old
    await this.#write(text, old.bytes)
    try {
      await this.#takeUp()
    } catch (error) {
      await this.#write(old.text)
      throw new NotEditable(
        `${this.path} is as it was, since the broker could not take the change up: ${inWords(error)}`,
      )
    }
    return { text, etag: etagOf(Buffer.from(text)) }
  }

  async #read(): Promise<Reading & { readonly bytes: Uint8Array }> {
    const bytes = await readFile(this.path).catch((error: unknown) => {
      throw new NotEditable(`cannot read ${this.path}: ${systemProblem(error)}`)
    })
    const text = bytes.toString()
    if (!Buffer.from(text).equals(bytes)) {
      throw new NotEditable(`${this.path} is not UTF-8; write it anew in UTF-8 with an editor first`)
    }
    return { text, etag: etagOf(bytes), bytes }
  }

  async #write(text: string, before?: Uint8Array): Promise<void> {
    try {
      await replaceFile(this.path, text, before && { before })
    } catch (error) {
      const folder = dirname(await realpath(this.path).catch(() => this.path))
      throw new NotEditable(
        `${this.path} cannot be written (${systemProblem(error)}); let the broker write into ${folder}, under systemd by ReadWritePaths=${folder} in "systemctl edit godwit", or edit the file as a user who may`,
      )
    }
  }
}

function etagOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url')
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
