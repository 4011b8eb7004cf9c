/** A check has seen the server break a rule. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure'

  /**
   * @param expected what the rule asks for, in words
   * @param came what came instead, in words and hex
   */
  constructor(
    readonly expected: string,
    readonly came: string,
  ) {
    super(`expected ${expected}; ${came}`)
  }
}

/** A check does not apply to this server. */
export class CheckSkipped extends Error {
  override readonly name = 'CheckSkipped'
}
