/** An option of a bridge that cannot be, or does not exist; the message names it and what it takes. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError'
  readonly code = 'invalid-option'

  constructor(bridge: string, message: string, options?: ErrorOptions) {
    super(`bridge ${bridge}: ${message}`, options)
  }
}
