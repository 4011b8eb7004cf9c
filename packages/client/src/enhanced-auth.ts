import { type PacketOf, type PropertiesOf, reason } from '@godwit/protocol'
import { ConnectionError } from './errors.js'

/** What one side says in a step; undefined: nothing. */
export type AuthenticationData = Uint8Array | undefined

/**
 * The client's half of an enhanced authentication (section 4.12). A rejection, or an exception, ends the attempt with
 * ConnectionError 'authentication-failed'.
 */
export interface Authentication {
  /** The Authentication Method: 'SCRAM-SHA-256', say. */
  readonly method: string
  /** Begins an exchange, for each attempt to connect and each re-authentication. What it gives goes with CONNECT or AUTH. */
  start(): AuthenticationData | Promise<AuthenticationData>
  /** Answers a challenge of the server. */
  continue(data: AuthenticationData): AuthenticationData | Promise<AuthenticationData>
  /** The server agrees; with what it gave as proof of itself. */
  success?(data: AuthenticationData): void | Promise<void>
}

/** What an exchange needs of its connection. */
interface ExchangeHost {
  readonly server: string
  send(packet: PacketOf<'auth'>): void
  /** It cannot go on. */
  fail(error: ConnectionError): void
  /** The server broke a rule. */
  violation(what: string): void
}

/** What a client does with its option `authentication`. */
export interface Authenticator {
  /** What CONNECT says of it. Rejects with ConnectionError 'authentication-failed'. */
  begin(server: string): Promise<PropertiesOf<'connect'>>
  /** For one connection. */
  exchange(host: ExchangeHost): EnhancedAuth
}

export function authenticator(authentication: Authentication): Authenticator {
  return {
    async begin(server) {
      try {
        const data = await authentication.start()
        return { authenticationMethod: authentication.method, ...(data && { authenticationData: data }) }
      } catch (error) {
        throw authenticationFailed(server, error)
      }
    },
    exchange: (host) => new EnhancedAuth(authentication, host),
  }
}

/**
 * AUTH on one connection: the exchange that began with CONNECT, and those that reauthenticate() begins later. Steps may
 * be asynchronous; their outcome counts only while the connection stands, which the host sees to.
 */
export class EnhancedAuth {
  readonly #authentication: Authentication
  readonly #host: ExchangeHost
  /** An exchange is under way; the first one is from the beginning. */
  #pending = true
  #onReauthenticated: (() => void) | undefined

  constructor(authentication: Authentication, host: ExchangeHost) {
    this.#authentication = authentication
    this.#host = host
  }

  /** CONNACK accepted; `done` is called when its proof has been checked. */
  onConnack(properties: PropertiesOf<'connack'> | undefined, done: () => void): void {
    if (properties?.authenticationMethod !== this.#authentication.method) {
      return this.#host.violation('CONNACK does not repeat the Authentication Method') // [MQTT-4.12.0-5]
    }
    this.#succeed(properties.authenticationData, done)
  }

  onAuth({ reasonCode = reason.success, properties }: PacketOf<'auth'>): void {
    if (properties?.authenticationMethod !== this.#authentication.method) {
      return this.#host.violation('AUTH does not repeat the Authentication Method') // [MQTT-4.12.0-5]
    }
    const { authenticationData } = properties
    if (!this.#pending) return this.#host.violation('AUTH came though nothing is to be authenticated')
    if (reasonCode === reason.continueAuthentication) {
      // The client's answer has this reason, too [MQTT-4.12.0-3].
      return this.#step(
        () => this.#authentication.continue(authenticationData),
        (data) => this.#send(reason.continueAuthentication, data),
      )
    }
    const done = this.#onReauthenticated
    if (reasonCode !== reason.success || done === undefined) {
      return this.#host.violation(`AUTH came with reason code ${reasonCode}`)
    }
    this.#succeed(authenticationData, done)
  }

  /** Begins a re-authentication, with the method of CONNECT [MQTT-4.12.1-1]. False: one is under way. */
  reauthenticate(done: () => void): boolean {
    if (this.#pending) return false
    this.#pending = true
    this.#onReauthenticated = done
    this.#step(
      () => this.#authentication.start(),
      (data) => this.#send(reason.reAuthenticate, data),
    )
    return true
  }

  #succeed(data: AuthenticationData, done: () => void): void {
    this.#step(
      () => this.#authentication.success?.(data),
      () => {
        this.#pending = false
        this.#onReauthenticated = undefined
        done()
      },
    )
  }

  #send(reasonCode: number, data: AuthenticationData): void {
    const { method } = this.#authentication
    const properties = { authenticationMethod: method, ...(data && { authenticationData: data }) }
    this.#host.send({ type: 'auth', reasonCode, properties })
  }

  #step<T>(ask: () => T | Promise<T>, next: (answer: T) => void): void {
    const failed = (error: unknown): void => this.#host.fail(authenticationFailed(this.#host.server, error))
    try {
      const answer = ask()
      if (answer instanceof Promise) answer.then(next).catch(failed)
      else next(answer)
    } catch (error) {
      failed(error)
    }
  }
}

function authenticationFailed(server: string, cause: unknown): ConnectionError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ConnectionError('authentication-failed', server, `authentication failed: ${why}`, cause)
}
