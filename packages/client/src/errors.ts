import { type PropertiesOf, reason, reasonName } from '@godwit/protocol'
import type { FilterGrant } from './filter-grant.js'

/**
 * Every error this package raises is a ClientError with a stable `code`. `switch (error.code)` on an
 * {@link AnyClientError} narrows to the class that carries the fields of that case.
 */
export abstract class ClientError extends Error {
  /** That of its class, also where names of classes are shortened. */
  abstract override readonly name: string
  abstract readonly code: ClientErrorCode
  /**
   * True when trying again with the same options cannot succeed: the client ends. False when it can: the client
   * reconnects, or the caller may repeat the call.
   */
  abstract readonly permanent: boolean

  protected constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
  }
}

/**
 * An option or argument that can never work. Nothing was sent.
 *
 * - `invalid-option`: an option, or an event, that does not exist, is of the wrong type or out of its range
 * - `invalid-payload`: it is no string and no bytes
 * - `invalid-topic`: no topic name: text of 1 to 65,535 bytes without wildcards
 * - `invalid-filter`: no topic filter
 * - `unsupported-scheme`: a URL that begins with something else than `mqtt`, `mqtts`, `ws`, `wss` or `unix`
 * - `unsupported-version`: it needs MQTT 5.0, and the server is spoken to at 3.1.1
 */
export class InvalidArgumentError extends ClientError {
  override readonly name = 'InvalidArgumentError'
  readonly code:
    | 'invalid-option'
    | 'invalid-payload'
    | 'invalid-topic'
    | 'invalid-filter'
    | 'unsupported-scheme'
    | 'unsupported-version'
  readonly permanent = true as const

  constructor(code: InvalidArgumentError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** This environment has no such transport: for example TCP in a browser. */
export class TransportUnavailableError extends ClientError {
  override readonly name = 'TransportUnavailableError'
  readonly code = 'transport-unavailable' as const
  readonly permanent = true as const

  constructor(message: string) {
    super(message)
  }
}

/**
 * A connection could not be made, or ended. The client goes on trying unless `reconnect` is false.
 *
 * - `network-error`: the operating system's error is the `cause`
 * - `connection-closed`: the server closed it without a word
 * - `attempt-timeout`: no CONNACK within `attemptTimeoutMs`
 * - `connect-timeout`: connect() gave up after `connectTimeoutMs`; the last attempt's error is the `cause`
 * - `keep-alive-timeout`: no answer to PINGREQ (section 3.1.2.10)
 * - `protocol-error`: the server sent bytes that MQTT forbids; a ProtocolError may be the `cause`
 * - `credentials-failed`: `credentials()` rejected; its error is the `cause`
 * - `authentication-failed`: a step of `authentication` rejected; its error is the `cause`
 */
export class ConnectionError extends ClientError {
  override readonly name = 'ConnectionError'
  readonly code:
    | 'network-error'
    | 'connection-closed'
    | 'attempt-timeout'
    | 'connect-timeout'
    | 'keep-alive-timeout'
    | 'protocol-error'
    | 'credentials-failed'
    | 'authentication-failed'
  readonly permanent = false as const
  /** The server's URL, without user name and password. */
  readonly server: string

  constructor(code: ConnectionError['code'], server: string, message: string, cause?: unknown) {
    super(`${server}: ${message}`, cause)
    this.code = code
    this.server = server
  }
}

/**
 * A certificate did not pass a check when a TLS connection was made. Final: another attempt meets the same one.
 *
 * - `certificate-untrusted`: no authority that this client trusts has signed the server's
 * - `certificate-expired`, `certificate-not-yet-valid`: this is not the time of the server's
 * - `certificate-wrong-name`: the server's is for other hosts
 * - `certificate-refused`: the server does not take this client's, or wants one
 */
export class CertificateError extends ClientError {
  override readonly name = 'CertificateError'
  readonly code:
    | 'certificate-untrusted'
    | 'certificate-expired'
    | 'certificate-not-yet-valid'
    | 'certificate-wrong-name'
    | 'certificate-refused'
  readonly permanent = true as const
  /** The server's URL, without user name and password. */
  readonly server: string
  /** Which check failed, in words; `message` has the server before it, and what to do behind it. */
  readonly problem: string

  constructor(code: CertificateError['code'], server: string, problem: string, advice: string, cause?: unknown) {
    super(`${server}: ${problem}; ${advice}`, cause)
    this.code = code
    this.server = server
    this.problem = problem
  }
}

/** CONNACK said no. `permanent` says whether asking again can help: see {@link ServerRefusedError.reasonCode}. */
export class ServerRefusedError extends ClientError {
  override readonly name = 'ServerRefusedError'
  readonly code = 'server-refused' as const
  /**
   * The reason, in the numbers of MQTT 5.0 whatever the version: 0x87 is "Not authorized". Temporary are 0x80, 0x83,
   * 0x88, 0x89, 0x97, 0x9C and 0x9F; with any other the options are wrong for that server, and the client ends.
   */
  readonly reasonCode: number
  readonly permanent: boolean
  /** The server's URL, without user name and password. */
  readonly server: string
  /** What else CONNACK said (5.0): the Reason String is in the message too. */
  readonly properties: PropertiesOf<'connack'> | undefined

  constructor(server: string, reasonCode: number, properties?: PropertiesOf<'connack'>) {
    super(`${server}: the server refused the connection: ${inWords(reasonCode, properties)}`)
    this.server = server
    this.reasonCode = reasonCode
    this.properties = properties
    this.permanent = !temporaryRefusals.has(reasonCode)
  }
}

/** What a server may say today and not tomorrow. Anything else means the options are wrong for that server. */
const temporaryRefusals: ReadonlySet<number> = new Set([
  reason.unspecifiedError,
  reason.implementationSpecificError,
  reason.serverUnavailable,
  reason.serverBusy,
  reason.quotaExceeded,
  reason.useAnotherServer,
  reason.connectionRateExceeded,
])

/** The server ended the connection with DISCONNECT and said why (5.0, section 3.14). */
export class ServerDisconnectedError extends ClientError {
  override readonly name = 'ServerDisconnectedError'
  readonly code = 'server-disconnected' as const
  /**
   * Final are 0x8E (Session taken over: another client has this Client Identifier, and coming back would throw it out
   * in turn) and 0x9D (Server moved, where the redirect cannot be followed). After any other the client connects
   * again; what cannot be cured that way the next CONNACK says.
   */
  readonly reasonCode: number
  readonly permanent: boolean
  /** The server's URL, without user name and password. */
  readonly server: string
  /** What else DISCONNECT said: the Reason String is in the message too. */
  readonly properties: PropertiesOf<'disconnect'> | undefined

  constructor(server: string, reasonCode: number, properties?: PropertiesOf<'disconnect'>) {
    const why = reasonCode === reason.success ? 'Normal disconnection' : inWords(reasonCode, properties)
    super(`${server}: the server ended the connection: ${why}`)
    this.server = server
    this.reasonCode = reasonCode
    this.properties = properties
    this.permanent = finalDisconnects.has(reasonCode)
  }
}

const finalDisconnects: ReadonlySet<number> = new Set([reason.sessionTakenOver, reason.serverMoved])

/** The standard's words, and behind them the server's own. */
function inWords(reasonCode: number, properties: { readonly reasonString?: string } | undefined): string {
  const own = properties?.reasonString
  const name = reasonName(reasonCode)
  return own === undefined || isSaid(own, [name]) ? name : `${name} (${own})`
}

/**
 * A publication that will not be completed.
 *
 * - `not-connected`: QoS 0 while offline, and `offlineQueue.qos0` is 'drop'
 * - `queue-full`: `offlineQueue` has no room; wait for `ready()` or for earlier publications
 * - `connection-lost`: QoS 0, accepted but not yet handed to the connection when it ended
 * - `expired`: its Message Expiry Interval was over before it could be sent; nothing was sent
 * - `session-lost`: QoS 2, in the middle of its handshake when the server forgot the session (or `clean` is true):
 *   whether it arrived is unknown, and sending it again could deliver it twice
 * - `packet-too-large`: more than the server takes (Maximum Packet Size), or than MQTT can express, 268,435,455 bytes
 *   after the fixed header; nothing was sent
 * - `qos-not-supported`, `retain-not-supported`: CONNACK said that the server does not take it; nothing was sent
 * - `refused`: the server answered PUBACK or PUBREC with a reason code of 0x80 or more
 * - `ends-connection`: the server ended 3 connections when this publication came, the last time nothing else: it is larger
 *   than the server takes, or not allowed, and this is how servers of 3.1.1 say so. The last connection's error is the
 *   `cause`
 */
export class PublishError extends ClientError {
  override readonly name = 'PublishError'
  readonly code:
    | 'not-connected'
    | 'queue-full'
    | 'connection-lost'
    | 'expired'
    | 'session-lost'
    | 'packet-too-large'
    | 'qos-not-supported'
    | 'retain-not-supported'
    | 'refused'
    | 'ends-connection'
  readonly permanent = false as const
  readonly topic: string
  /** Of the server's answer, or of the limit it announced; undefined where the server has no part in it. */
  readonly reasonCode: number | undefined
  /** Of the PUBACK or PUBREC that refused it. */
  readonly properties: PropertiesOf<'puback'> | undefined

  constructor(
    code: PublishError['code'],
    topic: string,
    message: string,
    reasonCode?: number,
    properties?: PropertiesOf<'puback'>,
    cause?: unknown,
  ) {
    super(`publish to '${topic}': ${message}`, cause)
    this.code = code
    this.topic = topic
    this.reasonCode = reasonCode
    this.properties = properties
  }

  static refused(topic: string, reasonCode: number, properties: PropertiesOf<'puback'> | undefined): PublishError {
    const message = `the server refused it: ${inWords(reasonCode, properties)}`
    return new PublishError('refused', topic, message, reasonCode, properties)
  }

  static endsConnection(topic: string, times: number, last: AnyClientError): PublishError {
    const why = 'it may be larger than it takes, or not allowed'
    const message = `the server ended ${times} connections when this came: ${why}; the last time: ${last.message}`
    return new PublishError('ends-connection', topic, message, undefined, undefined, last)
  }
}

/** The server refused a subscription: at once, or when the client asked again after a reconnection. */
export class SubscriptionRefusedError extends ClientError {
  override readonly name = 'SubscriptionRefusedError'
  readonly code = 'subscription-refused' as const
  readonly permanent = true as const
  /** What the server said to each filter. */
  readonly granted: readonly FilterGrant[]
  /** Of the SUBACK that refused it; the Reason String is in the message too. */
  readonly properties: PropertiesOf<'suback'> | undefined

  constructor(granted: readonly FilterGrant[], properties?: PropertiesOf<'suback'>) {
    super(`the server refused the subscription to ${refusalsInWords(granted, properties)}`)
    this.granted = granted
    this.properties = properties
  }
}

/** The server refused to end a subscription (5.0, section 3.11.3): its messages may go on coming, and are not given to anybody. */
export class UnsubscribeRefusedError extends ClientError {
  override readonly name = 'UnsubscribeRefusedError'
  readonly code = 'unsubscribe-refused' as const
  readonly permanent = true as const
  /** What the server said to each filter. */
  readonly answers: readonly FilterGrant[]
  /** Of the UNSUBACK that refused it; the Reason String is in the message too. */
  readonly properties: PropertiesOf<'unsuback'> | undefined

  constructor(answers: readonly FilterGrant[], properties?: PropertiesOf<'unsuback'>) {
    super(`the server refused to end the subscription to ${refusalsInWords(answers, properties)}`)
    this.answers = answers
    this.properties = properties
  }
}

function refusalsInWords(
  answers: readonly FilterGrant[],
  properties: { readonly reasonString?: string } | undefined,
): string {
  const refused = answers.filter(({ reasonCode }) => reasonCode >= 0x80)
  const list = refused.map(({ filter, reasonCode }) => `'${filter}' (${reasonName(reasonCode)})`).join(', ')
  const own = properties?.reasonString
  const names = refused.map(({ reasonCode }) => reasonName(reasonCode))
  return own === undefined || isSaid(own, names) ? list : `${list}: ${own}`
}

/** Whether the server's own words are those of the standard, which stand there already. */
function isSaid(own: string, names: readonly string[]): boolean {
  return names.some((name) => name.toLowerCase() === own.trim().replace(/\.$/, '').toLowerCase())
}

/**
 * A call that was not carried to its end.
 *
 * - `aborted`: its AbortSignal fired; the signal's reason is the `cause`
 * - `timeout`: its `timeoutMs` passed
 * - `client-closed`: close() was called, or the client ended with the error in `cause`
 */
export class InterruptedError extends ClientError {
  override readonly name = 'InterruptedError'
  readonly code: 'aborted' | 'timeout' | 'client-closed'
  readonly permanent: boolean

  constructor(code: InterruptedError['code'], message: string, cause?: unknown) {
    super(message, cause)
    this.code = code
    this.permanent = code === 'client-closed'
  }
}

/**
 * The store cannot keep what it is given.
 *
 * - `store-in-use`: another client has it open, here or in another process
 * - `store-unusable`: it is damaged, of a newer format, something else, or not accessible; it was left as it is
 * - `store-failed`: a write failed. What was to be written is still in memory and goes with the next `flush()`; the
 *   client sends nothing that depends on it, and reconnects until the store works again
 */
export class StoreError extends ClientError {
  override readonly name = 'StoreError'
  readonly code: 'store-in-use' | 'store-unusable' | 'store-failed'
  readonly permanent: boolean
  /** The file, or whatever the store lives in. */
  readonly store: string

  constructor(code: StoreError['code'], store: string, message: string, cause?: unknown) {
    super(`the store ${store} ${message}`, cause)
    this.code = code
    this.permanent = code !== 'store-failed'
    this.store = store
  }
}

/** For what a store of somebody else's making throws. */
export function storeFailed(cause: unknown): StoreError {
  return new StoreError('store-failed', 'of this client', `failed: ${String(cause)}`, cause)
}

export type AnyClientError =
  | InvalidArgumentError
  | TransportUnavailableError
  | ConnectionError
  | CertificateError
  | ServerRefusedError
  | ServerDisconnectedError
  | PublishError
  | SubscriptionRefusedError
  | UnsubscribeRefusedError
  | InterruptedError
  | StoreError

export type ClientErrorCode = AnyClientError['code']

/**
 * Whether something that was caught is an error of this package; `switch (error.code)` then narrows to its class, and a code
 * that does not exist does not compile.
 */
export function isClientError(error: unknown): error is AnyClientError {
  return error instanceof ClientError
}

/** The client has ended, with that error if it was not by close(). */
export function clientClosed(cause?: AnyClientError): InterruptedError {
  return new InterruptedError('client-closed', 'the client is closed', cause)
}

/** An error as the application is given it. */
export function asClientError(error: unknown, wrap: (error: unknown) => AnyClientError): AnyClientError {
  return error instanceof ClientError ? (error as AnyClientError) : wrap(error)
}

/** What an option that can never work is answered with. */
export function invalidOption(message: string): InvalidArgumentError {
  return new InvalidArgumentError('invalid-option', message)
}

/** Whether a client that met this error stops for good rather than trying again. */
export function isPermanent(error: unknown): boolean {
  return error instanceof ClientError && error.permanent
}
