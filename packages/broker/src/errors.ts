/** What went wrong, as a stable name; see {@link BrokerError.code}. */
export type BrokerErrorCode =
  /** An option has a value it cannot have; the message names the option and what it takes. */
  | 'invalid-option'
  /** A listener could not be opened: port in use, address not here, no permission. */
  | 'listen-failed'
  /** The stored data cannot be used: in use by another process, of a newer format, not writable. */
  | 'store-failed'
  /** The stored data is damaged: trying again is of no use. */
  | 'store-damaged'
  /** No backup could be made, or made a data folder of: no room, no time, not a backup; the message says which. */
  | 'backup-failed'
  /** `publish`, `subscribe` or `unsubscribe` was given a topic or filter that MQTT does not allow. */
  | 'invalid-topic'
  /** A session inside the process has this Client Identifier already. */
  | 'session-in-use'
  /** A session inside the process has ended: it was closed, or the broker has ended it; the message says which. */
  | 'session-closed'
  /** The broker would not do it for a session inside the process: a limit, no room, not supported; the message says which. */
  | 'refused'
  /** A plugin has failed at its start, or is none; the message names it and says why. */
  | 'plugin-failed'
  /** The broker has been closed. */
  | 'closed'

/** An error of the broker's own programming interface. What clients do wrong never surfaces as one. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: BrokerErrorCode

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What the system said of a file, without Node's code and the path: `no such file or directory`. */
export function systemReason(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  const reason = /^\w+: (.*), \w+( '.*')?$/s.exec(message)?.[1] ?? message
  return code === 'EMFILE' ? `${reason}; raise it with ulimit -n, or LimitNOFILE= in the systemd unit` : reason
}

/**
 * A client's packet that is well formed but may not be sent: out of turn, over a limit, not allowed here.
 * Thrown by handlers; the connection alone turns it into wire behaviour.
 */
export class MqttError extends Error {
  override readonly name = 'MqttError'
  /** The MQTT 5 reason code (section 2.4); below version 5 it decides only what is logged and counted. */
  readonly reasonCode: number

  constructor(reasonCode: number, message: string) {
    super(message)
    this.reasonCode = reasonCode
  }
}
