import { type Edited, type EditOptions, NotThere, Unacceptable, type User, type Users } from '@godwit/admin/parts'
import { hashPassword, parsePasswordLines } from '@godwit/broker/access'
import type { EditedFile } from './edited-file.js'
import { PasswordText, passwordProblem, userNameProblem } from './password-text.js'

/** The users of a password file. */
export class UsersEditor implements Users {
  readonly #file: EditedFile

  constructor(file: EditedFile) {
    this.#file = file
  }

  async list(): Promise<{ readonly etag: string; readonly users: readonly User[] }> {
    const { text, etag } = await this.#file.read()
    const lines = await parsePasswordLines(text, this.#file.path)
    return { etag, users: [...lines.keys()].map((username) => ({ username })) }
  }

  async set(
    username: string,
    password: string,
    { etag }: EditOptions = {},
  ): Promise<Edited & { readonly created: boolean }> {
    const problem = userNameProblem(username) ?? passwordProblem(password)
    if (problem !== undefined) throw new Unacceptable(problem)
    const hash = await hashPassword(Buffer.from(password))
    let created = false
    const edited = await this.#edit(etag, (file) => {
      created = file.set(username, hash) === 'added'
    })
    return { ...edited, created }
  }

  remove(username: string, { etag }: EditOptions = {}): Promise<Edited> {
    return this.#edit(etag, (file) => {
      if (!file.delete(username)) throw new NotThere(`there is no user '${username}' in ${this.#file.path}`)
    })
  }

  async #edit(etag: string | undefined, change: (file: PasswordText) => void): Promise<Edited> {
    const after = await this.#file.edit({
      etag,
      change: (text) => {
        const file = new PasswordText(text)
        change(file)
        return file.text
      },
    })
    return { etag: after.etag }
  }
}
