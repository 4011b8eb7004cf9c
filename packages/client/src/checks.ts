/** Whose options they are. */
export type OptionsKind =
  | 'connect'
  | 'credentials'
  | 'call'
  | 'publish'
  | 'subscribe'
  | 'request'
  | 'respond'
  | 'response'
  | 'close'

/**
 * Looks at what a program gives that no compiler has looked at: options and events that do not exist, values of the wrong
 * kind. Says what was meant, as far as one can tell.
 */
export interface Checks {
  /**
   * @param call begins the message.
   * @throws InvalidArgumentError 'invalid-option'.
   */
  options(kind: OptionsKind, call: string, given: unknown): void
  /** @throws InvalidArgumentError 'invalid-option'. */
  listener(event: string, listener: unknown): void
}

/** Takes what comes; what cannot be sent is noticed all the same. */
export const noChecks: Checks = { options() {}, listener() {} }
