import {
  CertificateError,
  type Client,
  ClientError,
  ConnectionError,
  connect,
  InterruptedError,
  InvalidArgumentError,
  type ProtocolVersion,
  PublishError,
  ServerDisconnectedError,
  ServerRefusedError,
  SubscriptionRefusedError,
} from '@godwit/client'
import { connackReturnCode, reason } from '@godwit/protocol'
import { CommandError } from './command-error.js'
import type { ConnectionSettings } from './connection-options.js'
import type { Narrator } from './narrator.js'
import { Patience } from './patience.js'
import { systemProblem } from './system-problem.js'

interface WithClientOptions {
  /** Whether to connect again when the connection is lost. The first connection must succeed at once in any case. */
  readonly keepTrying: boolean
  /** Closes the client. */
  readonly signal?: AbortSignal
}

/**
 * Connects, does its work and closes, in whichever way the work ends. The narrator is told about losses.
 * @throws CommandError with the exit code that mosquitto_pub and mosquitto_sub would have; another error when aborted.
 */
export async function withClient<T>(
  connection: ConnectionSettings,
  narrator: Narrator,
  { keepTrying, signal }: WithClientOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { server, options, closing } = connection
  let client: Client | undefined
  try {
    client = await connect(server, { ...options, background: true, ...(!keepTrying && { reconnect: false }) })
    const close = (): void => void client?.close(closing)
    narrator.debug(`connecting to ${server} as '${client.clientId}'`)
    if (signal?.aborted) close()
    signal?.addEventListener('abort', close)
    const patience = new Patience(true, () => narrator.warn(`${server} has not answered yet; waiting`))
    patience.begin()
    await firstConnection(client, narrator).finally(() => patience.end())
    narrateVersion(client, connection, narrator)
    narrateLosses(client, narrator)
    return await work(client)
  } catch (error) {
    throw toCommandError(error, connection, client?.version)
  } finally {
    await client?.close(closing)
  }
}

/** Settles with the first attempt: a wrong address or password shall be told at once, not after half a minute of trying. */
function firstConnection(client: Client, narrator: Narrator): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = [
      client.on('connect', ({ sessionPresent, properties }) => {
        narrator.debug(`connected; the server ${sessionPresent ? 'has kept the' : 'keeps no'} earlier session`)
        const lowered = properties?.sessionExpiryInterval
        if (lowered !== undefined) narrator.debug(`the server keeps this session for ${lowered} s, not longer`)
        settle(resolve)
      }),
      client.on('disconnect', ({ error }) => {
        settle(() => reject(error))
        void client.close()
      }),
      client.on('close', ({ error }) =>
        settle(() => reject(error ?? new InterruptedError('client-closed', 'stopped'))),
      ),
    ]
    const settle = (end: () => void): void => {
      for (const off of stop) off()
      end()
    }
  })
}

/** A fallback is no news, unless something was asked for that it cannot give. */
function narrateVersion(client: Client, { options, only5 }: ConnectionSettings, narrator: Narrator): void {
  if (client.version === 5 || options.version !== undefined) return
  const text = 'the server speaks MQTT 3.1.1, not 5.0'
  if (only5.length > 0) narrator.warn(`${text}: ${only5.join(', ')} cannot be obeyed`)
  else narrator.debug(text)
}

function narrateLosses(client: Client, narrator: Narrator): void {
  let told = false
  client.on('disconnect', ({ error, retryInMs }) => {
    if (retryInMs === undefined) return // this ends the command, which tells it
    if (told) narrator.debug(`${problemOf(error)}; trying again in ${Math.round(retryInMs)} ms`)
    else narrator.warn(`${problemOf(error)}; trying again until it works`)
    told = true
  })
  client.on('connect', ({ sessionPresent }) => {
    told = false
    narrator.warn(`connected again${sessionPresent ? '' : '; the server kept no session'}`)
  })
}

/** A failure of the client as the line and the exit code that people get. Anything else stays what it is. */
function toCommandError(error: unknown, connection: ConnectionSettings, version: ProtocolVersion = 5): unknown {
  if (!(error instanceof ClientError)) return error
  if (error instanceof InterruptedError && error.cause instanceof ClientError) {
    return toCommandError(error.cause, connection, version)
  }
  return new CommandError(`${problemOf(error)}; ${adviceOn(error, connection)}`, exitCodeOf(error, version), {
    cause: error,
  })
}

function problemOf(error: ClientError): string {
  if (error instanceof CertificateError) return `${error.server}: ${error.problem}`
  if (error instanceof InvalidArgumentError) return error.message.replace(/'tls\.(cert|key)'/g, '--$1')
  const fromSystem = error instanceof ConnectionError && error.code === 'network-error'
  return fromSystem ? `${error.server}: ${systemProblem(error.cause)}` : error.message
}

/** As mosquitto_pub ends: with the code of CONNACK, with 7 when an open connection was closed, otherwise with 1. */
function exitCodeOf(error: ClientError, version: ProtocolVersion): number {
  if (error instanceof ServerRefusedError) {
    return version === 5 ? error.reasonCode : (connackReturnCode(error.reasonCode) ?? 1)
  }
  return error instanceof ServerDisconnectedError || wasClosed(error) ? 7 : 1
}

function adviceOn(error: ClientError, connection: ConnectionSettings): string {
  if (error instanceof InvalidArgumentError) return 'change that option'
  if (error instanceof CertificateError) return adviceOnCertificate[error.code]
  if (error instanceof ServerRefusedError) return adviceOnRefusal(error, connection)
  if (error instanceof ServerDisconnectedError) return adviceByReason[error.reasonCode] ?? askServer
  if (error instanceof SubscriptionRefusedError) return askServer
  if (error instanceof PublishError && error.reasonCode !== undefined) return askServer
  if (wasClosed(error)) return adviceOnClosing(error, connection)
  if (error instanceof ConnectionError) {
    const where = error.server.startsWith('unix:') ? 'the path' : '--host and --port'
    return `check ${where}, and that the server runs`
  }
  return 'see --help'
}

function adviceOnRefusal({ reasonCode }: ServerRefusedError, { options }: ConnectionSettings): string {
  const gaveNone = options.username === undefined && options.password === undefined
  if (refusesStrangers.has(reasonCode) && gaveNone) return 'none were given: add --username and --pw'
  if (options.version === 3 && reasonCode === reason.unsupportedProtocolVersion) return mqtt31
  return adviceByReason[reasonCode] ?? askServer
}

function adviceOnClosing({ message }: ClientError, { server }: ConnectionSettings): string {
  const mayWantTls = /^(mqtt|ws):/.test(server) && /before CONNACK/.test(message)
  return `${mayWantTls ? 'it may want TLS at this port (mqtts://, or --cafile); ' : ''}the server's log should say why`
}

function wasClosed(error: ClientError): boolean {
  if (!(error instanceof ConnectionError)) return false
  const { cause } = error
  return (
    error.code === 'connection-closed' || (cause instanceof Error && 'code' in cause && cause.code === 'ECONNRESET')
  )
}

const adviceOnCertificate: Readonly<Record<CertificateError['code'], string>> = {
  'certificate-untrusted': 'give that of the authority which signed it with --cafile',
  'certificate-expired': 'the server needs a new one, if the clock of this machine is right',
  'certificate-not-yet-valid': 'check the clock of this machine',
  'certificate-wrong-name': 'use a --host that it has; --insecure goes without this check',
  'certificate-refused': 'give one that it knows with --cert and --key',
}

const refusesStrangers: ReadonlySet<number> = new Set([reason.badUserNameOrPassword, reason.notAuthorized])

const mqtt31 = 'try -V 311; a godwit broker serves MQTT 3.1 with --mqtt31'

const askServer = 'ask whoever runs the server'

/** By the reason code of CONNACK or DISCONNECT. */
const adviceByReason: Readonly<Record<number, string>> = {
  [reason.unsupportedProtocolVersion]: 'try another --protocol-version',
  [reason.clientIdentifierNotValid]: 'choose another --id',
  [reason.badUserNameOrPassword]: 'check --username and --pw',
  [reason.notAuthorized]: 'check --username and --pw',
  [reason.serverUnavailable]: 'try again later',
  [reason.serverBusy]: 'try again later',
  [reason.connectionRateExceeded]: 'try again later',
  [reason.serverShuttingDown]: 'try again later',
  [reason.sessionTakenOver]: 'another client has connected with the same --id',
}
