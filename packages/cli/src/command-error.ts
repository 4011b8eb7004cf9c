/** A failure to be told to a person in one line: what happened; what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  /** 1, unless scripts know this failure by another number. */
  readonly exitCode: number

  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
