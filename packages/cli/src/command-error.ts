/** The stored data is damaged: starting again is of no use, and a service manager is told so (EX_DATAERR). */
export const exitDamaged = 65

/** A failure to be told to a person in one line: what happened; what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  /** 1, unless scripts know this failure by another number. */
  readonly exitCode: number
  /** Each is told in a line of its own: one, unless it is {@link CommandError.all}. */
  readonly problems: readonly CommandError[] = [this]

  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }

  /** Several failures of one kind, such as mistakes in a file. */
  static all(messages: readonly string[]): CommandError {
    const error = new CommandError(messages.join('; '))
    if (messages.length < 2) return error
    return Object.assign(error, { problems: messages.map((message) => new CommandError(message)) })
  }
}
