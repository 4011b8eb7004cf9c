import {
  type Client,
  ClientError,
  ConnectionError,
  connect,
  InterruptedError,
  InvalidArgumentError,
  ServerRefusedError,
  SubscriptionRefusedError,
} from '@godwit/client'
import { connackReturnCode } from '@godwit/protocol'
import { CommandError } from './command-error.js'
import type { ConnectionSettings } from './connection-options.js'
import type { Narrator } from './narrator.js'
import { systemProblem } from './system-problem.js'

export interface OpenOptions {
  /** Whether to connect again when the connection is lost. The first connection must succeed at once in any case. */
  readonly keepTrying: boolean
  /** Closes the client. */
  readonly signal?: AbortSignal
}

/**
 * Connects, and tells the narrator about losses.
 * @throws CommandError with the exit code that mosquitto_pub and mosquitto_sub would have; ClientError when aborted.
 */
export async function openClient(
  { server, options }: ConnectionSettings,
  narrator: Narrator,
  { keepTrying, signal }: OpenOptions,
): Promise<Client> {
  try {
    const client = await connect(server, { ...options, background: true, ...(!keepTrying && { reconnect: false }) })
    narrator.debug(`connecting to ${server} as '${client.clientId}'`)
    const close = (): void => void client.close()
    if (signal?.aborted) close()
    signal?.addEventListener('abort', close)
    await firstConnection(client, narrator)
    narrateLosses(client, narrator)
    return client
  } catch (error) {
    throw toCommandError(error)
  }
}

/** Settles with the first attempt: a wrong address or password shall be told at once, not after half a minute of trying. */
function firstConnection(client: Client, narrator: Narrator): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = [
      client.on('connect', ({ sessionPresent }) => {
        narrator.debug(`connected; the server ${sessionPresent ? 'has kept' : 'keeps no'} earlier session`)
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
export function toCommandError(error: unknown): unknown {
  if (!(error instanceof ClientError)) return error
  if (error instanceof InterruptedError && error.cause instanceof ClientError) return toCommandError(error.cause)
  return new CommandError(`${problemOf(error)}; ${adviceOn(error)}`, exitCodeOf(error), { cause: error })
}

function problemOf(error: ClientError): string {
  const fromSystem = error instanceof ConnectionError && error.code === 'network-error'
  return fromSystem ? `${error.server}: ${systemProblem(error.cause)}` : error.message
}

/** As mosquitto_pub ends: with the return code of CONNACK, with 7 when an open connection was closed, otherwise with 1. */
function exitCodeOf(error: ClientError): number {
  if (error instanceof ServerRefusedError) return connackReturnCode(error.reasonCode) ?? 1
  return wasClosed(error) ? 7 : 1
}

function adviceOn(error: ClientError): string {
  if (error instanceof InvalidArgumentError) return 'change that option'
  if (error instanceof ServerRefusedError) return refusalAdvice[exitCodeOf(error)] ?? 'ask whoever runs the server'
  if (error instanceof SubscriptionRefusedError) return 'ask whoever runs the server'
  if (wasClosed(error)) return "the server's log should say why"
  if (error instanceof ConnectionError) return 'check --host and --port, and that the server runs'
  return 'see --help'
}

function wasClosed(error: ClientError): boolean {
  if (!(error instanceof ConnectionError)) return false
  const { cause } = error
  return (
    error.code === 'connection-closed' || (cause instanceof Error && 'code' in cause && cause.code === 'ECONNRESET')
  )
}

/** By the return code of CONNACK (section 3.2.2.3). */
const refusalAdvice: Readonly<Record<number, string>> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'choose another --id',
  3: 'try again later',
  4: 'check --username and --pw',
  5: 'check --username and --pw',
}
