import { readFileSync } from 'node:fs'
import type { Logger } from '@godwit/broker'
import type { ConnectionOptions, NatsConnection } from '@nats-io/nats-core'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import { headerBytes } from '../frame/frame.js'
import { partBytes } from '../log/log-writer.js'

/** Files of TLS towards the servers, PEM. */
export interface NatsTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** How the servers are reached. */
export interface NatsOptions {
  /** Such as `nats://10.0.0.1:4222`; `tls://` asks for TLS. Others of their cluster are learned. */
  readonly servers: readonly string[]
  /** A file with the credentials of a user, as `nsc` writes it. */
  readonly credentialsFile?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
  readonly tls?: NatsTls | undefined
}

/** The engine cannot be used as it is: one line that says why and what to do. */
export class EngineUnfit extends Error {}

/**
 * In older versions several publications that expected the same last frame were all taken, or a process that died took a stream with it:
 * see docs/cluster.md.
 */
const leastVersion = [2, 10, 27] as const
/** What a frame takes beside its part: its own header, and those that NATS carries with it. */
const besidePart = headerBytes + 512

const asSoonAsPossible = {
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  reconnectJitter: 100,
  pingInterval: 1_000, // a server that was stopped says nothing, and closes nothing: it is given up after three
  maxPingOut: 2,
  timeout: 3_000,
} as const

/**
 * Connects to one of the servers, and goes on to another whenever that is gone.
 * @throws EngineUnfit nobody answers, or what answers cannot be used.
 */
export async function connectNats(options: NatsOptions, name: string, log: Logger): Promise<NatsConnection> {
  let connection: NatsConnection
  try {
    connection = await connect({ ...asSoonAsPossible, ...toConnection(options), name })
  } catch (error) {
    const { message } = error as Error
    throw new EngineUnfit(
      `none of ${options.servers.join(', ')} can be used: ${message}; see that one runs and that the credentials are right`,
    )
  }
  try {
    ensureFit(connection)
  } catch (error) {
    await connection.close()
    throw error
  }
  void tellOfChanges(connection, log)
  return connection
}

function toConnection({ servers, credentialsFile, user, password, token, tls }: NatsOptions): ConnectionOptions {
  return {
    servers: [...servers],
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(credentialsFile !== undefined && { authenticator: credsAuthenticator(readFileSync(credentialsFile)) }),
    ...(tls && {
      tls: {
        ...(tls.ca !== undefined && { caFile: tls.ca }),
        ...(tls.cert !== undefined && { certFile: tls.cert }),
        ...(tls.key !== undefined && { keyFile: tls.key }),
      },
    }),
  }
}

/** @throws EngineUnfit */
function ensureFit({ info }: NatsConnection): void {
  if (!info) throw new EngineUnfit('the server has not said what it is')
  const { version, max_payload: most, jetstream } = info
  if (isOlder(version)) {
    throw new EngineUnfit(
      `nats-server ${version} is too old: ${leastVersion.join('.')} is needed, or newer; 2.15 is recommended`,
    )
  }
  if (!jetstream) throw new EngineUnfit(`nats-server ${version} runs without JetStream: give it a "jetstream" block`)
  if (most < partBytes + besidePart) {
    const why = `max_payload of the server is ${most} bytes, and a frame has up to ${partBytes + besidePart}`
    throw new EngineUnfit(`${why}: set it to 1MB, its default`)
  }
}

export function isOlder(version: string): boolean {
  const numbers = version.split(/[.-]/).map(Number)
  for (const [at, least] of leastVersion.entries()) {
    const number = numbers[at] ?? 0
    if (number !== least) return number < least
  }
  return false
}

async function tellOfChanges(connection: NatsConnection, log: Logger): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') log.log('warn', 'the connection to NATS is lost', { server: status.server })
    else if (status.type === 'reconnect') {
      log.log('info', 'connected to NATS again', { server: status.server })
      try {
        ensureFit(connection)
      } catch (error) {
        log.log('error', `the cluster: ${(error as Error).message}`)
      }
    } else if (status.type === 'error') log.log('error', `NATS: ${status.error.message}`)
  }
}
