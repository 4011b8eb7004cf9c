/** The text of a password file, comments and line ends and all. */
export class PasswordText {
  /** A BOM, which is no part of the first user's name. */
  readonly #mark: string
  readonly #lineEnd: string
  #lines: readonly string[]

  constructor(text = '') {
    this.#mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
    this.#lineEnd = text.includes('\r\n') ? '\r\n' : '\n'
    const lines = text.slice(this.#mark.length).split(/\r?\n/)
    this.#lines = lines.at(-1) === '' ? lines.slice(0, -1) : lines
  }

  get text(): string {
    return this.#mark + this.#lines.map((line) => line + this.#lineEnd).join('')
  }

  /** Gives the user this hash: in its line, or in a new one at the end. */
  set(user: string, hash: string): 'added' | 'changed' {
    const line = `${user}:${hash}`
    const isKnown = this.#lines.some((known) => isOf(known, user))
    this.#lines = isKnown ? this.#lines.map((known) => (isOf(known, user) ? line : known)) : [...this.#lines, line]
    return isKnown ? 'changed' : 'added'
  }

  /** @returns whether there was such a user. */
  delete(user: string): boolean {
    const rest = this.#lines.filter((line) => !isOf(line, user))
    const wasKnown = rest.length < this.#lines.length
    this.#lines = rest
    return wasKnown
  }
}

/** A hash has no colon; whatever is before the last one is the user. */
const isOf = (line: string, user: string): boolean =>
  !line.startsWith('#') && line.includes(':') && line.slice(0, line.lastIndexOf(':')) === user

/** Why nobody can be called that in a password file, in words; undefined: one can. */
export function userNameProblem(user: string): string | undefined {
  if (
    user === '' ||
    /[:\p{Cc}]/u.test(user) ||
    user.startsWith('#') ||
    user.startsWith('\uFEFF') ||
    user.trim() === ''
  ) {
    return 'a user name has no colon, no control character and no # in front'
  }
  if (/\p{Cs}/u.test(user)) return 'a user name is a text that UTF-8 can carry'
  return Buffer.byteLength(user) > mostBytes ? `MQTT carries user names of up to ${mostBytes} bytes` : undefined
}

/** Why that is no password, in words; undefined: it is one. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'the password is empty; nothing was changed'
  return Buffer.byteLength(password) > mostBytes ? `MQTT carries passwords of up to ${mostBytes} bytes` : undefined
}

const mostBytes = 65_535
